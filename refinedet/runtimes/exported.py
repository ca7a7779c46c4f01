"""Metadata of an exported file: the header of its checkpoint, and the hash of that checkpoint."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal, Self

from refinedet.config.base import Settings, validated
from refinedet.errors import InputError
from refinedet.files import parse_json
from refinedet.model.checkpoint import Header, without_format

KEY = "refinedet"
"""Key of the text in the metadata of an ONNX file, or in the runtime information of an OpenVINO one."""
INPUT, OUTPUTS = "images", ("boxes", "scores")
"""Names in the graph: images (B, 3, H, W) uint8, boxes (B, N, 4) xyxy on the canvas, scores (B, N, K)."""
Format = Literal["onnx", "openvino"]
StoredPrecision = Literal["fp32", "int8"]
CHECKPOINT = ".safetensors"
"""Suffix of the checkpoint beside a graph that takes its weights from there."""
SUFFIXES: dict[Format, str] = {"onnx": ".onnx", "openvino": ".xml"}
LAYERS = ("Convolution", "ConvolutionBackpropData", "GroupConvolution", "MatMul")
"""OpenVINO's names of the operations with weights."""
REFUSED = 3
"""Exit status of `python -m refinedet.runtimes.export` for an error whose sentence is its last line."""
_FORMAT = 2


def weights_of(path: Path) -> Path:
    """Path of the weights beside an OpenVINO file (.bin) or a graph that `export_beside` wrote (its checkpoint)."""
    return path.with_suffix(".bin" if path.suffix.lower() == ".xml" else CHECKPOINT)


@validated(frozen=True, slots=True)
class Exported(Settings):
    """Metadata inside an exported file, beside its graph."""

    header: Header
    weights_sha256: str
    """Hash of the checkpoint that it was made from."""
    precision: StoredPrecision = "fp32"
    """Precision of the file; with int8, most layers have weights of 8 bits, and compute in them."""

    def to_text(self) -> str:
        """JSON text that is stored in the file."""
        content = {**self.to_dict(), "export": _FORMAT, "header": self.header.to_dict()}
        return json.dumps(content, sort_keys=True)

    @classmethod
    def from_text(cls, text: str, source: str) -> Self:
        """Build from the result of `to_text`, with a header of any format.

        Raises:
            InputError: `text` is something else or of a newer version, or a setting is of the wrong type or range.
        """
        content = parse_json(text, f"the metadata of {source}") if text else None
        if not isinstance(content, dict) or "export" not in content:
            raise InputError(
                f"expected a detector exported by `refinedet export` in {source}, found other metadata; export it again"
            )
        if content.pop("export") != _FORMAT:
            raise InputError(f"expected export format {_FORMAT} in {source}, found another; export it again")
        return cls.from_dict({**content, "header": without_format(content.get("header"), source)}, source)
