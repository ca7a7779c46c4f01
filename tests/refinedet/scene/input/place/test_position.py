"""Position of a raster by settings, by its own coordinates and by the files beside it: used, told, refused."""

from __future__ import annotations

import json
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from pyproj import CRS, Transformer
from rasterio.control import GroundControlPoint as RasterioPoint
from rasterio.errors import NotGeoreferencedWarning

from refinedet.config.options.detect import SceneSettings
from refinedet.config.options.output import OutputSettings
from refinedet.errors import InputError
from refinedet.geo.position import locate
from refinedet.raster import open_scene
from refinedet.scene.detect import detect_scene
from refinedet.scene.identity import scene_sha256
from refinedet.scene.input.place.position import apply_position
from refinedet.scene.output.files import plan_files, write_files
from refinedet.scene.source import open_source

WIDTH, HEIGHT = 120, 90
UTM = "EPSG:32632"
EAST, NORTH = 400_000.0, 6_000_000.0
WORLD = f"10\n0\n0\n-10\n{EAST + 5}\n{NORTH - 5}\n"
CORNERS = ((0, 0), (WIDTH, 0), (0, HEIGHT), (WIDTH, HEIGHT))
TO_DEGREES = Transformer.from_crs(UTM, "EPSG:4326", always_xy=True)


def pixels_of_a_ship() -> np.ndarray:
    pixels = np.random.default_rng(1).integers(90, 110, (HEIGHT, WIDTH)).astype(np.uint16)
    pixels[30:34, 40:60] = 250
    return pixels


