"""Pictures and chips of the real samples: grey levels, and masks of ships and land."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage, special

from pipeline.datasets.real_scenes.laying import rim
from refinedet.boxes import Boxes, as_boxes

LEVEL = 100.0
"""Median amplitude of the sea to which chips are scaled."""
DARK = 0.2
"""Share of a rim that counts as dark."""
_LOOKS = 4.4
_DRAWN_PX = 1.4
"""Distance of a drawn box from the pixels that stand out by a third, as for ships in patches (signatures.py)."""
_HULL = 6.0
"""Amplitude from which a pixel belongs to a boat of any brightness, over that of the sea. Side lobes have up to 4."""
SHIP, LAND = (153, 76, 0), (0, 153, 0)
"""Colours of ships and land in the masks of slicks."""
GROW_PX = 3
"""Pixels by which marked ships and land are grown, for the test of what a box covers."""

Picture = NDArray[Any]
Shapes = NDArray[np.bool_]


def read_chip(path: Path, dark: float = DARK) -> NDArray[np.float32]:
    """Read a chip, and scale it so that the `dark` quantile of its rim equals that of the sea."""
    pixels = np.asarray(Image.open(path).convert("L"), np.float32)
    ends = max(1.0, float(np.quantile(rim(pixels), dark)))
    return pixels * np.float32(LEVEL * dark_of_median(dark) / ends)


def dark_of_median(dark: float) -> float:
    """The `dark` quantile of the amplitude of a sea of 4.4 looks, over its median."""
    return float(np.sqrt(special.gammaincinv(_LOOKS, dark) / special.gammaincinv(_LOOKS, 0.5)))


def read_boat(chip: NDArray[np.float32]) -> tuple[Boxes, Boxes]:
    """Box of the boat in a chip, and boxes of other bright areas.

    The boat is the area around the brightest pixel above a third of the highest amplitude, with gaps of a pixel closed.
    Beside a very bright pixel, the rest of the hull has less; it has at least six times the amplitude of the sea.
    """
    level = float(np.median(chip))
    least = min(level + (chip.max() - level) / 3, _HULL * level)
    bright = ndimage.binary_closing(np.pad(chip > least, 2), np.ones((3, 3)))[2:-2, 2:-2]
    labels, _ = ndimage.label(bright, np.ones((3, 3)))
    own = labels[np.unravel_index(np.argmax(chip), chip.shape)]
    grown = np.float32(_DRAWN_PX) * np.array([-1, -1, 1, 1], np.float32)
    return mask_boxes(labels == own) + grown, mask_boxes((labels > 0) & (labels != own)) + grown


def mask_boxes(marked: Shapes) -> Boxes:
    """Boxes around the connected areas of a mask."""
    places = ndimage.find_objects(ndimage.label(marked, np.ones((3, 3)))[0])
    return as_boxes([(c.start, r.start, c.stop, r.stop) for r, c in places])


def slick_truth(mask: Picture, grow_px: int = GROW_PX) -> tuple[Boxes, Shapes]:
    """Boxes of the ships and the land (H, W), both grown by `grow_px`, in a mask (H, W, 3)."""
    ships = (mask == SHIP).all(axis=2)
    land = (mask == LAND).all(axis=2)
    grown = ndimage.binary_dilation(ships, np.ones((3, 3)), grow_px)
    return mask_boxes(grown), ndimage.binary_dilation(land, np.ones((3, 3)), grow_px) if land.any() else land


def half_of(path: Path, half: str) -> Image.Image:
    """Left or right half of a picture, in grey."""
    pixels = np.asarray(Image.open(path).convert("L"))
    middle = pixels.shape[1] // 2
    return Image.fromarray(np.ascontiguousarray(pixels[:, :middle] if half == "left" else pixels[:, middle:]))
