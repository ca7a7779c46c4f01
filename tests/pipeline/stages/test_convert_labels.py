"""Labels of a user to records: splits that they set apart are kept, others are cut off."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.datasets.labels.finding import find_labels
from pipeline.stages.convert import convert_labels
from refinedet.data.coco import read_record
from refinedet.errors import InputError
from refinedet.files import read_json

SHARES = {"val_fraction": 0.2, "test_fraction": 0.2}


def roboflow(root: Path, splits: Sequence[str], count: int = 10) -> Path:
    """Folder of these splits, with files of the same names but other pixels in each."""
    for number, split in enumerate(splits):
        (root / split).mkdir(parents=True)
        images = [{"id": i, "file_name": f"{i}.png", "width": 40, "height": 30} for i in range(count)]
        rows = [{"id": i, "image_id": i, "category_id": 1, "bbox": [1 + number, 2, 9, 5]} for i in range(count)]
        for i in range(count):
            pixels = np.random.default_rng(100 * number + i).integers(0, 255, (30, 40)).astype(np.uint8)
            Image.fromarray(pixels).save(root / split / f"{i}.png")
        categories = [{"id": 0, "name": f"set-{split}"}, {"id": 1, "name": "Ship" if number else "ship"}]
        document = {"images": images, "annotations": rows, "categories": categories}
        (root / split / "_annotations.coco.json").write_text(json.dumps(document), encoding="utf-8")
    return root


@pytest.mark.parametrize(
    ("splits", "counts"),
    [
        (("train", "valid", "test"), (10, 10, 10)),
        (("train", "valid"), (8, 10, 2)),
        (("train", "test"), (8, 2, 10)),
    ],
)
def test_splits_of_the_user_are_kept(tmp_path: Path, splits: Sequence[str], counts: tuple[int, int, int]) -> None:
    root = roboflow(tmp_path / "mine", splits)
    base, summary = convert_labels(find_labels(root), tmp_path / "out", **SHARES)
    assert base == root
    found = {name: read_record(tmp_path / "out" / f"{name}.json") for name in ("train", "val", "test")}
    assert sum(len(record.images) for record in found.values()) == 10 * len(splits)
    for (name, record), split, count in zip(found.items(), ("train", "valid", "test"), counts, strict=True):
        if split in splits and split != "train":
            assert len(record.images) == count
            assert {image.file_name.split("/")[0] for image in record.images} == {split}
        assert record.classes == ("ship",), name
        for image in record.images:
            number = splits.index(image.file_name.split("/", maxsplit=1)[0])
            assert record.boxes[image.id].tolist() == [[1 + number, 2, 10 + number, 7]]
    assert summary.counts["objects"] == 10 * len(splits)
    written = read_json(tmp_path / "out" / "summary.json")
    assert written["labels"] == {"counts": dict(summary.counts), "notes": [*summary.notes, *summary.warnings]}
    assert set(written["changes"]) == {split.replace("valid", "val") for split in splits}


def test_images_that_are_too_few_are_refused_by_what_they_are_for(tmp_path: Path) -> None:
    root = roboflow(tmp_path / "a", ("train", "valid"), count=1)
    with pytest.raises(InputError, match=r"at least 2 different images in .*, one each to train and test on, found 1"):
        convert_labels(find_labels(root), tmp_path / "out", **SHARES)
    root = roboflow(tmp_path / "b", ("train", "valid", "test"), count=1)
    assert convert_labels(find_labels(root), tmp_path / "out", **SHARES)[0] == root


def test_objects_without_class_are_one_sentence(tmp_path: Path) -> None:
    for i in range(3):
        Image.fromarray(np.full((30, 40), 9 * i, np.uint8)).save(tmp_path / f"{i}.png")
        (tmp_path / f"{i}.xml").write_text("<annotation><object><bndbox/></object></annotation>")
    with pytest.raises(InputError, match="found none among its 3 objects; export them again"):
        convert_labels(find_labels(tmp_path), tmp_path / "out", **SHARES)
