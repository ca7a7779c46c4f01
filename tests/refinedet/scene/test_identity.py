"""Two runs are the same run if, and only if, they would find the same."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from shutil import copy, copytree
from typing import Any

import pytest

from refinedet.config import Radiometry, StretchChoice, TileConfig
from refinedet.config.options.detect import SceneSettings
from refinedet.config.options.land import LandSettings
from refinedet.errors import FileError, InputError
from refinedet.scene.identity import RunIdentity, code_sha256, run_identity, scene_sha256


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    path = tmp_path / "scene.tif"
    path.write_bytes(bytes(range(256)) * 9000)
    return path


def test_name_place_and_date_of_a_scene_do_not_matter_but_every_byte_does(scene: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    assert scene_sha256(copy(scene, tmp_path / "elsewhere" / "b.tif")) == scene_sha256(scene)
    before, stat = scene_sha256(scene), scene.stat()
    with scene.open("r+b") as stream:
        stream.seek(1_234_567)
        stream.write(b"!")
    os.utime(scene, ns=(stat.st_atime_ns, stat.st_mtime_ns))  # same size, same date
    assert scene_sha256(scene) != before


def test_of_a_product_all_counts_that_is_read_and_nothing_else(
    make_product: Callable[..., Path], tmp_path: Path
) -> None:
    product = make_product("vv", "vh")
    before = scene_sha256(product)
    assert scene_sha256(copytree(product, tmp_path / "copy" / "OTHER.SAFE")) == before
    assert before == scene_sha256(product, "vv+vh") != (alone := scene_sha256(product, "vv"))
    (product / "measurement" / "viewed.tiff.aux.xml").write_text("a viewer's statistics")
    assert scene_sha256(product) == before
    (next((product / "measurement").glob("*-vh-*"))).write_bytes(b"another polarisation")
    assert scene_sha256(product, "vv") == alone
    before = scene_sha256(product)
    (product / "annotation").mkdir()
    (product / "annotation" / "s1a.xml").write_text("<grid/>")
    assert scene_sha256(product) != before


def test_a_bare_raster_brings_the_files_of_its_product(make_product: Callable[..., Path]) -> None:
    product = make_product("vv")
    bare = next((product / "measurement").glob("*-vv-*"))
    assert (before := scene_sha256(bare)) == scene_sha256(product)
    (product / "annotation").mkdir()
    (product / "annotation" / "s1a.xml").write_text("<grid/>")
    assert scene_sha256(bare) != before


def test_a_scene_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"expected to read the scene .*missing\.tif"):
        scene_sha256(tmp_path / "missing.tif")


def identity(scene: SceneSettings | None = None, land: LandSettings | None = None, **changed: Any) -> RunIdentity:
    given: dict[str, Any] = {
        "detector": {"weights": "ab"},
        "tile": TileConfig(),
        "score_min": 0.5,
        "prescreen": 8.0,
        "ship_m": None,
        "radiometry": Radiometry(),
    }
    return run_identity("5ce7e", scene=scene or SceneSettings(), land=land or LandSettings(), **(given | changed))


LAND_OFF = ["settings.land_buffer_m was 500.0, is absent", "settings.land_mask was flag, is off"]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"scene": SceneSettings(band=2)}, ["settings.band was absent, is 2"]),
        ({"scene": SceneSettings(crs="EPSG:32632")}, ["settings.crs was absent, is EPSG:32632"]),
        ({"scene": SceneSettings(pol="vh")}, ["settings.pol was absent, is vh"]),
        ({"scene": SceneSettings(stretch=StretchChoice("decibel"))}, ["settings.stretch.kind was auto, is decibel"]),
        ({"land": LandSettings(land_mask="drop")}, ["settings.land_mask was flag, is drop"]),
        ({"tile": TileConfig(overlap_px=100)}, ["settings.tile.overlap_px was 160, is 100"]),
        ({"score_min": 0.4}, ["settings.score_min was 0.5, is 0.4"]),
        ({"prescreen": None}, ["settings.prescreen was 8.0, is absent"]),
        ({"ship_m": 500.0}, ["settings.ship_m was absent, is 500.0"]),
        ({"radiometry": Radiometry(headroom=1.0)}, ["settings.radiometry.headroom was 2.0, is 1.0"]),
        ({"detector": {"weights": "cd"}}, ["detector.weights was ab, is cd"]),
        ({"scene": SceneSettings(band="1")}, ["settings.band was absent, is 1"]),
        ({"land": LandSettings(land_mask="off")}, LAND_OFF),
        ({"scene": SceneSettings(max_pixels=9)}, []),
        ({"land": LandSettings(land_mask="flag")}, []),
    ],
)
def test_each_setting_that_matters_makes_another_run_and_no_other(changed: dict[str, Any], told: list[str]) -> None:
    assert identity(**changed).changed_since(identity()) == told


def test_an_identity_survives_its_way_through_json(tmp_path: Path) -> None:
    before = identity(SceneSettings(gsd_m=10))
    back = RunIdentity.from_record(json.loads(json.dumps({"identity": before.to_dict()})), tmp_path / "a.run.json")
    assert before.changed_since(back) == back.changed_since(before) == []
    for other in ([], {}, {"identity": {"scene": "x"}}, {"identity": None}, None):
        with pytest.raises(InputError, match="expected the record of a run"):
            RunIdentity.from_record(other, tmp_path / "a.run.json")


@pytest.mark.parametrize(
    ("group", "name"),
    [("land", "land"), ("land", "exclude"), ("land", "platforms"), ("land", "fixed"), ("scene", "gcps")],
)
def test_the_content_of_a_side_file_counts_and_its_place_does_not(tmp_path: Path, group: str, name: str) -> None:
    first = tmp_path / "first.geojson"
    first.write_text('{"type":"Point","coordinates":[10,50]}')
    moved = Path(copy(first, tmp_path / "moved.geojson"))

    def named(path: Path) -> RunIdentity:
        made = {"land": LandSettings, "scene": SceneSettings}[group](**{name: path})
        return identity(**{group: made})

    before = named(first)
    assert named(moved).changed_since(before) == []
    first.write_text('{"type":"Point","coordinates":[11,50]}')
    (told,) = named(first).changed_since(before)
    assert told.startswith(f"side_files.{name} was ")
    with pytest.raises(FileError, match="expected a file at"):
        named(tmp_path / "missing.geojson")


def test_all_parts_of_a_shapefile_count(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        for suffix in (".shp", ".prj"):
            (tmp_path / folder / f"{folder}{suffix}").write_text(suffix)
    before = identity(land=LandSettings(land=tmp_path / "a" / "a.shp"))
    other = LandSettings(land=tmp_path / "b" / "b.shp")
    assert identity(land=other).changed_since(before) == []
    (tmp_path / "b" / "b.prj").write_text("another reference system")
    assert identity(land=other).changed_since(before)


def test_a_band_by_number_is_the_one_of_the_command_line() -> None:
    assert identity(SceneSettings(band=1)).changed_since(identity(SceneSettings(band="1"))) == []


def test_a_shapefile_is_known_by_its_own_parts_alone(tmp_path: Path) -> None:
    for name in ("land[1].shp", "coast.shp", "coast.2023.shp"):
        (tmp_path / name).write_text(name)
    for name in ("land[1].shp", "coast.shp"):
        before = identity(land=LandSettings(land=tmp_path / name))
        (tmp_path / "coast.2023.shp").write_text("changed")
        assert identity(land=LandSettings(land=tmp_path / name)).changed_since(before) == []
        (tmp_path / name).write_text("changed")
        assert identity(land=LandSettings(land=tmp_path / name)).changed_since(before)
        (tmp_path / "coast.2023.shp").write_text("again")
    with pytest.raises(FileError, match="expected a file at"):
        identity(land=LandSettings(land=tmp_path / "missing.shp"))


def test_code_and_packages_are_part_of_it() -> None:
    software = identity().software
    assert software["code"] == code_sha256()
    assert {"refinedet", "numpy", "shapely"} <= software["versions"].keys()
