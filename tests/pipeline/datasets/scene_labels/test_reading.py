"""Labels over scenes: one truth in many forms gives one set of images, and what is lost is told."""

from __future__ import annotations

import csv
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from pyproj import Transformer

from pipeline.datasets.scene_labels.blocks import View
from pipeline.datasets.scene_labels.choices import LabelChoices, label_choices
from pipeline.datasets.scene_labels.reading import LabelledImages, read_labelled_scenes
from refinedet.config import PixelSizes, Radiometry, TileConfig
from refinedet.config.options.detect import SceneSettings
from refinedet.config.options.label import LabelSettings
from refinedet.errors import InputError
from refinedet.files import sha256_tree
from refinedet.raster import open_scene, write_scene
from refinedet.stretch.stretching import stretch_whole

SIDE = 640
TILE = TileConfig(128, 32)
VIEW = View(SceneSettings(), Radiometry(), TILE, PixelSizes(7, 14, 10))
ORIGIN = (380_000.0, 6_050_000.0)
AT = [(64 + 128 * i, 50 + 128 * j) for i in range(5) for j in range(5)]
"""Middles of ships of 20 x 10 px, one in each square of 128 px."""

Read = Callable[..., LabelledImages]


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    return made_scene(tmp_path / "scene.tif")


def made_scene(path: Path, *, pixel_m: float = 10.0, nodata_from: int = SIDE, east: float = 0.0) -> Path:
    """A sea of speckle with 25 bright ships; columns from `nodata_from` on hold nothing."""
    pixels = np.random.default_rng(1).rayleigh(80, (SIDE, SIDE)).astype(np.uint16) + 1
    for x, y in AT:
        pixels[y - 5 : y + 5, x - 10 : x + 10] = 2000
    pixels[:, nodata_from:] = 0
    transform = (pixel_m, 0.0, ORIGIN[0] + east, 0.0, -pixel_m, ORIGIN[1])
    write_scene(path, pixels, crs="EPSG:32632", transform=transform)
    return path


@pytest.fixture
def read(tmp_path: Path, scene: Path) -> Read:
    def call(labels: Path, *scenes: Path, view: View = VIEW, **choices: Any) -> LabelledImages:
        chosen = LabelChoices(scenes or (scene,), LabelSettings(**choices), view.settings)
        return read_labelled_scenes(labels, chosen, view, (0.1, 0.1), tmp_path / "out")

    return call


def boxes() -> list[Any]:
    return [shapely.box(x - 10, y - 5, x + 10, y + 5) for x, y in AT]


def in_metres(shapes: list[Any], pixel_m: float = 10.0) -> Any:
    return shapely.transform(np.array(shapes), lambda xy: ORIGIN + xy * (pixel_m, -pixel_m))


def moved(shapes: Any, crs: str) -> Any:
    to = Transformer.from_crs("EPSG:32632", crs, always_xy=True)
    return shapely.transform(shapes, to.transform, interleaved=False)


def geojson(path: Path, shapes: Any, crs: str | None = None, **properties: Any) -> Path:
    features = [
        {"type": "Feature", "properties": properties, "geometry": shapely.geometry.mapping(shape)} for shape in shapes
    ]
    named = {} if crs is None else {"crs": {"type": "name", "properties": {"name": crs}}}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features} | named))
    return path


def with_gdal(path: Path, shapes: Any, crs: str | None) -> Path:
    pyogrio = pytest.importorskip("pyogrio")
    wkb = np.array([shapely.to_wkb(one) for one in shapes], object)
    pyogrio.raw.write(str(path), wkb, [np.arange(len(wkb))], ["id"], geometry_type=shapes[0].geom_type, crs=crs)
    return path


def table(path: Path, header: str, rows: Any) -> Path:
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows([header.split(","), *rows])
    return path


def truth(found: LabelledImages) -> dict[str, np.ndarray[Any, Any]]:
    """Boxes by image, each in the order of its middle."""
    images = {i.annotated.file_name: i.annotated for split in found.reading.splits.values() for i in split}
    return {name: one.boxes_xyxy[np.lexsort(one.boxes_xyxy.T)] for name, one in images.items()}


