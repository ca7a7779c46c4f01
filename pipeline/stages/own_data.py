"""Training on the user's own labels, up to a report, with the stages of the pipeline but without DVC."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from pipeline.datasets.labels.box_numbers import BoxFormat
from pipeline.datasets.labels.finding import find_labels
from pipeline.datasets.labels.summary import Summary
from pipeline.datasets.scene_labels.blocks import View
from pipeline.datasets.scene_labels.choices import LabelChoices
from pipeline.datasets.scene_labels.reading import read_labelled_scenes
from pipeline.params import ConvertParams, DownloadParams, Params, TileParams
from pipeline.provenance.origin import package_sha256
from pipeline.stages.convert import convert_labels, write_records
from pipeline.stages.evaluate import Metrics, evaluate, read_curves
from pipeline.stages.report import Sources, report
from pipeline.stages.tile import tile
from pipeline.stages.train import Places, train
from pipeline.tracking.runs import track
from refinedet.config import STRIDES, AugmentConfig, PostprocessConfig, Radiometry, TileConfig, TrainConfig
from refinedet.config.options.detect import SceneSettings
from refinedet.data.coco import read_record
from refinedet.errors import FileError, InputError
from refinedet.files import sha256_file, sha256_tree
from refinedet.model.checkpoint import means_ship, read_header
from refinedet.model.initial import initial_checkpoint
from refinedet.model.variants import VARIANTS
from refinedet.predictors.predictor import TorchPredictor
from refinedet.tiling import letterbox

logger = logging.getLogger(__name__)

FRESH = "none"
"""Value for no checkpoint: the backbone starts from its ImageNet weights."""

_FRESH_LR, _TUNING_LR = 7e-4, 3e-4
_SIGNS = {
    "scenes": "summary.json",
    "convert": "summary.json",
    "tile": "summary.json",
    "train": "model.safetensors",
    "evaluate": "metrics.json",
    "report": "report.html",
}
"""Folder of each step -> file that marks the folder as an output of this program, which may be replaced."""


@dataclass(frozen=True, slots=True)
class Choices:
    """User settings; None: a value that suits the data and the initial weights."""

    init: str = "shipped"
    """Initial weights: a checkpoint, `shipped` for the weights of the package, or FRESH."""
    epochs: int = 30
    batch_size: int = 8
    lr: float | None = None
    seed: int = 1
    boxes: BoxFormat | None = None
    """Meaning of the four numbers of a COCO file's boxes; None: as in COCO, or an error if that is impossible."""
    val_fraction: float = 0.1
    test_fraction: float = 0.1
    labels: LabelChoices | None = None
    """Scenes, if the annotations are labels on the ground; None: a COCO file."""
    pixels: SceneSettings = field(default_factory=SceneSettings)
    """Band, values and nodata of the images of a COCO file; the other settings are for scenes."""


def train_own(annotations: Path, images: Path | None, out: Path, choices: Choices) -> Metrics:
    """Convert, tile, train, evaluate and report into folders of `out`.

    `annotations` is a file or folder that `find_labels` reads, with its images in folder `images` or around it; or
    labels over the scenes of `choices`. An interrupted training resumes, and a finished one with the same settings,
    data and code is not repeated.

    Returns:
        Metrics on the test images.

    Raises:
        FileError: a file is missing or damaged, or `out` holds folders that are not from an earlier training.
        InputError: the format of the labels is unknown, the labels are invalid, or a setting is out of range.
        RefineDetError: the training diverged.
    """
    _check(choices, images, out)
    start = _start(choices, annotations.resolve().stem)
    if choices.labels is None:
        counts = _chips_of_images(annotations, images, choices, out)
    else:
        counts = _chips_of_scenes(annotations, choices.labels, choices, out)
    params = replace(start, train=_on_canvas(start, out / "tile"))
    inputs = {"chips": sha256_tree(out / "tile"), "code": package_sha256()}
    checkpoint = out / "train" / "model.safetensors"
    if not _is_trained(checkpoint, params, inputs):
        train(params, Places(out / "tile", out / "train", inputs))
    metrics = evaluate(TorchPredictor.load(checkpoint), out / "tile", out / "convert", out / "evaluate")
    sources = Sources(out / "tile", out / "train", out / "evaluate")
    report(sources, annotations.resolve().name, params.postprocess, out / "report")
    kept: list[tuple[Path, str | None]] = [(out / "evaluate" / "metrics.json", "evaluate")]
    kept.append((out / "report" / "report.html", "report"))
    kept.append((out / "convert" / "summary.json", "labels"))
    flat = {f"test/{name}": value for name, value in metrics["test"].items()}
    flat |= {f"labels/{name}": float(count) for name, count in counts.items()}
    track(checkpoint, params, flat, kept, curves=read_curves(out / "evaluate"), tested_on=out / "tile")
    return metrics["test"]


def check_free(out: Path, *, overwrite: bool) -> Path:
    """Path of the report that `train_own` will write.

    Raises:
        FileError: a report exists, and `overwrite` is false.
    """
    report_path = out / "report" / "report.html"
    if report_path.exists() and not overwrite:
        raise FileError(f"expected no report at {report_path} yet, found one; name another `out`, or set `overwrite`")
    return report_path


