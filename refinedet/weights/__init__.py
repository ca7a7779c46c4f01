"""The weights that come with the package, and their model card beside them."""

from __future__ import annotations

from pathlib import Path

from refinedet.errors import FileError

_NAME = "refinedet_lite0_512.safetensors"


def shipped_weights() -> Path:
    """Path of the checkpoint that `refinedet detect` uses where none is named.

    Raises:
        FileError: it is not there, as in an installation that left out the package's data.
    """
    path = Path(__file__).parent / _NAME
    if not path.is_file():
        raise FileError(f"expected the weights of the package at {path}, found none; install refinedet again")
    return path
