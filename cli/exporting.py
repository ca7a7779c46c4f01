"""`refinedet export`: a checkpoint as a file for another engine, and what that costs in accuracy, measured at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cli.quantizing import accuracy, export_int8
from refinedet.errors import FileError, InputError
from refinedet.files import sha256_file, write_json
from refinedet.weights import shipped_weights

if TYPE_CHECKING:
    from refinedet.predictors.predictor import Chip, Predictor

_SIDE_PX, _SEED = 1024, 20261125
"""Of the simulated scene that is looked at where no chips are given."""


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What the command line asks for."""

    weights: Path | None
    format: Literal["onnx", "openvino"]
    out: Path
    chips: Path | None
    overwrite: bool
    int8: bool
    calibration: Path | None
    """Folder of train.json, val.json and their chips, for an INT8 file."""
    max_drop: float
    """Points of AP on val that 8 bits may cost."""

    def calibrated_on(self) -> Path | None:
        """The folder of chips for an INT8 file; None where the file is float.

        Raises:
            InputError: the options do not go together.
        """
        if self.int8 and self.format != "openvino":
            raise InputError(f"expected --format openvino for --int8, found {self.format}; leave one of them out")
        if self.int8 and self.calibration is None:
            raise InputError(
                "expected chips for --int8, found none; name a folder like outputs/tile with --calibration"
            )
        if not self.int8 and self.calibration is not None:
            raise InputError("expected --int8 with --calibration, found none; add it, or leave the folder out")
        return self.calibration


def export_and_compare(options: ExportOptions) -> tuple[list[Path], dict[str, Any]]:
    """Write the export and beside it its report; return the files and what the report says.

    Raises:
        FileError: a file exists and `overwrite` is false, or one is missing or cannot be written.
        InputError: the weights are no checkpoint, or the chips no COCO record of its classes.
        MissingExtra: a package of the format is not installed.
    """
    from refinedet.runtimes.export import export
    from refinedet.runtimes.exported import SUFFIXES
    from refinedet.runtimes.parity import parity
    from refinedet.runtimes.predictor import ExportedPredictor

    weights = options.weights or shipped_weights()
    calibration = options.calibrated_on()
    stem = weights.stem if calibration is None else f"{weights.stem}_int8"
    path = options.out / f"{stem}{SUFFIXES[options.format]}"
    report = options.out / f"{stem}.{options.format}.parity.json"
    written = [path, *([path.with_suffix(".bin")] if options.format == "openvino" else []), report]
    taken = [str(one) for one in written if one.exists()]
    if taken and not options.overwrite:
        raise FileError(f"expected no {taken[0]} yet, found one; name another --out, or replace it with --overwrite")
    try:
        found: dict[str, Any] = {"format": options.format, "weights_sha256": sha256_file(weights)}
        if calibration is None:
            export(weights, path, options.format)
        else:
            found["int8"] = export_int8(weights, path, calibration, options.max_drop)
        exported, ours = ExportedPredictor.load(path), _in_torch(weights)
        found |= {f"{one.suffix[1:]}_sha256": sha256_file(one) for one in written[:-1]}
        found |= {"versions": _versions(), "parity": parity(ours, exported, simulated_chips())}
        if options.chips is not None:
            found["accuracy"] = _accuracy(options.chips, {"torch": ours, options.format: exported})
        write_json(report, found)
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"expected to write into {options.out}, but that failed ({error}); is there room?") from error
    return written, found


def simulated_chips() -> list[Chip]:
    """Chips of a simulated scene with ships, land and missing pixels: four windows, a strip and a small one."""
    from refinedet.config import Radiometry
    from refinedet.data.simulation.scene import simulate
    from refinedet.data.simulation.spec import SceneSpec
    from refinedet.radiometry import scene_levels, to_uint8, valid_mask

    pixels = simulate(SceneSpec(width_px=_SIDE_PX, height_px=_SIDE_PX, ships=40, seed=_SEED)).pixels
    levels = scene_levels(pixels, pixels.dtype, None, Radiometry())
    whole = to_uint8(pixels, valid_mask(pixels, None), levels)
    half = _SIDE_PX // 2
    corners = [whole[y : y + half, x : x + half] for y in (0, half) for x in (0, half)]
    return [*corners, whole[:300, :half], whole[half : half + 90, half : half + 120]]


def _in_torch(weights: Path) -> Any:
    from refinedet.predictors.predictor import TorchPredictor

    return TorchPredictor.load(weights, device="cpu")


def _accuracy(record: Path, predictors: dict[str, Predictor]) -> dict[str, dict[str, float | None]]:
    """AP, AP50 and so on of each predictor on annotated chips, whose files lie beside their COCO record."""
    from refinedet.data.coco import read_record

    truth = read_record(record)
    rows: dict[str, dict[str, float | None]] = {}
    for name, predictor in predictors.items():
        if predictor.classes != truth.classes:
            raise InputError(
                f"expected chips of the classes {predictor.classes} in {record}, found {truth.classes}; name others"
            )
        rows[name] = accuracy(predictor, truth, record.parent)
    return rows


def _versions() -> dict[str, str | None]:
    from refinedet.scene.identity import package_version

    return {name: package_version(name) for name in ("refinedet", "torch", "onnx", "onnxruntime", "openvino", "nncf")}
