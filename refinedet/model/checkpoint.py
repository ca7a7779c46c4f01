"""One safetensors file that carries weights, configuration, classes, radiometry and provenance. Never pickle."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from safetensors import SafetensorError, safe_open

from refinedet.config import ModelConfig, PostprocessConfig, Radiometry
from refinedet.errors import FileError, InputError
from refinedet.files import atomic_path, sha256_file

if TYPE_CHECKING:
    from torch import Tensor

    from refinedet.model.network import RefineDet

_KEY = "refinedet"
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Header:
    """What a checkpoint says of itself, without its weights."""

    model: ModelConfig
    classes: tuple[str, ...]
    radiometry: Radiometry
    provenance: dict[str, Any]
    """Where it came from: data set, hashes of inputs, seed, epochs, metrics on val. Free form."""
    operating_score: float = 0.5
    """The network's own score at which F1 is best on val; predictors report it as 0.5."""
    postprocess: PostprocessConfig = field(default_factory=PostprocessConfig)
    """The recipe's way from raw outputs to detections; predictors follow it unless told otherwise."""

    def __post_init__(self) -> None:
        if len(self.classes) != self.model.num_classes:
            raise InputError(f"expected {self.model.num_classes} class names, found {list(self.classes)}")

    @classmethod
    def from_dict(cls, content: dict[str, Any], source: str) -> Self:
        """From what `to_dict` gave; `source` names the file in errors.

        Raises:
            KeyError: an entry is missing.
            InputError: it is of a newer format, or a setting is out of range.
        """
        if content["format"] != _FORMAT:
            raise InputError(
                f"expected checkpoint format {_FORMAT} in {source}, found {content['format']}; upgrade refinedet"
            )
        return cls(
            ModelConfig.from_dict(content["model"]),
            tuple(content["classes"]),
            Radiometry.from_dict(content["radiometry"]),
            content["provenance"],
            content["operating_score"],
            PostprocessConfig.from_dict(content.get("postprocess", {})),  # absent in the first checkpoints
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain dictionary, as stored in the file."""
        return {
            "format": _FORMAT,
            "model": self.model.to_dict(),
            "classes": list(self.classes),
            "radiometry": self.radiometry.to_dict(),
            "provenance": self.provenance,
            "operating_score": self.operating_score,
            "postprocess": self.postprocess.to_dict(),
        }


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
    """Read what a checkpoint is, without its weights and without torch.

    Raises:
        FileError: missing or not a whole safetensors file.
        InputError: a safetensors file of something else, or of a newer format.
    """
    metadata = _open_metadata(Path(path))
    try:
        return Header.from_dict(json.loads(metadata[_KEY]), str(path))
    except (KeyError, json.JSONDecodeError) as error:
        raise InputError(f"expected a refinedet checkpoint at {path}, found other safetensors content") from error


def describe_checkpoint(path: Path) -> dict[str, Any]:
    """Describe a checkpoint as JSON values: all that its header says, and `sha256` and `bytes` of the file.

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
    from safetensors.torch import load_file

    from refinedet.model.network import RefineDet

    header = read_header(path)
    model = RefineDet(replace(header.model, backbone_weights="none"))  # all weights are in the file
    try:
        model.load_state_dict(load_file(path))
    except RuntimeError as error:
        raise InputError(f"expected weights that fit the configuration in {path}, found others ({error})") from error
    return model.eval(), header


def _open_metadata(path: Path) -> dict[str, str]:
    if not path.is_file():
        raise FileError(f"expected a checkpoint (.safetensors) at {path}, found none; train one with `dvc repro`")
    try:
        with safe_open(path, framework="np") as stream:
            return stream.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise FileError(f"expected a whole safetensors file at {path}, found something else ({error})") from error
