"""Checkpoints: one safetensors file with weights, configuration, classes, radiometry and provenance, without pickle."""

from __future__ import annotations

import json
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import Field
from safetensors import SafetensorError, safe_open

from refinedet.config import ModelConfig, PostprocessConfig, Radiometry, TrainedOn
from refinedet.config.base import Settings, check, made_of, validated
from refinedet.errors import FileError, InputError
from refinedet.files import atomic_path, parse_json, sha256_file

if TYPE_CHECKING:
    from torch import Tensor

    from refinedet.model.network import RefineDet

_KEY = "refinedet"
_FORMAT = 2
_SHIP = {"ship", "ships"}
_TORCH_SUFFIXES = {".pt", ".pth"}


@validated(frozen=True, slots=True)
class Header(Settings):
    """Header of a checkpoint: everything but its weights."""

    model: ModelConfig
    classes: tuple[str, ...]
    radiometry: Radiometry
    provenance: dict[str, Any]
    """Origin of the weights, in free form: data set, hashes of inputs, seed, epochs, metrics on val."""
    operating_score: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """Score of the network, for a box of middle size, that is best on val; predictors report it as 0.5."""
    size_slope: Annotated[float, Field(ge=0, le=2)] = 0.0
    """Change of that score with the size of a box, as in `PostprocessConfig`."""
    postprocess: PostprocessConfig = field(default_factory=PostprocessConfig)
    """Postprocessing of the recipe; it is the default of predictors."""
    trained_on: TrainedOn = field(default_factory=TrainedOn)
    """Windows and pixel sizes that the weights know."""

    def __post_init__(self) -> None:
        count = self.model.num_classes
        check(len(self.classes) == count, "classes", f"{count} class names", list(self.classes))

    def calibrated(self, postprocess: PostprocessConfig | None = None) -> PostprocessConfig:
        """Return `postprocess`, by default that of the recipe, with the operating score and slope of these weights."""
        return replace(
            postprocess or self.postprocess, operating_score=self.operating_score, size_slope=self.size_slope
        )

    @property
    def finds_ships(self) -> bool:
        """True if the weights find ships: their one class says so, or training began with weights that find ships."""
        return means_ship(self.classes) or (self.trained_on.ships and len(self.classes) == 1)

    @classmethod
    def from_dict(cls, values: Any, source: str = "") -> Self:
        """Build from the result of `to_dict`, or an earlier format of it; `source` names the file in errors.

        Raises:
            InputError: `values` are something else or of a newer format, or a setting is of the wrong type or range.
        """
        return made_of(cls, without_format(values, source), source)

    def to_dict(self) -> dict[str, Any]:
        """Plain dictionary, as stored in the file."""
        return {"format": _FORMAT, **Settings.to_dict(self)}


def means_ship(classes: tuple[str, ...]) -> bool:
    """True if the names of the classes mean ships only."""
    return len(classes) == 1 and classes[0].strip().casefold() in _SHIP


def without_format(values: Any, source: str) -> dict[str, Any]:
    """Settings of a header, from its stored form of any format.

    In format 1, the cutting of scenes was the entry `tile` of the provenance, and pixel sizes were not known.

    Raises:
        InputError: `values` are no header, or one of a newer format.
    """
    known = values.get("format") if isinstance(values, dict) else None
    if type(known) is not int or known < 1:
        raise InputError(f"expected the header of a refinedet checkpoint in {source}, found something else")
    if known > _FORMAT:
        raise InputError(f"expected checkpoint format {_FORMAT} or less in {source}, found {known}; upgrade refinedet")
    settings = {name: value for name, value in values.items() if name != "format"}
    provenance = settings.get("provenance")
    if known == 1 and isinstance(provenance, dict):
        settings["provenance"] = {name: value for name, value in provenance.items() if name != "tile"}
        settings["trained_on"] = {"windows": provenance.get("tile", {})}
    return settings


def save_checkpoint(path: str | Path, weights: dict[str, Tensor], header: Header) -> None:
    """Write weights and header atomically; equal content gives equal bytes.

    Raises:
        InputError: a weight is NaN or infinite. Such a file is never written.
    """
    from safetensors.torch import save_file

    for name, tensor in weights.items():
        if not tensor.isfinite().all():
            raise InputError(f"expected finite weights, found NaN or infinity in '{name}'; the training has diverged")
    metadata = {_KEY: json.dumps(header.to_dict(), sort_keys=True)}  # one key: the order of several is not stable
    with atomic_path(path) as temporary:
        save_file({k: v.detach().cpu().contiguous() for k, v in weights.items()}, temporary, metadata=metadata)


def read_header(path: str | Path) -> Header:
    """Read the header of a checkpoint, without its weights and without torch.

    Raises:
        FileError: the file is missing or not a whole safetensors file.
        InputError: the file holds something else or a newer format, or a setting in it is out of range.
    """
    metadata = _open_metadata(Path(path))
    if _KEY not in metadata:
        raise InputError(f"expected a refinedet checkpoint at {path}, found other safetensors content")
    return Header.from_dict(parse_json(metadata[_KEY], f"the header of {path}"), str(path))


def describe_checkpoint(path: Path) -> dict[str, Any]:
    """Describe a checkpoint as JSON values: its header, and `sha256` and `bytes` of the file.

    Raises:
        FileError, InputError: as `read_header`.
    """
    return read_header(path).to_dict() | {"sha256": sha256_file(path), "bytes": path.stat().st_size}


def load_model(path: str | Path) -> tuple[RefineDet, Header]:
    """Build the network of a checkpoint and load its weights (on the CPU, in evaluation mode).

    Raises:
        FileError: missing or damaged file.
        InputError: not a refinedet checkpoint, or weights that do not fit its own configuration.
    """
    from refinedet.model.network import RefineDet

    header = read_header(path)
    model = RefineDet(replace(header.model, backbone_weights="none"))  # all weights are in the file
    try:
        model.load_state_dict(read_weights(path))
    except RuntimeError as error:
        raise InputError(f"expected weights that fit the configuration in {path}, found others ({error})") from error
    return model.eval(), header


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """Read the weights of a checkpoint by name, on the CPU.

    Raises:
        FileError: a weight is NaN or infinite; such a file was never written by `save_checkpoint`.
    """
    from safetensors.torch import load_file

    weights = load_file(path)
    for name, tensor in weights.items():
        if not tensor.isfinite().all():
            raise FileError(
                f"expected finite weights in {path}, found NaN or infinity in '{name}'; the file is damaged, so fetch "
                "or copy it again"
            )
    return weights


def _open_metadata(path: Path) -> dict[str, str]:
    if not path.is_file():
        raise FileError(f"expected a checkpoint (.safetensors) at {path}, found none; check the name")
    try:
        with safe_open(path, framework="np") as stream:
            return stream.metadata() or {}
    except (SafetensorError, OSError) as error:
        if path.suffix.lower() in _TORCH_SUFFIXES:
            raise FileError(
                f"expected a checkpoint of refinedet (.safetensors) or an ONNX file (.onnx) at {path}, found a file of "
                "torch, which may run code when it is read and so is not read; export your network to ONNX (with "
                "Ultralytics: `yolo export model=best.pt format=onnx`) and name that file"
            ) from error
        raise FileError(f"expected a whole safetensors file at {path}, found something else ({error})") from error
