"""Windows cover the scene, share what they must, and never leave it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinedet.boxes import as_boxes
from refinedet.config import TileConfig
from refinedet.errors import InputError
from refinedet.tiling import Window, boxes_in_window, enlarged, letterbox, moved, starts, windows

LENGTH = st.integers(1, 5000)
TILE = st.integers(64, 1024)


@given(LENGTH, TILE, st.floats(0, 0.9))
def test_starts_cover_a_length_and_share_the_overlap(length: int, tile: int, share: float) -> None:
    overlap = int(tile * share)
    firsts = starts(length, tile, overlap)
    assert firsts[0] == 0
    assert firsts[-1] == max(0, length - tile)
    steps = np.diff(firsts)
    assert (steps > 0).all()
    assert (steps <= tile - overlap).all()


@given(LENGTH, LENGTH, st.integers(64, 600), st.floats(0, 0.8))
def test_every_box_no_longer_than_the_overlap_is_whole_in_a_window(w: int, h: int, tile: int, share: float) -> None:
    config = TileConfig(tile_px=tile, overlap_px=int(tile * share))
    grid = windows(w, h, config)
    assert all(g.x >= 0 and g.y >= 0 and g.x + g.width <= w and g.y + g.height <= h for g in grid)
    rng = np.random.default_rng(w * h)
    side = min(config.overlap_px, w, h)
    for _ in range(5):
        x, y = rng.uniform(0, w - side), rng.uniform(0, h - side)
        assert any(g.x <= x and x + side <= g.x + g.width and g.y <= y and y + side <= g.y + g.height for g in grid)


@pytest.mark.parametrize(
    ("width", "height", "count"),
    [
        (512, 512, 1),  # exactly a tile
        (768, 100, 1),  # the long side is 1.5 tiles: still whole
        (769, 100, 2),  # one pixel more
        (1, 1, 1),
        (100_000, 10, 284),
    ],
)
def test_number_of_windows(width: int, height: int, count: int) -> None:
    assert len(windows(width, height, TileConfig())) == count


def test_a_scene_without_pixels_is_refused() -> None:
    with pytest.raises(InputError, match="1 x 1"):
        windows(0, 5, TileConfig())


@given(st.integers(1, 3000), st.integers(1, 3000))
def test_a_letterboxed_chip_keeps_its_shape_and_fits_its_canvas(width: int, height: int) -> None:
    box = letterbox(width, height, 512, 64)
    assert max(box.width, box.height) == 512
    assert box.canvas_width % 64 == box.canvas_height % 64 == 0
    assert 0 <= box.canvas_width - box.width < 64
    assert 0 <= box.canvas_height - box.height < 64
    assert abs(box.width - width * box.scale) <= 0.5 or box.width == 1
    assert abs(box.height - height * box.scale) <= 0.5 or box.height == 1


def test_boxes_in_a_window_by_hand() -> None:
    boxes = as_boxes([[0, 0, 10, 10], [95, 0, 105, 10], [99, 0, 109, 10], [200, 200, 210, 210]])
    inside, ignored, index = boxes_in_window(boxes, Window(0, 0, 100, 100), min_visible=0.5)
    assert inside.tolist() == [[0, 0, 10, 10], [95, 0, 100, 10], [99, 0, 100, 10]]
    assert ignored.tolist() == [False, False, True]  # whole, half, a tenth
    assert index.tolist() == [0, 1, 2]


def test_boxes_in_a_window_are_in_its_own_pixels() -> None:
    boxes = as_boxes([[0, 0, 10, 10], [195, 60, 215, 70], [260, 100, 280, 120]])
    inside, ignored, index = boxes_in_window(boxes, Window(50, 200, 60, 70), min_visible=0.8)
    assert inside.tolist() == [[0, 10, 15, 20], [60, 50, 70, 60]]
    assert ignored.tolist() == [True, True]  # three quarters and a quarter of them are there
    assert index.tolist() == [1, 2]


def test_windows_come_from_top_to_bottom_and_from_left_to_right() -> None:
    grid = windows(1000, 1500, TileConfig(tile_px=512, overlap_px=100))
    assert [(w.y, w.x) for w in grid] == [(y, x) for y in (0, 329, 659, 988) for x in (0, 244, 488)]
    assert grid == sorted(grid)
    assert moved(Window(1, 2, 3, 4), 10, 20) == Window(11, 22, 3, 4)


def test_a_window_is_enlarged_within_its_scene() -> None:
    assert enlarged(Window(5, 1, 10, 20), 3, 2, 16, 40) == Window(2, 0, 14, 23)
