"""Every layout of labels gives the very same chips."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from refinedet.data.coco import read_record

LAYOUTS = 23


@pytest.fixture
def script(beside_the_scripts: Path) -> ModuleType:
    """The script that trains on layouts."""
    assert beside_the_scripts.is_dir()
    return import_module("labels")


@pytest.fixture
def layouts(script: ModuleType) -> ModuleType:
    """The layouts."""
    assert script.LAYOUTS
    return import_module("labels_layouts")


@pytest.fixture
def chips(layouts: ModuleType, tmp_path: Path) -> Any:
    """A few chips with ships."""
    return layouts.make_chips(tmp_path / "chips", 6)


def test_the_same_labels_give_the_same_bytes_in_every_layout(script: ModuleType, chips: Any, tmp_path: Path) -> None:
    found: dict[str, str] = {}
    for number, (name, layout) in enumerate(script.LAYOUTS.items()):
        folder = tmp_path / str(number)
        found[name], told = script.chips_of(layout(chips, folder / "labels"), folder / "out")
        assert told
        assert not [one for one in told if one.startswith("warning")], name
    assert len(found) == LAYOUTS
    assert set(found.values()) == {found["COCO as it should be"]}


def test_a_folder_is_as_good_as_the_file_in_it(script: ModuleType, chips: Any, tmp_path: Path) -> None:
    for number, name in enumerate(("CVAT", "Label Studio", "VIA, project", "VIA, table")):
        folder = tmp_path / str(number)
        path = script.LAYOUTS[name](chips, folder / "labels")
        by_file = script.chips_of(path, folder / "by_file")[0]
        assert script.chips_of(folder / "labels", folder / "by_folder")[0] == by_file


def test_masks_give_boxes_of_whole_pixels(script: ModuleType, layouts: ModuleType, chips: Any, tmp_path: Path) -> None:
    script.chips_of(layouts.MASKS(chips, tmp_path / "labels"), tmp_path / "out")
    boxes = {}
    for split in ("train", "val", "test"):
        record = read_record(tmp_path / "out" / "convert" / f"{split}.json")
        boxes |= {image.file_name: record.boxes[image.id].tolist() for image in record.images}
    assert boxes == {
        name: [[round(x), round(y), round(x + w), round(y + h)] for x, y, w, h in rows]
        for name, rows in chips.boxes.items()
    }
