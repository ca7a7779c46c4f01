"""Time, spacing and geometry by the tags of several satellites, as their products spell them."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st

from refinedet.config import PixelSizes
from refinedet.config.options.detect import SceneSettings
from refinedet.raster import open_scene
from refinedet.scene.detect import detect_scene
from refinedet.scene.input.file_metadata import FileMetadata, file_metadata
from refinedet.scene.input.place.position import apply_position
from refinedet.scene.windows.pixel_size import pixel_size_m

WIDTH, HEIGHT = 120, 90

ICEYE: dict[str, Any] = {
    "start_datetime": "2025-06-27T11:24:05.785Z",
    "datetime": "2025-06-27T11:24:12.843Z",
    "platform": "ICEYE-X42",
    "sar:product_type": "SLC-COG",
    "sar:pixel_spacing_azimuth": 2.0,
    "sar:pixel_spacing_range": 1.5,
    "view:incidence_angle": 30.0,
    "proj:shape": [WIDTH, HEIGHT],
}
"""Entries of `ICEYE_PROPERTIES` with the names and spellings of ICEYE's product documentation (SLC)."""
CAPELLA: dict[str, Any] = {
    "product_type": "SLC",
    "collect": {
        "start_timestamp": "2021-02-04T15:30:42.421646560Z",
        "platform": "capella-2",
        "image": {
            "rows": HEIGHT,
            "columns": WIDTH,
            "pixel_spacing_column": 0.9,
            "pixel_spacing_row": 1.2,
            "image_geometry": {"type": "slant_plane", "delta_range_sample": 0.5},
            "center_pixel": {"incidence_angle": 45.0, "center_time": "2021-02-04T15:30:50.0Z"},
        },
    },
}
"""Entries of Capella's SAR Products Format Specification 1.8."""
RADARSAT = {
    "ACQUISITION_START_TIME": "2008-05-04T10:48:28.123456Z",
    "SATELLITE_IDENTIFIER": "RADARSAT-2",
    "PRODUCT_TYPE": "SGF",
    "PIXEL_SPACING": "6.25000000e+00",
    "LINE_SPACING": "6.25000000e+00",
}
"""Items that GDAL's driver RS2 sets; its driver RCM sets the same names."""
TERRASAR = {
    "SCENE_CENTRE_TIME": "2008-02-10T05:24:36.500000Z",
    "PRODUCT_VARIANT": "MGD",
    "ROW_SPACING": "1.25",
    "COL_SPACING": "1.5",
    "COL_SPACING_UNITS": "m",
}
"""Items that GDAL's driver TSX sets."""
ENVISAT = {
    "MPH_PRODUCT": "ASA_IMP_1PNDPA20050331_075939_000000162036_00035_16121_0775.N1",
    "MPH_SENSING_START": "31-MAR-2005 07:59:36.409059",
    "SPH_FIRST_LINE_TIME": "31-MAR-2005 07:59:39.342877",
    "SPH_SAMPLE_TYPE": "DETECTED",
    "SPH_RANGE_SPACING": "+1.25000000E+01",
    "SPH_AZIMUTH_SPACING": "+1.25000000E+01",
    "SPH_LINE_LENGTH": f"+{WIDTH:05}",
}
"""Items that GDAL's driver ESAT sets, as a converted wide swath product of the samples has them."""
ICEYE_OLD = {
    "ACQUISITION_START_UTC": "2021-02-04T15:30:42.421646",
    "SATELLITE_NAME": "ICEYE-X4",
    "RANGE_SPACING": "2.5",
    "AZIMUTH_SPACING": "2.5",
}
"""Items in capitals of the names of ICEYE's older XML, as the ICEYE reader of ESA's SNAP looks for them."""
S1TILING = {"ACQUISITION_DATETIME": "2020-01-08T04:41:50Z", "FLYING_UNIT_CODE": "s1a"}
"""Items that S1Tiling writes, by its documentation of files."""


def iceye(**changed: Any) -> dict[str, str]:
    return {"ICEYE_PROPERTIES": json.dumps(ICEYE | changed)}


def capella(**changed: Any) -> dict[str, str]:
    image = CAPELLA["collect"]["image"] | changed
    return {"TIFFTAG_IMAGEDESCRIPTION": json.dumps({"collect": CAPELLA["collect"] | {"image": image}})}


