"""Pixels that a window owns."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from refinedet.config import TileConfig
from refinedet.scene.windows.seams import SeamGrid, cut_sides
from refinedet.tiling import Window, windows


@given(st.integers(1, 400), st.integers(1, 400), st.integers(0, 30))
def test_near_is_what_a_window_owns_and_a_margin_within_it(width: int, height: int, margin: int) -> None:
    grid = windows(width, height, TileConfig(tile_px=64, overlap_px=20))
    seams = SeamGrid(grid)
    owned = np.zeros((height, width), int)
    for w in grid:
        alone, near = seams.near(w, 0), seams.near(w, margin)
        owned[w.y + alone.y : w.y + alone.y + alone.height, w.x + alone.x : w.x + alone.x + alone.width] += 1
        assert near.y == max(0, alone.y - margin)
        assert near.x + near.width == min(w.width, alone.x + alone.width + margin)
        middle = np.array([[alone.x + 0.5, alone.y + 0.5] * 2]) + np.array([w.x, w.y] * 2)
        if min(alone.width, alone.height) > 1:
            assert seams.owner(middle + 0.5)[0] == seams.index[w]
    assert owned.min() >= 1
    assert (owned > 1).mean() < 0.2  # a seam may lie in the middle of a pixel, which then counts for both


FOUR = [Window(y, x, 100, 100) for y in (0, 60) for x in (0, 60)]
"""A scene of 160 x 160 pixels; seams at 80, so that window 0 owns all up to there."""


def test_how_far_a_box_is_outside_of_what_a_window_owns() -> None:
    seams = SeamGrid(FOUR[::-1])  # in any order
    boxes = np.array([[10.0, 20, 30, 40], [80, 20, 100, 40], [80, 90, 100, 110], [10, 96, 30, 98]])
    assert seams.owner(boxes).tolist() == [0, 1, 3, 2]
    assert [seams.outside_px(boxes, np.full(4, window)).tolist() for window in range(4)] == [
        [0, 10, 20, 17],
        [60, 0, 20, 60],
        [50, 50, 10, 0],
        [60, 50, 0, 60],
    ]


def test_a_box_is_cut_where_it_ends_near_a_border_within_the_scene() -> None:
    rects = np.array([[60.0, 0, 160, 100]] * 6)
    inner = SeamGrid(FOUR).inner(rects)
    assert inner.tolist() == [[True, False, False, True]] * 6
    boxes = np.array(
        [
            [64.0, 1, 90, 96],
            [64.1, 1, 90, 95],
            [70, 1, 159, 94.4],
            [59, 50, 159, 60],
            [65.5, 50, 159, 60],
            [66.5, 50, 159, 60],
        ]
    )  # within 4 px of the border, or 6 % of the box along that axis
    assert cut_sides(boxes, rects, inner).tolist() == [
        [True, False, False, True],
        [False, False, False, True],
        [False, False, False, True],
        [True, False, False, False],
        [True, False, False, False],
        [False, False, False, False],
    ]
