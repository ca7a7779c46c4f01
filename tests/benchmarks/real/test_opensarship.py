"""Ships of OpenSARShip: their entries, their places in a laid scene, and the measures against AIS."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from refinedet.detections import Detections

GRD, SLC = "S1A_IW_GRDH_1SDV_20160131T101646_20160131T101715_009737_00E392_36F7", "S1A_IW_SLC__1SSV_X"


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


def test_ship_is_read_in_its_polarisation(opensarship: Any) -> None:
    bands = np.stack([np.full((41, 41), 40.0), np.full((41, 41), 150.0)]).astype(np.float32)
    ship = opensarship.read_ship(_entry(), bands, "vv")
    assert (ship.patch.shape, ship.patch.max()) == ((41, 41), 150)
    assert opensarship.read_ship(_entry(), bands, "vh").patch.max() == 40
    np.testing.assert_allclose(ship.middle_xy, [21.5, 22.5])
    assert ship.axis_deg == pytest.approx(np.degrees(np.arctan2(10, 4)))
    assert (ship.length_m, ship.by_hand_m) == (100, 110)
    assert np.isnan(ship.width_m)


def test_register_without_a_length_gives_way_to_ais(opensarship: Any) -> None:
    bands = np.ones((2, 41, 41), np.float32)
    assert opensarship.read_ship(_entry(register=None), bands, "vv").length_m == 90
    assert opensarship.read_ship(_entry(register={"length_m": None}), bands, "vv").length_m == 90


def test_slc_becomes_amplitude_in_pixels_of_10_m(opensarship: Any) -> None:
    rng = np.random.default_rng(0)
    bands = (100 * rng.standard_normal((2, 81, 81))).astype(np.float32)
    ship = opensarship.read_ship(_entry(bands="as in the file"), bands, "slc vv")
    ground = 2.329562 / np.sin(np.radians(30)) / 10
    assert ship.patch.shape == (int(81 * 1.394), int(81 * ground))
    assert np.sqrt((ship.patch**2).mean()) == pytest.approx(100 * np.sqrt(2), rel=0.05)
    np.testing.assert_allclose(ship.along_xy, [10 * ground, -4 * 1.394])


@pytest.mark.parametrize("scale", [0.4, 1.0, 1.394])
def test_averaging_keeps_the_mean(opensarship: Any, scale: float) -> None:
    values = np.arange(60.0).reshape(2, 30)
    averaged = opensarship.averaged(values, scale, 1)
    assert averaged.shape == (2, int(30 * scale))
    centres = (np.arange(averaged.shape[1]) + 0.5) / scale - 0.5
    np.testing.assert_allclose(averaged[0], centres, atol=0.51)
    if scale == 1:
        np.testing.assert_allclose(averaged, values)


def _found(centres: list[tuple[float, float]], length: float = 120, heading: float = 95) -> Any:
    boxes = [(x - 5, y - 5, x + 5, y + 5) for x, y in centres]
    count = len(boxes)
    detections = Detections.of(boxes, np.linspace(0.9, 0.6, count), np.zeros(count))
    every = np.ones(count)
    return import_module("finding").Found(detections, ((),) * count, length * every, 30 * every, heading * every)


def test_nearest_box_within_half_the_length_is_the_ship(opensarship: Any) -> None:
    laying = import_module("laying")
    bands = np.full((2, 41, 41), 100, np.float32)
    ships = [opensarship.read_ship(_entry(), bands, "vv")] * 2
    laid = laying.lay([ship.patch for ship in ships], speckle=laying.GRD, seed=0)
    middles = laid.rectangles[:, :2] + ships[0].middle_xy
    first = middles[0]
    found = _found([(first[0] + 4, first[1]), (first[0] + 1, first[1]), (middles[1][0] + 6, middles[1][1])])
    assert opensarship.matched(found, laid, ships).tolist() == [1, -1]
    assert opensarship.matched(_found([]), laid, ships).tolist() == [-1, -1]


def test_axis_error_is_the_same_for_bow_and_stern(opensarship: Any) -> None:
    ship = opensarship.read_ship(_entry(head_px=[110, 200], tail_px=[90, 200]), np.ones((2, 41, 41)), "vv")
    assert ship.axis_deg == 90
    assert opensarship.measures(_found([(0, 0)], heading=96), 0, ship) == (120, 30, pytest.approx(6))
    ship = opensarship.read_ship(_entry(head_px=[100, 190], tail_px=[100, 210]), np.ones((2, 41, 41)), "vv")
    assert opensarship.measures(_found([(0, 0)], heading=176), 0, ship)[2] == pytest.approx(4)
    assert np.isnan(opensarship.measures(_found([]), -1, ship)).all()


def test_sizes_are_judged_on_ships_that_were_found(opensarship: Any) -> None:
    nan = float("nan")
    truth = [(80, 10, 88), (200, 30, 190), (40, 8, 44)]
    seen = [(1, 1, 100, 20, 5), (1, 1, 180, 33, nan), (0, 1, nan, nan, nan)]
    ships = [opensarship.Measured("train", "p", "vv", *a, *b) for a, b in zip(truth, seen, strict=True)]
    figures = opensarship.size_figures(ships)
    assert figures["length, median relative error"].value == pytest.approx((0.25 + 0.1) / 2)
    assert figures["length, ratio below 100 m"].value == pytest.approx(1.25)
    assert figures["width, mean error in m"].value == pytest.approx(6.5)
    assert (figures["axis within 10 degrees"].count, figures["axis given"].value) == (1, 0.5)


def test_products_are_read_and_named(opensarship: Any, tmp_path: Path) -> None:
    path = tmp_path / f"{GRD}.json"
    path.write_text(json.dumps({"ships": [_entry()]}))
    np.savez(path.with_suffix(".npz"), x100_y200=np.full((2, 41, 41), 7, np.float32))
    assert opensarship.bands(path) == ("vv", "vh")
    assert opensarship.bands(tmp_path / f"{SLC}.json") == ("slc vv",)
    assert [ship.patch.shape for ship in opensarship.read_ships(path, "vv")] == [(41, 41)]


def test_real_patches_show_ships_where_they_are_marked(opensarship: Any, sample_data: Path) -> None:
    folder = sample_data / "real" / "opensarship"
    if not folder.is_dir():
        pytest.skip(f"no OpenSARShip patches in {folder}")
    path = next(folder.glob("S1A_IW_GRDH_1SDV_20161018*.json"))
    ratios = []
    for ship in opensarship.read_ships(path, "vv"):
        x, y = ship.middle_xy.astype(int)
        ratios.append(ship.patch[y - 2 : y + 3, x - 2 : x + 3].max() / np.median(ship.patch))
    assert np.median(ratios) > 4
