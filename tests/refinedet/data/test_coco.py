"""The canonical record: what is kept, what is dropped and why, and that files give back what was written."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO

from refinedet.boxes import as_boxes
from refinedet.data.coco import Annotated, Record, build_record, import_coco, read_record, to_coco, write_record
from refinedet.data.truth import CLIPPED
from refinedet.errors import FileError, InputError

WIDTH, HEIGHT = 100, 80


def annotated(name: str, boxes: list[list[float]], **changes: Any) -> Annotated:
    count = len(boxes)
    values: dict[str, Any] = {"labels": np.zeros(count, np.int64), "ignored": np.zeros(count, np.bool_), **changes}
    return Annotated(name, WIDTH, HEIGHT, as_boxes(boxes), **values)


def document(*annotations: dict[str, Any], **changes: Any) -> dict[str, Any]:
    image = {"id": 7, "file_name": "a.jpg", "width": WIDTH, "height": HEIGHT}
    categories = [{"id": 0, "name": "ship", "supercategory": "none"}]
    return {"images": [image], "annotations": list(annotations), "categories": categories, **changes}


def ship(*bbox: Any, **changes: Any) -> dict[str, Any]:
    return {"id": 0, "image_id": 7, "category_id": 0, "bbox": list(bbox), "iscrowd": 0, **changes}


@pytest.fixture
def save(tmp_path: Path) -> Any:
    def write(content: Any) -> Path:
        path = tmp_path / "annotations.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        return path

    return write


def assert_equal(a: Record, b: Record) -> None:
    assert a.images == b.images
    assert a.classes == b.classes
    for mine, other in ((a.boxes, b.boxes), (a.labels, b.labels), (a.ignored, b.ignored)):
        assert list(mine) == list(other)
        for key in mine:
            np.testing.assert_array_equal(mine[key], other[key])
            assert mine[key].dtype == other[key].dtype


@st.composite
def records(draw: st.DrawFn) -> Record:
    """Records of up to four images with distinct boxes anywhere in them, of two classes."""
    images = []
    for index in range(draw(st.integers(0, 4))):
        corners = st.tuples(
            st.floats(0, WIDTH - 1, width=32),
            st.floats(0, HEIGHT - 1, width=32),
            st.floats(0.125, 50),
            st.floats(0.125, 50),
        )
        found = draw(st.lists(corners, max_size=5, unique_by=lambda row: row[0]))
        boxes = as_boxes([[x, y, min(x + w, WIDTH), min(y + h, HEIGHT)] for x, y, w, h in found])
        labels = np.array(draw(st.lists(st.integers(0, 1), min_size=len(boxes), max_size=len(boxes))), np.int64)
        ignored = np.array(draw(st.lists(st.booleans(), min_size=len(boxes), max_size=len(boxes))), np.bool_)
        images.append(Annotated(f"{index}.png", WIDTH, HEIGHT, boxes, labels, ignored, {"scene": f"s{index}"}))
    return build_record(images, ("ship", "boat"))


@settings(deadline=None)
@given(record=records())
def test_written_record_is_read_back_bit_for_bit(record: Record, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("coco") / "record.json"
    write_record(path, record)
    assert_equal(read_record(path), record)


def test_pycocotools_reads_it_and_no_id_is_zero(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    boxes = [[1.0, 2, 11, 22], [5.0, 5, 6, 6]]
    record = build_record(
        [annotated("a.png", boxes, ignored=np.array([False, True])), annotated("b.png", [])], ("ship",)
    )
    write_record(tmp_path / "r.json", record)
    coco = COCO(str(tmp_path / "r.json"))
    capsys.readouterr()
    first, second = coco.loadAnns(coco.getAnnIds(imgIds=[1]))
    assert first["bbox"] == [1, 2, 10, 20]
    assert first["area"] == 200
    assert (first["iscrowd"], second["iscrowd"]) == (0, 1)
    assert coco.getAnnIds(imgIds=[2]) == []
    document = to_coco(record)
    assert all(entry["id"] >= 1 for key in ("images", "annotations", "categories") for entry in document[key])


def test_build_record_orders_by_name_whatever_the_order_given() -> None:
    images = [annotated(name, [[0, 0, index + 1, 1]]) for index, name in enumerate("bca")]
    record = build_record(images, ("ship",))
    assert [(i.id, i.file_name) for i in record.images] == [(1, "a"), (2, "b"), (3, "c")]
    assert [float(record.boxes[i][0, 2]) for i in (1, 2, 3)] == [3, 1, 2]
    assert_equal(record, build_record(images[::-1], ("ship",)))


def test_build_record_refuses_two_images_of_one_name() -> None:
    with pytest.raises(InputError, match=r"'a\.png' twice"):
        build_record([annotated("a.png", []), annotated("a.png", [])], ("ship",))


def test_select_keeps_order_and_truth() -> None:
    record = build_record([annotated(name, [[0, 0, 1, i + 1]]) for i, name in enumerate("abc")], ("ship",))
    part = record.select([3, 1])
    assert [image.file_name for image in part.images] == ["a", "c"]
    assert sorted(part.boxes) == sorted(part.labels) == sorted(part.ignored) == [1, 3]
    assert part.box_count == 2


def test_category_ids_become_labels_in_their_order(save: Any) -> None:
    categories = [{"id": 5, "name": "boat"}, {"id": 0, "name": "ship"}]
    rows = [ship(0, 0, 1, 1, category_id=5), ship(0, 0, 2, 2, category_id=0)]
    record, changes = import_coco(save(document(*rows, categories=categories)))
    assert record.classes == ("ship", "boat")
    assert record.labels[7].tolist() == [1, 0]
    assert not changes.dropped


def test_ids_may_have_gaps_and_start_at_zero(save: Any) -> None:
    images = [{"id": i, "file_name": f"{i}.jpg", "width": WIDTH, "height": HEIGHT} for i in (900, 0)]
    categories = [{"id": i, "name": str(i)} for i in (90, 0, 3)]
    rows = [ship(1, 1, 4, 4, image_id=i, category_id=c) for i, c in ((0, 90), (900, 3), (0, 0))]
    record, changes = import_coco(save({"images": images, "annotations": rows, "categories": categories}))
    assert record.classes == ("0", "3", "90")
    assert {i: labels.tolist() for i, labels in record.labels.items()} == {900: [1], 0: [2, 0]}
    assert not changes.dropped


def test_a_crowd_of_run_lengths_is_its_box_and_its_mask_is_not_read(save: Any) -> None:
    """COCO's crowds have run lengths, compressed or not, beside the box."""
    masks: list[Any] = [{"counts": [272, 2, 4, 4], "size": [HEIGHT, WIDTH]}, {"counts": "nY;", "size": [0, "x"]}, None]
    rows = [ship(1 + i, 1, 4, 4, iscrowd=1, segmentation=mask) for i, mask in enumerate(masks)]
    record, changes = import_coco(save(document(*rows)))
    assert record.boxes[7].tolist() == [[1 + i, 1, 5 + i, 5] for i in range(3)]
    assert record.ignored[7].tolist() == [True] * 3
    assert not changes.dropped


