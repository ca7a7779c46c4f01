"""Facts on a scene from its run record: the view of the radar, and the part of the earth that it shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import shapely

_RING = 3
"""Fewest corners of an outline, plus one."""


def view_told(told: Mapping[str, Any]) -> dict[str, Any] | None:
    """View of a scene; of two polarisations, which differ by at most a second, that of the first. None: unknown."""
    view = told.get("view")
    if not isinstance(view, dict):
        return None
    return view if "nodes" in view else next((one for one in view.values() if isinstance(one, dict)), None)


def footprint_told(told: Mapping[str, Any]) -> shapely.Geometry | None:
    """Outline of a scene in degrees; None if it is unknown or crosses the antimeridian."""
    outline = told.get("footprint")
    return _polygon([next(iter(outline.values()), None) if isinstance(outline, dict) else outline])


def missing_told(told: Mapping[str, Any]) -> shapely.Geometry | None:
    """Areas of a scene without measurements, in degrees; None if the record has none."""
    areas = told.get("missing_areas")
    found = [_polygon(rings) for rings in areas if isinstance(rings, list)] if isinstance(areas, list) else []
    known = [one for one in found if one is not None]
    return shapely.union_all(known) if known else None


def _polygon(rings: list[Any]) -> shapely.Geometry | None:
    """Polygon of rings, the outer one first; None if it is invalid or crosses the antimeridian."""
    if not rings or not all(isinstance(ring, list) and len(ring) > _RING for ring in rings):
        return None
    corners = [np.array(ring, np.float64) for ring in rings]
    if any(ring.ndim != 2 or ring.shape[1] != 2 for ring in corners) or np.ptp(corners[0][:, 0]) > 180:
        return None  # a polygon across the antimeridian is not simple in degrees
    return shapely.make_valid(shapely.Polygon(corners[0], corners[1:]))
