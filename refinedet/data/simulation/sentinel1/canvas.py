"""Layers of a scene of kind `sentinel1` while its parts are drawn into them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from refinedet.data.simulation.fields import Field, Mask
from refinedet.data.simulation.sentinel1.conditions import Sentinel1Conditions
from refinedet.data.simulation.sentinel1.imaging import render_points
from refinedet.data.simulation.ships import Points, add_patch

_SHARP_PX = 0.8
"""Standard deviation of the blur of shores by the imaging system."""


@dataclass(frozen=True, slots=True)
class Canvas:
    """Layers (H, W), changed in place by the parts of a scene."""

    pixel_m: float
    conditions: Sentinel1Conditions
    level: Field
    """Mean intensity of the sea, as if all were sea."""
    land: Mask
    brightness: Field
    """Intensity of land over that of the sea."""
    signal: Field
    """Intensity of bright objects: ships, buildings, structures."""

    @property
    def size(self) -> NDArray[np.float64]:
        """Width and height in pixels, in the order of points."""
        return np.array(self.land.shape[::-1], np.float64)

    def inside(self, points: Points, edge_px: float) -> Mask:
        """True for points at least `edge_px` inside the scene."""
        return np.asarray(((points > edge_px) & (points < self.size - edge_px)).all(axis=1))

    def is_land(self, points: Points) -> Mask:
        """True for points on land; all points must be inside."""
        x, y = points.astype(int).T
        return np.asarray(self.land[y, x])

    def add_points(self, points: Points, power: NDArray[np.float64], peak_db: float, rng: np.random.Generator) -> None:
        """Add scatterers to the signal, scaled to a peak over the sea; those outside of the scene are left out."""
        inside = self.inside(points, 1)
        if not inside.any():
            return
        points, power = points[inside], power[inside]
        row, column, patch = render_points(points, power, self.pixel_m, rng)
        x, y = points[int(np.argmax(power))].astype(int)
        add_patch(self.signal, row, column, patch * (self.level[y, x] * 10 ** (peak_db / 10) / patch.max()))

    def clutter(self, texture: Field) -> Field:
        """Mean intensity (H, W) of sea, with its texture, and of land; shores are as sharp as the imaging system."""
        sea = self.level * texture
        if not self.land.any():
            return sea
        share = ndimage.gaussian_filter(self.land.astype(np.float32), _SHARP_PX)
        return np.asarray(sea + share * (self.level * self.brightness - sea), np.float32)
