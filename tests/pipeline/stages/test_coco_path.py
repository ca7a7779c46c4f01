"""COCO's 80 classes of ids with gaps, and its crowds, from the annotation file to AP, on a small set made alike."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as Picture

from pipeline.datasets.catalogue import CATALOGUE
from pipeline.params import TileParams
from pipeline.stages.convert import convert
from pipeline.stages.evaluate import evaluate
from pipeline.stages.tile import tile
from refinedet.config import AugmentConfig, ModelConfig, Radiometry, TrainConfig
from refinedet.data.coco import Record, read_record
from refinedet.data.dataset import ChipDataset
from refinedet.detections import Detections
from refinedet.files import read_json, write_json
from refinedet.model.checkpoint import Header
from refinedet.model.network import RefineDet
from refinedet.predictors.predictor import TorchPredictor
from refinedet.training.fit import fit

IDS = [k for k in range(1, 91) if k not in {12, 26, 29, 30, 45, 66, 68, 69, 71, 83}]


def coco_document(folder: Path, split: str, ids: list[int]) -> dict[str, Any]:
    """A split of two images, of which one has a box of every category and a crowd; the categories stand reversed."""
    (folder / split).mkdir(parents=True)
    for seed, name in enumerate(("000000000009.jpg", "000000000025.jpg")):
        pixels = np.random.default_rng([seed, *split.encode()]).integers(0, 256, (40, 60), dtype=np.uint8)
        Picture.fromarray(pixels).save(folder / split / name)
    polygon = {"segmentation": [[1, 1, 9, 1, 9, 9]], "iscrowd": 0}
    runs = {"segmentation": {"counts": [272, 2, 4, 4], "size": [40, 60]}, "iscrowd": 1}
    boxes = [{"category_id": k, "bbox": [i % 30, 3.5, 8.25, 9], **polygon} for i, k in enumerate(ids)]
    boxes.append({"category_id": ids[-1], "bbox": [0, 0, 60, 40], **runs})
    return {
        "info": {"year": 2017},
        "licenses": [],
        "images": [{"id": i, "file_name": f"{i:012d}.jpg", "width": 60, "height": 40, "license": 1} for i in (9, 25)],
        "annotations": [{"id": n, "image_id": 25, "area": 1.0, **box} for n, box in enumerate(boxes, start=900)],
        "categories": [{"id": k, "name": f"class {k:02d}", "supercategory": "thing"} for k in reversed(ids)],
    }


@pytest.fixture
def coco(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder of a data set laid out like COCO 2017."""
    assert len(IDS) == 80
    folder = tmp_path / "coco"
    for split in ("train2017", "val2017"):
        write_json(folder / f"annotations/instances_{split}.json", coco_document(folder, split, IDS))
    monkeypatch.setitem(CATALOGUE, "coco2017", replace(CATALOGUE["coco2017"], files=()))
    return folder


@pytest.fixture
def chips(coco: Path, tmp_path: Path) -> Path:
    """Folder of its chips, in `tile`, and of its records, in `convert`."""
    convert("coco2017", 0.0, coco, tmp_path / "convert")
    tile(TileParams(), Radiometry(), coco, tmp_path / "convert", tmp_path / "tile")
    return tmp_path


def test_ids_with_gaps_become_labels_in_their_order(coco: Path, tmp_path: Path) -> None:
    out = tmp_path / "convert"
    convert("coco2017", 0.0, coco, out)
    record = read_record(out / "train.json")
    assert record.classes == tuple(f"class {k:02d}" for k in IDS), "in the order of their ids, not of the file"
    assert [image.file_name for image in record.images] == [
        "train2017/000000000009.jpg",
        "train2017/000000000025.jpg",
    ]
    assert record.labels[1].tolist() == []
    assert record.labels[2].tolist() == [*range(80), 79]
    assert record.boxes[2][1].tolist() == [1, 3.5, 9.25, 12.5]
    assert record.ignored[2].tolist() == [False] * 80 + [True], "a crowd is neither object nor background"
    assert read_record(out / "test.json").classes == record.classes
    written = read_json(out / "train.json")
    assert [entry["id"] for entry in written["categories"]] == list(range(1, 81))
    assert all("segmentation" not in entry for entry in written["annotations"])


class Knows:
    """A predictor that knows the truth of the second chip, and sees more in its crowd."""

    radiometry = Radiometry()

    def __init__(self, truth: Record) -> None:
        self.classes = truth.classes
        boxes, labels = truth.boxes[2], truth.labels[2]
        seen = ~truth.ignored[2]
        extra = [[50, 20, 58, 38]]
        self.found = Detections.of(
            np.concatenate([boxes[seen], extra]), np.linspace(0.9, 0.5, seen.sum() + 1), [*labels[seen], labels[-1]]
        )

    def predict(self, chips: list[np.ndarray]) -> list[Detections]:
        """Nothing on the first chip."""
        return [Detections.empty(), self.found][: len(chips)]


def test_what_is_seen_in_a_crowd_is_no_false_alarm(chips: Path) -> None:
    truth = read_record(chips / "tile" / "test.json")
    metrics = evaluate(Knows(truth), chips / "tile", chips / "convert", chips / "evaluate")
    assert metrics["test"]["AP"] == pytest.approx(100)


def test_eighty_classes_are_trained_and_judged(chips: Path) -> None:
    record = read_record(chips / "tile" / "train.json")
    model = ModelConfig(backbone_weights="none", num_classes=80, input_px=64, tcb_channels=8)
    config = TrainConfig(
        epochs=1, batch_size=2, canvas_width=64, canvas_height=64, workers=0, augment=AugmentConfig(mosaic_off_epochs=0)
    )
    torch.manual_seed(0)
    state = fit(
        RefineDet(model),
        ChipDataset(record, chips / "tile", config, 64),
        lambda _: {},
        state_path=chips / "state.pt",
        header=Header(model, record.classes, Radiometry(), {}),
        on_epoch=lambda _: None,
    )
    assert np.isfinite(state.history[0]["odm_class"])
    predictor = TorchPredictor(state.ema, classes=record.classes, radiometry=Radiometry())
    metrics = evaluate(predictor, chips / "tile", chips / "convert", chips / "evaluate")
    assert metrics["test"]["ships"] == 80
    assert 0 <= metrics["test"]["AP"] <= 100
