"""Images that no label names are told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.datasets.labels.finding import find_labels

Put, Write = Callable[..., None], Callable[..., Path]


def test_images_beside_those_of_the_labels_are_told(
    tmp_path: Path, put_images: Put, save: Write, coco: dict[str, Any]
) -> None:
    put_images(tmp_path / "images")
    save(coco, "a.json")
    assert find_labels(tmp_path)["train"].notes == ()
    put_images(tmp_path / "images", "d0.png", ".hidden.png")
    (tmp_path / "images/preview.jpg").write_bytes(b"")
    (note,) = find_labels(tmp_path)["train"].notes
    assert note.startswith("1 image beside those of the labels is in no label and is left out (such as d0.png); to")
    put_images(tmp_path / "images", "d1.png")
    assert "2 images beside those of the labels are in no label" in find_labels(tmp_path)["train"].notes[0]


def test_images_of_another_split_are_named_there(
    tmp_path: Path, put_images: Put, save: Write, coco: dict[str, Any]
) -> None:
    put_images(tmp_path / "images")
    halves = {"train": coco["images"][:3], "val": coco["images"][3:]}
    for split, images in halves.items():
        ids = {image["id"] for image in images}
        rows = [row for row in coco["annotations"] if row["image_id"] in ids]
        save({**coco, "images": images, "annotations": rows}, f"{split}.json")
    assert [one.notes for one in find_labels(tmp_path).values()] == [(), ()]
