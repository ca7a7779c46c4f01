"""Azimuth ambiguities: ghosts of bright ships at predictable distances along the flight track. Pure.

The echo of a target is sampled once per pulse, so Doppler frequencies that differ by the pulse repetition frequency
look alike. The antenna's side lobes also receive echoes n times that frequency away. These are focused as a weak ghost,
n PRF / K later or earlier, where K = 2 V^2 / (wavelength x slant range) is the Doppler rate. The ghost's range is
corrected for the wrong frequency, and comes out farther by wavelength^2 R / (8 V^2) ((f + n PRF)^2 - f^2). Here f is
the target's own Doppler centroid: zero without steering, and anything within the span of the steering with it (TOPS).

Sources: Cumming and Wong, Digital Processing of Synthetic Aperture Radar Data, 2005 (Doppler rate, range migration,
ambiguities); De Zan and Monti Guarnieri, TOPSAR, IEEE TGRS 44(9), 2006 (the steering); the search itself is that of
SUMO, Greidanus et al., Remote Sensing 9(3) 246, 2017, which also searches two orders.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from refinedet.boxes import Boxes

Array = NDArray[np.float64]

ORDERS = (1, 2)
"""Orders of the ambiguities that are searched, on both sides; higher ones lie farther down the antenna pattern."""
TOLERANCE_M = 100.0
"""Largest distance of a ghost from its predicted place, in each direction, because a ghost is smeared."""
CLEARLY_DB = 8.0
"""Least contrast of a ship above its ghost. Sentinel-1's ambiguities lie 20 dB and more below their ships."""

_STEERED_HZ = 2600.0
"""Span of Doppler centroids on each side in steered modes: half a burst (1.4 s) at 1700 Hz/s, and the processed band.
GRD annotations do not list bursts, so the centroid of a target is not known better."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """Geometry of the acquisition at N targets: one number for the scene, or an array (N,) with a value per target."""

    wavelength_m: float
    prf_hz: Array
    velocity_m_s: Array
    """Effective radar velocity: the V of K = 2 V^2 / (wavelength x slant range)."""
    slant_range_m: Array
    incidence_rad: Array
    line_s: float
    """Time from one row of the scene to the next."""
    row_m: float
    column_m: float
    steered: bool


def displacement(geometry: Geometry, order: int) -> tuple[Array, Array, Array]:
    """Displacement of ghosts from their targets, in pixels (N,) each.

    Args:
        geometry: geometry at the targets.
        order: order of the ambiguity, positive or negative; not 0.

    Returns:
        rows: down the scene, in the direction of flight for positive orders;
        columns: towards far range, the middle of the interval that the steering allows;
        tolerance_px: half the width of that interval.
    """
    g = geometry
    doppler_rate = 2 * g.velocity_m_s**2 / (g.wavelength_m * g.slant_range_m)
    rows = order * g.prf_hz / doppler_rate / g.line_s
    per_hz2 = g.wavelength_m**2 * g.slant_range_m / (8 * g.velocity_m_s**2) / np.sin(g.incidence_rad) / g.column_m
    off_hz = abs(order) * g.prf_hz
    centroid_hz = _STEERED_HZ if g.steered else 0.0
    return rows, per_hz2 * off_hz**2, per_hz2 * 2 * off_hz * centroid_hz


def find_ambiguities(boxes_xyxy: Boxes, contrast_db: Array, geometry: Geometry) -> NDArray[np.bool_]:
    """(N,) true for detections that lie at an azimuth ambiguity of a clearly brighter detection.

    A detection of unknown contrast (NaN) is neither a ghost nor the ship of a ghost. A spatial index keeps the time
    near-linear.

    Args:
        boxes_xyxy: (N, 4) in scene pixels.
        contrast_db: (N,) contrast of each detection, from `attributes.Places`.
        geometry: geometry at the middle of each box.
    """
    boxes = np.asarray(boxes_xyxy, np.float64)
    found = np.zeros(len(boxes), np.bool_)
    x, y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    tree = shapely.STRtree(shapely.points(x, y))
    around_x, around_y = TOLERANCE_M / geometry.column_m, TOLERANCE_M / geometry.row_m
    for order in (sign * n for n in ORDERS for sign in (-1, 1)):
        rows, columns, tolerance_px = displacement(geometry, order)
        half = tolerance_px + around_x
        middle = x + columns
        places = shapely.box(middle - half, y + rows - around_y, middle + half, y + rows + around_y)
        ships, ghosts = tree.query(places)
        brighter = contrast_db[ships] >= contrast_db[ghosts] + CLEARLY_DB  # false for NaN
        found[ghosts[brighter]] = True
    return found
