"""Resolution from speckle, against a point response that is known."""

from __future__ import annotations

import numpy as np
import pytest

from refinedet.data.simulation.fields import point_response
from refinedet.data.simulation.scene import simulate
from refinedet.data.simulation.spec import SceneSpec
from refinedet.scene.ships.measuring.resolution import USUAL_PX, resolution_px, speckle_correlation


def speckle(share_x: float, share_y: float, looks: int = 4, side: int = 256) -> np.ndarray:
    """Intensity of speckle through a Hamming aperture that fills those shares of the band."""
    rng, frequency = np.random.default_rng(3), np.fft.fftfreq(side)
    x, y = (
        np.where(np.abs(frequency) < share / 2, 0.75 + 0.25 * np.cos(2 * np.pi * frequency / share), 0)
        for share in (share_x, share_y)
    )
    noise = rng.standard_normal((looks, side, side)) + 1j * rng.standard_normal((looks, side, side))
    return np.asarray((np.abs(np.fft.ifft2(noise * y[:, None] * x)) ** 2).mean(axis=0))


@pytest.mark.parametrize(("share", "width"), [(0.4, 2.5), (0.5, 2.0), (0.7, 1.42), (0.9, 1.11)])
def test_the_width_of_the_point_response_is_told_from_speckle(share: float, width: float) -> None:
    grey = speckle(share, 0.6)
    found = speckle_correlation(grey, np.ones(grey.shape, bool))
    assert found is not None
    assert resolution_px([found]) == pytest.approx((width, 1.66), rel=0.08)


def test_swell_and_bright_ships_do_not_widen_it() -> None:
    grey = speckle(0.5, 0.5)
    rough = grey * (1 + 0.5 * np.sin(np.arange(256) / 6))[:, None]
    rough[100:110, 100:110] *= 1000
    plain, found = (speckle_correlation(g, np.ones(g.shape, bool)) for g in (grey, rough))
    assert plain is not None
    assert found is not None
    assert resolution_px([found]) == pytest.approx(resolution_px([plain]), rel=0.12)


@pytest.mark.parametrize("seed", [61, 62, 63])
def test_simulated_scenes_tell_the_response_that_they_were_made_with(seed: int) -> None:
    scene = simulate(
        SceneSpec(
            width_px=500, height_px=500, ships=5, seed=seed, looks=(4, 4), land_probability=0, nodata_probability=0
        )
    )
    offset = np.linspace(-3, 3, 1201)
    power = point_response(offset, scene.conditions.aperture_weight) ** 2
    width = float(np.ptp(offset[power >= 0.5]))
    grey = scene.pixels.astype(float) ** 2
    found = speckle_correlation(grey, np.ones(grey.shape, bool))
    assert found is not None
    assert resolution_px([found]) == pytest.approx((width, width), rel=0.2)


def test_without_plain_sea_the_usual_resolution_is_taken() -> None:
    grey = speckle(0.5, 0.5)
    few = np.zeros(grey.shape, bool)
    few[:10, :10] = True
    assert speckle_correlation(grey, few) is None
    assert speckle_correlation(np.ones_like(grey), np.ones(grey.shape, bool)) is None
    slope = np.linspace(1, 3, 256)[:, None] * np.linspace(1, 3, 256)
    assert speckle_correlation(slope, np.ones(grey.shape, bool)) is None
    assert resolution_px([]) == (USUAL_PX, USUAL_PX)