def test_every_change_is_told_with_its_image_and_corners_as_published(save: Any) -> None:
    rows = [ship(-5, 70, 10, 30), ship(1, 1, 0, 4), ship(2, 2, 4, 4, image_id=8), [1]]
    changes = import_coco(save(document(*rows)))[1].boxes
    assert [(c.file_name, c.fate, c.corners_xyxy) for c in changes] == [
        ("a.jpg", CLIPPED, (-5, 70, 5, 100)),
        ("a.jpg", "without area", (1, 1, 1, 5)),
        ("", "unknown image", (2, 2, 6, 6)),
        ("", "malformed", None),
    ]


@pytest.mark.parametrize("flag", ["iscrowd", "ignore"])
def test_crowds_and_ignored_boxes_are_ignored(save: Any, flag: str) -> None:
    record, _ = import_coco(save(document(ship(0, 0, 4, 4), ship(1, 1, 4, 4, **{flag: 1}))))
    assert record.ignored[7].tolist() == [False, True]


@pytest.mark.parametrize(
    ("annotation", "reason"),
    [
        pytest.param(ship(1, 1, 0, 4), "without area", id="no width"),
        pytest.param(ship(1, 1, 4, -3), "without area", id="negative height"),
        pytest.param(ship(1, 1, 1e-12, 4), "without area", id="width lost in float32"),
        pytest.param(ship(WIDTH, 1, 4, 4), "outside the image", id="begins where the image ends"),
        pytest.param(ship(-9, 1, 9, 4), "outside the image", id="ends where the image begins"),
        pytest.param([1, 2], "malformed", id="not a mapping"),
        pytest.param(ship(1, 1, 4, 4, image_id=8), "unknown image", id="image that is not listed"),
        pytest.param(ship(1, 1, 4, 4, image_id=[7]), "unknown image", id="image id of the wrong type"),
        pytest.param(ship(WIDTH, 1, 4, 4, category_id=1), "outside the image", id="unknown category beyond the image"),
        pytest.param(ship(20, 20, 5, 5), "repeated", id="the same box twice"),
    ],
)
def test_bad_boxes_are_dropped_and_counted(save: Any, annotation: Any, reason: str) -> None:
    record, changes = import_coco(save(document(ship(20, 20, 5, 5), annotation)))
    assert record.boxes[7].tolist() == [[20, 20, 25, 25]]
    assert changes.to_dict() == {"dropped": {reason: 1}, "clipped": 0}