def write(path: Path, **profile: Any) -> Path:
    shape = {"width": WIDTH, "height": HEIGHT, "count": 1, "dtype": "uint16"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(path, "w", driver="GTiff", **shape, **profile) as dataset:
            dataset.write(pixels_of_a_ship(), 1)
    return path


def looked_at(path: Path, **values: Any) -> tuple[np.ndarray | None, str, dict[str, Any]]:
    """Degrees of the corners, notes, and what the record says of the position."""
    with open_scene(path) as reader:
        apply_position(reader, path, SceneSettings(**values))
        position = locate(reader.info)
        corners = None if position is None else position.lonlat(np.array(CORNERS, np.float64))
        return corners, "\n".join(reader.notes), dict(reader.read_as)


def expected() -> np.ndarray:
    x, y = np.array(CORNERS, np.float64).T
    return np.stack(TO_DEGREES.transform(EAST + 10 * x, NORTH - 10 * y), axis=1)


def write_gcps(path: Path) -> Path:
    rows = [f"{x},{y},{lon},{lat}" for (x, y), (lon, lat) in zip(CORNERS, expected().tolist(), strict=True)]
    path.write_text("pixel,line,lon,lat\n" + "\n".join(rows))
    return path


@pytest.mark.parametrize("name", ["s.tfw", "s.tifw", "s.wld", "s.TFW"])
def test_a_world_file_places_a_scene_whose_reference_system_is_stated(tmp_path: Path, name: str) -> None:
    scene = write(tmp_path / "s.tif")
    (tmp_path / name).write_text(WORLD)
    corners, notes, record = looked_at(scene, crs=UTM)
    np.testing.assert_allclose(corners, expected(), atol=1e-9)
    assert notes == f"the scene's transform comes from {name} beside it"
    assert record == {"position": {"transform": name, "crs": "WGS 84 / UTM zone 32N"}}


def test_a_world_file_may_have_decimal_commas(tmp_path: Path) -> None:
    scene = write(tmp_path / "s.tif")
    (tmp_path / "s.tfw").write_text("\n".join(f"{float(number):.6f}".replace(".", ",") for number in WORLD.split()))
    corners, _, _ = looked_at(scene, crs=UTM)
    np.testing.assert_allclose(corners, expected(), atol=1e-9)


@pytest.mark.parametrize(("matrix", "told"), [((0, -1e-4, 54, 1e-4, 0, 8), True), ((0, 1e-4, 8, 1e-4, 0, 54), False)])
def test_a_transform_with_latitude_first_is_told(
    tmp_path: Path, matrix: tuple[float, float, float, float, float, float], told: bool
) -> None:
    scene = write(tmp_path / "s.tif", crs="EPSG:4326", transform=rasterio.Affine(*matrix))
    _, notes, _ = looked_at(scene)
    assert ("where latitude comes before longitude" in notes) is told


@pytest.mark.parametrize(
    ("picture", "world"), [("s.png", "s.pgw"), ("s.jpg", "s.jgw"), ("s.jpg", "s.jpw"), ("s.jpeg", "s.wld")]
)
def test_a_picture_is_placed_by_its_world_file_and_its_reference_file(tmp_path: Path, picture: str, world: str) -> None:
    Image.fromarray(pixels_of_a_ship().astype(np.uint8)).save(tmp_path / picture)
    (tmp_path / world).write_text(WORLD)
    (tmp_path / "s.prj").write_text(CRS.from_user_input(UTM).to_wkt("WKT1_ESRI"))
    corners, notes, record = looked_at(tmp_path / picture)
    np.testing.assert_allclose(corners, expected(), atol=1e-9)
    assert f"comes from {world} beside it" in notes
    assert "comes from s.prj beside it; `crs` overrules it" in notes
    assert record == {"position": {"transform": world, "crs": "s.prj"}}


def test_the_stated_reference_system_overrules_the_file_beside_the_scene_and_the_scenes_own(tmp_path: Path) -> None:
    scene = write(tmp_path / "s.tif")
    (tmp_path / "s.tfw").write_text(WORLD)
    (tmp_path / "s.prj").write_text(CRS.from_epsg(32633).to_wkt("WKT1_ESRI"))
    corners, notes, _ = looked_at(scene, crs=UTM)
    np.testing.assert_allclose(corners, expected(), atol=1e-9)
    assert "s.prj" not in notes
    own = write(tmp_path / "own.tif", crs="EPSG:32633", transform=rasterio.Affine(10, 0, EAST, 0, -10, NORTH))
    corners, notes, _ = looked_at(own, crs=UTM)
    np.testing.assert_allclose(corners, expected(), atol=1e-9)
    assert notes == (
        "`crs` overrules the scene's own reference system (WGS 84 / UTM zone 33N): WGS 84 / UTM zone 32N is used"
    )
    assert looked_at(own, crs="EPSG:32633")[1] == ""


def test_control_points_without_a_reference_system_take_the_stated_one(tmp_path: Path) -> None:
    points = [RasterioPoint(y, x, EAST + 10 * x, NORTH - 10 * y) for x, y in CORNERS]
    scene = write(tmp_path / "s.tif", gcps=points, crs=rasterio.CRS())
    assert looked_at(scene)[0] is None
    np.testing.assert_allclose(looked_at(scene, crs=UTM)[0], expected(), atol=1e-6)


def test_stated_control_points_place_any_scene_and_overrule_its_own_coordinates(tmp_path: Path) -> None:
    gcps = write_gcps(tmp_path / "points.csv")
    corners, notes, record = looked_at(write(tmp_path / "s.tif"), gcps=gcps)
    np.testing.assert_allclose(corners, expected(), atol=1e-6)
    assert notes == ""
    assert record == {"position": {"gcps": "points.csv"}}
    own = write(tmp_path / "own.tif", crs="EPSG:32633", transform=rasterio.Affine(10, 0, 5e5, 0, -10, 5e6))
    corners, notes, _ = looked_at(own, gcps=gcps)
    np.testing.assert_allclose(corners, expected(), atol=1e-6)
    assert "where the 4 points of points.csv say; its own coordinates are unused" in notes


def test_control_points_in_metres_take_the_stated_reference_system(tmp_path: Path) -> None:
    rows = [f"{x},{y},{EAST + 10 * x},{NORTH - 10 * y}" for x, y in CORNERS[:3]]
    (tmp_path / "p.csv").write_text("pixel,line,x,y\n" + "\n".join(rows))
    corners, _, _ = looked_at(write(tmp_path / "s.tif"), gcps=tmp_path / "p.csv", crs=UTM)
    np.testing.assert_allclose(corners, expected(), atol=1e-6)


def test_the_ships_of_a_placed_picture_have_places(tmp_path: Path, bright_blobs: Any) -> None:
    scene = write(tmp_path / "s.tif")
    result = detect_scene(scene, bright_blobs, scene=SceneSettings(gcps=write_gcps(tmp_path / "points.csv")))
    lon, lat = TO_DEGREES.transform(EAST + 500, NORTH - 320)
    np.testing.assert_allclose(result.places.centres_lonlat, [[lon, lat]], atol=1e-6)
    assert result.places.length_m[0] == pytest.approx(200, rel=0.1)


@pytest.mark.parametrize("crs", ["EPSG:99999", "here", "EPSG:5773", 'LOCAL_CS["site",UNIT["metre",1]]', ""])
def test_a_stated_reference_system_that_is_none_is_one_sentence(tmp_path: Path, crs: str) -> None:
    with pytest.raises(InputError, match="expected `crs` as EPSG:n or the WKT"):
        looked_at(write(tmp_path / "s.tif"), crs=crs)


@pytest.mark.parametrize("own", [{}, {"crs": UTM}])
def test_a_stated_reference_system_without_coordinates_is_one_sentence(tmp_path: Path, own: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"expected coordinates for `crs` in .*give control points with `gcps`"):
        looked_at(write(tmp_path / "s.tif", **own), crs=UTM)


def test_a_product_has_a_position_of_its_own(make_product: Any, tmp_path: Path) -> None:
    product = make_product("vv")
    for values in ({"crs": UTM}, {"gcps": write_gcps(tmp_path / "p.csv")}):
        with (
            pytest.raises(InputError, match="Sentinel-1 product with its own position"),
            open_source(product, SceneSettings(**values)),
        ):
            pass


@pytest.mark.parametrize(
    "text", ["", "10 0 0 -10 1", "a b c d e f", "10 0 0 -10 nan 5", "0 0 0 0 5 5", "9" * 2000, "10 0 0 -10 5 5 ٣"]
)
def test_a_world_file_that_is_none_is_told_and_left(tmp_path: Path, text: str) -> None:
    scene = write(tmp_path / "s.tif")
    (tmp_path / "s.tfw").write_text(text)
    corners, notes, _ = looked_at(scene)
    assert corners is None
    assert notes == "s.tfw beside the scene is not read: expected six numbers that place pixels"


@pytest.mark.parametrize("text", ["", "EPSG", 'GEOGCS["x",EXTENSION["PROJ4_GRIDS","/etc/passwd"]]', "x" * 70_000])
def test_a_reference_file_that_is_none_is_told_and_left(tmp_path: Path, text: str) -> None:
    scene = write(tmp_path / "s.tif", transform=rasterio.Affine(10, 0, EAST, 0, -10, NORTH))
    (tmp_path / "s.prj").write_text(text)
    corners, notes, _ = looked_at(scene)
    assert corners is None
    assert notes == "s.prj beside the scene is no reference system that can be used"


def test_files_beside_a_scene_with_a_position_change_nothing_and_are_not_told(tmp_path: Path) -> None:
    scene = write(tmp_path / "s.tif", crs=UTM, transform=rasterio.Affine(10, 0, EAST, 0, -10, NORTH))
    before = looked_at(scene)
    (tmp_path / "s.tfw").write_text("1 0 0 -1 0 0")
    (tmp_path / "s.prj").write_text(CRS.from_epsg(32633).to_wkt())
    (tmp_path / "s.tif.aux.xml").write_text("<PAMDataset><GeoTransform>1,2,3,4,5,6</GeoTransform></PAMDataset>")
    after = looked_at(scene)
    assert before[1:] == after[1:] == ("", {})
    assert (before[0] == after[0]).all()


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_further_pages_are_named_and_overviews_and_masks_are_not(tmp_path: Path) -> None:
    pages = [Image.fromarray(np.full(shape, 50, np.uint8)) for shape in ((20, 30), (90, 120), (9, 9), (9, 9), (8, 8))]
    pages[0].save(tmp_path / "s.tif", save_all=True, append_images=pages[1:])
    _, notes, record = looked_at(tmp_path / "s.tif")
    assert notes == (
        "the file has several pages: page 1 (30 x 20) is used, not page 2 (120 x 90), page 3 (9 x 9), "
        "page 4 (9 x 9) and 1 more; to use another, write it to its own file: "
        "gdal_translate GTIFF_DIR:2:s.tif page2.tif"
    )
    assert record["pages_left_out"][0] == [2, 120, 90]
    with rasterio.open(f"GTIFF_DIR:2:{tmp_path / 's.tif'}") as second:
        assert (second.width, second.height) == (120, 90)
    scene = write(tmp_path / "plain.tif", crs=UTM, transform=rasterio.Affine(10, 0, EAST, 0, -10, NORTH))
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(scene, "r+") as dataset:
        dataset.build_overviews([2, 4])
        dataset.write_mask(np.ones((HEIGHT, WIDTH), bool))
    assert looked_at(scene)[1] == ""


def test_the_files_that_may_place_a_scene_are_part_of_its_identity(tmp_path: Path) -> None:
    scene = write(tmp_path / "s.tif")
    seen = [scene_sha256(scene)]
    for name, text in (("s.tfw", WORLD), ("s.tfw", WORLD.replace("10", "20")), ("s.prj", "x")):
        (tmp_path / name).write_text(text)
        seen.append(scene_sha256(scene))
    assert len(set(seen)) == 4
    (tmp_path / "s.tfw").unlink()
    (tmp_path / "s.prj").unlink()
    assert scene_sha256(scene) == seen[0]


def numbers(value: Any) -> list[float]:
    """All latitudes and longitudes in GeoJSON-like values."""
    if isinstance(value, dict):
        return [n for inner in value.values() for n in numbers(inner)]
    if isinstance(value, list):
        return [n for inner in value for n in numbers(inner)]
    return [float(value)] if isinstance(value, int | float) else []


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from([1e-4, 0.1, -0.1, 1.0, -1.0, 10.0]),
    st.floats(-400, 400),
    st.floats(-120, 120),
    st.floats(-0.5, 0.5),
)
def test_nothing_beyond_90_degrees_leaves_the_program(
    tmp_path: Path, bright_blobs: Any, size: float, west: float, north: float, turn: float
) -> None:
    matrix = rasterio.Affine(abs(size), turn * size, west, -turn * size, size, north)
    scene = write(tmp_path / "s.tif", crs="EPSG:4326", transform=matrix)
    result = detect_scene(scene, bright_blobs)
    output = OutputSettings(out=tmp_path / "out", format=("geojson", "csv", "coco", "gpkg"), quicklook=False)
    (tmp_path / "out").mkdir(exist_ok=True)
    files = plan_files(scene, output)
    write_files(scene, result, files, SceneSettings())
    ships = json.loads(files["geojson"].read_text())
    for feature in ships["features"]:
        assert all(abs(n) <= 180 for n in numbers(feature["geometry"]))
        lonlat = [feature["properties"].get(name) for name in ("lon", "lat")]
        assert lonlat == [None, None] or (abs(lonlat[0]) <= 180 and abs(lonlat[1]) <= 90)
        for pair in re.findall(r"\[(-?[\d.e-]+), ?(-?[\d.e-]+)\]", json.dumps(feature["geometry"])):
            assert abs(float(pair[1])) <= 90
    header, *rows = files["csv"].read_text().splitlines()
    place = header.split(",").index("lat")
    assert all(not row.split(",")[place] or abs(float(row.split(",")[place])) <= 90 for row in rows)
    assert "NaN" not in files["map"].read_text().split("<script")[1]