FORMS: dict[str, Callable[[Path], Path]] = {
    "geojson in degrees": lambda d: geojson(d / "a.geojson", moved(in_metres(boxes()), "EPSG:4326")),
    "geojson that names UTM": lambda d: geojson(d / "a.geojson", in_metres(boxes()), "urn:ogc:def:crs:EPSG::32632"),
    "geojson that does not say": lambda d: geojson(d / "a.geojson", in_metres(boxes())),
    "geopackage in Mercator": lambda d: with_gdal(d / "a.gpkg", moved(in_metres(boxes()), "EPSG:3857"), "EPSG:3857"),
    "shapefile": lambda d: with_gdal(d / "a.shp", in_metres(boxes()), "EPSG:32632"),
    "corners in pixels": lambda d: table(d / "a.csv", "xmin,ymin,xmax,ymax", [box.bounds for box in boxes()]),
}


@pytest.mark.parametrize("form", FORMS)
def test_one_truth_in_any_form_gives_the_same_images_boxes_and_splits(tmp_path: Path, read: Read, form: str) -> None:
    expected = read(table(tmp_path / "truth.csv", "left,top,right,bottom", [box.bounds for box in boxes()]))
    images = sha256_tree(tmp_path / "out", list(truth(expected)))
    found = read(FORMS[form](tmp_path))
    assert sha256_tree(tmp_path / "out", list(truth(found))) == images
    for name, there in truth(expected).items():
        assert truth(found)[name] == pytest.approx(there, abs=2e-3)
    for split, there in expected.reading.splits.items():
        assert [i.annotated.file_name for i in found.reading.splits[split]] == [i.annotated.file_name for i in there]


def test_images_are_what_detection_shows_the_network(tmp_path: Path, read: Read, scene: Path) -> None:
    read(FORMS["shapefile"](tmp_path))
    with open_scene(scene) as reader:
        expected = stretch_whole(reader.read_whole(), None, Radiometry())
    with open_scene(tmp_path / "out" / "scene_y00128_x00256.tif") as image:
        assert (image.read_whole() == expected[128:256, 256:384]).all()


def test_coarse_scenes_are_resampled_as_in_detection_and_the_boxes_with_them(tmp_path: Path, read: Read) -> None:
    coarse = made_scene(tmp_path / "coarse.tif", pixel_m=30.0)
    found = read(geojson(tmp_path / "a.geojson", moved(in_metres(boxes(), 30.0), "EPSG:4326")), coarse)
    assert found.gsd_m == PixelSizes(10.0, 10.0, 10.0)
    sizes = np.concatenate([one[:, 2:] - one[:, :2] for one in truth(found).values()])
    assert np.median(sizes, axis=0) == pytest.approx((60, 30), abs=0.2)
    native = View(SceneSettings(gsd_m="native"), Radiometry(), TILE, VIEW.known_gsd)
    assert read(tmp_path / "a.geojson", coarse, view=native).gsd_m == PixelSizes(30.01, 30.01, 30.01)


