"""DOTA's text labels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.datasets.labels.finding import find_labels
from refinedet.errors import InputError

Put = Callable[..., None]
LINE = "15 12 25 12 25.0 18 15 18 ship 0"
HEAD = "imagesource:GoogleEarth\ngsd:null\n"


def put_labels(folder: Path, *lines: str, head: str = HEAD, count: int = 3) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(count):
        (folder / f"c{i}.txt").write_text(head + "\n".join(lines) + "\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("labels", "head"), [("labelTxt", HEAD), ("labelTxt-v1.5", ""), ("labels", ""), ("annfiles", "")]
)
def test_outlines_are_read_and_difficult_ones_ignored(tmp_path: Path, put_images: Put, labels: str, head: str) -> None:
    put_images(tmp_path / "images")
    put_labels(tmp_path / labels, LINE, LINE.removesuffix("0") + "1", LINE.removesuffix(" 0"), "1 2 3", head=head)
    for given in (tmp_path, tmp_path / labels):
        found = find_labels(given)["train"]
        first, second, third, last = found.document["annotations"][:4]
        assert (found.kind, len(found.places)) == ("DOTA", 3)
        assert first["segmentation"] == [[15, 12, 25, 12, 25, 18, 15, 18]]
        assert [one["ignore"] for one in (first, second, third)] == [0, 1, 0]
        assert "segmentation" not in last


def test_splits_are_folders(tmp_path: Path, put_images: Put) -> None:
    for seed, split in enumerate(("train", "val")):
        put_images(tmp_path / split / "images", seed=10 * seed)
        put_labels(tmp_path / split / "labelTxt", LINE)
    found = find_labels(tmp_path)
    assert {split: next(iter(one.places.values())).parent.parent.name for split, one in found.items()} == {
        "train": "train",
        "val": "val",
    }
    put_labels(tmp_path / "val" / "labelTxt-v1.0", LINE)
    with pytest.raises(InputError, match="one folder of DOTA's labels for val"):
        find_labels(tmp_path)


def test_one_file_asks_for_the_folder(tmp_path: Path) -> None:
    put_labels(tmp_path, LINE)
    with pytest.raises(InputError, match=r"found those of one, .*; name the folder"):
        find_labels(tmp_path / "c0.txt")
