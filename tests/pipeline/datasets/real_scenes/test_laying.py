"""Patches lie where the scene says, with their own counts, in a sea of their level and speckle."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.datasets.real_scenes import laying


def _patches(levels: tuple[float, ...] = (100.0, 400.0), side: int = 40) -> list[Any]:
    rng = np.random.default_rng(1)
    patches = [level * np.sqrt(rng.gamma(4.4, 1 / 4.4, (side, side - 6))) for level in levels]
    for patch in patches:
        patch[side // 2, side // 3] = 5000
    return patches


def test_patches_keep_their_counts_inside_the_edge() -> None:
    patches = _patches()
    laid = laying.lay(patches, speckle=laying.GRD, seed=3)
    assert laid.pixels.dtype == np.uint16
    for patch, (x, y, w, h) in zip(patches, laid.rectangles, strict=True):
        assert (h, w) == patch.shape
        inner = np.s_[6:-6, 6:-6]
        np.testing.assert_array_equal(laid.pixels[y : y + h, x : x + w][inner], np.rint(patch[inner]))


def test_patches_do_not_touch() -> None:
    sizes = [(13, 13), (185, 60), (20, 90), (33, 33), (34, 34)] * 3
    placed, (height, width) = laying.shelves(sizes, 10)
    taken = np.zeros((height, width), int)
    for x, y, w, h in placed:
        assert min(x, y) >= 10
        assert (x + w + 10 <= width, y + h + 10 <= height) == (True, True)
        taken[y - 5 : y + h + 5, x - 5 : x + w + 5] += 1
    assert taken.max() == 1


def test_sea_has_the_level_of_the_nearest_patch() -> None:
    patches = _patches((100.0, 400.0))
    laid = laying.lay(patches, speckle=laying.GRD, seed=3)
    for patch, (x, y, w, h) in zip(patches, laid.rectangles, strict=True):
        ring = laid.pixels[y - 8 : y + h + 8, x - 8 : x + w + 8].astype(float)
        ring[8:-8, 8:-8] = np.nan
        assert np.nanmedian(ring) == pytest.approx(laying.level_of(patch), rel=0.15)


@pytest.mark.parametrize("looks", [2.0, 4.0, 4.4])
def test_sea_has_the_looks_asked_for(looks: float) -> None:
    speckle = laying.Speckle(looks, (0.5, 0.5))
    power = laying.sea((500, 500), speckle, 0.0, np.random.default_rng(0)).astype(float) ** 2
    assert power.mean() ** 2 / power.var() == pytest.approx(looks, rel=0.04)


def test_sea_of_grd_correlates_as_the_patches_do() -> None:
    power = laying.sea((500, 500), laying.GRD, 0.0, np.random.default_rng(0)).astype(float) ** 2
    along_x = np.corrcoef(power[:, 1:].ravel(), power[:, :-1].ravel())[0, 1]
    along_y = np.corrcoef(power[1:].ravel(), power[:-1].ravel())[0, 1]
    assert (along_x, along_y) == (pytest.approx(0.65, abs=0.05), pytest.approx(0.60, abs=0.05))


def test_variance_beyond_speckle_is_texture() -> None:
    rng = np.random.default_rng(2)
    smooth = [np.sqrt(rng.gamma(4.4, 1 / 4.4, (80, 80))) for _ in range(20)]
    rough = [patch * np.sqrt(rng.gamma(5, 1 / 5, (80, 80))) for patch in smooth]
    assert laying.texture_variance(smooth, 4.4) < 0.05
    assert laying.texture_variance(rough, 4.4) == pytest.approx(0.2, abs=0.05)


def test_points_are_told_by_patch() -> None:
    laid = laying.lay(_patches(), speckle=laying.GRD, seed=3)
    x, y, w, h = laid.rectangles[1]
    points = np.array([[x + 0.5, y + 0.5], [x + w, y + h - 1], [0, 0]])
    assert laid.patch_of(points).tolist() == [1, -1, -1]
    assert laid.patch_of(np.empty((0, 2))).tolist() == []
    assert laid.open_sea_px == laid.pixels.size - 2 * 40 * 34


def test_equal_seeds_give_equal_scenes() -> None:
    one, two, other = (laying.lay(_patches(), speckle=laying.GRD, seed=seed).pixels for seed in (3, 3, 4))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)
