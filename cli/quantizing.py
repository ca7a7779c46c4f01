"""`refinedet export --int8`: what an INT8 file is calibrated on and held against, and what its report says of that."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from refinedet.errors import FileError, InputError
from refinedet.files import sha256_file

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from refinedet.config import ModelConfig
    from refinedet.data.coco import Record
    from refinedet.predictors.predictor import Predictor

_CHIPS_MAX = 100
"""That are calibrated on: 300 and 40 gave the shipped weights the same AP on SSDD's val, to 0.1 points."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Chips as stage tile leaves them: train.json to measure ranges on, val.json to judge by, and what both name."""

    folder: Path
    train: Record
    val: Record

    @classmethod
    def read(cls, folder: Path, classes: tuple[str, ...]) -> Self:
        """Read both records.

        Raises:
            FileError: one of them is missing.
            InputError: it is no COCO record of these classes, or holds no chip, or that of val no object.
        """
        from refinedet.data.coco import read_record

        records = []
        for name in ("train.json", "val.json"):
            if not (folder / name).is_file():
                raise FileError(
                    f"expected train.json and val.json, COCO records with their 8-bit chips, in {folder}, found no "
                    f"{name}; name a folder such as outputs/tile with --calibration"
                )
            record = read_record(folder / name)
            if record.classes != classes:
                raise InputError(
                    f"expected chips of the classes {classes} in {folder / name}, found {record.classes}; name others"
                )
            if not record.images or (name == "val.json" and all(one.all() for one in record.ignored.values())):
                raise InputError(f"expected chips with objects in {folder / name}, found none; name another folder")
            records.append(record)
        return cls(folder, *records)

    def canvases(self, model: ModelConfig) -> list[Callable[[], NDArray[np.uint8]]]:
        """How to make each canvas that is calibrated on: every so many chips of train, in the order of their names."""
        chips = sorted(image.file_name for image in self.train.images)
        step = max(1.0, len(chips) / _CHIPS_MAX)
        chosen = [chips[int(index * step)] for index in range(min(len(chips), _CHIPS_MAX))]
        return [partial(_canvas, self.folder / name, model.input_px, model.strides[-1]) for name in chosen]

    def ap(self, path: Path) -> float:
        """AP of an exported file on val, in percent."""
        from refinedet.runtimes.predictor import ExportedPredictor

        return float(accuracy(ExportedPredictor.load(path), self.val, self.folder)["AP"] or 0.0)


def export_int8(weights: Path, path: Path, folder: Path, max_drop: float) -> dict[str, Any]:
    """Write a checkpoint as an INT8 file for OpenVINO; returns what its report says of that.

    Raises:
        FileError, InputError, MissingExtra: as `Calibration.read`, `export` and `quantize`.
    """
    from refinedet.model.checkpoint import read_header
    from refinedet.runtimes.export import export
    from refinedet.runtimes.int8 import quantize

    header = read_header(weights)
    calibration = Calibration.read(folder, header.classes)
    canvases = calibration.canvases(header.model)
    with tempfile.TemporaryDirectory(prefix="refinedet-") as scratch:
        source = export(weights, Path(scratch) / "float.xml", "openvino")
        found = quantize(source, path, canvases, calibration.ap, max_drop)
    return {
        "AP_val_float": found.judged_float,
        "AP_val_int8": found.judged_int8,
        "max_drop": max_drop,
        "layers": found.layers,
        "layers_in_float": list(found.in_float),
        "calibration_chips": len(canvases),
        "train_sha256": sha256_file(folder / "train.json"),
        "val_sha256": sha256_file(folder / "val.json"),
    }


def accuracy(predictor: Predictor, truth: Record, root: Path) -> dict[str, float | None]:
    """AP, AP50 and so on of a predictor on the chips of a record, whose files lie under `root`."""
    from refinedet.evaluation.metrics import coco_metrics
    from refinedet.evaluation.predictions import predict_chips

    found = {key: one for part in predict_chips(predictor, truth.images, root) for key, one in part.items()}
    return coco_metrics(truth, found)


def _canvas(path: Path, input_px: int, stride: int) -> NDArray[np.uint8]:
    """The canvas (1, 3, H, W) on which a predictor sees a chip."""
    from refinedet.data.dataset import read_chip
    from refinedet.predictors.predictor import on_canvas
    from refinedet.tiling import letterbox

    chip = read_chip(path)
    return on_canvas(chip, letterbox(chip.shape[1], chip.shape[0], input_px, stride))[None]
