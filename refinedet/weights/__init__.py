"""Weights that come with the package, their graphs, and their model card."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from refinedet.errors import FileError
from refinedet.files import sha256_file

_FOLDER = Path(__file__).parent
_NAME = "refinedet_lite0_512.safetensors"


def shipped_weights() -> Path:
    """Path of the checkpoint in the package, the default of detection.

    Raises:
        FileError: it is missing, as in an installation without the package's data.
    """
    path = _FOLDER / _NAME
    if not path.is_file():
        raise FileError(f"expected the weights of the package at {path}, found none; install refinedet again")
    return path


def shipped_graph(weights: Path, precision: Literal["fp32", "int8"] = "fp32") -> Path | None:
    """Path of the graph of a checkpoint in the package, ready to run; None for any other checkpoint.

    The float graph takes its weights from the checkpoint beside it (`runtimes.beside`); that in 8 bits is a file for
    OpenVINO.
    """
    own = _FOLDER / _NAME
    graph = own.with_suffix(".onnx") if precision == "fp32" else own.with_name(f"{own.stem}_int8.xml")
    if not graph.is_file() or not own.is_file() or not weights.is_file():
        return None
    same = weights.resolve() == own.resolve() or (
        weights.stat().st_size == own.stat().st_size and sha256_file(weights) == sha256_file(own)
    )
    return graph if same else None
