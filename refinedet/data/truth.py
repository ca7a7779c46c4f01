"""Boxes on their way into a record: cleaned one by one, and every change told."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinedet.boxes import Boxes, area, as_boxes, clip

Corners = tuple[float, float, float, float]
"""x1, y1, x2, y2 in pixels, half-open, not yet checked against the image."""

LARGEST = 1e15
"""Its square is finite in float32; no image is as large."""

CLIPPED = "clipped"
"""What befell a box that reached beyond its image and was cut to it; the other fates are reasons to drop one."""


@dataclass(frozen=True, slots=True)
class BoxChange:
    """One box that reading changed or left out."""

    file_name: str
    """Of its image; empty where the box names none that is listed."""
    fate: str
    """CLIPPED, or why it was dropped."""
    corners_xyxy: Corners | None
    """As they were; None where they are no four numbers."""


@dataclass(slots=True)
class Changes:
    """What reading changed, so that nothing is lost in silence."""

    dropped: Counter[str] = field(default_factory=Counter)
    """Reason -> boxes left out."""
    clipped: int = 0
    """Boxes that reached beyond their image and were cut to it."""
    boxes: list[BoxChange] = field(default_factory=list)
    """The same one by one, in the order of reading."""

    def drop(self, reason: str, file_name: str = "", corners_xyxy: Corners | None = None) -> None:
        """Count a box that is left out."""
        self.dropped[reason] += 1
        self.boxes.append(BoxChange(file_name, reason, corners_xyxy))

    def clip(self, file_name: str, corners_xyxy: Corners) -> None:
        """Count a box that is cut to its image."""
        self.clipped += 1
        self.boxes.append(BoxChange(file_name, CLIPPED, corners_xyxy))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"dropped": dict(sorted(self.dropped.items())), "clipped": self.clipped}


class ImageTruth:
    """Boxes of one image on their way into a record: cleaned one by one, each change counted."""

    def __init__(self, width: int, height: int, changes: Changes, file_name: str = "") -> None:
        self._size, self._changes, self._name = (width, height), changes, file_name
        self._rows: dict[tuple[float, ...], bool] = {}

    def add(self, corners_xyxy: Corners, label: int, *, ignored: bool) -> None:
        """Take a box, cut to the image; one not finite, without area, outside the image or repeated is dropped."""
        found = _clipped(corners_xyxy, self._size)
        if isinstance(found, str):
            self._changes.drop(found, self._name, corners_xyxy)
            return
        row, clipped = (*found[0], float(label)), found[1]
        if row in self._rows:
            self._changes.drop("repeated", self._name, corners_xyxy)
            return
        if clipped:
            self._changes.clip(self._name, corners_xyxy)
        self._rows[row] = ignored

    def arrays(self) -> tuple[Boxes, NDArray[np.int64], NDArray[np.bool_]]:
        """Boxes (N, 4), labels (N,) and whether they are ignored (N,), in the order they came."""
        labels = np.array([row[4] for row in self._rows], np.int64)
        return as_boxes([row[:4] for row in self._rows]), labels, np.array(list(self._rows.values()), np.bool_)


def _clipped(corners_xyxy: Corners, size: tuple[int, int]) -> str | tuple[tuple[float, ...], bool]:
    """Corners of a box within its image and whether it was cut, or why it is dropped."""
    if not all(abs(corner) <= LARGEST for corner in corners_xyxy):
        return "not finite"
    corners = as_boxes([corners_xyxy])
    if not area(corners)[0] > 0:
        return "without area"
    inside = clip(corners, *size)
    if not area(inside)[0] > 0:
        return "outside the image"
    return tuple(inside[0].tolist()), bool((inside != corners).any())
