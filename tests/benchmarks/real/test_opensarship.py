"""Ships of OpenSARShip: their entries, their places in a laid scene, and the measures against AIS."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pytest

from pipeline.datasets.real_scenes import laying
from pipeline.datasets.real_scenes.patches import read_ship
from refinedet.detections import Detections


@pytest.fixture
def opensarship() -> Any:
    return import_module("opensarship")


def _entry(**changes: Any) -> dict[str, Any]:
    entry = {
        "patch": "x100_y200",
        "bands": ["vh", "vv"],
        "centre_px": [100.0, 200.0],
        "head_px": [106.0, 200.0],
        "tail_px": [96.0, 204.0],
        "incidence_deg": 30.0,
        "manual_length_m": 110.0,
        "ais": {"length_m": 90.0, "width_m": 0.0},
        "register": {"length_m": 100.0, "width_m": None},
    }
    return entry | changes


def _found(centres: list[tuple[float, float]], length: float = 120, heading: float = 95) -> Any:
    boxes = [(x - 5, y - 5, x + 5, y + 5) for x, y in centres]
    count = len(boxes)
    detections = Detections.of(boxes, np.linspace(0.9, 0.6, count), np.zeros(count))
    every = np.ones(count)
    values = (length, 0.8 * length, 1.25 * length, 30, heading)
    return import_module("finding").Found(detections, ((),) * count, *(value * every for value in values))


def test_nearest_box_within_half_the_length_is_the_ship(opensarship: Any) -> None:
    bands = np.full((2, 41, 41), 100, np.float32)
    ships = [read_ship(_entry(), bands, "vv")] * 2
    laid = laying.lay([ship.patch for ship in ships], speckle=laying.GRD, seed=0)
    middles = laid.rectangles[:, :2] + ships[0].middle_xy
    first = middles[0]
    found = _found([(first[0] + 4, first[1]), (first[0] + 1, first[1]), (middles[1][0] + 6, middles[1][1])])
    assert opensarship.matched(found, laid, ships).tolist() == [1, -1]
    assert opensarship.matched(_found([]), laid, ships).tolist() == [-1, -1]


def test_axis_error_is_the_same_for_bow_and_stern(opensarship: Any) -> None:
    ship = read_ship(_entry(head_px=[110, 200], tail_px=[90, 200]), np.ones((2, 41, 41)), "vv")
    assert ship.axis_deg == 90
    assert opensarship.measures(_found([(0, 0)], heading=96), 0, ship)[:5] == (120, 96, 150, 30, pytest.approx(6))
    ship = read_ship(_entry(head_px=[100, 190], tail_px=[100, 210]), np.ones((2, 41, 41)), "vv")
    assert opensarship.measures(_found([(0, 0)], heading=176), 0, ship)[4] == pytest.approx(4)
    assert np.isnan(opensarship.measures(_found([]), -1, ship)).all()


@pytest.mark.parametrize(
    ("heading", "error"), [(267.0, 9.0), (70.0, 26.0), (69.0, float("nan")), (511.0, float("nan"))]
)
def test_the_axis_by_ais_counts_unless_the_ship_has_turned(opensarship: Any, heading: float, error: float) -> None:
    entry = _entry(head_px=[110, 200], tail_px=[90, 200], ais={"length_m": 90.0, "heading_deg": heading})
    ship = read_ship(entry, np.ones((2, 41, 41)), "vv", np.diag([10.0, -10.0]))
    found = opensarship.measures(_found([(0, 0)], heading=96), 0, ship)[5]
    assert found == pytest.approx(error, nan_ok=True)


@pytest.mark.parametrize(("peak", "clear"), [(1.0, False), (3.0, False), (12.0, True)])
def test_a_ship_stands_out_by_its_own_pixels(opensarship: Any, peak: float, clear: bool) -> None:
    bands = np.full((2, 41, 41), 100, np.float32)
    bands[:, 19:22, 19:22] *= np.sqrt(peak)
    bands[:, 2:5, 2:5] *= 10  # another ship
    assert opensarship.stands_out(read_ship(_entry(), bands, "vv")) is clear


def test_sizes_are_judged_on_ships_that_were_found(opensarship: Any) -> None:
    nan = float("nan")
    truth = [(80, 10, 88), (200, 30, 190), (40, 8, 44)]
    seen = [(1, 1, 1, 100, 75, 125, 20, 5, 12, 7), (1, 1, 1, 180, 150, 190, 33, nan, nan, nan), (0, 0, 1, *[nan] * 7)]
    ships = [opensarship.Measured("train", "p", "vv", *a, *b) for a, b in zip(truth, seen, strict=True)]
    figures = opensarship.size_figures(ships)
    assert figures["length, median relative error"].value == pytest.approx((0.25 + 0.1) / 2)
    assert figures["length, ratio below 100 m"].value == pytest.approx(1.25)
    assert figures["width, mean error in m"].value == pytest.approx(6.5)
    assert (figures["length in its interval"].value, figures["length in its interval"].count) == (0.5, 2)
    assert (figures["axis within 10 degrees of AIS"].count, figures["axis within 10 degrees of AIS"].value) == (1, 0)
    assert figures["marked axis within 10 degrees of AIS"].value == 1
    assert (figures["axis within 10 degrees"].count, figures["axis given"].value) == (1, 0.5)
