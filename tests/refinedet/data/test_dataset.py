"""Training samples: what is kept in memory changes no pixel."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from refinedet.boxes import as_boxes
from refinedet.config import AugmentConfig, TrainConfig
from refinedet.data import dataset as module
from refinedet.data.augment import Sample
from refinedet.data.coco import BESIDE, Annotated, build_record
from refinedet.data.dataset import ChipDataset
from refinedet.data.shards import read_chip
from refinedet.errors import InputError

CONFIG = TrainConfig(canvas_width=64, canvas_height=64)


@pytest.fixture
def chips(tmp_path: Path) -> ChipDataset:
    """Three grey chips of 60 x 40 pixels with one ship each."""
    images = []
    for index in range(3):
        pixels = np.random.default_rng(index).integers(0, 256, (40, 60), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{index}.png")
        truth = as_boxes([[5, 5, 25, 15]]), np.zeros(1, np.int64), np.zeros(1, bool)
        images.append(Annotated(f"{index}.png", 60, 40, *truth))
    return ChipDataset(build_record(images, ("ship",)), tmp_path, CONFIG, 64)


@pytest.mark.parametrize("room", [0, 60 * 40, 1 << 20], ids=["none", "one chip", "all chips"])
def test_chips_kept_in_memory_are_the_chips_on_disk(
    chips: ChipDataset, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    monkeypatch.setattr(module, "_DECODED_BYTES", 0)
    expected = samples(chips)
    monkeypatch.setattr(module, "_DECODED_BYTES", room)
    read: list[str] = []
    monkeypatch.setattr(module, "read_chip", lambda path: read.append(path.name) or read_chip(path))
    found = samples(ChipDataset(chips.record, chips.root, CONFIG, 64))
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a.image, b.image)
        np.testing.assert_array_equal(a.boxes_xyxy, b.boxes_xyxy)
    kept = {name for name in read if read.count(name) == 1}
    assert len(kept) == min(3, room // (60 * 40))


def test_the_canvas_grows_for_the_last_epochs(chips: ChipDataset) -> None:
    config = replace(
        CONFIG, canvas_width=192, early_canvas=(64, 128), epochs=5, augment=AugmentConfig(mosaic_off_epochs=2)
    )
    dataset = ChipDataset(chips.record, chips.root, config, 64)
    assert [config.canvas(epoch) for epoch in range(5)] == [(64, 128)] * 3 + [(192, 64)] * 2
    assert [dataset[epoch, 0].image.shape for epoch in (2, 3)] == [(128, 64), (64, 192)]


def test_only_chips_of_the_data_set_itself_are_repeated(chips: ChipDataset, monkeypatch: pytest.MonkeyPatch) -> None:
    first, *own = chips.record.images
    record = replace(chips.record, images=(replace(first, extra={BESIDE: "real"}), *own))
    read: list[str] = []
    monkeypatch.setattr(module, "_DECODED_BYTES", 0)
    monkeypatch.setattr(module, "read_chip", lambda path: read.append(path.name) or read_chip(path))
    config = replace(CONFIG, repeat=3, augment=AugmentConfig(mosaic=0))
    dataset = ChipDataset(record, chips.root, config, 64)
    drawn = [dataset[0, index] for index in range(len(dataset))]
    assert read == ["0.png", *["1.png"] * 3, *["2.png"] * 3]
    assert not np.array_equal(drawn[1].image, drawn[2].image)  # each time is drawn anew


def test_a_repeat_without_a_data_set_is_refused(chips: ChipDataset) -> None:
    record = replace(chips.record, images=tuple(replace(i, extra={BESIDE: "simulated"}) for i in chips.record.images))
    with pytest.raises(InputError, match="`repeat` 2"):
        ChipDataset(record, chips.root, replace(CONFIG, repeat=2), 64)


def samples(chips: ChipDataset) -> list[Sample]:
    """All chips in three epochs."""
    return [chips[epoch, index] for epoch in range(3) for index in range(3)]
