"""CVAT's XML for images."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.datasets.labels.finding import find_labels
from pipeline.datasets.labels.label_set import LabelSet, common_folder
from refinedet.data.coco import import_document
from refinedet.errors import InputError

Put = Callable[..., None]
BOX = '<box label="ship" xtl="15" ytl="12" xbr="25" ybr="18" {}/>'
SMALL = '<box label="ship" xtl="1" ytl="12" xbr="3" ybr="18"/>'


def write(path: Path, shapes: str, *, subset: str = "", name: str = "c0.png") -> Path:
    images = f'<image id="0" name="{name}" subset="{subset}" width="40" height="30">{shapes}</image>'
    images += "".join(f'<image id="{i}" name="c{i}.png" width="40" height="30"/>' for i in (1, 2))
    path.write_text(f"<annotations><version>1.1</version><meta/>{images}</annotations>", encoding="utf-8")
    return path


def boxes(one: LabelSet) -> list[list[float]]:
    record, _ = import_document(one.renamed(common_folder([one])).document, one.source)
    return [[round(side, 3) for side in box] for box in record.boxes[1].tolist()]


@pytest.mark.parametrize(
    ("shape", "box"),
    [
        pytest.param(BOX.format(""), [15, 12, 25, 18], id="box"),
        pytest.param(BOX.format('rotation="90"'), [17, 10, 23, 20], id="rotated box"),
        pytest.param('<polygon label="ship" points="15,12;25.0,12;25,18"/>', [15, 12, 25, 18], id="polygon"),
        pytest.param('<ellipse label="ship" cx="20" cy="15" rx="5" ry="3"/>', [15, 12, 25, 18], id="ellipse"),
        pytest.param('<mask label="ship" left="15" top="12" width="10" height="6"/>', [15, 12, 25, 18], id="mask"),
        pytest.param('<polygon label="ship" points="here"/>', [0, 0, 40, 30], id="broken: all of the image"),
        pytest.param('<points label="ship" points="1,2"/>', [0, 0, 40, 30], id="point: all of the image"),
    ],
)
def test_shapes_become_boxes(tmp_path: Path, put_images: Put, shape: str, box: list[float]) -> None:
    put_images(tmp_path / "images")
    path = write(tmp_path / "annotations.xml", SMALL + shape + '<tag label="x"/>')
    for given in (path, tmp_path):
        found = find_labels(given)["train"]
        assert (found.kind, len(found.places)) == ("CVAT", 3)
        assert boxes(found) == [[1, 12, 3, 18], box]


def test_subsets_are_splits(tmp_path: Path, put_images: Put) -> None:
    put_images(tmp_path)
    found = find_labels(write(tmp_path / "a.xml", BOX.format(""), subset="Validation"))
    assert {split: len(one.places) for split, one in found.items()} == {"val": 1, "train": 2}


def test_videos_and_files_without_images_are_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text("<annotations><track/></annotations>")
    with pytest.raises(InputError, match="found those of a video; export them as COCO"):
        find_labels(path)
    path.write_text("<annotations/>")
    with pytest.raises(InputError, match=r"expected images in .*a\.xml, found none"):
        find_labels(path)
    with pytest.raises(InputError, match="a name of every image"):
        find_labels(write(path, "", name=""))