def when(*numbers: int) -> datetime:
    return datetime(*numbers, tzinfo=UTC)  # type: ignore[misc, arg-type]  # year to microsecond


CASES = [
    pytest.param(iceye(), when(2025, 6, 27, 11, 24, 5, 785000), (2.0, 3.0), True, "slant", "ICEYE-X42", id="ICEYE"),
    pytest.param(
        iceye(**{"sar:product_type": "GRD-COG"}),
        *(when(2025, 6, 27, 11, 24, 5, 785000), (2.0, 1.5), True, "ground", "ICEYE-X42"),
        id="ICEYE, ground range",
    ),
    pytest.param(
        iceye(**{"view:incidence_angle": None}),
        *(when(2025, 6, 27, 11, 24, 5, 785000), (2.0, 1.5), False, "slant", "ICEYE-X42"),
        id="ICEYE, no angle",
    ),
    pytest.param(
        ICEYE_OLD, when(2021, 2, 4, 15, 30, 42, 421646), (2.5, 2.5), True, "ground", "ICEYE-X4", id="older ICEYE"
    ),
    pytest.param(
        {**ICEYE_OLD, "SLANT_RANGE_SPACING": "0.5"},
        *(when(2021, 2, 4, 15, 30, 42, 421646), (0.5, 2.5), False, "slant", "ICEYE-X4"),
        id="older ICEYE, slant range",
    ),
    pytest.param(
        capella(),
        *(when(2021, 2, 4, 15, 30, 42, 421646), (0.5 * math.sqrt(2), 1.2), True, "slant", "capella-2"),
        id="Capella",
    ),
    pytest.param(
        capella(image_geometry={"type": "geotransform"}),
        *(when(2021, 2, 4, 15, 30, 42, 421646), (0.9, 1.2), True, "ground", "capella-2"),
        id="Capella, on the ground",
    ),
    pytest.param(
        RADARSAT, when(2008, 5, 4, 10, 48, 28, 123456), (6.25, 6.25), True, "ground", "RADARSAT-2", id="RADARSAT-2"
    ),
    pytest.param(
        {**RADARSAT, "SATELLITE_IDENTIFIER": "RCM-1", "PRODUCT_TYPE": "SLC", "PIXEL_SPACING": "1.33"},
        *(when(2008, 5, 4, 10, 48, 28, 123456), (1.33, 6.25), False, "slant", "RCM-1"),
        id="RCM, slant range",
    ),
    pytest.param(
        TERRASAR, when(2008, 2, 10, 5, 24, 36, 500000), (1.5, 1.25), True, "ground", "TerraSAR-X", id="TerraSAR-X"
    ),
    pytest.param(
        {**TERRASAR, "PRODUCT_VARIANT": "SSC", "COL_SPACING": "6.06e-09", "COL_SPACING_UNITS": "s"},
        *(when(2008, 2, 10, 5, 24, 36, 500000), None, False, "slant", "TerraSAR-X"),
        id="TerraSAR-X, seconds",
    ),
    pytest.param(ENVISAT, when(2005, 3, 31, 7, 59, 39, 342877), (12.5, 12.5), True, "ground", "Envisat", id="Envisat"),
    pytest.param(S1TILING, when(2020, 1, 8, 4, 41, 50), None, True, None, "s1a", id="S1Tiling"),
]


@pytest.mark.parametrize(("tags", "acquired", "spacing_m", "on_ground", "geometry", "platform"), CASES)
def test_each_family_states_what_it_states(
    tags: dict[str, str],
    acquired: datetime,
    spacing_m: tuple[float, float] | None,
    on_ground: bool,
    geometry: str | None,
    platform: str,
) -> None:
    found = file_metadata(tags)
    assert (found.acquired, found.geometry, found.platform) == (acquired, geometry, platform)
    assert found.on_ground is on_ground
    assert found.spacing_m == (None if spacing_m is None else pytest.approx(spacing_m))
    assert json.loads(json.dumps(found.to_dict()))["platform"] == platform


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"AREA_OR_POINT": "Area", "TIFFTAG_DATETIME": "2024:06:20 14:32:15"},
        {"TIFFTAG_IMAGEDESCRIPTION": "Sentinel-1A IW GRD HR L1"},
        {"TIFFTAG_IMAGEDESCRIPTION": '{"shape": [90, 120]}'},
        {"TIFFTAG_IMAGEDESCRIPTION": "{" + '"a":{' * 20_000},
        {"TIFFTAG_IMAGEDESCRIPTION": "[" * 200_000},
        {"ICEYE_PROPERTIES": "not JSON"},
        {"ICEYE_PROPERTIES": "[1, 2]"},
        {"ACQUISITION_START_TIME": "UNK"},
    ],
)
def test_other_files_state_nothing(tags: dict[str, str]) -> None:
    assert file_metadata(tags) == FileMetadata()


