"""Two runs are the same run if, and only if, they would find the same."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from shutil import copy, copytree

import pytest

from refinedet.config import Radiometry, TileConfig
from refinedet.errors import FileError
from refinedet.scene.identity import code_sha256, run_identity, scene_sha256
from refinedet.scene.source import SceneChoice


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
    assert scene_sha256(product, "vh") != before
    (product / "measurement" / "viewed.tiff.aux.xml").write_text("a viewer's statistics")
    (next((product / "measurement").glob("*-vh-*"))).write_bytes(b"another polarisation")
    assert scene_sha256(product) == before
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


def test_each_setting_that_matters_makes_another_run_and_no_other(scene: Path) -> None:
    choice, tile, radiometry = SceneChoice(), TileConfig(), Radiometry()
    before = run_identity(scene, choice, tile, 0.5, radiometry)
    assert json.loads(json.dumps(before)) == before
    others = [
        run_identity(scene, replace(choice, band=2), tile, 0.5, radiometry),
        run_identity(scene, replace(choice, polarisation="vh"), tile, 0.5, radiometry),
        run_identity(scene, choice, replace(tile, overlap_px=100), 0.5, radiometry),
        run_identity(scene, choice, tile, 0.4, radiometry),
        run_identity(scene, choice, tile, 0.5, replace(radiometry, headroom=1.0)),
    ]
    assert all(other != before for other in others)
    assert run_identity(scene, replace(choice, max_pixels=9), tile, 0.5, radiometry) == before


def test_the_code_of_the_package_is_part_of_it(scene: Path) -> None:
    assert run_identity(scene, SceneChoice(), TileConfig(), 0.5, Radiometry())["code"] == code_sha256()
