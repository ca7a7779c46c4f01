"""Reports of the detections of each window, as soon as it is finished."""

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
    """Detections of one window, before windows are merged. Each window that sees a ship in an overlap reports it."""

    window: Window
    """Window in pixels of the network: pixels of the scene, unless it was resampled."""
    detections: Detections
    """Detections in scene pixels, with scores from `score_min` up."""
    owned: Flags
    """(N,) true if this window owns the pixel at the centre of the detection. To count each ship once before the merge,
    take only these: a ship no longer than the overlap is whole in the window that owns its centre. Near a seam two
    windows may place that centre differently, so only the merged result of the scene is final."""
    centres_lonlat: NDArray[np.float64]
    """(N, 2) longitude and latitude of the centres in degrees; NaN if the scene has no position."""
    label: str | None = None
    """Name of the searched part of the scene, as in `SceneResult.label`. If two polarisations are searched, each report
    is of one of them."""


Stream = Callable[[WindowDetections], None]
"""Function that is called with each finished window that holds data, in the thread of the caller of `detect_scene`. An
error that it raises ends the run."""


def window_detections(
    window: Window, detections: Detections, seams: SeamGrid, position: Position | None, factors: Factors = SAME
) -> WindowDetections:
    """Report of a window of the grid `seams`, from detections in pixels of the network."""
    owned = np.asarray(seams.owner(detections.boxes_xyxy.astype(np.float64)) == seams.index[window], np.bool_)
    detections = detections_to_scene_pixels(detections, factors)
    boxes = detections.boxes_xyxy.astype(np.float64)
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    places = np.full_like(centres, np.nan) if position is None else position.lonlat(centres)
    return WindowDetections(window, detections, owned, places)
