"""Axis, size and contrast of ships, against hulls that are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from refinedet.data.simulation.scene import simulate
from refinedet.data.simulation.spec import SceneSpec
from refinedet.scene.ships.measuring.crop import Box
from refinedet.scene.ships.measuring.resolution import Grey, Mask, Sensor
from refinedet.scene.ships.measuring.shape import MARGIN_PX, Shape, measure_all, surroundings
from refinedet.scene.ships.measuring.stack import Around


def hull(length: float, width: float, degrees: float, side: int = 120) -> np.ndarray:
    """Intensity of calm water with one bright rectangle in the middle, turned clockwise from the top."""
    y, x = np.mgrid[0:side, 0:side] + 0.5 - side / 2
    sine, cosine = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
    along, across = x * sine - y * cosine, x * cosine + y * sine
    speckle = np.random.default_rng(0).gamma(4, 0.25, (side, side))
    return speckle + 300.0 * ((np.abs(along) <= length / 2) & (np.abs(across) <= width / 2))


def box(length: float, side: int = 120) -> tuple[float, float, float, float]:
    half = length / 2 + 2
    return (side / 2 - half, side / 2 - half, side / 2 + half, side / 2 + half)


def measure(power: Grey, valid: Mask, place: Box, sensor: Sensor | None = None) -> Shape:
    return measure_all([Around(power, valid, place)], sensor)[0]


def heading(shape: Shape) -> float:
    return float(np.degrees(np.arctan2(shape.axis_xy[0], -shape.axis_xy[1])) % 180)


@settings(max_examples=60)
@given(st.floats(16, 60), st.floats(0.15, 0.4), st.floats(0, 180))
def test_a_hull_is_measured_whichever_way_it_lies(length: float, slender: float, degrees: float) -> None:
    width = max(4.0, slender * length)
    pixels = hull(length, width, degrees)
    found = measure(pixels, np.ones(pixels.shape, bool), box(length))
    assert found.length_px == pytest.approx(length, abs=2)
    assert found.width_px == pytest.approx(width, abs=2)
    turned = abs(heading(found) - degrees)
    assert min(turned, 180 - turned) < 6
    assert found.centre_xy == pytest.approx((60, 60), abs=0.7)
    assert found.contrast_db == pytest.approx(10 * np.log10(301), abs=0.3)


@pytest.mark.parametrize("width", [3.0, 6.0, 10.0])
def test_a_brighter_ship_is_no_wider(width: float) -> None:
    """Through a sensor that blurs, its side lobes rise above any threshold; the hull stays what it is."""
    water, ship = hull(0, 0, 0), ndimage.gaussian_filter((hull(40, width, 30) > 100) * 1.0, 0.5)
    every = np.ones(ship.shape, bool)
    widths = [measure(water + gain * ship, every, box(40)).width_px for gain in (30.0, 300.0, 30_000.0)]
    assert widths == pytest.approx([width] * 3, abs=0.6)


def test_a_round_blob_has_no_axis_and_an_empty_box_nothing_at_all() -> None:
    round_one = hull(9, 9, 0)
    found = measure(round_one, np.ones(round_one.shape, bool), box(9))
    assert not found.elongated
    assert np.isfinite([*found.axis_xy, found.contrast_db]).all()
    nothing = measure(np.zeros((40, 40)), np.zeros((40, 40), bool), (10, 10, 20, 20))
    assert np.isnan([*nothing.axis_xy, nothing.length_px, nothing.contrast_db]).all()


def test_a_neighbour_and_land_do_not_count_as_water() -> None:
    pixels = hull(30, 8, 20)
    alone = measure(pixels, np.ones(pixels.shape, bool), box(30))
    pixels[:, :22] = 200.0
    crowded = measure(pixels, np.ones(pixels.shape, bool), box(30))
    assert crowded.contrast_db == pytest.approx(alone.contrast_db, abs=0.5)
    assert heading(crowded) == pytest.approx(heading(alone), abs=1)


@pytest.mark.parametrize("width_px", [1.2, 2.0, 3.0])
def test_the_blur_of_the_sensor_is_no_length(width_px: float) -> None:
    """At 10 m pixels a hull of 80 m looks 20 m longer through a response of 20 m."""
    calm = hull(0, 0, 0)
    pixels = calm + ndimage.gaussian_filter(hull(8, 2, 30) - calm, width_px / 2.355)
    found = measure(pixels, np.ones(pixels.shape, bool), box(8), Sensor((10.0, 10.0), (width_px, width_px)))
    assert found.length_px == pytest.approx(8, abs=1.2)


def test_a_ship_in_long_pixels_is_shaped_on_the_ground() -> None:
    """Pixels of 4 x 12 m: a hull at 45 degrees on the ground is steep in the picture."""
    square = hull(40, 8, 45, side=360)  # pixels of 4 m
    pixels = square.reshape(120, 3, 360).mean(axis=1)
    place = (160.0, 50.0, 200.0, 70.0)
    found = measure(pixels, np.ones(pixels.shape, bool), place, Sensor((4.0, 12.0), (1.0, 1.0)))
    axis, side = np.array(found.axis_xy) * (4, 12), np.array(found.side_xy) * (4, 12)
    assert 2 * np.hypot(*axis) == pytest.approx(160, rel=0.1)
    assert axis @ side == pytest.approx(0, abs=1e-6)
    assert abs(axis[0] / axis[1]) == pytest.approx(1, rel=0.15)


def test_the_side_lobes_of_a_bright_point_are_no_ship() -> None:
    """A corner reflector amidships throws a cross that is brighter than the hull's ends."""
    pixels = hull(24, 4, 60)
    cross = np.sinc((np.arange(120) - 60) / 1.5) ** 2
    lit = pixels + 3e4 * np.outer(cross, cross)
    every = np.ones(pixels.shape, bool)
    alone, crossed = (measure(p, every, box(24), Sensor((10.0, 10.0), (1.5, 1.5))) for p in (pixels, lit))
    assert crossed.length_px == pytest.approx(alone.length_px, abs=2)
    turned = abs(heading(crossed) - heading(alone))
    assert min(turned, 180 - turned) < 8