WHOLE = [0, 0, WIDTH, HEIGHT]


@pytest.mark.parametrize(
    ("annotation", "reason", "region"),
    [
        pytest.param(ship(1, 1, math.nan, 4), "not finite", WHOLE, id="NaN, which Python's JSON reader lets through"),
        pytest.param(ship(1, 1, math.inf, 4), "not finite", WHOLE, id="infinity"),
        pytest.param(ship(1, 1, 10**400, 4), "not finite", WHOLE, id="a whole number too large for a float"),
        pytest.param(ship(1, 1, 4), "malformed", WHOLE, id="three numbers"),
        pytest.param(ship(1, 1, "4", 4), "malformed", WHOLE, id="a string"),
        pytest.param(ship(*[1, 1, True, 4]), "malformed", WHOLE, id="a boolean is no width"),
        pytest.param(ship(1, 1, 4, 4, category_id=1), "unknown category", [1, 1, 5, 5], id="unlisted category"),
        pytest.param(ship(1, 1, 4, 4, category_id=None), "unknown category", [1, 1, 5, 5], id="no category"),
    ],
)
def test_an_object_that_cannot_be_read_is_ignored_and_no_background(
    save: Any, annotation: Any, reason: str, region: list[float]
) -> None:
    path = save(document(ship(20, 20, 5, 5), annotation))
    record, changes = import_coco(path)
    assert record.boxes[7].tolist() == [[20, 20, 25, 25], region]
    assert record.ignored[7].tolist() == [False, True]
    assert changes.to_dict() == {"dropped": {}, "clipped": 0, "ignored": {reason: 1}}
    with pytest.raises(InputError, match="only valid boxes"):
        read_record(path)


def test_an_object_of_no_known_category_is_ignored_for_every_class(save: Any) -> None:
    categories = [{"id": 0, "name": "ship"}, {"id": 1, "name": "buoy"}]
    record, _ = import_coco(save(document(ship(1, 1, 4, 4, category_id=9), categories=categories)))
    assert record.labels[7].tolist() == [0, 1]
    assert record.ignored[7].tolist() == [True, True]