def _tell(summary: Summary, choices: Choices, classes: tuple[str, ...]) -> None:
    """Print a summary of the labels on the console, before training begins."""
    for note in summary.notes:
        logger.info(note)
    for warning in summary.warnings:
        logger.warning(warning)
    other_name = choices.init != FRESH and len(classes) == 1 and not means_ship(classes)
    if other_name and read_header(initial_checkpoint(choices.init)).finds_ships:
        logger.info(
            "the weights that training starts from find ships: scenes are searched for %r as for ships, which skips "
            "windows without contrast; `prescreen` off looks at all of them",
            classes[0],
        )


def _check(choices: Choices, images: Path | None, out: Path) -> None:
    for name, given in (("images", images), ("boxes", choices.boxes)):
        if choices.labels is not None and given is not None:
            raise InputError(f"expected no `{name}` for labels over scenes, found {given}; leave it out")
    for name in ("val_fraction", "test_fraction"):
        share = getattr(choices, name)
        if not 0 <= share < 0.5:
            raise InputError(f"expected {name} within [0, 0.5), found {share}")
    for name, sign in _SIGNS.items():
        if (out / name).exists() and not (out / name / sign).is_file():
            raise FileError(
                f"expected {out / name} to be of an earlier training, found other files; name another folder"
            )
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"expected a folder that can be made at {out}, but it cannot ({error.strerror})") from error


def _chips_of_images(path: Path, images: Path | None, choices: Choices, out: Path) -> dict[str, int]:
    """Cut labelled images into chips, and print a summary of the labels; returns their counts."""
    start = _start(choices, path.resolve().stem)
    shares = {"val_fraction": choices.val_fraction, "test_fraction": choices.test_fraction}
    base, summary = convert_labels(find_labels(path, images, choices.boxes), out / "convert", **shares)
    _tell(summary, choices, read_record(out / "convert" / "train.json").classes)
    tile(start.tile, start.radiometry, base, out / "convert", out / "tile").tell(logger)
    return dict(summary.counts)


def _chips_of_scenes(path: Path, labels: LabelChoices, choices: Choices, out: Path) -> dict[str, int]:
    """Cut labelled scenes into chips as in detection; returns the counts of the labels."""
    start = _start(choices, path.stem)
    known = None if choices.init == FRESH else read_header(initial_checkpoint(choices.init)).trained_on.gsd_m
    view = View(labels.settings, start.radiometry, start.tile.windows, known)
    shares = choices.val_fraction, choices.test_fraction
    found = read_labelled_scenes(path, labels, view, shares, out / "scenes")
    write_records(path.name, found.reading, out / "convert")
    cut = replace(start.tile, keep_empty=found.keep_empty)
    tile(cut, start.radiometry, out / "scenes", out / "convert", out / "tile", found.gsd_m)
    images = [image for split in found.reading.splits.values() for image in split]
    return {"images": len(images), "boxes": sum(int((~image.annotated.ignored).sum()) for image in images)}


def _is_trained(checkpoint: Path, params: Params, inputs: dict[str, str]) -> bool:
    """True if the checkpoint is the one that this training would make."""
    if not checkpoint.is_file():
        return False
    known = read_header(checkpoint).provenance
    init = None if params.train.init is None else sha256_file(initial_checkpoint(params.train.init))
    return (known.get("inputs_sha256"), known.get("train"), known.get("init")) == (inputs, params.train.to_dict(), init)


def _start(choices: Choices, dataset: str) -> Params:
    """Settings of the initial checkpoint, or of a fresh network; the canvas is not set yet."""
    fresh = choices.init == FRESH
    header = None if fresh else read_header(initial_checkpoint(choices.init))
    standard_lr = _FRESH_LR if fresh else _TUNING_LR
    windows = TileConfig() if header is None else header.trained_on.windows
    pixels = choices.pixels if choices.labels is None else SceneSettings()  # scenes become 8-bit blocks before
    return Params(
        recipe="own",
        dataset=dataset,
        download=DownloadParams(),
        scenes=None,
        convert=ConvertParams(val_fraction=choices.val_fraction),
        radiometry=Radiometry() if header is None else header.radiometry,
        tile=TileParams(windows, band=pixels.band, values=pixels.values, nodata=pixels.nodata),
        model=VARIANTS["refinedetpp512_lite0"] if header is None else header.model,
        train=TrainConfig(
            seed=choices.seed,
            epochs=choices.epochs,
            batch_size=choices.batch_size,
            lr=standard_lr if choices.lr is None else choices.lr,
            init=None if fresh else choices.init,
            augment=AugmentConfig(transpose=0.3, mosaic=0.4, mosaic_off_epochs=max(1, choices.epochs // 8)),
        ),
        postprocess=PostprocessConfig() if header is None else header.postprocess,
        multiscale=None,
        versioned=False,
    )


def _on_canvas(params: Params, chips: Path) -> TrainConfig:
    """Training settings with the canvas that detection would use for the median chip."""
    chips_read = read_record(chips / "train.json")
    width, height = (int(np.median([getattr(i, side) for i in chips_read.images])) for side in ("width", "height"))
    box = letterbox(width, height, params.model.input_px, max(STRIDES[-1], params.model.strides[-1]))
    return replace(params.train, canvas_width=box.canvas_width, canvas_height=box.canvas_height)
