"""Histograms of the sizes and aspect ratios of images and boxes. Works on arrays, not on files."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from refinedet.data.coco import Annotated

SIDES_PX = (0, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, np.inf)
IMAGE_PX = (0, 128, 256, 384, 512, 640, 768, 1024, 2048, 4096, 16384, np.inf)
ASPECTS = (1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 7, 10, np.inf)


def histograms(images: Sequence[Annotated]) -> dict[str, dict[str, int]]:
    """Title -> range of values -> count; empty ranges at either end are left out."""
    boxes = np.concatenate([np.zeros((0, 4), np.float32), *(image.boxes_xyxy for image in images)])
    size = boxes[:, 2:] - boxes[:, :2]
    pictures = np.array([(image.width, image.height) for image in images], float).reshape(-1, 2)
    return {
        "Longer side of boxes, px": _counts(size.max(axis=1), SIDES_PX),
        "Shorter side of boxes, px": _counts(size.min(axis=1), SIDES_PX),
        "Boxes: longer by shorter side": _counts(size.max(axis=1) / size.min(axis=1), ASPECTS),
        "Longer side of images, px": _counts(pictures.max(axis=1), IMAGE_PX),
        "Images: longer by shorter side": _counts(pictures.max(axis=1) / pictures.min(axis=1), ASPECTS),
        "Boxes in an image": _counts([len(image.boxes_xyxy) for image in images], (0, 1, 2, 3, 5, 10, 20, 50, np.inf)),
    }


def _counts(values: ArrayLike, edges: Sequence[float]) -> dict[str, int]:
    counts = np.histogram(np.asarray(values, float), edges)[0]
    filled = np.flatnonzero(counts)
    if not len(filled):
        return {}
    named = [f"{low:g} and more" if np.isinf(high) else f"{low:g} to {high:g}" for low, high in pairwise(edges)]
    return {named[i]: int(counts[i]) for i in range(filled[0], filled[-1] + 1)}
