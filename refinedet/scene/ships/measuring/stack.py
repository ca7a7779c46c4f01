"""Stacks of the pixels around boxes, of about one size each: what is computed for one box is computed for all. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from refinedet.scene.ships.measuring.crop import Box
from refinedet.scene.ships.measuring.resolution import Grey, Mask

_SMALL_PX = 50
"""Longer side of the pixels around a small ship."""
_ALIKE = 1.5
"""Largest ratio of the longer sides in one stack."""
_AT_ONCE = 1 << 19
"""Pixels in one stack, for the memory."""


class Around(NamedTuple):
    """Pixels around a box."""

    power: Grey
    """(H, W) intensity."""
    valid: Mask
    """(H, W) false where nothing was measured."""
    place: Box
    """The box in these pixels."""


class Stacked(NamedTuple):
    """Pixels around N boxes, in arrays (N, H, W)."""

    power: NDArray[np.float64]
    """Intensity; 0 where nothing was measured, and beyond the size of each."""
    valid: NDArray[np.bool_]
    """False where nothing was measured, and beyond the size of each."""
    size: NDArray[np.int64]
    """(N, 2) height and width of each."""
    boxes: NDArray[np.float64]
    """(N, 4) boxes."""


def grouped(members: Sequence[Around]) -> Iterator[list[int]]:
    """Yield the indices of those that go into one stack."""
    groups: dict[int, list[int]] = {}
    for index, one in enumerate(members):
        groups.setdefault(max(0, math.ceil(math.log(max(1, *one.power.shape) / _SMALL_PX, _ALIKE))), []).append(index)
    for size, group in groups.items():
        count = max(1, int(_AT_ONCE / (_SMALL_PX * _ALIKE**size) ** 2))
        yield from (group[first : first + count] for first in range(0, len(group), count))


def stacked(members: Sequence[Around]) -> Stacked:
    """Stack of the pixels around boxes."""
    size = np.array([one.power.shape for one in members], np.int64).reshape(-1, 2)
    shape = (len(members), *size.max(axis=0).tolist())
    power, valid = np.zeros(shape), np.zeros(shape, np.bool_)
    for layer, mask, one in zip(power, valid, members, strict=True):
        height, width = one.power.shape
        mask[:height, :width] = one.valid
        layer[:height, :width] = np.where(one.valid, one.power, 0.0)
    return Stacked(power, valid, size, np.array([one.place for one in members], np.float64).reshape(-1, 4))


def centred(size: NDArray[np.int64], boxes: NDArray[np.float64], margin: float) -> NDArray[np.int64]:
    """First and last + 1 row and column (N, 2, 2) whose centres lie in boxes that are larger by `margin`."""
    low, high = boxes[:, 1::-1] - margin, boxes[:, :1:-1] + margin
    first = np.clip(np.floor(low + 0.5), 0, size).astype(np.int64)
    last = np.maximum(first, np.minimum(np.ceil(high - 0.5), size)).astype(np.int64)
    return np.stack([first, last], axis=2)


def within(spans: NDArray[np.int64], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """(N, H, W) true in the rows and columns (N, 2, 2) from a first one up to a last one."""
    rows, columns = (
        (np.arange(length) >= spans[:, axis, :1]) & (np.arange(length) < spans[:, axis, 1:])
        for axis, length in enumerate(shape[-2:])
    )
    return np.asarray(rows[:, :, None] & columns[:, None])


def around(spans: NDArray[np.int64], margin: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows (N, h) and columns (N, w) of spans (N, 2, 2) that are larger by `margin`, as many for each."""
    sides = (spans[:, :, 1] - spans[:, :, 0]).max(axis=0, initial=0) + 2 * margin
    rows, columns = (spans[:, axis, :1] - margin + np.arange(side) for axis, side in enumerate(sides.tolist()))
    return rows, columns
