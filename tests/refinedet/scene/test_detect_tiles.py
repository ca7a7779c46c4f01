"""Through tiles or on the whole scene, pixel by pixel: a detector of bright blobs finds exactly the same."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from refinedet.config import TileConfig
from refinedet.raster import write_scene
from refinedet.scene.detect import detect_scene
from refinedet.tiling import Window, windows

Mask = NDArray[np.bool_]
SEA, SHIP = 20, 250
OVERLAP_PX = 16
"""Least overlap of windows: with less, a small ship may look cut, since networks are off by a few pixels."""


@st.composite
def tilings(draw: st.DrawFn) -> tuple[int, int, TileConfig]:
    """Width and height of a scene, and how it is cut; it may be smaller than a window."""
    tile = draw(st.integers(64, 160))
    overlap = draw(st.integers(OVERLAP_PX, tile * 2 // 3))
    return (
        draw(st.integers(20, 4 * tile)),
        draw(st.integers(20, 3 * tile)),
        TileConfig(tile_px=tile, overlap_px=overlap),
    )


def ship(rng: np.random.Generator, shape: tuple[int, int], length: float, grid: Sequence[Window]) -> Mask:
    """The pixels of one ship at any angle; most lie on a seam or corner of the windows, or at the edge of the scene."""
    angle = rng.choice([0, np.pi / 2, rng.uniform(0, np.pi)])
    middle = rng.uniform(0, shape[::-1])
    window = grid[rng.integers(len(grid))]
    corner = np.array([window.x, window.y]) + rng.integers(0, 2, 2) * np.array([window.width, window.height])
    middle = np.where(rng.random(2) < 0.6, corner + rng.uniform(-1, 1, 2) * length / 2, middle)
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    along = (x - middle[0]) * np.cos(angle) + (y - middle[1]) * np.sin(angle)
    across = (y - middle[1]) * np.cos(angle) - (x - middle[0]) * np.sin(angle)
    width = max(3.0, length * rng.uniform(0.1, 0.4))
    return np.asarray((abs(along) <= length / 2) & (abs(across) <= width / 2), np.bool_)


def fleet(rng: np.random.Generator, width: int, height: int, tile: TileConfig, gap: int) -> Mask:
    """Up to 12 ships, a few pixels to a few overlaps long, that keep at least `gap` pixels apart."""
    grid = windows(width, height, tile)
    sea = np.zeros((height, width), np.bool_)
    for _ in range(rng.integers(0, 13)):
        longest = rng.choice([tile.overlap_px, 4 * tile.overlap_px, 2 * tile.tile_px])
        one = ship(rng, sea.shape, rng.uniform(4, max(5, longest)), grid)
        apart = not (ndimage.binary_dilation(one, np.ones((3, 3)), gap) & sea).any()
        if apart and ndimage.label(one)[1] == 1:
            sea |= one
    return sea


def rows(path: Path, predictor: Any, tile: TileConfig, batch_size: int) -> tuple[list[tuple[float, ...]], int]:
    """Detections, and the number of windows."""
    result = detect_scene(path, predictor, tile=tile, batch_size=batch_size)
    found = result.detections
    assert "cut" not in {flag for flags in result.flags for flag in flags}
    return sorted(
        (*box, s) for box, s in zip(found.boxes_xyxy.tolist(), found.scores.tolist(), strict=True)
    ), result.windows


@given(tilings(), st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 9))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])  # it only sees
def test_tiles_find_exactly_what_the_whole_scene_shows(
    tmp_path_factory: pytest.TempPathFactory,
    bright_blobs: Any,
    tiling: tuple[int, int, TileConfig],
    seed: int,
    gap: int,
    batch_size: int,
) -> None:
    width, height, tile = tiling
    ships = fleet(np.random.default_rng(seed), width, height, tile, gap)
    path = tmp_path_factory.mktemp("tiles") / "scene.tif"
    write_scene(path, np.where(ships, SHIP, SEA).astype(np.uint8))
    whole, one = rows(path, bright_blobs, TileConfig(tile_px=max(width, height, 64), overlap_px=0), batch_size)
    assert one == 1
    assert len(whole) == ndimage.label(ships)[1]
    assert rows(path, bright_blobs, tile, batch_size)[0] == whole