def test_boxes_from_other_drawings_are_counted(save: Any) -> None:
    ring = ship(segmentation=[[2, 3, 8, 3, 8, 9]])
    del ring["bbox"]
    turned = ship(20, 20, 8, 2, attributes={"rotation": 90.0})
    record, changes = import_coco(save(document(ring, turned, ship(40, 40, 4, 4))))
    np.testing.assert_allclose(record.boxes[7], [[2, 3, 8, 9], [23, 17, 25, 25], [40, 40, 44, 44]])
    assert changes.to_dict() == {"dropped": {}, "clipped": 0, "derived": {"polygon": 1, "turned box": 1}}


def test_boxes_are_clipped_to_the_image_and_counted(save: Any) -> None:
    path = save(document(ship(-5, 70, 10, 30), ship(0, 0, WIDTH, HEIGHT)))
    record, changes = import_coco(path)
    assert record.boxes[7].tolist() == [[0, 70, 5, HEIGHT], [0, 0, WIDTH, HEIGHT]]
    assert changes.to_dict() == {"dropped": {}, "clipped": 1}
    with pytest.raises(InputError, match="only valid boxes"):
        read_record(path)


def test_an_image_without_boxes_has_empty_arrays(save: Any) -> None:
    record = read_record(save(document()))
    assert record.boxes[7].shape == (0, 4)
    assert record.labels[7].dtype == np.int64
    assert record.ignored[7].dtype == np.bool_


IMAGE = document()["images"][0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param([], "with a list 'images'", id="a list instead of a document"),
        pytest.param({"images": []}, "with a list 'annotations'", id="no annotations"),
        pytest.param(document(categories={}), "with a list 'categories'", id="categories of the wrong type"),
        pytest.param(document(categories=[]), "at least one category", id="no category"),
        pytest.param(document(categories=[{"id": 1}]), "'name' in every category", id="category without a name"),
        pytest.param(document(categories=[{"id": 1, "name": "a"}] * 2), "no id twice", id="category id twice"),
        pytest.param(document(images=[{"id": 1}]), "in every image", id="image without a size"),
        pytest.param(document(images=[IMAGE | {"width": 0}]), "positive size", id="no pixels"),
        pytest.param(document(images=[IMAGE | {"height": 3.5}]), "positive size", id="half a pixel"),
        pytest.param(document(images=[IMAGE | {"width": 10**30}]), "positive size", id="a huge size"),
        pytest.param(document(images=[IMAGE | {"extra": 3}]), "a mapping as 'extra'", id="extra of the wrong type"),
        pytest.param(document(categories=[{"id": math.inf, "name": "a"}]), "a whole 'id'", id="an infinite category"),
        pytest.param(document(images=[IMAGE | {"id": "7"}]), "whole id", id="id as text"),
        pytest.param(document(images=[IMAGE | {"file_name": "../a.jpg"}]), "relative file name", id="climbing path"),
        pytest.param(document(images=[IMAGE | {"file_name": "/a.jpg"}]), "relative file name", id="absolute path"),
        pytest.param(document(images=[IMAGE | {"file_name": ""}]), "relative file name", id="no name"),
        pytest.param(document(images=[IMAGE, IMAGE | {"file_name": "b"}]), "every image id once", id="id twice"),
        pytest.param(document(images=[IMAGE, IMAGE | {"id": 8}]), "every image file name once", id="name twice"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused(save: Any, content: Any, message: str) -> None:
    path = save(content)
    with pytest.raises(InputError, match=message) as caught:
        import_coco(path)
    assert str(path) in str(caught.value)


def test_a_missing_or_broken_file_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot be read"):
        read_record(tmp_path / "none.json")
    (tmp_path / "cut.json").write_text('{"images": [', encoding="utf-8")
    with pytest.raises(InputError, match="expected JSON"):
        read_record(tmp_path / "cut.json")