def test_the_surroundings_end_at_the_scene() -> None:
    window = surroundings((2.5, 50.0, 20.2, 60.0), 30, 100)
    assert (window.x, window.y, window.width, window.height) == (0, 50 - MARGIN_PX, 30, 10 + 2 * MARGIN_PX)


@pytest.mark.parametrize("seed", [41, 43], ids=["one look", "four looks"])
def test_simulated_ships_are_measured_as_they_are(seed: int) -> None:
    """Accuracy for a user: half of the lengths and widths within 15 %, four of five headings within 10 degrees."""
    scene = simulate(SceneSpec(width_px=900, height_px=900, ships=40, seed=seed))
    intensity = scene.pixels.astype(float) ** 2
    lengths, widths, headings, contrasts = [], [], [], []
    for ship in scene.ships:
        window = surroundings(ship.box(), 900, 900)
        part = (slice(window.y, window.y + window.height), slice(window.x, window.x + window.width))
        x1, y1, x2, y2 = ship.box()
        place = (x1 - window.x, y1 - window.y, x2 - window.x, y2 - window.y)
        found = measure(intensity[part], scene.pixels[part] > 0, place)
        contrasts.append(abs(found.contrast_db - ship.peak_to_clutter_db))
        if ship.length_px >= 8:
            lengths.append(abs(found.length_px / ship.length_px - 1))
            widths.append(abs(found.width_px / ship.width_px - 1))
            turned = abs(heading(found) - ship.heading_deg % 180)
            headings.append(min(turned, 180 - turned))
    assert np.nanmedian(lengths) < 0.15
    assert np.nanmedian(widths) < 0.15
    known = np.array(headings)[np.isfinite(headings)]
    assert np.mean(known <= 10) >= 0.8
    assert np.nanmedian(contrasts) < 2
