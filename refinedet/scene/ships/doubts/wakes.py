"""Detections that are wakes: long, weak, and in line behind or before a far brighter ship. Pure.

Bow and stern look alike, so a wake is looked for at both ends of a ship. A ship that moves towards the radar is shown
beside its wake; such wakes are not told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from refinedet.scene.ships.measuring.resolution import Pair
from refinedet.scene.ships.measuring.shape import Shape

WAKE = "wake"
"""Flag: a long weak patch that trails a far brighter ship along its axis."""

_WEAK_DB, _BRIGHTER_DB = 12.0, 10.0
"""Largest contrast of a wake, and least difference by which its ship is brighter. Hulls that long shine by more."""
_SLENDER = 2.5
"""Least ratio of the length of a wake to its width."""
_LONG = 0.5
"""Least length of a wake, in lengths of its ship."""
_GAP = 0.75
"""Largest gap between the two, in lengths of the ship."""
_IN_LINE_DEG = 12.0
"""Largest angle between the axes of the two, and between each and the line through both middles."""


@dataclass(frozen=True, slots=True)
class _Hulls:
    """Middles (N, 2), half axes (N, 2), lengths, widths and contrasts (N,) on the ground, in metres and decibels."""

    middle: NDArray[np.float64]
    axis: NDArray[np.float64]
    length: NDArray[np.float64]
    width: NDArray[np.float64]
    contrast_db: NDArray[np.float64]
    elongated: NDArray[np.bool_]


def find_wakes(shapes: Sequence[Shape], pixel_m: Pair) -> NDArray[np.bool_]:
    """(N,) true for detections that are wakes of another one; `pixel_m` is the size of a pixel along x and y.

    A detection of unknown shape counts neither as a wake nor as the ship of one.
    """
    hulls = _on_ground(shapes, pixel_m)
    found = np.zeros(len(shapes), np.bool_)
    length = hulls.length
    shaped = np.isfinite(length) & hulls.elongated
    ships = np.flatnonzero(shaped)
    weak = shaped & (hulls.contrast_db <= _WEAK_DB) & (length >= _SLENDER * hulls.width)
    if not weak.any():
        return found
    from scipy.spatial import cKDTree  # only here: it takes 0.1 s to import

    tree = cKDTree(hulls.middle[ships])
    for wake in np.flatnonzero(weak).tolist():
        reach = length[wake] / 2 + (0.5 + _GAP) * length[wake] / _LONG
        near = ships[tree.query_ball_point(hulls.middle[wake], reach)]
        found[wake] = any(_trails(hulls, wake, ship) for ship in near.tolist() if ship != wake)
    return found


def _trails(hulls: _Hulls, wake: int, ship: int) -> bool:
    """True if one lies in line with the other, close to its end, and is far weaker."""
    length, line = hulls.length, hulls.middle[wake] - hulls.middle[ship]
    gap = float(np.hypot(*line)) - (length[wake] + length[ship]) / 2
    return bool(
        hulls.contrast_db[ship] >= hulls.contrast_db[wake] + _BRIGHTER_DB
        and length[wake] >= _LONG * length[ship]
        and gap <= _GAP * length[ship]
        and all(
            _angle_deg(a, b) <= _IN_LINE_DEG
            for a, b in ((hulls.axis[wake], hulls.axis[ship]), (hulls.axis[wake], line), (hulls.axis[ship], line))
        )
    )


def _angle_deg(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Angle between two axes, 0 to 90."""
    return float(np.degrees(np.arctan2(abs(a[0] * b[1] - a[1] * b[0]), abs(a @ b))))


def _on_ground(shapes: Sequence[Shape], pixel_m: Pair) -> _Hulls:
    middle, axis, side = (
        np.array([getattr(shape, name) for shape in shapes], np.float64).reshape(-1, 2) * pixel_m
        for name in ("centre_xy", "axis_xy", "side_xy")
    )
    return _Hulls(
        middle,
        axis,
        2 * np.hypot(*axis.T),
        2 * np.hypot(*side.T),
        np.array([shape.contrast_db for shape in shapes], np.float64),
        np.array([shape.elongated for shape in shapes], np.bool_),
    )
