"""Sentinel-1 products as the archives hand them out: every layout gives the same pixels, ships, flags and names."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from refinedet.config.options.detect import SceneSettings
from refinedet.errors import FileError, InputError
from refinedet.raster import RasterInfo, write_blocks
from refinedet.scene.detect import detect_scene
from refinedet.scene.identity import scene_sha256
from refinedet.scene.naming import scene_name
from refinedet.scene.output.files import journal_path
from refinedet.scene.output.result_paths import result_paths
from refinedet.scene.sentinel1.ambiguity import displacement
from refinedet.scene.sentinel1.annotation import read_annotation
from refinedet.scene.sentinel1.files import read_xml
from refinedet.scene.sentinel1.product import find_measurement
from refinedet.scene.source import open_source
from refinedet.scene.views.columns import ship_rows
from refinedet.tiling import Window

LINES, SAMPLES = 900, 640
ALL = Window(0, 0, LINES, SAMPLES)
NAME = "S1A_IW_GRDH_1SDV_20200101T000000_20200101T000030_000001_000001_ABCD"
MakeUp = Callable[..., Path]


def pixels_with_ghost(product: Path) -> NDArray[np.uint16]:
    """Sea with a ship, its azimuth ambiguity, and a ship elsewhere."""
    file = next((product / "annotation").glob("*.xml"))
    root = read_xml(find_files(product), f"annotation/{file.name}")
    rows, columns, _ = displacement(read_annotation(root, "here").geometry(np.array([[110.0, 104.0]])), 1)
    power = np.random.default_rng(1).gamma(4.4, 60.0**2 / 4.4, (LINES, SAMPLES))
    pixels = np.clip(np.sqrt(power), 1, 200).astype(np.uint16)
    pixels[100:108, 100:120] = 9000
    y, x = round(104 + rows[0]), round(110 + columns[0])
    pixels[y - 4 : y + 4, x - 6 : x + 6] = 900
    pixels[300:308, 400:412] = 900
    return pixels


def find_files(product: Path) -> Any:
    from refinedet.scene.sentinel1.files import open_product

    return open_product(product)


@pytest.fixture
def product(made_up_product: MakeUp, tmp_path: Path) -> Path:
    """A product in vv as ESA delivers it."""
    made = made_up_product(LINES, SAMPLES, steering=0)
    whole = tmp_path / "esa" / f"{NAME}.SAFE"
    whole.parent.mkdir()
    shutil.move(made, whole)
    raster = whole / "measurement" / f"{next((whole / 'annotation').glob('*.xml')).stem}.tiff"
    raster.parent.mkdir()
    write_blocks(raster, RasterInfo(SAMPLES, LINES, 1, "uint16"), [(ALL, pixels_with_ghost(whole))])
    return whole


def shorten(product: Path, root: Path, *, manifest: bool = True) -> Path:
    """Lay a product out as Earth Search and Planetary Computer do; their manifest still has the long names."""
    whole = root / NAME
    shutil.copytree(product, whole)
    stem = next((whole / "measurement").iterdir()).stem
    for file in [*whole.rglob("*.tiff"), *whole.rglob("*.xml")]:
        file.rename(file.with_name(file.name.replace(stem, "iw-vv")))
    (whole / "annotation" / "rfi").mkdir()
    (whole / "annotation" / "rfi" / "rfi-iw-vv.xml").write_text("<rfi/>")
    if not manifest:
        (whole / "manifest.safe").unlink()
    return whole


def zipped(folder: Path, to: Path, *, backslashes: bool = False, top: str = "") -> Path:
    """Zip a product, its folder included; some programs of Windows write backslashes."""
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as out:
        for path in sorted(folder.rglob("*")):
            name = top + path.relative_to(folder.parent).as_posix()
            if path.is_file():
                entry = zipfile.ZipInfo(name)
                entry.filename = name.replace("/", "\\") if backslashes else name
                out.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return to


LAYOUTS: dict[str, Callable[[Path, Path], Path]] = {
    "folder": lambda product, _: product,
    "manifest": lambda product, _: product / "manifest.safe",
    "folder above": lambda product, _: product.parent,
    "two folders above": lambda product, _: product.parent.parent,
    "zip": lambda product, to: zipped(product, to / f"{NAME}.zip"),
    "zip of another name": lambda product, to: zipped(product, to / "download.zip"),
    "zip, folders deeper": lambda product, to: zipped(product, to / "x.zip", top="a/b/"),
    "zip, backslashes": lambda product, to: zipped(product, to / "y.zip", backslashes=True),
    "short names": shorten,
    "short names, no manifest": lambda product, to: shorten(product, to, manifest=False),
    "short names, their manifest": lambda product, to: shorten(product, to) / "manifest.safe",
    "short names, zip": lambda product, to: zipped(shorten(product, to, manifest=False), to / "z.zip"),
    "bare raster": lambda product, _: next((product / "measurement").iterdir()),
    "bare raster, short name": lambda product, to: shorten(product, to, manifest=False) / "measurement" / "iw-vv.tiff",
}
BARE = {
    "bare raster": "s1a-iw-grd-vv-20200101t000000-20200101t000030-000001-000001-001",
    "bare raster, short name": f"{NAME}_vv",
}


@pytest.fixture(params=LAYOUTS)
def laid_out(request: pytest.FixtureRequest, product: Path, tmp_path: Path) -> tuple[str, Path]:
    """Name of a layout, and the scene in it."""
    to = tmp_path / "elsewhere"
    to.mkdir()
    if request.param == "two folders above":
        to.rmdir()
        shutil.copytree(product, tmp_path / "deep" / "a" / "b" / product.name)
        return request.param, tmp_path / "deep"
    return request.param, LAYOUTS[request.param](product, to)


def test_every_layout_gives_the_same_ships_flags_and_calibrated_pixels(
    laid_out: tuple[str, Path], product: Path, bright_blobs: Any
) -> None:
    layout, scene = laid_out
    bright_blobs.threshold = 250
    expected, found = (detect_scene(path, bright_blobs) for path in (product, scene))
    assert [flags for flags in expected.flags if flags] == [("ambiguity",)]
    assert found.detections.boxes_xyxy.tolist() == expected.detections.boxes_xyxy.tolist()
    assert found.flags == expected.flags
    np.testing.assert_array_equal(found.places.centres_lonlat, expected.places.centres_lonlat)
    assert found.notes == expected.notes
    assert found.read_as == expected.read_as
    assert [row["time"] for row in ship_rows(found)] == [row["time"] for row in ship_rows(expected)]
    assert found.label == (None if layout in BARE else "vv")
    choice = SceneSettings(calibrate="sigma0-denoised")
    with open_source(scene, choice) as here, open_source(product, choice) as there:
        np.testing.assert_array_equal(here.read(ALL), there.read(ALL))


def test_results_are_named_after_the_product(laid_out: tuple[str, Path]) -> None:
    layout, scene = laid_out
    expected = BARE.get(layout, NAME)
    assert Path(scene_name(scene)).stem == expected
    paths = result_paths(scene, None, ("csv",), quicklook=False)
    assert paths == {"csv": Path(f"{expected}_ships") / f"{expected}.csv"}
    assert journal_path(scene, paths).name == f"{expected}.journal"
    assert len(scene_sha256(scene)) == 64


def test_a_product_in_a_folder_of_any_name_is_named_by_its_annotation(sample_data: Path, tmp_path: Path) -> None:
    real = next((sample_data / "s1").glob("*.SAFE"))
    for name, manifest in (("download", True), ("other", False)):
        folder = tmp_path / name
        (folder / "annotation").mkdir(parents=True)
        (folder / "measurement").mkdir()
        (folder / "measurement" / "iw-vv.tiff").write_bytes(b"II*\0")
        shutil.copy(next((real / "annotation").glob("*-vv-*.xml")), folder / "annotation" / "iw-vv.xml")
        if manifest:
            shutil.copy(real / "manifest.safe", folder)
    long = "S1A_IW_GRDH_1SDV_20221002T205126_20221002T205156_045268_056950"
    assert real.name.startswith(long)
    assert scene_name(tmp_path / "download") == long
    assert scene_name(tmp_path / "download" / "measurement" / "iw-vv.tiff") == f"{long}_vv.tiff"
    assert scene_name(tmp_path / "other") == long.replace("_1SDV", "")


def test_a_scene_that_is_no_product_has_its_own_name(tmp_path: Path) -> None:
    (tmp_path / "cut.zip").write_bytes(b"PK\3\4 and no more")
    (tmp_path / "empty").mkdir()
    for name in ("scene.tif", "cut.zip", "empty", "iw-vv.tiff", "missing/manifest.safe"):
        assert scene_name(tmp_path / name) == Path(name).name


def test_of_several_products_all_are_named(product: Path, tmp_path: Path) -> None:
    shutil.copytree(product, product.with_name("S1B_OTHER.SAFE"))
    with pytest.raises(FileError, match=f"found 2: .*{NAME}.SAFE, .*S1B_OTHER.SAFE; name one of them"):
        find_measurement(product.parent)
    both = tmp_path / "both.zip"
    zipped(product, both)
    with zipfile.ZipFile(both, "a") as out:
        out.writestr("more/S1B_OTHER.SAFE/manifest.safe", "<xfdu/>")
        out.writestr(f"__MACOSX/{NAME}.SAFE/measurement/iw-vv.tiff", "no raster")
    with pytest.raises(FileError, match=f"found 2: {NAME}.SAFE, more/S1B_OTHER.SAFE"):
        find_measurement(both)


def test_a_link_below_a_folder_is_not_followed(product: Path, tmp_path: Path) -> None:
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / product.name).symlink_to(product)
    with pytest.raises(FileError, match=r"without manifest\.safe"):
        find_measurement(tmp_path / "links")


def test_an_annotation_of_another_kind_is_none_and_told(product: Path, tmp_path: Path, bright_blobs: Any) -> None:
    """Items of Planetary Computer name annotation/rfi/rfi-iw-vv.xml as the annotation now and then."""
    short = shorten(product, tmp_path)
    (short / "annotation" / "iw-vv.xml").write_text("<rfi/>")
    bright_blobs.threshold = 250
    found = detect_scene(short, bright_blobs)
    assert set(found.flags) == {()}
    assert any("no annotation at" in note and "iw-vv.xml" in note for note in found.notes)
    (short / "annotation" / "calibration" / "calibration-iw-vv.xml").write_text("<rfi/>")
    with pytest.raises(FileError, match="calibration file"), open_source(short, SceneSettings(calibrate="sigma0")):
        pass


def test_a_polarisation_that_was_not_fetched_is_told(product: Path, tmp_path: Path, bright_blobs: Any) -> None:
    manifest = product / "manifest.safe"
    text = manifest.read_text()
    entry = text[text.index("<dataObject") : text.index("</dataObject>") + len("</dataObject>")]
    other = entry.replace("-vv-", "-vh-").replace("-001.tiff", "-002.tiff")
    manifest.write_text(text.replace("</XFDU>", f"{other}</XFDU>"))
    assert not any("vh" in note for note in detect_scene(product, bright_blobs).notes)  # vv is what it would take
    with pytest.raises(FileError, match="not whole"):
        find_measurement(product, "vh")
    with pytest.raises(InputError, match="found vh, vv"):
        find_measurement(product, "hh")
    short = shorten(product, tmp_path)
    for file in [*short.rglob("*iw-vv*")]:
        file.rename(file.with_name(file.name.replace("iw-vv", "iw-vh")))
    found = detect_scene(short, bright_blobs)
    assert found.label == "vh"
    assert "the product's raster of vv is missing: vh is used" in found.notes


def test_the_short_names_of_other_products_are_refused(product: Path, tmp_path: Path, bright_blobs: Any) -> None:
    short = shorten(product, tmp_path, manifest=False)
    file = short / "annotation" / "iw-vv.xml"
    file.write_text(file.read_text().replace("<productType>GRD<", "<productType>SLC<"))
    with pytest.raises(FileError, match="found one of SLC"):
        detect_scene(short, bright_blobs)
