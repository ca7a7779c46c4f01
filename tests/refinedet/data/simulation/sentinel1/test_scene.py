"""Scenes of kind `sentinel1` as a whole: repeatable, true to their truth, with what can be taken for a ship."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from refinedet.data.simulation.files import read_truth
from refinedet.data.simulation.scene import simulate, write_simulated
from refinedet.data.simulation.sentinel1.ranges import Sentinel1Ranges
from refinedet.data.simulation.simulated import SimulatedScene
from refinedet.data.simulation.spec import SceneSpec
from refinedet.errors import InputError

EVERYTHING = Sentinel1Ranges(
    **dict.fromkeys(
        (
            *("wake_probability", "moving_probability", "swell_probability", "slick_probability", "front_probability"),
            *("islet_probability", "harbour_probability", "wind_farm_probability", "single_turbine_probability"),
            *("platform_probability", "interference_probability", "seam_probability"),
        ),
        1.0,
    ),
    islets=(10, 14),
    harbours=(2, 3),
)
SMALL = SceneSpec(width_px=200, height_px=180, ships=3, seed=3, kind="sentinel1")


@pytest.fixture(scope="module")
def busy() -> SimulatedScene:
    """A scene with everything in it."""
    probable = {"land_probability": 1.0, "nodata_probability": 1.0}
    return simulate(SceneSpec(520, 480, 12, seed=8, kind="sentinel1", ranges=EVERYTHING, **probable))  # type: ignore[arg-type]  # both are numbers


def test_a_seed_gives_equal_bytes_and_another_seed_does_not(tmp_path: Path) -> None:
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        write_simulated(replace(SMALL, seed=seed), tmp_path / name / "scene.tif")
    for file in ("scene.tif", "scene.truth.geojson"):
        a, b, c = ((tmp_path / name / file).read_bytes() for name in "abc")
        assert a == b
        assert a != c


def test_zero_is_nodata_and_only_that(busy: SimulatedScene) -> None:
    assert not busy.valid.all()
    assert ((busy.pixels > 0) == busy.valid).all()


def test_everything_that_can_be_taken_for_a_ship_is_listed(busy: SimulatedScene) -> None:
    assert {one.kind for one in busy.non_ships} == {"islet", "rock", "breakwater", "turbine", "platform"}


def test_turbines_and_platforms_stand_out_where_the_truth_says(busy: SimulatedScene) -> None:
    sea = np.median(busy.pixels[busy.valid & ~busy.land])
    for one in busy.non_ships:
        x1, y1, x2, y2 = (int(value) for value in one.box)
        inside = busy.pixels[y1 : y2 + 1, x1 : x2 + 1]
        if one.kind in {"turbine", "platform"} and inside.all():
            assert inside.max() > 2 * sea, one


def test_ships_are_on_free_measured_water(busy: SimulatedScene) -> None:
    assert len(busy.ships) == len(busy.boxes_xyxy) == 12
    for ship in busy.ships:
        x1, y1, x2, y2 = ship.box()
        box = (slice(int(y1), int(np.ceil(y2))), slice(int(x1), int(np.ceil(x2))))
        assert not busy.land[box].any()
        assert busy.valid[box].all()
        for one in busy.non_ships:
            a1, b1, a2, b2 = one.box
            apart = x2 < a1 or a2 < x1 or y2 < b1 or b2 < y1
            assert apart or one.kind not in {"turbine", "platform", "rock"}


def test_bright_ships_are_where_the_truth_says() -> None:
    spec = replace(SMALL, width_px=500, height_px=500, ships=12, land_probability=0, nodata_probability=0)
    scene = simulate(spec)
    bright = 0
    for ship, (x1, y1, x2, y2) in zip(scene.ships, np.rint(scene.boxes_xyxy).astype(int), strict=True):
        if ship.peak_to_clutter_db > 15:
            bright += 1
            # what stands above the deck lies nearer to the radar
            reach = 5
            inside = scene.pixels[max(y1 - 2, 0) : y2 + 2, max(x1 - reach, 0) : x2 + reach].max()
            assert inside > 2.5 * np.median(scene.pixels)
    assert bright >= 5


def test_boxes_are_at_least_a_resolution_cell() -> None:
    ranges = Sentinel1Ranges(boat_share=1, boat_m=(15, 16))
    scene = simulate(replace(SMALL, land_probability=0, ranges=ranges))
    x1, y1, x2, y2 = scene.boxes_xyxy.T
    assert np.minimum(x2 - x1, y2 - y1).min() >= 2 - 1e-4
    assert all(ship.length_px < 1.7 for ship in scene.ships)


def test_truth_holds_ships_alone_and_other_objects_beside_them(tmp_path: Path) -> None:
    spec = replace(SMALL, land_probability=0, ranges=EVERYTHING)
    path = write_simulated(spec, tmp_path / "scene.tif")
    truth, scene = json.loads(path.read_text()), simulate(spec)
    np.testing.assert_allclose(read_truth(path), scene.boxes_xyxy, atol=1e-4)
    assert len(truth["features"]) == 3
    assert set(truth["features"][0]["properties"]) == {
        *("bbox_px", "length_m", "width_m", "heading_deg", "peak_to_clutter_db")
    }
    assert truth["non_ships"] == [{"kind": one.kind, "bbox_px": list(one.box)} for one in scene.non_ships]
    assert truth["non_ships"]
    recorded = truth["simulated"]["spec"]
    assert (recorded["kind"], recorded["ranges"]["islets"]) == ("sentinel1", [10, 14])
    assert "weak_db" not in recorded


def test_truth_of_a_plain_scene_names_no_kind(tmp_path: Path) -> None:
    path = write_simulated(replace(SMALL, kind="plain"), tmp_path / "scene.tif")
    truth = json.loads(path.read_text())
    assert not {"kind", "ranges"} & set(truth["simulated"]["spec"])
    assert "non_ships" not in truth


def test_small_scenes_are_simulated() -> None:
    for seed in range(4):
        pixels = simulate(SceneSpec(70, 64, 0, seed, kind="sentinel1", ranges=EVERYTHING)).pixels
        assert pixels.shape == (64, 70)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "sentinel2"}, "`kind` .* expected one of .*found 'sentinel2'"),
        ({"kind": "plain", "ranges": Sentinel1Ranges()}, "`ranges` .* expected None for kind plain"),
        ({"looks": (2, 3)}, "`looks` .* for kind plain alone"),
        ({"pixel_m": 30.0}, "`pixel_m` .* 5.* 15"),
    ],
)
def test_settings_of_the_other_kind_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        replace(SMALL, **settings)  # type: ignore[arg-type]  # the point


@pytest.mark.parametrize(
    "settings", [{"looks": (4.0, 6.0)}, {"slick_db": (5.0, 1.0)}, {"boat_share": 1.2}, {"vh_probability": -0.1}]
)
def test_ranges_that_make_no_sense_are_named(settings: dict[str, object]) -> None:
    with pytest.raises(InputError, match=f"`{next(iter(settings))}` of a simulated scene"):
        Sentinel1Ranges(**settings)  # type: ignore[arg-type]  # the point
