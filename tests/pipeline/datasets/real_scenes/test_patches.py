"""Patches of OpenSARShip: their entries, their polarisations and their pixels of 10 m."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.datasets.real_scenes import patches

GRD, SLC = "S1A_IW_GRDH_1SDV_20160131T101646_20160131T101715_009737_00E392_36F7", "S1A_IW_SLC__1SSV_X"


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


def test_ship_is_read_in_its_polarisation() -> None:
    bands = np.stack([np.full((41, 41), 40.0), np.full((41, 41), 150.0)]).astype(np.float32)
    ship = patches.read_ship(_entry(), bands, "vv")
    assert (ship.patch.shape, ship.patch.max()) == ((41, 41), 150)
    assert patches.read_ship(_entry(), bands, "vh").patch.max() == 40
    np.testing.assert_allclose(ship.middle_xy, [21.5, 22.5])
    assert ship.axis_deg == pytest.approx(np.degrees(np.arctan2(10, 4)))
    assert (ship.length_m, ship.by_hand_m) == (100, 110)
    assert np.isnan(ship.width_m)


def test_register_without_a_length_gives_way_to_ais() -> None:
    bands = np.ones((2, 41, 41), np.float32)
    assert patches.read_ship(_entry(register=None), bands, "vv").length_m == 90
    assert patches.read_ship(_entry(register={"length_m": None}), bands, "vv").length_m == 90


def test_slc_becomes_amplitude_in_pixels_of_10_m() -> None:
    rng = np.random.default_rng(0)
    bands = (100 * rng.standard_normal((2, 81, 81))).astype(np.float32)
    ship = patches.read_ship(_entry(bands="as in the file"), bands, "slc vv")
    ground = 2.329562 / np.sin(np.radians(30)) / 10
    assert ship.patch.shape == (int(81 * 1.394), int(81 * ground))
    assert np.sqrt((ship.patch**2).mean()) == pytest.approx(100 * np.sqrt(2), rel=0.05)
    np.testing.assert_allclose(ship.along_xy, [10 * ground, -4 * 1.394])
    aslant = _entry(ais={"length_m": 90.0, "heading_deg": 45})
    told = patches.read_ship(aslant, bands, "slc vv", np.diag([10 * ground, -13.94])).heading_axis_deg
    assert told == pytest.approx(45)


@pytest.mark.parametrize(("heading", "axis"), [(0.0, 11.0), (90.0, 101.0), (259.0, 90.0), (511.0, float("nan"))])
def test_heading_becomes_an_axis_of_a_picture_whose_rows_run_north(heading: float, axis: float) -> None:
    """An ascending pass at 349 degrees, as a product lies: columns to 79 degrees, rows along the track."""
    track, metre = np.radians(349), 1 / 111_200
    ways = 10 * np.array([[np.cos(track), np.sin(track)], [-np.sin(track), np.cos(track)]])
    places = [(100, 200), (300, 250), (150, 900)]
    ships = [
        _entry(
            centre_px=place, sar_lonlat=(ways @ place * metre).tolist(), ais={"length_m": 90.0, "heading_deg": heading}
        )
        for place in places
    ]
    ground = patches.ground_m(ships)
    np.testing.assert_allclose(ground, ways, atol=0.01)
    mirrored = 180 - axis  # the picture shows the rows from the top down
    ship = patches.read_ship(ships[0], np.ones((2, 41, 41)), "vv", ground)
    assert ship.heading_axis_deg == pytest.approx(mirrored, abs=0.2, nan_ok=True)
    assert patches.ground_m(ships[:2]) is None


@pytest.mark.parametrize("scale", [0.4, 1.0, 1.394])
def test_averaging_keeps_the_mean(scale: float) -> None:
    values = np.arange(60.0).reshape(2, 30)
    averaged = patches.averaged(values, scale, 1)
    assert averaged.shape == (2, int(30 * scale))
    centres = (np.arange(averaged.shape[1]) + 0.5) / scale - 0.5
    np.testing.assert_allclose(averaged[0], centres, atol=0.51)
    if scale == 1:
        np.testing.assert_allclose(averaged, values)


def test_products_are_read_and_named(tmp_path: Path) -> None:
    path = tmp_path / f"{GRD}.json"
    path.write_text(json.dumps({"ships": [_entry()]}))
    np.savez(path.with_suffix(".npz"), x100_y200=np.full((2, 41, 41), 7, np.float32))
    assert patches.bands(path) == ("vv", "vh")
    assert patches.bands(tmp_path / f"{SLC}.json") == ("slc vv",)
    assert [ship.patch.shape for ship in patches.read_ships(path, "vv")] == [(41, 41)]


def test_real_patches_show_ships_where_they_are_marked(sample_data: Path) -> None:
    folder = sample_data / "real" / "opensarship"
    if not folder.is_dir():
        pytest.skip(f"no OpenSARShip patches in {folder}")
    path = next(folder.glob("S1A_IW_GRDH_1SDV_20161018*.json"))
    ratios = []
    for ship in patches.read_ships(path, "vv"):
        x, y = ship.middle_xy.astype(int)
        ratios.append(ship.patch[y - 2 : y + 3, x - 2 : x + 3].max() / np.median(ship.patch))
    assert np.median(ratios) > 4
