"""From a COCO file of the user's own to a checkpoint and a report, through the stages of the pipeline, without DVC."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pipeline.convert import convert_coco_file
from pipeline.evaluate import Metrics, evaluate
from pipeline.params import ConvertParams, DownloadParams, Params, TileParams
from pipeline.provenance import package_sha256
from pipeline.report import Sources, report
from pipeline.tile import tile
from pipeline.train import Places, train
from refinedet.config import AugmentConfig, ModelConfig, PostprocessConfig, Radiometry, TileConfig, TrainConfig
from refinedet.data.coco import read_record
from refinedet.errors import InputError
from refinedet.files import sha256_tree
from refinedet.model.checkpoint import read_header
from refinedet.model.initial import initial_checkpoint
from refinedet.predictor import TorchPredictor
from refinedet.tiling import letterbox

logger = logging.getLogger(__name__)

FRESH = "none"
"""Stands for no checkpoint: the backbone starts from its own ImageNet weights."""

_FRESH_MODEL = ModelConfig(tcb_channels=96, tcb_lateral_kernel=1, tcb_norm="batch", arm_channels=96, anchor_scale=3.0)
_FRESH_LR, _TUNING_LR = 7e-4, 3e-4


@dataclass(frozen=True, slots=True)
class Choices:
    """What the user may choose; None: what suits the data and the initial weights."""

    init: str = "shipped"
    """A checkpoint, `shipped` for the weights of the package, or FRESH."""
    epochs: int = 30
    batch_size: int = 8
    lr: float | None = None
    seed: int = 1
    val_fraction: float = 0.1
    test_fraction: float = 0.1


def train_own(annotations: Path, images: Path, out: Path, choices: Choices) -> Metrics:
    """Convert, tile, train, evaluate and report into folders of `out`; an interrupted training goes on.

    Returns:
        Metrics on the test images that were cut off.

    Raises:
        FileError: a file is missing or damaged.
        InputError: the annotations are no COCO file, or a choice is out of range.
        RefineDetError: the training diverged.
    """
    _check(choices)
    start = _start(choices)
    shares = {"val_fraction": choices.val_fraction, "test_fraction": choices.test_fraction}
    convert_coco_file(annotations, images, out / "convert", **shares)
    tile(start.tile, start.radiometry, images, out / "convert", out / "tile")
    params = replace(start, train=_on_canvas(start, out / "tile"))
    inputs = {"chips": sha256_tree(out / "tile"), "code": package_sha256()}
    train(params, Places(out / "tile", out / "train", inputs))
    predictor = TorchPredictor.load(out / "train" / "model.safetensors")
    metrics = evaluate(predictor, out / "tile", out / "convert", out / "evaluate")
    sources = Sources(out / "tile", out / "train", out / "evaluate")
    report(sources, annotations.name, params.postprocess, out / "report")
    return metrics["test"]


def _check(choices: Choices) -> None:
    for name in ("val_fraction", "test_fraction"):
        share = getattr(choices, name)
        if not 0 <= share < 0.5:
            raise InputError(f"expected {name} within [0, 0.5), found {share}")


def _start(choices: Choices) -> Params:
    """Settings of the checkpoint that training starts from, or of a fresh network; the canvas is still open."""
    fresh = choices.init == FRESH
    header = None if fresh else read_header(initial_checkpoint(choices.init))
    trained = {} if header is None else header.provenance.get("tile", {})
    lr = choices.lr or (_FRESH_LR if fresh else _TUNING_LR)
    return Params(
        recipe="own",
        dataset="own",
        download=DownloadParams(),
        scenes=None,
        convert=ConvertParams(val_fraction=choices.val_fraction),
        radiometry=Radiometry() if header is None else header.radiometry,
        tile=TileParams(TileConfig.from_dict(trained)),
        model=_FRESH_MODEL if header is None else header.model,
        train=TrainConfig(
            seed=choices.seed,
            epochs=choices.epochs,
            batch_size=choices.batch_size,
            lr=lr,
            init=None if fresh else choices.init,
            augment=AugmentConfig(transpose=0.3, mosaic=0.4, mosaic_off_epochs=max(1, choices.epochs // 8)),
        ),
        postprocess=PostprocessConfig() if header is None else header.postprocess,
        multiscale=None,
    )


def _on_canvas(params: Params, chips: Path) -> TrainConfig:
    """The training settings with the canvas on which detection would lay the median chip."""
    record = read_record(chips / "train.json")
    width, height = (int(np.median([getattr(i, side) for i in record.images])) for side in ("width", "height"))
    box = letterbox(width, height, params.model.input_px, params.model.strides[-1])
    few = min(params.train.batch_size, len(record.images))
    return replace(params.train, canvas_width=box.canvas_width, canvas_height=box.canvas_height, batch_size=few)
