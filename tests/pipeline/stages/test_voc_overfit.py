"""The 20-class path from published archives to mAP, on real images: 50 of them can be learnt by heart."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from pipeline.datasets.catalogue import VOC_CLASSES
from pipeline.params import TileParams, parse_params
from pipeline.stages.convert import convert
from pipeline.stages.download import download
from pipeline.stages.tile import tile
from refinedet.config import AugmentConfig, ModelConfig, PostprocessConfig, Radiometry, TrainConfig
from refinedet.data.coco import read_record
from refinedet.data.dataset import ChipDataset
from refinedet.data.shards import read_chip
from refinedet.evaluation.voc import voc_metrics
from refinedet.model.checkpoint import Header
from refinedet.model.network import RefineDet
from refinedet.predictors.predictor import TorchPredictor
from refinedet.training.fit import fit
from refinedet.training.state import Row

IMAGES, LONG_SIDE = 50, 320

# Each image as it is, at a random place of the canvas.
UNCHANGED = AugmentConfig(
    horizontal_flip=0.0,
    vertical_flip=0.0,
    scale_min=1.0,
    scale_max=1.0,
    mosaic=0.0,
    mosaic_off_epochs=0,
    speckle=0.0,
    contrast=0.0,
)
TRAINING = TrainConfig(
    epochs=100,
    batch_size=10,
    canvas_width=LONG_SIDE,
    canvas_height=LONG_SIDE,
    lr=1e-3,
    weight_decay=0.01,
    ema_decay=0.98,
    augment=UNCHANGED,
)
NETWORK = ModelConfig(
    num_classes=len(VOC_CLASSES), input_px=LONG_SIDE, tcb_channels=96, tcb_norm="batch", arm_channels=96
)
POSTPROCESS = PostprocessConfig(score_min=0.01)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_fifty_real_images_of_twenty_classes_are_learnt_by_heart(voc_archives: Path, tmp_path: Path) -> None:
    params = parse_params({"recipe": "mini", "recipes": {"mini": {"dataset": "voc2007-mini"}}})
    source, records, chips = (tmp_path / name for name in ("download", "convert", "tile"))
    download(params, source, mirror=str(voc_archives), cache=tmp_path / "cache")
    convert("voc2007-mini", 0.0, source, records, train_images=IMAGES)
    tile(TileParams(), Radiometry(), source, records, chips)
    record = read_record(chips / "train.json")
    assert len(record.images) == IMAGES
    assert record.classes == VOC_CLASSES

    def predictor(network: RefineDet) -> TorchPredictor:
        return TorchPredictor(network, classes=VOC_CLASSES, radiometry=Radiometry(), postprocess=POSTPROCESS)

    torch.manual_seed(TRAINING.seed)
    history: list[Row] = []
    state = fit(
        RefineDet(NETWORK),
        ChipDataset(record, chips, TRAINING, LONG_SIDE),
        lambda _: {},
        state_path=tmp_path / "state.pt",
        header=Header(NETWORK, VOC_CLASSES, Radiometry(), {}, postprocess=POSTPROCESS),
        on_epoch=history.append,
    )
    found = predictor(state.ema).predict([read_chip(chips / image.file_name) for image in record.images])
    metrics = voc_metrics(record, dict(zip([image.id for image in record.images], found, strict=True)))
    measured = f"{metrics}, loss {history[0]['loss']:.2f} -> {history[-1]['loss']:.2f}"
    assert metrics["mAP07"] is not None, measured
    assert metrics["mAP07"] > 90, measured
