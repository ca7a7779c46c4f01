"""Windows larger than the training chips, at the same scale: less area is computed twice, so a scene takes less time.

A network of convolutions takes canvases of any size. With an overlap of 160 pixels, windows of 512 compute each pixel
of a scene twice on average, and windows of 1024 compute it 1.4 times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from refinedet.config import Radiometry, TileConfig
from refinedet.detections import Detections
from refinedet.predictors.multiscale import ScalablePredictor
from refinedet.predictors.predictor import Chip
from refinedet.tiling import WINDOW_TILES


def large_windows(tile: TileConfig) -> TileConfig:
    """Enlarge the windows by `WINDOW_TILES`; a scene that was a single window stays one."""
    return replace(tile, tile_px=WINDOW_TILES * tile.tile_px, whole_factor=tile.whole_factor / WINDOW_TILES)


class LargeWindows:
    """Predictor for the windows of `large_windows(tile)`, around a predictor that expects those of `tile`."""

    def __init__(self, predictor: ScalablePredictor, tile: TileConfig) -> None:
        self.predictor, self.tile = predictor, tile
        room = WINDOW_TILES**2  # as many ships per area as before
        own = predictor.postprocess
        self.postprocess = replace(own, max_detections=room * own.max_detections, pre_nms=room * own.pre_nms)

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
        return self.predictor.predict_at(chips, [self._long_side_px(chip) for chip in chips], self.postprocess)

    def predict_parts(self, chips: Sequence[Chip], whole_px: int) -> list[Detections]:
        """Find ships in parts of windows, at the scale at which `whole_px` is the long side of a large window."""
        side = WINDOW_TILES * self.predictor.input_px
        sides = [round(max(chip.shape[:2]) * side / whole_px) for chip in chips]
        return self.predictor.predict_at(chips, sides, self.postprocess)

    def _long_side_px(self, chip: Chip) -> int:
        """Long side of a chip on the canvas.

        A scene that is one chip fills the network's input, as in training. Windows keep the scale of a tile.
        """
        long = max(chip.shape[:2])
        whole = long <= self.tile.whole_factor * self.tile.tile_px
        return self.predictor.input_px if whole else round(long * self.predictor.input_px / self.tile.tile_px)
