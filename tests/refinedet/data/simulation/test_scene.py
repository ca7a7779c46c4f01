"""Simulated scenes as a whole: repeatable, true to their truth, and not too easy."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from refinedet.cfar import CfarConfig, contrast, detect_bright
from refinedet.data.simulation.files import read_truth
from refinedet.data.simulation.scene import _ship_signal, simulate, write_simulated
from refinedet.data.simulation.ships import Ship
from refinedet.data.simulation.simulated import SimulatedScene
from refinedet.data.simulation.spec import SceneSpec
from refinedet.errors import FileError, InputError
from refinedet.evaluation.score import match_boxes
from refinedet.geo.position import locate
from refinedet.raster import open_scene

SMALL = SceneSpec(width_px=300, height_px=340, ships=6, seed=3)


@pytest.fixture(scope="module")
def busy() -> SimulatedScene:
    """A scene with everything in it."""
    return simulate(SceneSpec(700, 600, 14, seed=11, land_probability=1, nodata_probability=1))


def test_a_seed_gives_equal_bytes_and_another_seed_does_not(tmp_path: Path) -> None:
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        write_simulated(replace(SMALL, seed=seed), tmp_path / name / "scene.tif")
    for file in ("scene.tif", "scene.truth.geojson"):
        a, b, c = ((tmp_path / name / file).read_bytes() for name in "abc")
        assert a == b
        assert a != c


def test_zero_is_nodata_and_only_that(busy: SimulatedScene) -> None:
    assert busy.pixels.dtype == np.uint16
    assert not busy.valid.all()
    assert ((busy.pixels > 0) == busy.valid).all()


def test_ships_are_on_measured_water(busy: SimulatedScene) -> None:
    assert busy.land.any()
    for x1, y1, x2, y2 in busy.boxes_xyxy:
        box = (slice(int(y1), int(np.ceil(y2))), slice(int(x1), int(np.ceil(x2))))
        assert not busy.land[box].any()
        assert busy.valid[box].all()


def test_boxes_and_ships_belong_together(busy: SimulatedScene) -> None:
    assert busy.boxes_xyxy.shape == (14, 4)
    np.testing.assert_allclose(busy.boxes_xyxy, [ship.box() for ship in busy.ships], rtol=1e-6)


def test_ships_are_where_the_truth_says(busy: SimulatedScene) -> None:
    bright = [ship for ship in busy.ships if ship.peak_to_clutter_db > 13]
    assert bright
    for ship, box in zip(busy.ships, busy.boxes_xyxy, strict=True):
        if ship.peak_to_clutter_db <= 13:
            continue
        x1, y1, x2, y2 = (int(v) for v in np.rint(box))
        inside = busy.pixels[y1 : y2 + 1, x1 : x2 + 1].max()
        around = busy.pixels[max(y1 - 25, 0) : y2 + 25, max(x1 - 25, 0) : x2 + 25]
        assert inside > 2.5 * np.median(around[around > 0])


def test_land_is_brighter_than_the_sea(busy: SimulatedScene) -> None:
    sea = busy.valid & ~busy.land
    assert np.median(busy.pixels[busy.land & busy.valid]) > 1.3 * np.median(busy.pixels[sea])


@pytest.mark.parametrize(("peak_db", "ghosts"), [(24.0, True), (12.0, False)])
def test_peak_is_as_drawn_and_bright_ships_have_ghosts(busy: SimulatedScene, peak_db: float, *, ghosts: bool) -> None:
    level = np.full((600, 300), 50.0, np.float32)
    ship = Ship(150.5, 300.5, 20, 4, 90, peak_db)
    spec = SceneSpec(300, 600, 1, seed=0)
    signal = _ship_signal((ship,), level, spec, busy.conditions, np.random.default_rng(0))
    assert 10 * np.log10(signal.max() / 50) == pytest.approx(peak_db, abs=0.01)
    shift = busy.conditions.ambiguity_px
    for row in (300 - shift, 300 + shift):
        ghost = signal[row - 12 : row + 13, 130:170].max() / signal.max()
        assert ghost < 10 ** (-0.9)
        assert (ghost > 10 ** (-3.5)) == ghosts


def test_truth_lies_on_the_ground_where_the_scene_says(tmp_path: Path) -> None:
    truth = write_simulated(SMALL, tmp_path / "scene.tif")
    assert truth == tmp_path / "scene.truth.geojson"
    with open_scene(tmp_path / "scene.tif") as scene:
        info = scene.info
    position = locate(info)
    assert position is not None
    features = json.loads(truth.read_text())["features"]
    assert len(features) == SMALL.ships
    np.testing.assert_array_equal(read_truth(truth), np.array([f["properties"]["bbox_px"] for f in features]))
    for feature in features:
        (ring,) = feature["geometry"]["coordinates"]
        corners = position.corners(np.array([feature["properties"]["bbox_px"]], np.float32))[0]
        np.testing.assert_allclose(ring[:4], corners, atol=1e-7)
        assert ring[0] == ring[4]
        x, y = np.array(ring).T
        assert float((x[:-1] * y[1:] - x[1:] * y[:-1]).sum()) > 0, "counter-clockwise"
    assert (info.nodata, info.dtype) == (0, "uint16")


def test_a_scene_without_ships_has_a_valid_empty_truth(tmp_path: Path) -> None:
    truth = json.loads(write_simulated(replace(SMALL, ships=0), tmp_path / "s.tif").read_text())
    assert truth["type"] == "FeatureCollection"
    assert truth["features"] == []


@pytest.mark.parametrize("seed", [3, 8])
def test_plain_cfar_does_not_solve_it(seed: int) -> None:
    scene = simulate(SceneSpec(1024, 1024, 24, seed=seed, land_probability=1))
    strength = contrast(scene.pixels, scene.valid, CfarConfig())
    scores = [match_boxes(detect_bright(strength, CfarConfig(k=k)), scene.boxes_xyxy) for k in (3.5, 4, 5, 6, 8)]
    best = max(score.f1 for score in scores)
    assert 0.1 < best < 0.8


@pytest.mark.parametrize(
    "settings",
    [
        {"width_px": 10},
        {"ships": -1},
        {"seed": -1},
        {"looks": (0, 3)},
        {"shape": (5.0, 1.0)},
        {"peak_db": (12.0, 25.0)},
        {"weak_share": 1.5},
        {"land_share": (0.1, 0.9)},
    ],
)
def test_settings_out_of_range_are_named(settings: dict[str, object]) -> None:
    with pytest.raises(InputError, match=next(iter(settings)) if "peak_db" not in settings else "weak_db"):
        SceneSpec(**{"width_px": 300, "height_px": 300, "ships": 5, "seed": 0} | settings)  # type: ignore[arg-type]  # the point


@pytest.mark.parametrize("name", ["s.tif", "s.truth.geojson"])
def test_neither_scene_nor_truth_is_replaced_unasked(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("precious")
    with pytest.raises(FileError, match=rf"no file at .*{name} yet, found one; .* set `overwrite`"):
        write_simulated(SMALL, tmp_path / "s.tif", overwrite=False)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "precious"
