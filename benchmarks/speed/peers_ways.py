"""Ways from a scene to its ships with one predictor, for benchmarks/speed/peers.py. Heavy imports are within each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from refinedet.detection.search import Search
    from refinedet.detections import Detections
    from refinedet.predictors.predictor import Predictor

NMS_IOU, BAND_ROWS = 0.5, 512


def by_refinedet(scene: Path, search: Search, *, prescreen: bool = True) -> Detections:
    """Detect by refinedet: windows are read one by one and merged by their seams; calm ones are skipped."""
    from refinedet.config.options.land import LandSettings
    from refinedet.scene.detect import detect_scene

    return detect_scene(
        scene,
        search.predictors,
        prescreen=search.prescreen if prescreen else None,
        land=LandSettings(land_mask="off"),
        tile=search.tile,
        score_min=search.score_min,
    ).detections


def by_refinedet_everywhere(scene: Path, search: Search) -> Detections:
    """Detect by refinedet in every window, without the prescreen."""
    return by_refinedet(scene, search, prescreen=False)


def by_sahi(scene: Path, search: Search, at_once: int = 1) -> Detections:
    """Detect by SAHI, which slices the scene in memory and merges."""
    from sahi.predict import get_sliced_prediction

    from refinedet.detections import Detections

    tile = search.tile
    found = get_sliced_prediction(
        whole(scene, search.predictors[0]),
        sahi_model(search.predictors[0], search.score_min),
        slice_height=tile.tile_px,
        slice_width=tile.tile_px,
        overlap_height_ratio=tile.overlap_px / tile.tile_px,
        overlap_width_ratio=tile.overlap_px / tile.tile_px,
        perform_standard_pred=False,
        batch_size=at_once,
        verbose=0,
    ).object_prediction_list
    boxes, scores = [one.bbox.to_xyxy() for one in found], [one.score.value for one in found]
    return Detections.of(boxes, scores, np.zeros(len(found)))


def by_sahi_at_once(scene: Path, search: Search) -> Detections:
    """Detect by SAHI with as many windows at once as we hand to a predictor."""
    from refinedet.tiling import WINDOWS_TOGETHER

    return by_sahi(scene, search, at_once=WINDOWS_TOGETHER)


def sahi_model(predictor: Predictor, score_min: float) -> Any:
    """SAHI's model around our predictor."""
    from sahi.models.base import DetectionModel
    from sahi.prediction import ObjectPrediction

    class Ours(DetectionModel):
        """Model that takes as many slices as SAHI hands over."""

        def load_model(self) -> None:
            self.model = predictor

        def perform_batch_inference(self, images: Sequence[NDArray[np.uint8]]) -> None:
            self._original_predictions = self.model.predict(images)

        def _create_object_prediction_list_from_original_predictions(
            self, shift_amount_list: Any = None, full_shape_list: Any = None
        ) -> None:
            told = zip(self._original_predictions, shift_amount_list, full_shape_list, strict=True)
            self._object_prediction_list_per_image = [
                [
                    ObjectPrediction(
                        bbox=box, category_id=0, category_name="ship", score=score, shift_amount=shift, full_shape=shape
                    )
                    for box, score in zip(strong.boxes_xyxy.tolist(), strong.scores.tolist(), strict=True)
                ]
                for one, shift, shape in told
                for strong in [one.above(self.confidence_threshold)]
            ]

    return Ours(confidence_threshold=score_min, device="cpu")


def by_loop(scene: Path, search: Search) -> Detections:
    """Detect window by window over the scene in memory, with NMS over everything."""
    import torch
    from torchvision.ops import nms

    from refinedet.boxes import shift
    from refinedet.detections import Detections
    from refinedet.tiling import windows

    pixels, parts = whole(scene, search.predictors[0]), []
    for window in windows(pixels.shape[1], pixels.shape[0], search.tile):
        chip = pixels[window.y : window.y + window.height, window.x : window.x + window.width]
        (one,) = search.predictors[0].predict([np.ascontiguousarray(chip)])
        one = one.above(search.score_min)
        parts.append(Detections.of(shift(one.boxes_xyxy, window.x, window.y), one.scores, one.labels))
    found = Detections.concatenate(parts)
    kept = np.zeros(len(found), np.bool_)
    kept[nms(torch.from_numpy(found.boxes_xyxy), torch.from_numpy(found.scores), NMS_IOU).numpy()] = True
    return found.keep(kept)


def whole(scene: Path, predictor: Predictor) -> NDArray[np.uint8]:
    """Whole scene (H, W) in 8 bits, as `detect_scene` shows it to the predictor.

    It is read in bands, so that nothing else of the size of the scene is in memory.
    """
    from refinedet.raster import open_scene
    from refinedet.stretch.stretch_limits import scene_limits
    from refinedet.stretch.stretching import Stretch
    from refinedet.tiling import Window

    with open_scene(scene) as reader:
        info = reader.info
        limits = scene_limits(reader.sample(), info.dtype, info.nodata, predictor.radiometry)
        stretch = Stretch(info, limits)
        out = np.empty((info.height, info.width), np.uint8)
        for row in range(0, info.height, BAND_ROWS):
            band = Window(row, 0, min(BAND_ROWS, info.height - row), info.width)
            out[row : row + BAND_ROWS] = stretch(reader.read(band), band)
    return out


WAYS: dict[str, Callable[[Path, Search], Detections]] = {
    "refinedet": by_refinedet,
    "refinedet, no prescreen": by_refinedet_everywhere,
    "SAHI": by_sahi,
    "SAHI, windows at once": by_sahi_at_once,
    "plain loop": by_loop,
}
