"""GDAL's auxiliary file places a picture without a position of its own, as GDAL itself reads it."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from rasterio.control import GroundControlPoint
from rasterio.errors import NotGeoreferencedWarning

from refinedet.config.options.detect import SceneSettings
from refinedet.geo.position import locate
from refinedet.raster import open_scene
from refinedet.scene.identity import scene_sha256
from refinedet.scene.input.place.auxiliary import Auxiliary, parsed_auxiliary
from refinedet.scene.input.place.position import apply_position

WIDTH, HEIGHT = 120, 90
UTM = "EPSG:32632"
AFFINE = rasterio.Affine(10, 2, 4e5, 1, -10, 6e6)
CORNERS = np.array([[0.0, 0.0], [WIDTH, 0.0], [0.0, HEIGHT], [WIDTH, HEIGHT]])
POINTS = [GroundControlPoint(row, col, *(AFFINE * (col, row))) for col, row in CORNERS.tolist()]


def write(path: Path, **profile: Any) -> Path:
    """Write a PNG as GDAL does, with its auxiliary file if it has a position."""
    shape = {"width": WIDTH, "height": HEIGHT, "count": 1, "dtype": "uint8"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(path, "w", driver="PNG", **shape, **profile) as dataset:
            dataset.write(np.random.default_rng(1).integers(20, 60, (HEIGHT, WIDTH)).astype(np.uint8), 1)
    return path


def placed(path: Path, **values: Any) -> tuple[NDArray[np.float64] | None, str, dict[str, Any]]:
    """Degrees of the corners, notes, and what the record says of the position."""
    with open_scene(path) as reader:
        apply_position(reader, path, SceneSettings(**values))
        position = locate(reader.info)
        corners = None if position is None else position.lonlat(CORNERS)
        return corners, "\n".join(reader.notes), dict(reader.read_as)


def expected() -> NDArray[np.float64]:
    x, y = AFFINE * CORNERS.T
    return np.stack(Transformer.from_crs(UTM, "EPSG:4326", always_xy=True).transform(x, y), axis=1)


def test_the_transform_that_gdal_wrote_beside_a_png_is_used(tmp_path: Path) -> None:
    scene = write(tmp_path / "s.png", crs=UTM, transform=AFFINE)
    corners, notes, record = placed(scene)
    assert corners is not None
    assert np.abs(corners - expected()).max() < 1e-9
    assert notes == "the scene's transform comes from s.png.aux.xml beside it"
    assert record["position"] == {"transform": "s.png.aux.xml"}
    before = scene_sha256(scene)
    (tmp_path / "s.png.aux.xml").unlink()
    assert placed(scene)[0] is None
    assert scene_sha256(scene) != before


def test_the_control_points_that_gdal_wrote_are_used(tmp_path: Path) -> None:
    corners, notes, record = placed(write(tmp_path / "s.png", crs=UTM, gcps=POINTS))
    assert corners is not None
    assert np.abs(corners - expected()).max() < 1e-6
    assert notes == "the scene's 4 control points come from s.png.aux.xml beside it"
    assert record["position"] == {"gcps": "s.png.aux.xml"}


def test_a_world_file_takes_the_reference_system_of_the_auxiliary_file(tmp_path: Path) -> None:
    scene = write(tmp_path / "s.png")
    (tmp_path / "s.pgw").write_text("10\n0\n0\n-10\n400005\n5999995\n")
    (tmp_path / "s.png.aux.xml").write_text(f"<PAMDataset><SRS>{CRS(UTM).to_wkt('WKT1_GDAL')}</SRS></PAMDataset>")
    assert placed(scene)[0] is not None
    corners, notes, _ = placed(scene, crs="EPSG:32633")
    assert "s.png.aux.xml" not in notes
    assert corners is not None
    assert corners[0, 0] > 10


def test_statistics_beside_a_scene_change_nothing(tmp_path: Path) -> None:
    scene = write(tmp_path / "s.png")
    before = placed(scene), scene_sha256(scene)
    (tmp_path / "s.png.aux.xml").write_text("<PAMDataset><PAMRasterBand><Metadata/></PAMRasterBand></PAMDataset>")
    assert (placed(scene), scene_sha256(scene)) == before


@pytest.mark.parametrize(
    "content",
    [
        "<PAMDataset><GeoTransform>1,2,3",
        '<!DOCTYPE a [<!ENTITY b "c">]><PAMDataset><GeoTransform>&b;</GeoTransform></PAMDataset>',
    ],
)
def test_a_damaged_or_hostile_file_is_told(tmp_path: Path, content: str) -> None:
    scene = write(tmp_path / "s.png")
    (tmp_path / "s.png.aux.xml").write_text(content)
    corners, notes, _ = placed(scene)
    assert corners is None
    assert notes == "s.png.aux.xml beside the scene is not read: expected XML as GDAL writes it"


@pytest.mark.parametrize("numbers", ["1,2,3", "0,0,0,0,0,0", "1,2,nan,4,5,6", "a,b,c,d,e,f", ""])
def test_numbers_that_place_nothing_are_left_out(numbers: str) -> None:
    content = f"<PAMDataset><GeoTransform>{numbers}</GeoTransform></PAMDataset>"
    assert parsed_auxiliary(content.encode()) == Auxiliary()


def test_a_reference_system_that_names_files_is_left_out() -> None:
    wkt = CRS.from_proj4("+proj=utm +zone=32 +ellps=intl +nadgrids=/etc/passwd").to_wkt()
    found = parsed_auxiliary(f"<PAMDataset><SRS>{wkt}</SRS></PAMDataset>".encode())
    assert found == Auxiliary()


@given(st.binary(max_size=200))
def test_any_content_is_read_without_an_error(content: bytes) -> None:
    found = parsed_auxiliary(content)
    assert found is None or isinstance(found, Auxiliary)
