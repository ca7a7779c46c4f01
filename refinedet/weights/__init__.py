"""Weights that come with the package, and their model card."""

from __future__ import annotations

from pathlib import Path

from refinedet.errors import FileError

_NAME = "refinedet_lite0_512.safetensors"


def shipped_weights() -> Path:
    """Path of the checkpoint in the package, the default of detection.

    Raises:
        FileError: it is missing, as in an installation without the package's data.
    """
    path = Path(__file__).parent / _NAME
    if not path.is_file():
        raise FileError(f"expected the weights of the package at {path}, found none; install refinedet again")
    return path