@pytest.mark.parametrize("spacing", ["0", "-2", "nan", "inf", "1e9", "two", None, [1], {}])
def test_a_spacing_of_no_radar_counts_as_missing(spacing: object) -> None:
    assert file_metadata(iceye(**{"sar:pixel_spacing_azimuth": spacing})).spacing_m is None


@pytest.mark.parametrize("text", ["", "yesterday", "1970-01-01T00:00:00Z", "0001-01-01T00:00:00+10:00", None, 5, []])
def test_a_time_of_no_radar_counts_as_missing(text: object) -> None:
    found = file_metadata(iceye(start_datetime=text, datetime=None))
    assert found.acquired is None
    assert found.spacing_m is not None


@given(st.dictionaries(st.sampled_from([*ICEYE, *RADARSAT, *TERRASAR, *ENVISAT, *ICEYE_OLD]), st.text()))
def test_no_tags_are_an_error(tags: dict[str, str]) -> None:
    file_metadata({name.upper(): text for name, text in tags.items()})
    file_metadata({"ICEYE_PROPERTIES": json.dumps(tags)})


def write(path: Path, tags: dict[str, str], **profile: Any) -> Path:
    pixels = np.random.default_rng(1).integers(90, 110, (HEIGHT, WIDTH)).astype(np.uint16)
    pixels[30:34, 40:60] = 250
    shape = {"width": WIDTH, "height": HEIGHT, "count": 1, "dtype": "uint16"}
    with rasterio.open(path, "w", driver="GTiff", **shape, **profile) as dataset:
        dataset.write(pixels, 1)
        dataset.update_tags(**tags)
    return path


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
@pytest.mark.parametrize("tags", [case.values[0] for case in CASES if case.values[2]])
def test_the_stated_spacing_is_the_pixel_size_of_a_scene_without_a_position(
    tmp_path: Path, tags: dict[str, str], bright_blobs: Any
) -> None:
    scene = write(tmp_path / "scene.tif", tags)
    stated = file_metadata(tags).spacing_m
    assert stated is not None
    with open_scene(scene) as reader:
        apply_position(reader, scene, SceneSettings())
        assert pixel_size_m(reader.info) == stated
        assert reader.read_as["file_metadata"]["spacing_m"] == list(stated)
        (note,) = reader.notes
        assert "(used)" in note
        assert ("slant range" in note) == (file_metadata(tags).geometry == "slant")
    metres = detect_scene(scene, bright_blobs, scene=SceneSettings(gsd_m=5.0))
    assert metres.factors == pytest.approx((stated[0] / 5, stated[1] / 5), rel=0.1)
    known = PixelSizes(min_m=7, max_m=9, best_m=8)
    itself = detect_scene(scene, bright_blobs, known_gsd=known)
    assert itself.factors == pytest.approx((stated[0] / 8, stated[1] / 8), rel=0.1)
    assert not itself.located


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_a_copy_that_was_cut_or_resampled_does_not_take_the_spacing(tmp_path: Path) -> None:
    tags = iceye(**{"proj:shape": [10 * WIDTH, 10 * HEIGHT]})
    scene = write(tmp_path / "scene.tif", tags)
    with open_scene(scene) as reader:
        apply_position(reader, scene, SceneSettings())
        assert reader.info.spacing_m is None
        assert "unused, since the file was cut or resampled" in reader.notes[0]


def test_a_position_comes_before_the_stated_spacing(tmp_path: Path) -> None:
    transform = rasterio.Affine(10, 0, 500_000, 0, -10, 5_300_000)
    scene = write(tmp_path / "scene.tif", iceye(), crs="EPSG:32633", transform=transform)
    with open_scene(scene) as reader:
        apply_position(reader, scene, SceneSettings())
        assert reader.info.spacing_m is None
        assert pixel_size_m(reader.info) == pytest.approx((10, 10), rel=1e-3)
        assert "the position measures them" in reader.notes[0]
