"""Cleaning of annotated boxes one by one, with a record of every change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinedet.boxes import Boxes, area, as_boxes, clip

Corners = tuple[float, float, float, float]
"""Corners x1, y1, x2, y2 in pixels, half-open, not yet checked against the image."""

LARGEST = 1e15
"""Largest accepted corner; its square is finite in float32, and no image is as large."""

CLIPPED = "clipped"
"""Fate of a box that was cut to its image; the other fates are reasons to drop a box."""


@dataclass(frozen=True, slots=True)
class BoxChange:
    """One box that reading changed or left out."""

    file_name: str
    """File name of its image; empty if the box names no listed image."""
    fate: str
    """CLIPPED, or the reason why it was dropped or ignored."""
    corners_xyxy: Corners | None
    """Corners before the change; None if they are not four numbers."""


@dataclass(slots=True)
class Changes:
    """Record of the changes that reading made, so that no box is lost without notice."""

    dropped: Counter[str] = field(default_factory=Counter)
    """Reason -> number of boxes left out."""
    clipped: int = 0
    """Number of boxes that reached beyond their image and were cut to it."""
    ignored: Counter[str] = field(default_factory=Counter)
    """Reason -> number of objects that cannot be read; their place is neither object nor background."""
    derived: Counter[str] = field(default_factory=Counter)
    """Drawing, such as polygon -> number of boxes derived from it."""
    boxes: list[BoxChange] = field(default_factory=list)
    """Changes one by one, in the order of reading."""

    def drop(self, reason: str, file_name: str = "", corners_xyxy: Corners | None = None) -> None:
        """Count a box that is left out."""
        self.dropped[reason] += 1
        self.boxes.append(BoxChange(file_name, reason, corners_xyxy))

    def ignore(self, reason: str, file_name: str, corners_xyxy: Corners | None = None) -> None:
        """Count an object that cannot be read."""
        self.ignored[reason] += 1
        self.boxes.append(BoxChange(file_name, reason, corners_xyxy))

    def clip(self, file_name: str, corners_xyxy: Corners) -> None:
        """Count a box that is cut to its image."""
        self.clipped += 1
        self.boxes.append(BoxChange(file_name, CLIPPED, corners_xyxy))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; counts of rare kinds are left out if they are zero."""
        rare = {"ignored": self.ignored, "derived": self.derived}
        return {
            "dropped": dict(sorted(self.dropped.items())),
            "clipped": self.clipped,
            **{name: dict(sorted(counts.items())) for name, counts in rare.items() if counts},
        }


class ImageTruth:
    """Boxes of one image, cleaned one by one; each change is counted."""

    def __init__(self, width: int, height: int, changes: Changes, file_name: str = "") -> None:
        self._size, self._changes, self._name = (width, height), changes, file_name
        self._rows: dict[tuple[float, ...], bool] = {}

    def add(self, corners_xyxy: Corners, label: int, *, ignored: bool, drawn_as: str = "box") -> None:
        """Add a box, cut to the image; a box without area, outside the image, repeated or not finite is dropped.

        Of equal boxes of one class, one stays; it is an object if any of them is, whatever their order. A box derived
        from another drawing, `drawn_as`, is counted.
        """
        found = _clipped(corners_xyxy, self._size)
        if isinstance(found, str):
            self._changes.drop(found, self._name, corners_xyxy)
            return
        row, clipped = (*found[0], float(label)), found[1]
        if row in self._rows:
            self._changes.drop("repeated", self._name, corners_xyxy)
            self._rows[row] &= ignored
            return
        if clipped:
            self._changes.clip(self._name, corners_xyxy)
        if drawn_as != "box":
            self._changes.derived[drawn_as] += 1
        self._rows[row] = ignored

    def ignore(self, reason: str, labels: Iterable[int], corners_xyxy: Corners | None = None) -> None:
        """Ignore the region of an object that cannot be read; without corners it may lie anywhere in the image.

        An object with the same box stays an object.
        """
        found = "malformed" if corners_xyxy is None else _clipped(corners_xyxy, self._size)
        if found == "outside the image":
            self._changes.drop(found, self._name, corners_xyxy)
            return
        corners = (0.0, 0.0, *map(float, self._size)) if isinstance(found, str) else found[0]
        self._changes.ignore(reason, self._name, corners_xyxy)
        for label in labels:
            self._rows.setdefault((*corners, float(label)), True)

    def arrays(self) -> tuple[Boxes, NDArray[np.int64], NDArray[np.bool_]]:
        """Boxes (N, 4), labels (N,) and ignored flags (N,), in the order in which they came."""
        labels = np.array([row[4] for row in self._rows], np.int64)
        return as_boxes([row[:4] for row in self._rows]), labels, np.array(list(self._rows.values()), np.bool_)


def _clipped(corners_xyxy: Corners, size: tuple[int, int]) -> str | tuple[tuple[float, ...], bool]:
    """Corners of a box within its image, and true if it was cut; or the reason to drop it."""
    if not all(abs(corner) <= LARGEST for corner in corners_xyxy):
        return "not finite"
    corners = as_boxes([corners_xyxy])
    if not area(corners)[0] > 0:
        return "without area"
    inside = clip(corners, *size)
    if not area(inside)[0] > 0:
        return "outside the image"
    return tuple(inside[0].tolist()), bool((inside != corners).any())
