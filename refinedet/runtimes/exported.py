"""What an exported file says of itself: all that a checkpoint says, and which checkpoint that was."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal, Self

from refinedet.errors import InputError
from refinedet.model.checkpoint import Header

KEY = "refinedet"
"""Under which the text lies: in the metadata of an ONNX file, in the runtime information of an OpenVINO one."""
INPUT, OUTPUTS = "images", ("boxes", "scores")
"""Names in the graph: images (B, 3, H, W) uint8, boxes (B, N, 4) xyxy on the canvas, scores (B, N, K)."""
Format = Literal["onnx", "openvino"]
StoredPrecision = Literal["fp32", "int8"]
SUFFIXES: dict[Format, str] = {"onnx": ".onnx", "openvino": ".xml"}
LAYERS = ("Convolution", "ConvolutionBackpropData", "GroupConvolution", "MatMul")
"""OpenVINO's names of what has weights."""
REFUSED = 3
"""Exit status of `python -m refinedet.runtimes.export` that has said, in its last line, what is wrong."""
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Exported:
    """What travels inside an exported file, beside its graph."""

    header: Header
    weights_sha256: str
    """Of the checkpoint that it was made from."""
    precision: StoredPrecision = "fp32"
    """int8: most layers have weights of 8 bits, and compute in them."""

    def to_text(self) -> str:
        """As it is stored: JSON."""
        content = {
            "export": _FORMAT,
            "header": self.header.to_dict(),
            "precision": self.precision,
            "weights_sha256": self.weights_sha256,
        }
        return json.dumps(content, sort_keys=True)

    @classmethod
    def from_text(cls, text: str, source: str) -> Self:
        """From what `to_text` gave.

        Raises:
            InputError: it is something else, or of a newer version.
        """
        try:
            content: dict[str, Any] = json.loads(text)
            if content["export"] != _FORMAT:
                raise InputError(f"expected export format {_FORMAT} in {source}, found another; export it again")
            precision = content.get("precision", "fp32")  # absent in the first exports
            return cls(Header.from_dict(content["header"], source), content["weights_sha256"], precision)
        except (KeyError, TypeError, json.JSONDecodeError) as error:
            raise InputError(
                f"expected a detector exported by `refinedet export` in {source}, found other metadata; export it again"
            ) from error
