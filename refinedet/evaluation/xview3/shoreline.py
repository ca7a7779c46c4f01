"""Shoreline files of the xView3-SAR contest, `<scene id>_shoreline.npy`: contours in rows and columns of a scene."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from refinedet.data.xview3 import PIXEL_M
from refinedet.errors import FileError, InputError

_PARTS = {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
}
"""Names that a pickle may use: only those that build arrays. Others could run code."""


class _Arrays(pickle.Unpickler):
    """Reader of pickled arrays, and of nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _PARTS:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return super().find_class(module, name)


def read_shoreline(folder: Path, scene: str) -> NDArray[np.float64]:
    """Read points (N, 2) of the shoreline of a scene: row and column in pixels.

    The contest's files are pickled. The reader builds only arrays from them, so a file runs no code.

    Raises:
        FileError: there is no such file.
        InputError: it holds something else.
    """
    path = folder / f"{scene}_shoreline.npy"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FileError(
            f"expected the shoreline of scene {scene} at {path}, but it cannot be read ({error.strerror}); "
            "leave `shoreline` out to do without"
        ) from error
    try:
        return _points(content)
    except Exception as error:  # a pickle can fail in any way
        raise InputError(
            f"expected contours of rows and columns in {path}, found something else ({error}); fetch it again"
        ) from error


def close_to(shore: NDArray[np.float64], places: NDArray[np.float64], metres: float) -> NDArray[np.bool_]:
    """(N,) true for places (N, 2) with a point of the shore within `metres`; a point at distance 0 does not count."""
    if len(shore) == 0 or len(places) == 0:
        return np.zeros(len(places), bool)
    tree = KDTree(shore)
    within, at = (tree.query_ball_point(places, reach, return_length=True) for reach in (metres / PIXEL_M, 0.0))
    return np.asarray(within > at, bool)


def _points(content: bytes) -> NDArray[np.float64]:
    stream = io.BytesIO(content)
    if np.lib.format.read_magic(stream) != (1, 0):
        raise ValueError("a newer layout of the file")
    shape, _, kind = np.lib.format.read_array_header_1_0(stream)
    contours = _Arrays(stream).load() if kind.hasobject else np.load(io.BytesIO(content), allow_pickle=False)
    if not isinstance(contours, np.ndarray) or contours.shape != shape:
        raise ValueError("no array")
    parts = [np.asarray(one, np.float64).reshape(-1, 2) for one in contours]
    points = np.concatenate([np.zeros((0, 2)), *parts])
    if not np.isfinite(points).all():
        raise ValueError("a point is no number")
    return points
