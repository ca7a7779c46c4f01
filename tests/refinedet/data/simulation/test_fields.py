"""Statistics of the simulated sea, land and imaging system, against theory."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from refinedet.data.simulation import fields
from refinedet.data.simulation.spec import Conditions


def _conditions(looks: int = 1, shape: float = 3.0) -> Conditions:
    return Conditions(
        looks=looks,
        shape=shape,
        mean_amplitude=100.0,
        swell_px=15.0,
        swell_share=0.1,
        swell_rad=0.7,
        aperture_weight=0.75,
        ambiguity_px=100,
        land_share=0.2,
        nodata=False,
    )


def _speckle(conditions: Conditions, height: int, width: int) -> np.ndarray:
    intensity = np.zeros((height, width))
    for rows, columns, looks in fields.speckle_blocks(np.random.SeedSequence(1), height, width, conditions):
        intensity[rows, columns] = np.mean([np.abs(look) ** 2 for look in looks], axis=0)
    return intensity


@pytest.mark.parametrize("looks", [1, 4])
def test_speckle_has_unit_mean_and_variance_one_over_looks(looks: int) -> None:
    intensity = _speckle(_conditions(looks), 700, 900)
    assert intensity.mean() == pytest.approx(1, abs=0.02)
    assert intensity.var() == pytest.approx(1 / looks, rel=0.05)


def test_single_look_speckle_is_exponential() -> None:
    # Every third pixel, since neighbours are correlated and the test asks for independent ones.
    values = _speckle(_conditions(), 512, 512)[::3, ::3].ravel()
    assert stats.kstest(values, "expon").statistic < 0.015


@pytest.mark.parametrize("shape", [1.0, 2.5, 10.0])
def test_sea_texture_follows_the_gamma_law(shape: float) -> None:
    texture = fields.sea_texture(np.random.default_rng(2), 900, 900, _conditions(shape=shape))
    law = stats.gamma(shape, scale=1 / shape)
    for probability in (0.05, 0.5, 0.95, 0.999):
        assert np.quantile(texture, probability) == pytest.approx(law.ppf(probability), rel=0.12)
    assert texture.mean() == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize(("looks", "shape"), [(1, 2.0), (4, 1.0), (3, 8.0)])
def test_clutter_has_the_second_moment_of_the_k_law(looks: int, shape: float) -> None:
    conditions = _conditions(looks, shape)
    clutter = _speckle(conditions, 900, 900) * fields.sea_texture(np.random.default_rng(3), 900, 900, conditions)
    expected = (1 + 1 / looks) * (1 + 1 / shape)
    assert np.mean(clutter**2) / np.mean(clutter) ** 2 == pytest.approx(expected, rel=0.08)


def test_swell_shows_as_waves_of_its_length_and_direction() -> None:
    conditions = _conditions(shape=5.0)
    texture = fields.sea_texture(np.random.default_rng(4), 512, 512, conditions)
    power = np.abs(np.fft.fft2(texture - texture.mean())) ** 2
    fy, fx = np.meshgrid(np.fft.fftfreq(512), np.fft.fftfreq(512), indexing="ij")
    radius = np.hypot(fy, fx)
    ring = np.abs(radius - 1 / 15) < 0.008
    along = fy * np.sin(0.7) + fx * np.cos(0.7)
    on_axis = ring & (np.abs(along) > 0.97 * radius)
    across = ring & (np.abs(along) < 0.25 * radius)
    assert power[on_axis].mean() > 5 * power[across].mean()


def test_point_response_is_the_transform_of_the_aperture() -> None:
    offsets = np.linspace(-6, 6, 49)
    f = np.linspace(-fields.BANDWIDTH / 2, fields.BANDWIDTH / 2, 4001)
    window = 0.75 + 0.25 * np.cos(2 * np.pi * f / fields.BANDWIDTH)
    expected = np.array([np.trapezoid(window * np.cos(2 * np.pi * f * t), f) for t in offsets])
    expected /= np.trapezoid(window, f)
    np.testing.assert_allclose(fields.point_response(offsets, 0.75), expected, atol=1e-5)


@pytest.mark.parametrize("weight", [0.65, 0.85])
def test_side_lobes_are_visible_but_weak(weight: float) -> None:
    offsets = np.linspace(0, 12, 2401)
    response = np.abs(fields.point_response(offsets, weight))
    null = int(np.argmax(np.diff(response) > 0))
    highest_db = 20 * np.log10(response[null:].max())
    assert -32 < highest_db < -14


@pytest.mark.parametrize("share", [0.05, 0.3])
def test_land_takes_its_share_and_has_a_rough_coast(share: float) -> None:
    land = fields.coast(np.random.default_rng(5), 600, 800, share)
    assert land.mean() == pytest.approx(share, abs=0.01)
    edges = (land[1:] != land[:-1]).sum() + (land[:, 1:] != land[:, :-1]).sum()
    assert edges > 4 * np.sqrt(land.sum()), "longer than the outline of a square of that area"


def test_open_sea_has_no_land() -> None:
    assert not fields.coast(np.random.default_rng(5), 64, 64, 0.0).any()


def test_a_swath_is_valid_in_one_piece_across_each_row() -> None:
    for seed in range(8):
        valid = fields.nodata_border(np.random.default_rng(seed), 300, 400)
        assert 0.7 < valid.mean() < 1
        assert (np.abs(np.diff(valid.astype(int), axis=1)).sum(axis=1) <= 2).all()
