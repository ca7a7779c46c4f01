"""Pictures in colours: grey ones with coloured marks, and composites, whose channels are different images. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

_CLEAR_STEPS, _FEW_PIXELS = 16, 0.05
"""Least difference between the channels of a coloured pixel in 8 bits, and the share of such pixels in a grey picture
with a few coloured marks."""
_MARK_STEPS = 96
"""Least difference between the channels of a coloured line or letter. No grey picture of a radar has any such pixel."""
_FEW_COLOURS = 2048
"""Number of colours that a colour scale of a map does not reach, even with noise from compression beside the few that
fill most of it."""
_SAME_SPECKLE = 0.9
"""Least correlation of the steps between neighbours in two channels that show the same image."""


def are_coloured(sample: NDArray[Any]) -> bool:
    """True if the channels of a sample (h, w, 3) differ clearly in more than a few pixels, unlike those of a grey."""
    return bool((channel_span(sample) > _CLEAR_STEPS).mean() > _FEW_PIXELS)


def marked_share(sample: NDArray[Any]) -> float:
    """Share of the pixels of a sample (h, w, 3) of a grey picture on which coloured lines or letters are drawn."""
    return 0.0 if are_coloured(sample) else float((channel_span(sample) >= _MARK_STEPS).mean())


def channel_span(pixels: NDArray[Any]) -> NDArray[Any]:
    """Difference (h, w) between the highest and the lowest channel of pixels (h, w, 3)."""
    channels = np.moveaxis(pixels, 2, 0)  # a reduction along such a short axis takes ten times as long
    return np.asarray(reduce(np.maximum, channels) - reduce(np.minimum, channels))


def composite_channel(blocks: Sequence[NDArray[np.uint8]]) -> int | None:
    """Index of the first image of a picture whose channels are different images, such as two polarisations; else None.

    A channel of one value, such as a mask of all pixels, is no image.

    Args:
        blocks: full-resolution blocks (h, w, 3) of a picture.
    """
    if not blocks or not are_coloured(pixels := np.concatenate([block.reshape(1, -1, 3) for block in blocks], axis=1)):
        return None
    flat = pixels.reshape(-1, 3)
    if len(np.unique(flat.astype(np.uint32) @ np.array([1, 256, 65536], np.uint32))) <= _FEW_COLOURS:
        return None
    steps = np.concatenate([np.diff(block.astype(np.float64), axis=1).reshape(-1, 3) for block in blocks])
    images = np.flatnonzero(steps.std(axis=0) > 0)
    if len(images) < 2:
        return None
    alike = np.abs(np.corrcoef(steps[:, images].T)[np.triu_indices(len(images), 1)])
    return int(images[0]) if alike.min() < _SAME_SPECKLE else None
