"""COCO files of annotation tools: one form, whatever the ids, sizes and file names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.datasets.labels.formats.coco import read_coco
from refinedet.data.coco import import_document
from refinedet.errors import FileError, InputError

Put, Write = Callable[..., None], Callable[..., Path]


def test_a_plain_file_is_as_it_was(tmp_path: Path, coco: dict[str, Any], save: Write, put_images: Put) -> None:
    put_images(tmp_path)
    read = read_coco(save(coco))
    assert read.notes == ()
    record, changes = import_document(read.document, read.source)
    assert [record.boxes[i].tolist() for i in (1, 2)] == [[[2, 3, 12, 8]], [[3, 3, 13, 8]]]
    assert record.classes == ("ship",)
    assert changes.to_dict() == {"dropped": {}, "clipped": 0}


@pytest.mark.parametrize("convert", [str, float, lambda i: f"image-{i}"], ids=["text", "floats", "names"])
def test_ids_of_any_kind_match(
    tmp_path: Path, coco: dict[str, Any], save: Write, put_images: Put, convert: Callable[[int], Any]
) -> None:
    put_images(tmp_path)
    plain = read_coco(save(coco)).document
    for image in coco["images"]:
        image["id"] = convert(image["id"])
    for row in coco["annotations"]:
        row |= {"image_id": convert(row["image_id"]), "category_id": "1"}
    assert read_coco(save(coco)).document == plain


@pytest.mark.parametrize("sides", [{}, {"width": None, "height": None}, {"width": "40", "height": "30"}, {"width": 0}])
def test_sizes_come_from_the_image_where_the_file_has_none(
    tmp_path: Path, coco: dict[str, Any], save: Write, put_images: Put, sides: dict[str, Any]
) -> None:
    put_images(tmp_path)
    for image in coco["images"]:
        del image["width"], image["height"]
        image.update(sides)
    assert {(i["width"], i["height"]) for i in read_coco(save(coco)).document["images"]} == {(40, 30)}


def test_labels_come_in_the_order_of_the_category_ids(
    tmp_path: Path, coco: dict[str, Any], save: Write, put_images: Put
) -> None:
    put_images(tmp_path)
    coco["categories"] = [{"id": 7, "name": "tanker"}, {"id": "3", "name": "ferry"}]
    for row in coco["annotations"]:
        row["category_id"] = 7
    record, _ = import_document(read_coco(save(coco)).document, "x")
    assert record.classes[record.labels[1][0]] == "tanker"
    assert sorted(record.classes) == ["ferry", "tanker"]


def test_objects_of_a_missing_image_go_with_it(
    tmp_path: Path, coco: dict[str, Any], save: Write, put_images: Put
) -> None:
    put_images(tmp_path)
    (tmp_path / "c4.png").unlink()
    read = read_coco(save(coco))
    assert read.without_image == ("c4.png",)
    assert len(read.document["images"]) == len(read.document["annotations"]) == 5
    assert not import_document(read.document, "x")[1].dropped


def test_objects_of_an_unlisted_image_or_category_stay_without_one(
    tmp_path: Path, coco: dict[str, Any], save: Write, put_images: Put
) -> None:
    put_images(tmp_path)
    coco["annotations"][0]["image_id"] = 99
    coco["annotations"][1]["category_id"] = 99
    _, changes = import_document(read_coco(save(coco)).document, "x")
    assert changes.to_dict() == {"dropped": {"unknown image": 1}, "clipped": 0, "ignored": {"unknown category": 1}}


def test_most_images_missing_is_a_wrong_folder(
    tmp_path: Path, coco: dict[str, Any], save: Write, put_images: Put
) -> None:
    put_images(tmp_path / "elsewhere", "c0.png", "c1.png")
    with pytest.raises(FileError, match=r"expected the 6 images of .*found 2 of them \(none for c2\.png\).*`images`"):
        read_coco(save(coco))
    assert len(read_coco(save(coco | {"images": coco["images"][:2]}), tmp_path / "elsewhere").places) == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": []}, "expected images in"),
        ({"images": [{"id": 1}]}, "'file_name' in every image"),
        ({"images": [{"file_name": "c0.png"}]}, "'id' and a 'file_name'"),
        ({"images": [{"id": [1], "file_name": "c0.png"}]}, r"every image id once .* found \[1\]"),
        ({"images": [{"id": 1, "file_name": "c0.png"}, {"id": "1", "file_name": "c1.png"}]}, "found '1' twice"),
        (
            {"images": [{"id": 1, "file_name": "c0.png"}, {"id": 2, "file_name": "./c0.png"}]},
            "found .*c0.png alone for",
        ),
        ({"categories": []}, "at least one category"),
        ({"categories": [{"id": 1}]}, "a 'name' in every category"),
        ({"categories": [{"id": 1, "name": "a"}, {"id": "1", "name": "b"}]}, "no category id twice"),
        ({"annotations": None}, "with a list 'annotations'"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(
    tmp_path: Path, coco: dict[str, Any], save: Write, put_images: Put, change: dict[str, Any], message: str
) -> None:
    put_images(tmp_path)
    path = save(coco | change)
    with pytest.raises(InputError, match=message) as caught:
        read_coco(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "written",
    [
        lambda x, y, w, h: [str(x), str(y), str(w), str(h)],
        lambda x, y, w, h: f"{x},{y},{w},{h}",
        lambda x, y, w, h: f"[{x}, {y}, {w}, {h}]",
        lambda x, y, w, h: {"x": x, "y": y, "width": w, "height": h},
    ],
    ids=["texts", "text", "text of a list", "object"],
)
def test_boxes_in_other_spellings_are_read(
    tmp_path: Path, coco: dict[str, Any], save: Write, put_images: Put, written: Callable[..., Any]
) -> None:
    put_images(tmp_path)
    plain = read_coco(save(coco)).document
    for row in coco["annotations"]:
        row["bbox"] = written(*row["bbox"])
    assert read_coco(save(coco)).document == plain


@pytest.mark.parametrize("box", ["", "a,b,c,d", ["1", None, "2", "3"], {"x": 1}])
def test_boxes_that_are_none_stay_as_they_are(
    tmp_path: Path, coco: dict[str, Any], save: Write, put_images: Put, box: Any
) -> None:
    put_images(tmp_path)
    coco["annotations"][0]["bbox"] = box
    assert read_coco(save(coco)).document["annotations"][0]["bbox"] == box


def test_names_in_place_of_ids_are_read_and_told(
    tmp_path: Path, coco: dict[str, Any], save: Write, put_images: Put
) -> None:
    put_images(tmp_path)
    for row in coco["annotations"]:
        row.update(image_id=f"c{row['image_id']}.png", category_id="ship")
    one = read_coco(save(coco))
    assert [(row["image_id"], row["category_id"]) for row in one.document["annotations"]] == [
        (i, 1) for i in range(1, 7)
    ]
    assert one.notes == (
        "the annotations have no image_id but a name, which is taken as the file_name in images",
        "the annotations have no category_id but a name, which is taken as the name in categories",
    )


def test_the_only_category_is_taken_where_objects_name_none(
    tmp_path: Path, coco: dict[str, Any], save: Write, put_images: Put
) -> None:
    put_images(tmp_path)
    for row in coco["annotations"]:
        del row["category_id"]
    one = read_coco(save(coco))
    assert {row["category_id"] for row in one.document["annotations"]} == {1}
    assert one.notes == ("the annotations have no category_id: all are taken as 'ship'",)
    coco["categories"].append({"id": 2, "name": "buoy"})
    with pytest.raises(InputError, match=r"expected a 'category_id' in the annotations of .*, found none, and 2 categ"):
        read_coco(save(coco))


def test_uploads_of_label_studio_are_found_by_their_own_names(
    tmp_path: Path, coco: dict[str, Any], save: Write, put_images: Put
) -> None:
    put_images(tmp_path / "images")
    for image in coco["images"]:
        image["file_name"] = f"/data/upload/3/ab12cd34-{image['file_name']}"
    one = read_coco(save(coco))
    assert [place.name for place in one.places.values()] == [f"c{i}.png" for i in range(6)]
    assert one.notes == (
        "6 of 6 images are found without the prefix of Label Studio's uploads (such as /data/upload/3/ab12cd34-c0.png)",
    )
    coco["images"][1]["file_name"] = "/data/upload/3/ee12cd34-c0.png"
    with pytest.raises(InputError, match="expected an image for each name"):
        read_coco(save(coco))
