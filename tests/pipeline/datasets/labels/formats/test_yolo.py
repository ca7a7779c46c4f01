"""YOLO folders in the layouts that people have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.datasets.labels.finding import find_labels
from pipeline.datasets.labels.label_set import LabelSet, common_folder
from refinedet.data.coco import Record, import_document
from refinedet.data.truth import Changes
from refinedet.errors import FileError, InputError

Put = Callable[..., None]
BOX = "0 0.5 0.5 0.25 0.2"
"""In an image of 40 x 30: from (15, 12) to (25, 18)."""


def put_labels(folder: Path, *names: str, line: str = BOX) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names or [f"c{i}" for i in range(6)]:
        (folder / f"{name}.txt").write_text(line + "\n", encoding="utf-8")


def read(one: LabelSet) -> tuple[Record, Changes]:
    return import_document(one.renamed(common_folder([one])).document, one.source)


def truth(one: LabelSet) -> tuple[list[list[float]], tuple[str, ...], Changes]:
    """Boxes of the first image, classes and changes."""
    record, changes = read(one)
    return record.boxes[1].tolist(), record.classes, changes


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        *(("images", "labels"), ("images/train", "labels/train"), ("train/images", "train/labels"), (".", ".")),
        *(("Images", "Labels"), ("IMAGES/Train", "LABELS/Train"), ("Train/Images", "Train/labels")),
    ],
)
def test_labels_are_found_beside_their_images(tmp_path: Path, put_images: Put, images: str, labels: str) -> None:
    put_images(tmp_path / images)
    put_labels(tmp_path / labels)
    found = find_labels(tmp_path)
    assert list(found) == ["train"]
    boxes, classes, _ = truth(found["train"])
    assert boxes == [[15, 12, 25, 18]]
    assert classes == ("ship",)
    assert found["train"].notes == ("the labels name no classes: class 0 is taken as 'ship'",)


@pytest.mark.parametrize(
    ("line", "box"),
    [
        pytest.param(BOX, [15, 12, 25, 18], id="upright"),
        pytest.param("0 0.375 0.4 0.625 0.4 0.625 0.6 0.375 0.6", [15, 12, 25, 18], id="four corners"),
        pytest.param("0 0.5 0.4 0.625 0.5 0.5 0.6 0.375 0.5", [15, 12, 25, 18], id="turned by 45 degrees"),
        pytest.param("0 0.375 0.4 0.625 0.4 0.5 0.6", [15, 12, 25, 18], id="polygon of three"),
        pytest.param("0.0 0.5 0.5 0.25 0.2", [15, 12, 25, 18], id="class as a number with a point"),
        pytest.param("0 0.5 0.5 0.25 0.2 0.93", [15, 12, 25, 18], id="with a confidence"),
        pytest.param("0,0.5,0.5,0.25,0.2", [15, 12, 25, 18], id="commas between"),
        pytest.param("0, 0.5, 0.5, 0.25, 0.2", [15, 12, 25, 18], id="commas and spaces between"),
        pytest.param("0 0,5 0,5 0,25 0,2", [15, 12, 25, 18], id="decimal commas"),
    ],
)
def test_lines_of_every_task(tmp_path: Path, put_images: Put, line: str, box: list[float]) -> None:
    put_images(tmp_path / "images")
    put_labels(tmp_path / "labels", line=line)
    boxes, _, changes = truth(find_labels(tmp_path)["train"])
    assert boxes == [box]
    assert changes.clipped == changes.ignored.total() == 0


@pytest.mark.parametrize(
    "line", ["0 0.5 0.5 0.25", "0 0.5 0.5 0.25 0.2 0.9 0.1 0.3", "0 a b c d", "0", "0 nan 0.5 0.25 0.2"]
)
def test_a_line_that_cannot_be_read_hides_its_image(tmp_path: Path, put_images: Put, line: str) -> None:
    put_images(tmp_path / "images")
    put_labels(tmp_path / "labels", "c0", line=line)
    put_labels(tmp_path / "labels", "c1")
    record, changes = read(find_labels(tmp_path)["train"])
    assert record.boxes[1].tolist() == [[0, 0, 40, 30]]
    assert record.ignored[1].tolist() == [True]
    assert changes.ignored == {"malformed": 1}


def test_a_class_beyond_the_names_is_ignored(tmp_path: Path, put_images: Put) -> None:
    put_images(tmp_path / "images")
    put_labels(tmp_path / "labels", line=f"{BOX}\n5 0.2 0.2 0.1 0.1")
    (tmp_path / "classes.txt").write_text("ship\nbuoy\n", encoding="utf-8")
    _, classes, changes = truth(find_labels(tmp_path)["train"])
    assert classes == ("ship", "buoy")
    assert changes.ignored == {"unknown category": 6}


def test_images_without_a_label_file_are_open_sea_and_told(tmp_path: Path, put_images: Put) -> None:
    put_images(tmp_path / "images")
    put_labels(tmp_path / "labels", "c0", "c1")
    (tmp_path / "labels" / "c2.txt").write_text("", encoding="utf-8")
    one = find_labels(tmp_path)["train"]
    assert len(one.document["images"]) == 6
    assert "3 of 6 images have no label file: they are taken as images without objects" in one.notes


@pytest.mark.parametrize(
    "train",
    ["train/images", "../train/images", "/content/mine/train/images", "./train/images", "[train/images]"],
)
def test_data_yaml_leads_to_the_images_wherever_it_was_written(tmp_path: Path, put_images: Put, train: str) -> None:
    for split in ("train", "valid"):
        put_images(tmp_path / "mine" / split / "images")
        put_labels(tmp_path / "mine" / split / "labels")
    text = f"train: {train}\nval: ../valid/images\ntest: ../test/images\nnc: 2\nnames: ['ship', 'buoy']\n"
    (tmp_path / "mine" / "data.yaml").write_text(text, encoding="utf-8")
    for path in (tmp_path / "mine", tmp_path / "mine" / "data.yaml"):
        found = find_labels(path)
        assert {split: len(one.places) for split, one in found.items()} == {"train": 6, "val": 6}
        assert all(split.replace("val", "valid") in str(p) for split, one in found.items() for p in one.places.values())


def test_data_yaml_with_a_path_and_a_list_of_images(tmp_path: Path, put_images: Put) -> None:
    put_images(tmp_path / "set" / "images")
    put_labels(tmp_path / "set" / "labels")
    (tmp_path / "set" / "train.txt").write_text("./images/c0.png\n/old/images/c1.png\n", encoding="utf-8")
    (tmp_path / "my.yaml").write_text("path: set\ntrain: train.txt\nnames: {0: vessel}\n", encoding="utf-8")
    one = find_labels(tmp_path / "my.yaml")["train"]
    assert [place.name for place in one.places.values()] == ["c0.png", "c1.png"]
    assert truth(one)[1] == ("vessel",)


def test_numbers_after_a_box_may_be_key_points_if_the_settings_say_so(tmp_path: Path, put_images: Put) -> None:
    put_images(tmp_path / "images")
    put_labels(tmp_path / "labels", line=f"{BOX} 0.1 0.1 2 0.9 0.9 2")
    (tmp_path / "data.yaml").write_text("train: images\nkpt_shape: [2, 3]\nnames: [ship]\n", encoding="utf-8")
    assert truth(find_labels(tmp_path)["train"])[0] == [[15, 12, 25, 18]]


def test_pixels_in_place_of_shares_are_refused(tmp_path: Path, put_images: Put) -> None:
    put_images(tmp_path / "images")
    put_labels(tmp_path / "labels", line="0 20 15 10 6")
    with pytest.raises(InputError, match=r"shares of the image from 0 to 1 .* found pixels"):
        find_labels(tmp_path)


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("train: none\nnames: [ship]\n", FileError, "names as train, none, below .* found none"),
        ("- a\n", InputError, "with `names`"),
        ("train: [\n", InputError, "found no YAML"),
    ],
)
def test_settings_that_lead_nowhere_are_one_sentence(
    tmp_path: Path, put_images: Put, text: str, kind: type[Exception], message: str
) -> None:
    put_images(tmp_path / "images")
    put_labels(tmp_path / "labels")
    (tmp_path / "data.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(kind, match=message):
        find_labels(tmp_path / "data.yaml")


def test_images_without_any_label_are_refused(tmp_path: Path, put_images: Put) -> None:
    put_images(tmp_path / "images")
    put_labels(tmp_path / "labels", "other")
    with pytest.raises(FileError, match="expected a text file for each image of train"):
        find_labels(tmp_path)


def test_confidences_and_names_of_classes_are_told(tmp_path: Path, put_images: Put) -> None:
    put_images(tmp_path / "images")
    put_labels(tmp_path / "labels", line="tanker 0.5 0.5 0.25 0.2 0.93")
    found = find_labels(tmp_path)["train"]
    assert truth(found)[1] == ("tanker",)
    assert found.notes == (
        "6 lines have a sixth number: it is taken as a confidence, and is not used",
        "the lines begin with the names of their classes, which are taken as they are",
    )


@pytest.mark.parametrize(("images", "labels"), [("images", "labels"), (".", ".")])
def test_label_files_with_the_whole_name_of_the_image_are_read_and_told(
    tmp_path: Path, put_images: Put, images: str, labels: str
) -> None:
    put_images(tmp_path / images)
    put_labels(tmp_path / labels, *(f"c{i}.png" for i in range(6)))
    found = find_labels(tmp_path)["train"]
    assert truth(found)[0] == [[15, 12, 25, 18]]
    assert "6 label files are named by the whole name of their image, such as c.png.txt for c.png" in found.notes


@pytest.mark.parametrize("line", ["0 0.75 0.8 0.9 0.9", "0 0.93 0.5 0.5 0.25 0.2"])
def test_lines_in_another_order_are_refused(tmp_path: Path, put_images: Put, line: str) -> None:
    put_images(tmp_path)
    put_labels(tmp_path, line=line)
    with pytest.raises(InputError, match="found 6 of 6 that reach beyond; do the lines hold two corners, or a confid"):
        find_labels(tmp_path)
