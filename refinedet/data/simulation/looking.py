"""Time and view of the radar for a simulated scene."""

from __future__ import annotations

from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from refinedet.ais.displacement import range_over_speed
from refinedet.data.simulation import place
from refinedet.stated_acquisition import StatedAcquisition

_GROUND_M_S = 6_800.0
"""Speed of the satellite's point on the ground."""
_NODES = 4


def acquisition(
    size_px: tuple[int, int], pixel_m: float, start: datetime, incidence_deg: float, *, radar_left: bool
) -> StatedAcquisition:
    """Time and view of a scene whose rows are lines, by a radar that looks to the right of its track.

    A radar on the left of the scene flies up, one on the right flies down.
    """
    width, height = size_px
    x, y = np.meshgrid(np.linspace(0, width, _NODES), np.linspace(0, height, _NODES))
    points = np.stack([x.ravel(), y.ravel()], axis=1)
    flight = (place.up_deg(points, pixel_m) + (0.0 if radar_left else 180.0)) % 360
    columns = [
        *place.lonlat(points, pixel_m).T,
        _seconds(points[:, 1] - 0.5, height, pixel_m, up=radar_left),
        np.full(len(points), float(range_over_speed(np.array([incidence_deg]))[0])),
        np.full(len(points), incidence_deg),
        flight,
    ]
    nodes = tuple(tuple(node) for node in np.stack(columns, axis=1).round(6).tolist())
    first, last = _seconds(np.array([0.0, height - 1.0]), height, pixel_m, up=radar_left).round(6).tolist()
    return StatedAcquisition(start, (first, last), size_px, "right", nodes)


def _seconds(line: NDArray[np.float64], height: int, pixel_m: float, *, up: bool) -> NDArray[np.float64]:
    """Seconds from the first imaged line to each line."""
    passed = height - 1 - line if up else line
    return np.asarray(passed * pixel_m / _GROUND_M_S, np.float64)