def test_points_become_squares_of_their_length_or_of_the_size_asked_for(
    tmp_path: Path, read: Read, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    rows = [(y, x, "" if i else 250) for i, (x, y) in enumerate(AT)]
    labels = table(tmp_path / "a.csv", "row,col,vessel_length_m", rows)
    found = read(labels, point_m=80.0)
    every = np.concatenate(list(truth(found).values()))
    sides = every[:, 2] - every[:, 0]
    assert sorted(set(np.round(sides).tolist())) == [8, 25]
    assert "1 points have a length" in caplog.text
    assert "24 points have no size: each is a square of 80 m; set `point_m`" in caplog.text


def test_each_split_has_ships_and_no_ship_is_in_two(tmp_path: Path, read: Read) -> None:
    crossing = [shapely.box(x - 8, y - 5, x + 12, y + 5) for x in (128, 256, 384, 512) for y in (60, 320, 580)]
    found = read(table(tmp_path / "a.csv", "left,top,right,bottom", [b.bounds for b in [*boxes(), *crossing]]))
    ships = dict.fromkeys(found.reading.splits, 0)
    seen: dict[tuple[float, ...], set[str]] = {}
    for split, images in found.reading.splits.items():
        for image in images:
            x, y, _, _ = image.annotated.extra["window"]
            for box in image.annotated.boxes_xyxy[~image.annotated.ignored]:
                ships[split] += 1
                middle = (box[:2] + box[2:]) / 2 + (x, y)
                seen.setdefault(tuple(np.round(middle / 16).tolist()), set()).add(split)
    assert min(ships.values()) > 0
    assert all(len(splits) == 1 for splits in seen.values())


def test_two_scenes_of_one_place_share_their_split(
    tmp_path: Path, read: Read, scene: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    other = made_scene(tmp_path / "vh.tif")
    found = read(FORMS["shapefile"](tmp_path), scene, other)
    for images in found.reading.splits.values():
        places = [tuple(image.annotated.extra["window"]) for image in images]
        assert all(places.count(place) == 2 for place in places)
    assert "25 of 25 labels lie in more than one scene, and count in each" in caplog.text


def test_what_is_lost_is_told_and_warned_of_from_a_twentieth(
    tmp_path: Path, read: Read, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    half = made_scene(tmp_path / "half.tif", nodata_from=520)
    far = shapely.box(5000, 100, 5020, 110)
    line, area = shapely.LineString([(10, 10), (20, 20)]), shapely.box(0, 0, 500, 400)
    read(geojson(tmp_path / "a.geojson", moved(in_metres([*boxes(), far, line, area]), "EPSG:4326")), half)
    told = {(record.levelname, record.getMessage()) for record in caplog.records}
    assert ("INFO", "1 of 28 labels lie outside of every scene") in told
    assert ("WARNING", "5 of 28 labels lie where nothing was measured") in told
    assert ("INFO", "1 of 28 labels are longer than 1 km, so they are no ships") in told
    assert any("1 of 28 labels are left out: they are lines" in text for _, text in told)


def test_coordinates_that_do_not_say_what_they_are_in_are_guessed_and_told(
    tmp_path: Path, read: Read, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    metres = shapely.get_coordinates(shapely.centroid(in_metres(boxes())))
    labels = table(tmp_path / "a.csv", "x,y", metres.tolist())
    expected = truth(read(labels))
    assert "taken for WGS 84 / UTM zone 32N, in which 25 labels are; `labels_crs`" in caplog.text
    again = truth(read(labels, labels_crs="EPSG:32632"))
    assert all((again[name] == expected[name]).all() for name in expected)
    with pytest.raises(InputError, match="expected labels within"):
        read(labels, labels_crs="EPSG:32634")


def test_labels_beside_the_scene_are_one_sentence_that_knows_swapped_degrees(tmp_path: Path, read: Read) -> None:
    lonlat = shapely.get_coordinates(shapely.centroid(moved(in_metres(boxes()), "EPSG:4326")))
    with pytest.raises(InputError, match=r"within .*scene.tif \(longitude 7\.\d.*latitude 54.*swapped: exchange"):
        read(table(tmp_path / "a.csv", "lon,lat", lonlat[:, ::-1].tolist()))
    with pytest.raises(InputError, match=r"found all 25 of .* at longitude 47.*is the reference system right\?"):
        read(table(tmp_path / "b.csv", "lon,lat", np.add(lonlat, (40, 0)).tolist()))
    with pytest.raises(InputError, match=r"found none \(25 lines\)"):
        read(
            geojson(
                tmp_path / "c.geojson",
                moved(in_metres([shapely.LineString(b.exterior.coords) for b in boxes()]), "EPSG:4326"),
            )
        )


def test_labels_in_one_place_are_too_few_to_split(tmp_path: Path, read: Read) -> None:
    with pytest.raises(InputError, match="at least 3 squares of 64 x 64 pixels"):
        read(table(tmp_path / "a.csv", "row,col", [(50, 50), (52, 55)]))


def test_classes_come_from_a_column_of_few_values(tmp_path: Path, read: Read) -> None:
    rows = [(y, x, ("Tanker", "tanker ", "Cargo")[i % 3], f"NAME {i}") for i, (x, y) in enumerate(AT)]
    labels = table(tmp_path / "a.csv", "row,col,type,name", rows)
    assert read(labels).reading.classes == ("cargo", "tanker")
    names = table(tmp_path / "b.csv", "row,col,name", [(y, x, name) for y, x, _, name in rows])
    assert read(names).reading.classes == ("ship",)
    assert len(read(labels, class_column="name").reading.classes) == 25
    with pytest.raises(InputError, match=r"the column 'kind' in .*, found row, col, type, name"):
        read(labels, class_column="kind")


def test_a_table_of_xview3_names_its_scenes_and_doubts_some(tmp_path: Path, read: Read) -> None:
    other = made_scene(tmp_path / "b.tif", east=20_000)
    header = "scene_id,detect_scene_row,detect_scene_column,is_vessel,confidence,vessel_length_m"
    rows = [("scene", y, x, "True", "HIGH", 200) for x, y in AT]
    rows += [
        ("scene", 90, 90, "False", "HIGH", ""),
        ("scene", 90, 300, "", "LOW", ""),
        ("elsewhere", 9, 9, "True", "", ""),
    ]
    found = read(table(tmp_path / "a.csv", header, rows), tmp_path / "scene.tif", other)
    images = [image.annotated for split in found.reading.splits.values() for image in split]
    assert {one.extra["scene"] for one in images if len(one.boxes_xyxy)} == {"scene.tif"}
    assert sum(int((~one.ignored).sum()) for one in images) == 25
    assert sum(int(one.ignored.sum()) for one in images) == 1


def test_pixels_of_other_scenes_are_not_taken_for_those_of_the_scene(tmp_path: Path, read: Read) -> None:
    rows = [("one" if i % 2 else "two", y, x) for i, (x, y) in enumerate(AT)]
    path = table(tmp_path / "a.csv", "scene_id,row,col", rows)
    with pytest.raises(InputError, match=r"the column scene_id of .* such as scene, found one, two; write the name"):
        read(path)


def test_choices_that_do_not_apply_are_errors(tmp_path: Path, scene: Path) -> None:
    coco = tmp_path / "my.json"
    coco.write_text("{}")
    labels, settings = LabelSettings(), SceneSettings()
    assert label_choices(coco, (), labels, settings) is None
    boxes = tmp_path / "boxes.csv"
    for line in ("filename,xmin,ymin,xmax,ymax", "filename,region_shape_attributes,region_attributes"):
        boxes.write_text(line + "\n")
        assert label_choices(boxes, (), labels, settings) is None
    boxes.write_text("lon,lat\n")
    with pytest.raises(InputError, match=r"expected the scenes that the labels in .*boxes\.csv are of"):
        label_choices(boxes, (), labels, settings)
    assert label_choices(coco, (), labels, SceneSettings(band=2, values="db", nodata=-99)) is None, "images have them"
    with pytest.raises(InputError, match="expected `labels_crs` beside labels over scenes, found no scene"):
        label_choices(coco, (), LabelSettings(labels_crs="EPSG:4326"), settings)
    with pytest.raises(InputError, match="expected `gsd_m` beside labels"):
        label_choices(coco, (), labels, SceneSettings(gsd_m=10.0))
    with pytest.raises(InputError, match=r"expected the scenes that the labels in .* are of"):
        label_choices(tmp_path / "a.gpkg", (), labels, settings)
    for unused in (SceneSettings(time="2024-01-01T00:00:00Z"), SceneSettings(max_download_mb=5.0)):
        with pytest.raises(InputError, match=r"`time` for training|address for `max_download_mb`"):
            label_choices(coco, (scene,), labels, unused)
    with pytest.raises(InputError, match="every scene once"):
        label_choices(coco, (scene, scene), labels, settings)
