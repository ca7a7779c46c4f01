"""GeoTIFF of SNAP: bands, times of lines, ambiguities; and XML that is damaged or hostile."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from refinedet.config.options.detect import SceneSettings
from refinedet.errors import InputError
from refinedet.raster import write_scene
from refinedet.scene.detect import detect_scene
from refinedet.scene.sentinel1.annotation import read_annotation
from refinedet.scene.sentinel1.files import ProductFolder, read_xml
from refinedet.scene.sentinel1.snap import read_snap_metadata
from refinedet.scene.source import open_source
from refinedet.scene.views.columns import ship_rows
from tests.refinedet.scene.sentinel1.test_layouts import LINES, SAMPLES, pixels_with_ghost
from tests.refinedet.snap_tiff import dimap, tie_point_grid, write_snap_tiff

MakeUp = Callable[..., Path]
TIMES = {
    "PROC_TIME": "05-OCT-2022 10:00:00.000000",
    "first_line_time": "02-OCT-2022 20:51:26.995649",
    "last_line_time": "02-OCT-2022 20:51:28.344149",
    "num_output_lines": LINES,
}
GRID = tie_point_grid(LINES, SAMPLES, 10, 13)
SIGMA = ("Sigma0_VV", "intensity")


@pytest.fixture
def product(made_up_product: MakeUp) -> ProductFolder:
    """A product whose rasters nobody has."""
    return ProductFolder(made_up_product(LINES, SAMPLES, steering=0))


def annotations(product: ProductFolder) -> dict[str, Any]:
    return {name: read_xml(product, f"annotation/{name}") for name in product.names("annotation")}


def test_ships_have_the_times_and_flags_of_the_product_it_was_made_of(
    product: ProductFolder, tmp_path: Path, bright_blobs: Any
) -> None:
    pixels = pixels_with_ghost(product.path).astype(np.float32)
    path = tmp_path / "subset_0_of_scene_Cal.tif"
    roots = annotations(product)
    write_snap_tiff(path, pixels**2 / 400**2, GRID, dimap(SIGMA, abstract=TIMES, annotations=roots))
    bright_blobs.threshold = 250
    found = detect_scene(path, bright_blobs)
    assert [flags for flags in found.flags if flags] == [("ambiguity",)]
    assert found.label is None
    assert found.read_as["values"] == {"kind": "power", "from": "name"}
    assert found.read_as["time"] == {
        "from": "annotation",
        "start": "2020-01-01T00:00:00.000Z",
        "end": "2020-01-01T00:00:01.349Z",
    }
    assert found.located
    assert ship_rows(found)[0]["time"] == "2020-01-01T00:00:00.155Z"
    with pytest.raises(InputError, match="line, found"):
        detect_scene(path, bright_blobs, scene=SceneSettings(time="2021-07-01T12:01:02Z"))
    own = read_annotation(next(iter(roots.values())), "here")
    copy = read_snap_metadata(path)
    assert copy is not None
    assert copy.annotation is not None
    again = read_annotation(copy.annotation, "here")
    np.testing.assert_array_equal(again.grid.longitude, own.grid.longitude)
    assert (again.swaths, again.first_line, again.wavelength_m) == (own.swaths, own.first_line, own.wavelength_m)


def test_a_cut_or_averaged_image_has_the_times_of_its_own_lines(
    product: ProductFolder, tmp_path: Path, bright_blobs: Any
) -> None:
    pixels = pixels_with_ghost(product.path).astype(np.float32)[:400]
    abstract = TIMES | {"num_output_lines": 400}
    xml = dimap(SIGMA, abstract=abstract, annotations=annotations(product))
    path = write_snap_tiff(tmp_path / "scene.tif", pixels, tie_point_grid(400, SAMPLES, 10, 13), xml)
    bright_blobs.threshold = 250
    found = detect_scene(path, bright_blobs)
    assert set(found.flags) == {()}
    assert found.read_as["time"] == {
        "from": "file",
        "start": "2022-10-02T20:51:26.996Z",
        "end": "2022-10-02T20:51:28.344Z",
    }
    by_row = {int(box[1]): row["time"] for box, row in zip(found.detections.boxes_xyxy, ship_rows(found), strict=True)}
    assert by_row[100] == "2022-10-02T20:51:27.345Z"  # line 103.5 of 399, in 1.3485 s


def test_an_image_on_a_map_has_one_time(tmp_path: Path, bright_blobs: Any) -> None:
    corners = np.array([[x, y, 0.0, 1e-4 * x, -1e-4 * y, 0.0] for x in (0, SAMPLES) for y in (0, LINES)], np.float64)
    pixels = np.full((LINES, SAMPLES), 50, np.float32)
    path = write_snap_tiff(tmp_path / "scene.tif", pixels, corners, dimap(SIGMA, abstract=TIMES), scale=1e-4)
    read_as = detect_scene(path, bright_blobs).read_as["time"]
    assert read_as == {"from": "file", "start": "2022-10-02T20:51:26.996Z", "end": None}


@pytest.mark.parametrize(
    ("band", "name"),
    [
        (SIGMA, "Sigma0_VV (intensity)"),
        (("Sigma0_VH_db", "intensity_db"), "Sigma0_VH_db"),
        (("Gamma0_HH", "intensity_db"), "Gamma0_HH (dB)"),
        (("Amplitude_HV", "amplitude"), "Amplitude_HV"),
        (("Band_1", ""), "Band_1"),
    ],
)
def test_bands_have_the_names_and_units_that_snap_gave_them(tmp_path: Path, band: tuple[str, str], name: str) -> None:
    pixels = np.full((90, 120), 50, np.float32)
    path = write_snap_tiff(tmp_path / "scene.tif", pixels, tie_point_grid(90, 120, 4, 4), dimap(band))
    with open_source(path) as reader:
        assert reader.band_names == (name,)
    write_snap_tiff(path, pixels, tie_point_grid(90, 120, 4, 4), dimap(band, band))
    with open_source(path) as reader:  # the XML is of another file
        assert reader.band_names == ("",)


def test_xml_that_is_damaged_or_hostile_is_no_metadata(
    product: ProductFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, pixels, grid = tmp_path / "scene.tif", np.full((90, 120), 50, np.float32), tie_point_grid(90, 120, 4, 4)
    good = dimap(SIGMA, abstract=TIMES, annotations=annotations(product))
    bomb = b'<!DOCTYPE x [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]>'
    for xml in (None, b"", b"no XML", b"<other/>", good[:200], bomb + good, good.replace(b"ISO-8859-1", b"no-such")):
        write_snap_tiff(path, pixels, grid, xml)
        assert read_snap_metadata(path) is None
        with open_source(path) as reader:
            assert reader.read_whole().shape == (90, 120)
    write_snap_tiff(path, pixels, grid, good[:-400])  # cut within the annotation: the bands are there all the same
    assert read_snap_metadata(path) is None
    found = read_snap_metadata(path, bands_alone=True)
    assert found is not None
    assert found.band_names() == ("Sigma0_VV (intensity)",)
    write_snap_tiff(path, pixels, grid, good)
    monkeypatch.setattr("refinedet.scene.sentinel1.snap._MOST_NODES", 100)
    assert read_snap_metadata(path) is None


@pytest.mark.parametrize(
    "text", ["", "31-FEB-2022 00:00:00.0", "02-XYZ-2022 20:51:26", "99999.0", "2022-10-02T20:51:26"]
)
def test_a_time_that_is_none_is_unknown(tmp_path: Path, text: str) -> None:
    pixels = np.full((90, 120), 50, np.float32)
    xml = dimap(SIGMA, abstract={"first_line_time": text, "num_output_lines": "many"})
    found = read_snap_metadata(write_snap_tiff(tmp_path / "scene.tif", pixels, tie_point_grid(90, 120, 4, 4), xml))
    assert found is not None
    assert found.time("first_line_time") is None
    assert found.number("num_output_lines") is None


def test_an_ordinary_tiff_has_none(tmp_path: Path) -> None:
    write_scene(tmp_path / "scene.tif", np.full((90, 120), 50, np.uint16))
    assert read_snap_metadata(tmp_path / "scene.tif") is None
