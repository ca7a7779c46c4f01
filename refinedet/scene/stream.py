"""Detections of each finished window, for a caller that does not wait for the whole scene."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from refinedet.detections import Detections
from refinedet.geo.position import Position
from refinedet.scene.windows.pixel_size import SAME, Factors, detections_to_scene_pixels
from refinedet.scene.windows.seams import Flags, SeamGrid
from refinedet.tiling import Window


@dataclass(frozen=True, slots=True)
class WindowDetections:
    """Detections of one window, before windows are merged; a ship in an overlap comes from each window that sees it."""

    window: Window
    """Window in the pixels that the network saw: those of the scene, unless it was resampled."""
    detections: Detections
    """Detections in scene pixels, from the wanted score up."""
    owned: Flags
    """(N,) true if this window owns the pixel at the centre of the detection. To count each ship once and early, take
    these alone: a ship no longer than the overlap is whole in the window that owns its centre. Near a seam two windows
    may place that centre differently; the merged result of the scene is final."""
    centres_lonlat: NDArray[np.float64]
    """(N, 2) degrees; NaN where the scene has no position."""
    label: str | None = None
    """Part of the scene that was looked at, as in `SceneResult.label`; of two polarisations, the one of these
    detections: the other comes in reports of its own."""


Stream = Callable[[WindowDetections], None]
"""Function that gets each finished window that holds data, in the thread of the caller of `detect_scene`. An error that
it raises ends the run."""


def window_detections(
    window: Window, detections: Detections, seams: SeamGrid, position: Position | None, factors: Factors = SAME
) -> WindowDetections:
    """Report of a window of the grid `seams`; its detections are in the pixels that the network saw."""
    owned = np.asarray(seams.owner(detections.boxes_xyxy.astype(np.float64)) == seams.index[window], np.bool_)
    detections = detections_to_scene_pixels(detections, factors)
    boxes = detections.boxes_xyxy.astype(np.float64)
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    places = np.full_like(centres, np.nan) if position is None else position.lonlat(centres)
    return WindowDetections(window, detections, owned, places)
