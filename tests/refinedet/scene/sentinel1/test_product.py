"""Sentinel-1 products, as folder and as archive: the right raster, and never one outside of the product."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from refinedet.config.options.detect import SceneSettings
from refinedet.errors import FileError, InputError
from refinedet.scene.detect import detect_scene
from refinedet.scene.sentinel1.product import bare_measurement, find_measurement, is_product
from refinedet.scene.source import open_source
from refinedet.tiling import Window

MakeProduct = Callable[..., Path]


def packed(product: Path) -> Path:
    # a new name each time: GDAL remembers the table of an archive of the same name, size and second
    archive = product.with_name(f"{product.stem}_{len(list(product.parent.iterdir()))}.zip")
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        for path in sorted(product.rglob("*")):
            out.write(path, path.relative_to(product.parent))
    return archive


def level(path: Path, polarisation: str | None = None) -> int:
    with open_source(path, SceneSettings(pol=polarisation)) as reader:
        return int(reader.read(Window(0, 0, 5, 5))[0, 0])


@pytest.mark.parametrize("form", [lambda product: product, packed], ids=["folder", "zip"])
def test_the_raster_asked_for_is_read_else_the_brightest(make_product: MakeProduct, form: Callable[..., Path]) -> None:
    both = form(make_product("vh", "vv"))
    assert (level(both), level(both, "vh"), level(both, "vv")) == (200, 100, 200)
    assert level(form(make_product("hh", "hv"))) == 100
    assert level(form(make_product("vh"))) == 100


@pytest.mark.parametrize("form", [lambda product: product, packed], ids=["folder", "zip"])
def test_detection_looks_at_a_product_as_at_its_raster(
    make_product: MakeProduct, form: Callable[..., Path], bright_blobs: object
) -> None:
    product = make_product("vv")
    raster = next((product / "measurement").glob("*vv*"))
    bare = detect_scene(raster, bright_blobs)  # type: ignore[arg-type]
    found = detect_scene(form(product), bright_blobs)  # type: ignore[arg-type]
    assert found.detections.boxes_xyxy.tolist() == bare.detections.boxes_xyxy.tolist() == [[60, 40, 80, 48]]
    np.testing.assert_array_equal(found.places.centres_lonlat, bare.places.centres_lonlat)
    assert (found.label, bare.label) == ("vv", None)


def test_a_bare_raster_knows_its_product_only_where_it_lies_in_one(tmp_path: Path, make_product: MakeProduct) -> None:
    raster = next((make_product("vh") / "measurement").iterdir())
    found = bare_measurement(raster)
    assert found is not None
    assert (found.polarisation, found.path, found.member, found.processor) == ("vh", raster, None, None)
    assert found.describe("annotation") is None  # this product has none
    for name in ("elsewhere/s1a-iw-grd-vv-x.tiff", "measurement/s1a-iw1-slc-vv-x.tiff", "measurement/mine.tiff"):
        assert bare_measurement(tmp_path / name) is None


def test_the_version_of_the_processor_is_that_of_the_manifest(made_up_product: MakeProduct) -> None:
    product = made_up_product(100, 100, processor="002.91")
    (product / "measurement").mkdir()
    raster = product / "measurement" / f"{next((product / 'annotation').glob('*.xml')).stem}.tiff"
    raster.write_bytes(b"II*\0")
    assert find_measurement(product).processor == 2.91
    manifest = product / "manifest.safe"
    manifest.write_text(manifest.read_text().replace("002.91", "new"))
    assert find_measurement(product).processor is None


def test_what_is_no_product_is_told_apart(tmp_path: Path, make_product: MakeProduct) -> None:
    product = make_product("vv")
    assert is_product(product)
    assert is_product(packed(product))
    assert not is_product(next((product / "measurement").iterdir()))
    assert not is_product(tmp_path / "missing")


@pytest.mark.parametrize("name", ["../../outside.tiff", "/etc/passwd", "measurement/../../../outside.tiff"])
@pytest.mark.parametrize("form", [lambda product: product, packed], ids=["folder", "zip"])
def test_a_manifest_cannot_point_outside_of_its_product(
    tmp_path: Path, make_product: MakeProduct, form: Callable[..., Path], name: str
) -> None:
    (tmp_path / "outside.tiff").write_bytes(b"II*\0")
    hrefs = (name if name.endswith(".tiff") else f"{name}/s1a-iw-grd-vv-x.tiff",)
    bad = form(make_product("vv", hrefs=(hrefs[0].replace("outside", "s1a-iw-grd-vv-x"),)))
    with pytest.raises(InputError, match="inside the product"):
        find_measurement(bad)


def test_a_link_out_of_the_product_is_refused(tmp_path: Path, make_product: MakeProduct) -> None:
    product = make_product("vv")
    raster = next((product / "measurement").iterdir())
    raster.rename(tmp_path / "elsewhere.tiff")
    raster.symlink_to(tmp_path / "elsewhere.tiff")
    with pytest.raises(InputError, match="inside the product"):
        find_measurement(product)


@pytest.mark.parametrize("form", [lambda product: product, packed], ids=["folder", "zip"])
def test_a_vrt_named_tiff_is_not_opened(make_product: MakeProduct, form: Callable[..., Path]) -> None:
    product = make_product("vv")
    raster = next((product / "measurement").iterdir())
    raster.write_text("<VRTDataset rasterXSize='9' rasterYSize='9'></VRTDataset>", encoding="utf-8")
    with pytest.raises(FileError, match="a VRT file of GDAL"):
        level(form(product))


def test_a_bomb_in_the_manifest_is_refused(make_product: MakeProduct) -> None:
    product = make_product("vv", head='<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>')
    with pytest.raises(FileError, match="no safe XML"):
        find_measurement(product)


@pytest.mark.parametrize("form", [lambda product: product, packed], ids=["folder", "zip"])
def test_a_product_that_is_not_whole_or_not_grd_is_named(make_product: MakeProduct, form: Callable[..., Path]) -> None:
    product = make_product("vv")
    next((product / "measurement").iterdir()).unlink()
    with pytest.raises(FileError, match="not whole"):
        find_measurement(form(product))
    with pytest.raises(FileError, match="GRD product at"):
        find_measurement(form(make_product("vv", hrefs=("./measurement/s1a-iw1-slc-vv-x-001.tiff",))))
    with pytest.raises(FileError, match="names no raster"):
        find_measurement(form(make_product()))
    with pytest.raises(InputError, match="found vh, vv"):
        find_measurement(form(make_product("vv", "vh")), "hh")


def test_other_folders_and_archives_are_one_sentence(tmp_path: Path, make_product: MakeProduct) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(FileError, match=r"a folder without manifest\.safe"):
        find_measurement(tmp_path / "folder")
    (tmp_path / "cut.zip").write_bytes(packed(make_product("vv")).read_bytes()[:900])
    with pytest.raises(FileError, match="cannot be read"):
        find_measurement(tmp_path / "cut.zip")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as out:
        out.writestr("readme.txt", "hello")
    with pytest.raises(FileError, match=r"found 0 files named manifest\.safe"):
        find_measurement(tmp_path / "other.zip")


def test_the_manifest_of_a_real_product(sample_data: Path, tmp_path: Path) -> None:
    """Its rasters are not here, so its manifest alone is copied and small rasters are laid where it says."""
    real = next((sample_data / "s1").glob("*.SAFE"))
    product = tmp_path / real.name
    (product / "measurement").mkdir(parents=True)
    (product / "manifest.safe").write_bytes((real / "manifest.safe").read_bytes())
    with pytest.raises(FileError, match="not whole"):
        find_measurement(product)
    for annotation in (real / "annotation").glob("*.xml"):
        (product / "measurement" / f"{annotation.stem}.tiff").write_bytes(b"II*\0")
    found = find_measurement(product)
    assert (found.polarisation, found.unsearched) == ("vv", "vh")
    assert found.path.name == "s1a-iw-grd-vv-20221002t205126-20221002t205156-045268-056950-001.tiff"
    other = find_measurement(product, "vh")
    assert other.path.name.startswith("s1a-iw-grd-vh-")
    assert other.unsearched is None, "it was named"


def test_a_folder_of_rasters_is_told_how_to_search_them(tmp_path: Path) -> None:
    (tmp_path / "a.JPG").write_bytes(b"")
    with pytest.raises(
        FileError, match=r"found a folder without .*; to search its rasters \(a\.JPG\), name .*/\*\.JPG"
    ):
        find_measurement(tmp_path)
