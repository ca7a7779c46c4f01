"""Shapes of VIA and labelme become boxes; what has no extent is ignored."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.datasets.labels.finding import find_labels
from pipeline.datasets.labels.label_set import LabelSet, common_folder
from refinedet.data.coco import Record, import_document
from refinedet.data.truth import Changes
from refinedet.errors import FileError, InputError

Put, Write = Callable[..., None], Callable[..., Path]
WHOLE = [0, 0, 40, 30]


def read(one: LabelSet) -> tuple[Record, Changes]:
    return import_document(one.renamed(common_folder([one])).document, one.source)


def via(*shapes: dict[str, Any], **attributes: Any) -> dict[str, Any]:
    """Document of VIA with these regions in each image."""
    regions = [{"shape_attributes": shape, "region_attributes": attributes} for shape in shapes]
    return {f"c{i}.png99": {"filename": f"c{i}.png", "size": 99, "regions": regions} for i in range(6)}


RECT = {"name": "rect", "x": 4, "y": 5, "width": 10, "height": 6}


@pytest.mark.parametrize(
    ("shape", "box"),
    [
        pytest.param(RECT, [4, 5, 14, 11], id="rect"),
        pytest.param(
            {"name": "polygon", "all_points_x": [4, 14, 9], "all_points_y": [5, 8, 11]}, [4, 5, 14, 11], id="polygon"
        ),
        pytest.param(
            {"name": "polyline", "all_points_x": [4, 14, 9], "all_points_y": [5, 8, 11]}, [4, 5, 14, 11], id="polyline"
        ),
        pytest.param({"name": "circle", "cx": 9, "cy": 8, "r": 3}, [6, 5, 12, 11], id="circle"),
        pytest.param({"name": "ellipse", "cx": 9, "cy": 8, "rx": 5, "ry": 3}, [4, 5, 14, 11], id="ellipse"),
        pytest.param(
            {"name": "ellipse", "cx": 9, "cy": 8, "rx": 5, "ry": 3, "theta": math.pi / 2}, [6, 3, 12, 13], id="turned"
        ),
    ],
)
def test_regions_of_via_become_boxes(
    tmp_path: Path, put_images: Put, save: Write, shape: dict[str, Any], box: list[float]
) -> None:
    put_images(tmp_path)
    path = save(via(shape, type="ship"))
    for one in (find_labels(path)["train"], find_labels(tmp_path)["train"]):
        record, changes = read(one)
        np.testing.assert_allclose(record.boxes[1], [box], atol=1e-5)
        assert not changes.ignored
        assert one.notes == ("the attribute 'type' of a region is taken as its class",)


@pytest.mark.parametrize(
    "shape",
    [
        {"name": "point", "cx": 9, "cy": 8},
        {"name": "rect", "x": 4},
        {"name": "circle", "cx": "a", "cy": 8, "r": 3},
        {"name": "polygon", "all_points_x": [4], "all_points_y": [5, 8]},
        {"name": "polyline", "all_points_x": [4, 14], "all_points_y": [5, 8]},
        {},
    ],
)
def test_regions_without_extent_are_ignored(
    tmp_path: Path, put_images: Put, save: Write, shape: dict[str, Any]
) -> None:
    put_images(tmp_path)
    record, changes = read(find_labels(save(via(RECT, shape, name="ship")))["train"])
    assert record.boxes[1].tolist() == [[4, 5, 14, 11], WHOLE]
    assert changes.ignored == {"malformed": 6}


@pytest.mark.parametrize(
    ("attributes", "name", "note"),
    [
        ({"class": "vessel", "quality": "good"}, "vessel", "'class'"),
        ({"Label": "vessel", "by": "me"}, "vessel", "'Label'"),
        ({"what": "vessel"}, "vessel", "'what'"),
        ({"type": {"vessel": True, "buoy": False}}, "vessel", "'type'"),
        ({}, "ship", "all are taken as 'ship'"),
        ({"a": "1", "b": "2"}, "ship", "all are taken as 'ship'"),
    ],
)
def test_the_class_of_a_region_is_an_attribute(
    tmp_path: Path, put_images: Put, save: Write, attributes: dict[str, Any], name: str, note: str
) -> None:
    put_images(tmp_path)
    one = find_labels(save({"_via_settings": {}, "_via_img_metadata": via(RECT, **attributes)}))["train"]
    assert read(one)[0].classes == (name,)
    assert note in one.notes[0]


def test_a_table_of_via_says_the_same(tmp_path: Path, put_images: Put) -> None:
    put_images(tmp_path / "images")
    with (tmp_path / "via.csv").open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["filename", "region_count", "region_id", "region_shape_attributes", "region_attributes"])
        table.writerow(["c0.png", 0, 0, "{}", "{}"])
        table.writerows(["c1.png", 2, i, json.dumps(RECT | {"x": i}), '{"class": "ship"}'] for i in range(2))
    one = find_labels(tmp_path / "via.csv")["train"]
    record, changes = read(one)
    assert {i: record.boxes[i].tolist() for i in (1, 2)} == {1: [], 2: [[0, 5, 10, 11], [1, 5, 11, 11]]}
    assert changes.to_dict() == {"dropped": {}, "clipped": 0}
    with (tmp_path / "via.csv").open("a", encoding="utf-8") as stream:
        stream.write("c2.png,1,0,{broken,{}\n")
    with pytest.raises(InputError, match="found a row that is none"):
        find_labels(tmp_path / "via.csv")


def labelme(name: str, *shapes: dict[str, Any]) -> dict[str, Any]:
    return {"imagePath": name, "shapes": list(shapes), "imageData": None, "imageHeight": 30, "imageWidth": 40}


@pytest.mark.parametrize(
    ("shape", "box"),
    [
        ({"shape_type": "rectangle", "points": [[14, 11], [4, 5]]}, [4, 5, 14, 11]),
        ({"shape_type": "polygon", "points": [[4, 5], [14, 8], [9, 11]]}, [4, 5, 14, 11]),
        ({"points": [[4, 5], [14, 8], [9, 11]]}, [4, 5, 14, 11]),
        ({"shape_type": "oriented_rectangle", "points": [[9, 5], [14, 8], [9, 11], [4, 8]]}, [4, 5, 14, 11]),
        ({"shape_type": "circle", "points": [[9, 8], [9, 11]]}, [6, 5, 12, 11]),
        ({"shape_type": "mask", "points": [[4, 5], [14, 11]], "mask": "..."}, [4, 5, 14, 11]),
        ({"shape_type": "point", "points": [[4, 5]]}, None),
        ({"shape_type": "line", "points": [[4, 5], [8, 9]]}, None),
        ({"shape_type": "polygon", "points": [[4, "x"]]}, None),
    ],
)
def test_shapes_of_labelme_become_boxes(
    tmp_path: Path, put_images: Put, save: Write, shape: dict[str, Any], box: list[float] | None
) -> None:
    put_images(tmp_path)
    for number in range(6):
        save(labelme(f"..\\old\\c{number}.png", {"label": "ship", **shape}), f"c{number}.json")
    one = find_labels(tmp_path)["train"]
    record, changes = read(one)
    assert record.boxes[1].tolist() == [box or WHOLE]
    assert record.ignored[1].tolist() == [box is None]
    assert changes.ignored.total() == (0 if box else 6)


def test_one_file_of_labelme_is_not_enough(tmp_path: Path, put_images: Put, save: Write) -> None:
    put_images(tmp_path)
    path = save(labelme("c0.png"), "c0.json")
    with pytest.raises(InputError, match=r"found labelme's for one, .*; name the folder"):
        find_labels(path)
    save(labelme("c0.png"), "again.json")
    with pytest.raises(InputError, match="one labelme file for each image"):
        find_labels(tmp_path)


def test_pixels_in_the_files_of_labelme_are_named(tmp_path: Path, save: Write) -> None:
    save(labelme("c0.png") | {"imageData": "aaaa"}, "c0.json")
    with pytest.raises(FileError, match="the files hold copies of them as imageData: write these to image files"):
        find_labels(tmp_path)
