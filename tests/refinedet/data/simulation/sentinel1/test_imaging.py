"""Imaging system of kind `sentinel1`: speckle and point response as of the real one."""

from __future__ import annotations

import numpy as np
import pytest

from refinedet.data.simulation.fields import point_response
from refinedet.data.simulation.sentinel1.conditions import APERTURE_WEIGHT
from refinedet.data.simulation.sentinel1.imaging import LOBES_PX, bands, detect_amplitude, look_weights, render_points


def test_speckle_has_the_looks_and_the_correlation_of_the_sensor() -> None:
    flat = np.full((400, 400), 1e8, np.float32)
    amplitude = detect_amplitude(flat, np.zeros_like(flat), np.random.SeedSequence(1), 4.4, 10.0).astype(float)
    power = amplitude**2 / 1e8
    excess = power - power.mean()
    assert power.mean() == pytest.approx(1, abs=0.02)
    assert power.mean() ** 2 / power.var() == pytest.approx(4.4, rel=0.06)
    assert (excess[1:] * excess[:-1]).mean() / power.var() == pytest.approx(0.58, abs=0.03)
    assert (excess[:, 1:] * excess[:, :-1]).mean() / power.var() == pytest.approx(0.62, abs=0.03)


@pytest.mark.parametrize("looks", [3.6, 4.4, 5.0])
def test_weights_of_looks_have_the_equivalent_number(looks: float) -> None:
    weights = look_weights(looks)
    assert weights.min() >= 0
    assert weights.sum() == pytest.approx(1)
    assert 1 / np.square(weights).sum() == pytest.approx(looks, rel=1e-4)


@pytest.mark.parametrize("pixel_m", [8.0, 10.0])
def test_point_response_is_as_wide_as_the_resolution(pixel_m: float) -> None:
    offset = np.linspace(-3, 3, 6001)
    for band in bands(pixel_m):
        power = point_response(offset, APERTURE_WEIGHT, band) ** 2
        assert 18 < np.ptp(offset[power > 0.5]) * pixel_m < 23


def test_a_point_is_rendered_where_it_is() -> None:
    row, column, patch = render_points(np.array([[30.5, 12.5]]), np.ones(1), 10.0, np.random.default_rng(0))
    top = np.unravel_index(int(np.argmax(patch)), patch.shape)
    assert (top[0] + row, top[1] + column) == (12, 30)
    assert patch.max() == pytest.approx(1, abs=1e-4)
    assert patch.shape == (2 * LOBES_PX + 1, 2 * LOBES_PX + 1)


def test_close_scatterers_interfere() -> None:
    points = np.array([[0.5, 0.5], [1.1, 0.5]])
    peaks = [render_points(points, np.ones(2), 10.0, np.random.default_rng(seed))[2].max() for seed in range(20)]
    assert np.std(peaks) > 0.1
