"""Multi-scale test: the network runs on an image at several sizes and mirrored, and the boxes are merged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from refinedet.boxes import Boxes, flip_horizontal, flip_vertical, iou
from refinedet.config import MultiscaleConfig, Pass, PostprocessConfig, Radiometry, SuppressionConfig
from refinedet.detections import Detections
from refinedet.predictors.predictor import Chip, Predictor

_ELONGATION_MAX = 2.25
"""Longest long side, in network inputs, in a pass that sets the short side; it limits narrow strips."""


class ScalablePredictor(Predictor, Protocol):
    """Predictor that takes a chip at any scale, such as TorchPredictor."""

    input_px: int
    """Long side of a chip at scale 1."""
    postprocess: PostprocessConfig

    def predict_at(
        self, chips: Sequence[Chip], long_sides_px: Sequence[int], postprocess: PostprocessConfig
    ) -> list[Detections]:
        """Detections of each chip in its own pixels, after scaling its long side to the given length."""
        ...


class MultiscalePredictor:
    """Predictor that runs several passes of another predictor. The boxes of a chip do not depend on the other chips."""

    def __init__(self, predictor: ScalablePredictor, config: MultiscaleConfig) -> None:
        self.predictor, self.config = predictor, config

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names by label."""
        return self.predictor.classes

    @property
    def radiometry(self) -> Radiometry:
        """Conversion of scene pixels to the 8 bits that it expects."""
        return self.predictor.radiometry

    def predict(self, chips: Sequence[Chip]) -> list[Detections]:
        """Detections of each chip, in that chip's own pixels, in the order of `chips`."""
        passes = [run_pass(self.predictor, chips, row) for row in self.config.passes]
        return [merge_passes(list(found), self.config) for found in zip(*passes, strict=True)]


def run_pass(predictor: ScalablePredictor, chips: Sequence[Chip], row: Pass) -> list[Detections]:
    """Compute all candidates of each chip in one pass, in the chip's own pixels, not suppressed or gated by size.

    Scores are those of `predictor`: its operating score reads 0.5, its `score_min` and `pre_nms` hold.
    """
    own = predictor.postprocess
    config = replace(own, suppression="none", keep_min=0.0, max_detections=own.pre_nms)
    mirrored = [_mirrored(chip, row) for chip in chips]
    sides = [long_side_px(chip.shape[1], chip.shape[0], row, predictor.input_px) for chip in chips]
    found = predictor.predict_at(mirrored, sides, config)
    return [
        Detections.of(_unmirrored(f.boxes_xyxy, chip, row), f.scores, f.labels)
        for f, chip in zip(found, chips, strict=True)
    ]


def long_side_px(width: int, height: int, row: Pass, input_px: int) -> int:
    """Length on the canvas of the long side of a chip of `width` x `height` pixels.

    >>> long_side_px(500, 350, Pass(scale=0.75), 512), long_side_px(500, 350, Pass(scale=0.75, side="short"), 512)
    (384, 549)
    """
    side = row.scale * input_px
    if row.side == "short":
        side = min(side * max(width, height) / min(width, height), max(row.scale, _ELONGATION_MAX) * input_px)
    return max(1, round(side))


def merge_passes(found: Sequence[Detections], config: MultiscaleConfig) -> Detections:
    """Merge the candidates of one image from each pass (`run_pass`, in the order of the passes) to one set."""
    kept = [_gated(_suppressed(candidates, config), row) for candidates, row in zip(found, config.passes, strict=True)]
    merged = _suppress(Detections.concatenate(kept), config.merge)
    if config.scoring == "mean" and len(merged):
        share = _agreement(merged, kept, config)
        merged = Detections.of(merged.boxes_xyxy, merged.scores * share, merged.labels).above(config.merge.score_min)
    return merged


def _suppressed(candidates: Detections, config: MultiscaleConfig) -> Detections:
    if config.pass_nms_iou is None:
        return candidates
    within = SuppressionConfig(
        nms_iou=config.pass_nms_iou, voting_iou=None, score_min=0.0, max_detections=max(1, len(candidates))
    )
    return _suppress(candidates, within)


def _gated(found: Detections, row: Pass) -> Detections:
    return found.keep(_admits(row, found.boxes_xyxy))


def _admits(row: Pass, boxes: Boxes) -> NDArray[np.bool_]:
    """Mask (N,) of the boxes whose short side the pass keeps."""
    short = (boxes[:, 2:] - boxes[:, :2]).min(axis=1)
    high = np.inf if row.max_short_px is None else row.max_short_px
    return np.asarray((short >= (row.min_short_px or 0.0)) & (short < high), np.bool_)


def _suppress(found: Detections, config: SuppressionConfig) -> Detections:
    from refinedet.model.suppression.arrays import Candidates, suppress

    solid = found.keep(np.asarray((found.boxes_xyxy[:, 2:] > found.boxes_xyxy[:, :2]).all(axis=1)))
    one_image = np.zeros_like(solid.labels)
    return suppress(Candidates(one_image, solid.boxes_xyxy, solid.scores, solid.labels), 1, config)[0]


def _agreement(merged: Detections, kept: Sequence[Detections], config: MultiscaleConfig) -> NDArray[np.float32]:
    """Mean over the passes of the best score on each merged box (K,), as a share of the best of all.

    A pass counts if its size gate admits the box, or if it has a box on it nevertheless.
    """
    best = np.stack([_best_score(merged, found, config.merge.nms_iou) for found in kept])
    admits = np.stack([_admits(row, merged.boxes_xyxy) for row in config.passes])
    counted = np.maximum((admits | (best > 0)).sum(axis=0), 1)
    strongest = best.max(axis=0)
    share = best.sum(axis=0) / counted / np.where(strongest > 0, strongest, 1)
    return np.where(strongest > 0, share, 1).astype(np.float32)


def _best_score(merged: Detections, found: Detections, iou_min: float) -> NDArray[np.float32]:
    """Highest score (K,) of the boxes of `found` that lie on each merged box; 0 without any."""
    same = (merged.labels[:, None] == found.labels) & (iou(merged.boxes_xyxy, found.boxes_xyxy) >= iou_min)
    return np.asarray((same * found.scores).max(axis=1, initial=0), np.float32)


def _mirrored(chip: Chip, row: Pass) -> Chip:
    columns = -1 if row.flip in ("horizontal", "both") else 1
    rows = -1 if row.flip in ("vertical", "both") else 1
    return np.ascontiguousarray(chip[::rows, ::columns])


def _unmirrored(boxes: Boxes, chip: Chip, row: Pass) -> Boxes:
    height, width = chip.shape[:2]
    if row.flip in ("horizontal", "both"):
        boxes = flip_horizontal(boxes, width)
    if row.flip in ("vertical", "both"):
        boxes = flip_vertical(boxes, height)
    return boxes
