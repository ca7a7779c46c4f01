"""Export of a checkpoint, with a report on the loss of accuracy: distances from torch, AP on chips, and 8 bits."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from refinedet.config import ModelConfig
from refinedet.data.coco import Record, read_record
from refinedet.data.shards import read_chip
from refinedet.data.simulation.chips import simulated_chips
from refinedet.detections import Detections
from refinedet.errors import FileError, InputError
from refinedet.evaluation.agreement import median_move_px, recall_around_default
from refinedet.evaluation.metrics import coco_metrics
from refinedet.evaluation.predictions import measure_chips, predict_all
from refinedet.files import cannot_write, sha256_file, write_json
from refinedet.model.checkpoint import read_header
from refinedet.predictors.predictor import TorchPredictor, on_canvas
from refinedet.runtimes.export import export
from refinedet.runtimes.exported import SUFFIXES, Format
from refinedet.runtimes.int8 import Judged, Limits, quantize
from refinedet.runtimes.parity import parity
from refinedet.runtimes.predictor import ExportedPredictor
from refinedet.scene.identity import package_version
from refinedet.tiling import letterbox
from refinedet.weights import shipped_weights

_CHIPS_MAX = 100
"""Most chips for the calibration of 8 bits: with 300 and 40, the shipped weights had the same AP on SSDD's val, to
0.1 points."""
MAX_DROP = 0.5
"""Largest loss of AP by 8 bits by default, in points."""
_PACKAGES = ("refinedet", "torch", "onnx", "onnxruntime", "openvino", "nncf")


@dataclass(frozen=True, slots=True)
class ExportSettings:
    """Settings of an export.

    Raises:
        InputError: the settings do not go together.
    """

    format: Format
    chips: Path | None = None
    """COCO record of annotated 8-bit chips; the report then has the AP of torch and of the export on them."""
    int8: bool = False
    """Compute in 8 bits; for OpenVINO only."""
    calibration: Path | None = None
    """Folder of train.json, val.json and their chips, for 8 bits."""
    max_drop: float | None = None
    """Largest loss of AP on val by 8 bits, in points; above it, layers return to float. None: MAX_DROP."""

    def __post_init__(self) -> None:
        if self.int8 and self.format != "openvino":
            raise InputError(f'expected `format="openvino"` for `int8`, found {self.format}; leave one of them out')
        if self.int8 and self.calibration is None:
            raise InputError("expected chips for `int8`, found none; name a folder like outputs/tile as `calibration`")
        if not self.int8 and self.calibration is not None:
            raise InputError("expected `int8` with `calibration`, found none; add it, or leave the folder out")
        if not self.int8 and self.max_drop is not None:
            raise InputError(f"expected `int8` with `max_drop`, found {self.max_drop:g} alone; add it, or leave it out")


@dataclass(frozen=True, slots=True)
class Export:
    """Files that an export has written, and the content of its report."""

    files: tuple[Path, ...]
    """The exported file first, its report last."""
    report: dict[str, Any]
    """Ready for JSON: format, hashes, versions, `parity`, and where asked for `int8` and `accuracy`."""


def export_and_measure(
    settings: ExportSettings,
    *,
    weights: Path | None = None,
    out: Path = Path("exported"),
    overwrite: bool = False,
) -> Export:
    """Write a checkpoint as an exported file, and beside it a report on its differences from torch.

    Args:
        settings: the format, and the measurements.
        weights: the checkpoint; None: the weights that come with the package.
        out: folder of the files, which get the name of the checkpoint.
        overwrite: replace files of an earlier export.

    Raises:
        FileError: a file exists and `overwrite` is false, or one is missing or cannot be written.
        InputError: the weights are no checkpoint, or the chips no COCO record of its classes.
        MissingExtra: a package of the format is not installed.
    """
    weights = weights or shipped_weights()
    files = _free_files(settings, weights.stem, out, overwrite=overwrite)
    path, report = files[0], files[-1]
    try:
        found: dict[str, Any] = {"format": settings.format, "weights_sha256": sha256_file(weights)}
        if settings.calibration is None:
            export(weights, path, settings.format)
        else:
            found["int8"] = export_in_8_bits(
                weights,
                path,
                settings.calibration,
                Limits(MAX_DROP if settings.max_drop is None else settings.max_drop),
            )
        ours, exported = TorchPredictor.load(weights, device="cpu"), ExportedPredictor.load(path)
        found |= {f"{one.suffix[1:]}_sha256": sha256_file(one) for one in files[:-1]}
        found["versions"] = {name: package_version(name) for name in _PACKAGES}
        found["parity"] = parity(ours, exported, simulated_chips())
        if settings.chips is not None:
            truth, root = read_record(settings.chips), settings.chips.parent
            found["accuracy"] = {
                "torch": measure_chips(ours, truth, root),
                settings.format: measure_chips(exported, truth, root),
            }
        write_json(report, found)
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise cannot_write(out, error, out) from error
    return Export(files, found)


def _free_files(settings: ExportSettings, stem: str, out: Path, *, overwrite: bool) -> tuple[Path, ...]:
    """Paths of an export; raises FileError if one exists and must not be replaced."""
    stem = f"{stem}_int8" if settings.int8 else stem
    path = out / f"{stem}{SUFFIXES[settings.format]}"
    weights = (path.with_suffix(".bin"),) if settings.format == "openvino" else ()
    files = (path, *weights, out / f"{stem}.{settings.format}.parity.json")
    taken = next((one for one in files if one.exists()), None)
    if taken is not None and not overwrite:
        raise FileError(f"expected no {taken} yet, found one; name another `out`, or set `overwrite` to replace it")
    return files


@dataclass(frozen=True, slots=True)
class CalibrationChips:
    """Chips of stage tile: train.json for the ranges, val.json for the measurement, and the chip files of both."""

    folder: Path
    train: Record
    val: Record

    @classmethod
    def read(cls, folder: Path, classes: tuple[str, ...]) -> Self:
        """Read both records.

        Raises:
            FileError: one of them is missing.
            InputError: one is no COCO record of these classes or has no chip, or that of val has no object.
        """
        records = []
        for name in ("train.json", "val.json"):
            if not (folder / name).is_file():
                raise FileError(
                    f"expected train.json and val.json, COCO records with their 8-bit chips, in {folder}, found no "
                    f"{name}; name a folder such as outputs/tile as `calibration`"
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
        """Functions that make the calibration canvases, from evenly spaced chips of train in the order of their names.

        Each makes one canvas (1, 3, H, W).
        """
        chips = sorted(image.file_name for image in self.train.images)
        step = max(1.0, len(chips) / _CHIPS_MAX)
        chosen = [chips[int(index * step)] for index in range(min(len(chips), _CHIPS_MAX))]
        return [partial(_canvas, self.folder / name, model.input_px, model.strides[-1]) for name in chosen]


class _Judge:
    """Judge of exported files on val; the first file is the float one, the reference for moves of boxes."""

    def __init__(self, chips: CalibrationChips) -> None:
        self._chips, self._first = chips, dict[int, Detections]()

    def __call__(self, path: Path) -> Judged:
        """Measure a file."""
        truth = self._chips.val
        found = predict_all(ExportedPredictor.load(path), truth, self._chips.folder)
        self._first = self._first or found
        return Judged(
            ap=float(coco_metrics(truth, found)["AP"] or 0.0),
            recall=recall_around_default(truth, found),
            moved_px=median_move_px(truth, self._first, found),
        )


def export_in_8_bits(weights: Path, path: Path, folder: Path, limits: Limits) -> dict[str, Any]:
    """Write a checkpoint as a file for OpenVINO in 8 bits; returns the entries of its report.

    Args:
        weights: the checkpoint.
        path: path of the .xml file; its weights lie beside it, as .bin.
        folder: folder of train.json, val.json and their chips.
        limits: largest loss on val by 8 bits.

    Raises:
        FileError, InputError, MissingExtra: as `export`, `CalibrationChips.read` and `quantize`.
    """
    header = read_header(weights)
    chips = CalibrationChips.read(folder, header.classes)
    canvases = chips.canvases(header.model)
    with tempfile.TemporaryDirectory(prefix="refinedet-") as scratch:
        source = export(weights, Path(scratch) / "float.xml", "openvino")
        found = quantize(source, path, canvases, _Judge(chips), limits)
    return {
        "AP_val_float": found.before.ap,
        "AP_val_int8": found.after.ap,
        "recall_val_float": found.before.recall,
        "recall_val_int8": found.after.recall,
        "moved_px": found.after.moved_px,
        "max_drop": limits.ap,
        "layers": found.layers,
        "layers_in_float": list(found.in_float),
        "calibration_chips": len(canvases),
        "train_sha256": sha256_file(folder / "train.json"),
        "val_sha256": sha256_file(folder / "val.json"),
    }


def _canvas(path: Path, input_px: int, stride: int) -> NDArray[np.uint8]:
    """Canvas (1, 3, H, W) that a predictor makes from a chip."""
    chip = read_chip(path)
    return on_canvas(chip, letterbox(chip.shape[1], chip.shape[0], input_px, stride))[None]
