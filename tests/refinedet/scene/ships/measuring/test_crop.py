"""Means, quantiles and parts of the pixels around a box."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from refinedet.scene.ships.measuring.crop import Crop, area_px, averaged, covariance, quantile, touched, with_neighbours


def pixels(side: int = 60) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    valid = rng.random((side, side + 7)) > 0.3
    valid[:9] = False
    return np.where(valid, rng.gamma(1.0, 1.0, valid.shape), 0.0), valid


def fields(crop: Crop) -> list[np.ndarray]:
    return [crop.power, crop.valid, crop.amplitude, crop.smooth, crop.smoother]


@pytest.mark.parametrize("side", [3, 5])
def test_a_mean_is_that_of_the_measured_pixels(side: int) -> None:
    power, valid = pixels()
    found = averaged(power, valid, side)
    for row, column in np.ndindex(power.shape):
        if side <= row < power.shape[0] - side and side <= column < power.shape[1] - side:
            around = tuple(slice(k - side // 2, k + side // 2 + 1) for k in (row, column))
            known = power[around][valid[around]]
            assert found[row, column] == pytest.approx(known.mean() if len(known) > side else 0.0)
    every = np.ones_like(valid)
    assert np.allclose(averaged(power, every, side), ndimage.uniform_filter(power, side))


def test_a_part_is_a_crop_of_its_own_and_the_same_to_the_last_bit_whatever_lies_around() -> None:
    power, valid = pixels()
    every = np.ones_like(valid)
    other = power.copy()
    other[:17], other[:, 50:] = 9.0, 9.0
    for mask in (valid, every):
        for span in ((slice(17, 47), slice(20, 50)), (slice(20, 60), slice(3, 50)), (slice(20, 60), slice(20, 23))):
            part, alone = Crop.of(power, mask).part(span), Crop.of(power[span], mask[span])
            for ours, theirs in zip(fields(part), fields(alone), strict=True):
                assert np.allclose(ours, theirs, rtol=1e-12)
            rows, columns = span
            below = slice(rows.start - 9, rows.stop - 9), columns
            for around, moved in ((Crop.of(other, mask), span), (Crop.of(power[9:], mask[9:]), below)):
                for ours, theirs in zip(fields(part), fields(around.part(moved)), strict=True):
                    assert ours.tobytes() == theirs.tobytes()


def test_bounds_of_a_part_hold_at_its_border() -> None:
    """They are close where the sea is even, and never too small."""
    power = np.random.default_rng(1).gamma(2.0, 0.5, (90, 97))
    power[30:, 20] = power[30] = 40.0  # bright lines at the border of a part, which are mirrored there
    every = np.ones(power.shape, bool)
    whole = Crop.of(power, every)
    for span in ((slice(30, 70), slice(20, 60)), (slice(0, 90), slice(0, 97)), (slice(40, 90), slice(31, 70))):
        part = whole.part(span)
        inner, edge = (slice(3, 9), slice(5, 11)), (slice(0, 9), slice(0, 9))
        assert (part.smooth_in(inner) == part.smooth[inner]).all()
        assert (part.smooth_in(edge) == part.smooth[edge]).all()
        for least in (0.3, 1.0, 1.5, 8.0, 12.0, 20.0):
            assert part.most_smooth(least) >= (part.smooth >= least).sum()
            assert part.may_be_smoother(least)[part.smoother >= least].all()
        assert part.most_smooth(3.0) < 600
        assert not part.may_be_smoother(50.0)[2:-2, 2:-2].any()
    unknown = every.copy()
    unknown[50, 50] = False
    assert Crop.of(power, unknown).part((slice(30, 70), slice(20, 60))).most_smooth(1e9) == 1600


@pytest.mark.parametrize("count", [1, 2, 7, 8, 1000])
@pytest.mark.parametrize("share", [0.2, 0.5])
def test_a_quantile_is_that_of_numpy(count: int, share: float) -> None:
    values = np.random.default_rng(count).gamma(2.0, 1.0, count)
    assert quantile(values, share) == pytest.approx(np.quantile(values, share), rel=1e-14)


def test_a_box_touches_the_pixels_that_it_covers_in_part() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        x1, y1, x2, y2 = np.r_[start := rng.uniform(-3, 12, 2), start + rng.uniform(0.1, 6, 2)].tolist()
        margin = float(rng.choice([0.0, 2.0, 2.5]))
        x, y = np.arange(11), np.arange(9)
        columns, rows = (x + 1 > x1 - margin) & (x < x2 + margin), (y + 1 > y1 - margin) & (y < y2 + margin)
        mask = np.zeros((9, 11), bool)
        span = touched(mask.shape, (x1, y1, x2, y2), margin)
        mask[span] = True
        assert (mask == (rows[:, None] & columns)).all()
        assert mask.sum() == area_px(span)


@pytest.mark.parametrize("count", [1, 2, 7, 300])
def test_covariance_is_that_of_numpy(count: int) -> None:
    rng = np.random.default_rng(count)
    points, weight = rng.integers(0, 60, (2, count)).astype(np.float64), rng.gamma(1, 5, count)
    np.testing.assert_array_equal(covariance(points), np.cov(points, bias=True))
    np.testing.assert_array_equal(covariance(points, weight), np.cov(points, bias=True, aweights=weight))


def test_neighbours_are_beside_above_and_below() -> None:
    mask = np.random.default_rng(0).random((20, 31)) < 0.1
    np.testing.assert_array_equal(with_neighbours(mask), ndimage.binary_dilation(mask))
