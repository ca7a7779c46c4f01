"""Labels in a folder: one set, its splits, or one sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.datasets.labels.finding import find_labels
from refinedet.errors import FileError, InputError

Put, Write = Callable[..., None], Callable[..., Path]


@pytest.mark.parametrize(
    ("name", "images"),
    [
        ("annotations/instances_default.json", "images/default"),
        ("train/_annotations.coco.json", "train"),
        ("result.json", "images"),
        ("annotations.json", "JPEGImages"),
        ("anything.json", "chips"),
    ],
    ids=["CVAT", "Roboflow", "Label Studio", "labelme2coco", "anything"],
)
def test_one_coco_file_in_a_folder_is_found(
    tmp_path: Path, put_images: Put, save: Write, coco: dict[str, Any], name: str, images: str
) -> None:
    put_images(tmp_path / images)
    path = save(coco, name)
    for given in (tmp_path, path):
        found = find_labels(given)
        assert list(found) == ["train"]
        assert {place.parent for place in found["train"].places.values()} == {tmp_path / images}


def test_splits_of_roboflow_and_cvat_are_kept(
    tmp_path: Path, put_images: Put, save: Write, coco: dict[str, Any]
) -> None:
    for seed, split in enumerate(("train", "valid", "test")):
        put_images(tmp_path / "r" / split, seed=10 * seed)
        save(coco, f"r/{split}/_annotations.coco.json")
    for split, images in (("Train", "images/Train"), ("Validation", "images/Validation")):
        put_images(tmp_path / "c" / images)
        save(coco, f"c/annotations/instances_{split}.json")
    assert {s: set(one.places.values()).pop().parent.name for s, one in find_labels(tmp_path / "r").items()} == {
        "train": "train",
        "val": "valid",
        "test": "test",
    }
    assert {s: set(one.places.values()).pop().parent.name for s, one in find_labels(tmp_path / "c").items()} == {
        "train": "Train",
        "val": "Validation",
    }


def test_records_of_an_earlier_training_are_no_labels(
    tmp_path: Path, put_images: Put, save: Write, coco: dict[str, Any]
) -> None:
    put_images(tmp_path)
    save(coco, "mine.json")
    for name in ("convert/summary.json", "convert/train.json", "tile/summary.json", "tile/train.json"):
        save(coco, name)
    assert find_labels(tmp_path)["train"].source == str(tmp_path / "mine.json")


def test_several_files_without_splits_are_one_sentence(
    tmp_path: Path, put_images: Put, save: Write, coco: dict[str, Any]
) -> None:
    put_images(tmp_path)
    save(coco, "a.json")
    save(coco, "b.json")
    with pytest.raises(InputError, match=r"found a\.json and b\.json; name the file"):
        find_labels(tmp_path)


def test_what_is_no_label_is_one_sentence(tmp_path: Path, save: Write) -> None:
    save({"a": 1})
    (tmp_path / "broken.json").write_text("{", encoding="utf-8")
    with pytest.raises(FileError, match=r"expected labels in .*, as COCO .*, YOLO .* found none"):
        find_labels(tmp_path)
    (tmp_path / "x.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(InputError, match="expected a line of names such as filename,class,"):
        find_labels(tmp_path / "x.csv")
    with pytest.raises(FileError, match="expected a folder of images at"):
        find_labels(tmp_path, tmp_path / "none")
    with pytest.raises(FileError, match="cannot be read"):
        find_labels(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([{"id": 1, "data": {}, "annotations": []}], "Label Studio's own JSON; export the labels as COCO or YOLO"),
        ([{"id": 1, "image": "a.png", "label": []}], "Label Studio's short JSON, JSON-MIN; export the labels as COCO"),
        ([{"image": "a.png", "annotations": []}], "CreateML's JSON"),
        ({"size": {}, "objects": []}, "Supervisely's JSON"),
        ([{"image_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5}], "COCO's results without images"),
        ({"type": "FeatureCollection", "features": []}, "GeoJSON; name the scenes of the labels with `scene`"),
    ],
)
def test_formats_that_are_not_read_are_named(tmp_path: Path, save: Write, content: Any, words: str) -> None:
    path = save(content)
    with pytest.raises(InputError, match=f"found {words}"):
        find_labels(path)
    with pytest.raises(FileError, match=words.partition(";")[0] + r".* \(ann\.json\);"):
        find_labels(tmp_path)


def test_boxes_are_a_matter_of_coco_and_tables_alone(tmp_path: Path, put_images: Put) -> None:
    put_images(tmp_path / "images")
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "c0.txt").write_text("0 0.5 0.5 0.1 0.1", encoding="utf-8")
    with pytest.raises(InputError, match="expected a COCO file or a table where `boxes` is set, found YOLO"):
        find_labels(tmp_path, boxes="xyxy")


def test_labels_of_yolo_name_their_own_images(tmp_path: Path, put_images: Put) -> None:
    put_images(tmp_path / "images")
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "c0.txt").write_text("0 0.5 0.5 0.1 0.1", encoding="utf-8")
    with pytest.raises(InputError, match="expected no `images` beside YOLO's labels"):
        find_labels(tmp_path, tmp_path / "images")


def test_corners_train_where_they_are_declared(
    tmp_path: Path, put_images: Put, save: Write, coco: dict[str, Any]
) -> None:
    put_images(tmp_path)
    plain = find_labels(save(coco, "plain.json"))["train"].document
    for row in coco["annotations"]:
        x, y, w, h = row["bbox"]
        row["bbox"] = [x + 20, y + 14, x + 20 + w, y + 14 + h]
    path = save(coco, "corners.json")
    with pytest.raises(InputError, match="6 of 6 that reach beyond"):
        find_labels(path)
    found = find_labels(path, boxes="xyxy")["train"]
    assert found.notes == ("the numbers of a box are taken as two corners",)
    assert [r["bbox"] for r in found.document["annotations"]] == [
        [x + 20, y + 14, w, h] for x, y, w, h in (r["bbox"] for r in plain["annotations"])
    ]


@pytest.mark.parametrize(
    ("kind", "begin"), [("a zip", b"PK\x03\x04"), ("a RAR", b"Rar!\x1a\x07"), ("an xz", b"\xfd7zXZ\0")]
)
def test_an_archive_is_named(tmp_path: Path, kind: str, begin: bytes) -> None:
    (tmp_path / "labels.zip").write_bytes(begin + bytes(99))
    with pytest.raises(InputError, match=f"found {kind} archive; unpack it, and name its folder"):
        find_labels(tmp_path / "labels.zip")


def test_json_lines_and_masks_are_named(tmp_path: Path, put_images: Put) -> None:
    put_images(tmp_path / "images")
    put_images(tmp_path / "masks")
    with pytest.raises(FileError, match=r"found masks as images \(masks.c0\.png\); write each ship as a box in COCO"):
        find_labels(tmp_path)
    path = tmp_path / "images/metadata.jsonl"
    path.write_text('{"file_name": "c0.png"}\n{"file_name": "c1.png"}\n', encoding="utf-8")
    for given, error in ((tmp_path, FileError), (path, InputError)):
        with pytest.raises(error, match=r"found a file of JSON lines, such as Hugging Face's metadata\.jsonl.*to COCO"):
            find_labels(given)


def test_labels_in_a_folder_below_and_an_image_are_told(
    tmp_path: Path, put_images: Put, save: Write, coco: dict[str, Any]
) -> None:
    put_images(tmp_path / "set/data/chips")
    save(coco, "set/data/marks/a.json")
    with pytest.raises(FileError, match=r"found them in .*set/data alone; name that folder$"):
        find_labels(tmp_path / "set")
    with pytest.raises(FileError, match=r"expected a folder of labels at .*nowhere, found nothing there"):
        find_labels(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"found an image, .*c0\.png; name its labels$"):
        find_labels(tmp_path / "set/data/chips/c0.png")
