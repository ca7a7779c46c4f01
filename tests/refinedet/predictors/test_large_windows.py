"""Larger windows: the scale of training, whatever the size of a scene."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from refinedet.config import PostprocessConfig, Radiometry, TileConfig
from refinedet.detections import Detections
from refinedet.predictors.large_windows import LargeWindows, large_windows
from refinedet.predictors.predictor import Chip
from refinedet.tiling import windows

TILE = TileConfig(tile_px=100, overlap_px=20, whole_factor=1.5)


class Remembers:
    """Predictor that finds nothing and remembers the sizes that it was asked for."""

    classes = ("ship",)
    radiometry = Radiometry()
    input_px = 64
    postprocess = PostprocessConfig(max_detections=10, pre_nms=30)

    def __init__(self) -> None:
        self.sides: list[int] = []
        self.asked: list[PostprocessConfig] = []

    def predict(self, chips: Sequence[Chip]) -> list[Detections]:
        """Refuse, because these tests call `predict_at`."""
        raise NotImplementedError

    def predict_at(
        self, chips: Sequence[Chip], long_sides_px: Sequence[int], postprocess: PostprocessConfig
    ) -> list[Detections]:
        """Find nothing."""
        self.sides += long_sides_px
        self.asked.append(postprocess)
        return [Detections.empty() for _ in chips]


@pytest.mark.parametrize(
    ("width", "height", "sides"),
    [
        (90, 70, {64}),  # a small scene fills the input, as a chip of training
        (150, 20, {64}),  # still one tile by the rule of training
        (151, 20, {97}),  # 151 * 0.64
        (199, 199, {127}),
        (1000, 700, {128}),  # windows of 200 x 200
        (1000, 120, {128}),
    ],
)
def test_the_scale_is_that_of_training(width: int, height: int, sides: set[int]) -> None:
    network = Remembers()
    found = [np.zeros((w.height, w.width), np.uint8) for w in windows(width, height, large_windows(TILE))]
    LargeWindows(network, TILE).predict(found)
    assert set(network.sides) == sides


def test_there_are_fewer_windows_and_the_same_single_ones() -> None:
    assert len(windows(5000, 5000, large_windows(TILE))) < 0.3 * len(windows(5000, 5000, TILE))
    assert len(windows(150, 150, large_windows(TILE))) == len(windows(150, 150, TILE)) == 1
    assert large_windows(TILE).overlap_px == TILE.overlap_px


def test_a_larger_window_may_hold_more_ships() -> None:
    network = Remembers()
    LargeWindows(network, TILE).predict([np.zeros((200, 200), np.uint8)])
    assert (network.asked[0].max_detections, network.asked[0].pre_nms) == (40, 120)
