"""What is known of a scene while it is being worked on: the detections of one finished window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from refinedet.detections import Detections
from refinedet.geo.position import Position
from refinedet.scene.windows.scaling import SAME, Factors, detections_to_scene_pixels
from refinedet.scene.windows.seams import Flags, SeamGrid
from refinedet.tiling import Window


@dataclass(frozen=True, slots=True)
class WindowDetections:
    """What a window shows, before windows are merged: ships in an overlap come once from each window that sees them."""

    window: Window
    """In the pixels that the network saw: those of the scene, unless it was looked at in another size."""
    detections: Detections
    """In scene pixels, from the wanted score up."""
    owned: Flags
    """(N,) whether this window owns the pixel at the centre of the detection. To count each ship once and early, look
    at these alone: a ship no longer than the overlap is whole in the window that owns its centre. Near a seam two
    windows may differ on where that is; the merged result of the scene has the last word."""
    centres_lonlat: NDArray[np.float64]
    """(N, 2) degrees; NaN where the scene has no position."""


Stream = Callable[[WindowDetections], None]
"""Called with each finished window that holds data, in the thread of the caller of `detect_scene`; an error that it
raises ends the run."""


def window_detections(
    window: Window, found: Detections, seams: SeamGrid, position: Position | None, factors: Factors = SAME
) -> WindowDetections:
    """What is told of a window of the grid `seams` in which `found` was found, in the pixels that the network saw."""
    owned = np.asarray(seams.owner(found.boxes_xyxy.astype(np.float64)) == seams.index[window], np.bool_)
    found = detections_to_scene_pixels(found, factors)
    boxes = found.boxes_xyxy.astype(np.float64)
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    places = np.full_like(centres, np.nan) if position is None else position.lonlat(centres)
    return WindowDetections(window, found, owned, places)
