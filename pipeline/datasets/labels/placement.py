"""Check that labelled boxes lie on what is bright: in radar images ships do, whatever the format of the labels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from refinedet.boxes import Boxes
from refinedet.data.coco import Record
from refinedet.data.shards import read_chip
from refinedet.scene.input.pixels.colours import are_coloured

_FEWEST, _MOST_CHIPS = 10, 100
"""Least number of boxes that are judged, and most chips that are read for them."""
_BRIGHTER = 1.1
"""Least ratio of the mean in a box to that around it, of a box that is brighter."""
_LEAST_SHARE = 0.75
"""Least share of brighter boxes. Labels of ships in SSDD, HRSID and Sentinel-1 have 0.99. Boxes whose centre was taken
for a corner have 0.59 at most, and boxes at other wrong places 0.35."""
_LEAST_RIM_PX = 4


def note_on_placement(record: Record, folder: Path) -> str | None:
    """Sentence if most boxes of 8-bit grey chips are no brighter than what lies around them; None if they are.

    Args:
        record: the chips and their boxes; ignored boxes do not count.
        folder: folder of the files of the chips.

    Raises:
        FileError: a chip is missing or damaged.
    """
    labelled = [image for image in record.images if not record.ignored[image.id].all()]
    brighter: list[bool] = []
    for image in labelled[:: max(1, len(labelled) // _MOST_CHIPS)]:
        chip = read_chip(folder / image.file_name)
        if chip.ndim == 3 and are_coloured(chip):
            continue
        grey = chip if chip.ndim == 2 else chip[..., 0]
        ratios = _ratios(grey.astype(np.float64), record.boxes[image.id][~record.ignored[image.id]])
        brighter.extend(ratio >= _BRIGHTER for ratio in ratios)
    if len(brighter) < _FEWEST or np.mean(brighter) >= _LEAST_SHARE:
        return None
    return (
        f"only {sum(brighter)} of {len(brighter)} boxes are brighter than what lies around them, as ships are in radar "
        "images: do the boxes fit the images, and are their four numbers in the order that the format wants?"
    )


def _ratios(grey: NDArray[np.float64], boxes: Boxes) -> Iterator[float]:
    """Yield the mean in each box over the mean of the rim around it, half as wide as the box."""
    height, width = grey.shape
    for x1, y1, x2, y2 in boxes.tolist():
        rim_x, rim_y = max(_LEAST_RIM_PX, (x2 - x1) / 2), max(_LEAST_RIM_PX, (y2 - y1) / 2)
        inner = grey[_cut(y1, y2, height), _cut(x1, x2, width)]
        outer = grey[_cut(y1 - rim_y, y2 + rim_y, height), _cut(x1 - rim_x, x2 + rim_x, width)]
        around = outer.size - inner.size
        if inner.size and around:
            yield float(inner.mean() / max((outer.sum() - inner.sum()) / around, 1.0))


def _cut(first: float, last: float, length: int) -> slice:
    return slice(max(int(np.floor(first)), 0), min(int(np.ceil(last)), length))
