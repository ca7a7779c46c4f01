"""Axes of blobs from their second moments, many at once. Pure."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from refinedet.scene.ships.measuring.profiles import Counts, Frame, Values, Vectors
from refinedet.scene.ships.measuring.resolution import Sensor

VARIANCE = 1 / (8 * np.log(2))
"""Variance of a Gaussian whose width at half height is 1."""


class Moments(NamedTuple):
    """Lengths and breadths of N blobs along and across their axes."""

    reach: Vectors
    """(N, 2) first and last place of a pixel along the axis, from the centre."""
    smaller: Values
    """Variance across."""
    larger: Values
    """Variance along."""


def framed(points: Vectors, weight: Values, owner: Counts, sensor: Sensor) -> tuple[Frame, Moments]:
    """Centres and axes of blobs from the places (P, 2), weights and blobs (P,) of their pixels, which lie in order."""
    pixel, width = np.array(sensor.pixel_m), np.array(sensor.pixel_m) * sensor.resolution_px
    points = points * pixel
    total = np.bincount(owner, weight)
    centre = np.stack([np.bincount(owner, weight * points[:, k]) / total for k in (0, 1)], axis=1)
    apart = points - centre[owner]
    moments = np.empty((len(total), 2, 2))
    for i, j in ((0, 0), (0, 1), (1, 1)):
        moments[:, i, j] = moments[:, j, i] = np.bincount(owner, weight * apart[:, i] * apart[:, j]) / total
    moments += np.diag(pixel**2 / 12)  # a pixel is a square, not a point
    axis = np.linalg.eigh(moments - np.diag(width**2) * VARIANCE)[1][:, :, 1]
    side = np.stack([-axis[:, 1], axis[:, 0]], axis=1)
    along, across = (np.hypot(*(way * width).T) for way in (axis, side))
    place, starts = (apart * axis[owner]).sum(axis=1), np.searchsorted(owner, np.arange(len(total)))
    reach = np.stack([np.minimum.reduceat(place, starts), np.maximum.reduceat(place, starts)], axis=1)
    smaller, larger = np.linalg.eigvalsh(moments).T
    return Frame(centre, axis, side, along, across), Moments(reach, smaller, larger)
