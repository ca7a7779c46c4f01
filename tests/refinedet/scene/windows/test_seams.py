"""Which pixels a window owns."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from refinedet.config import TileConfig
from refinedet.scene.windows.seams import SeamGrid
from refinedet.tiling import windows


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
