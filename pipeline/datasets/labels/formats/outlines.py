"""Outlines and boxes around round shapes, as objects of a COCO document."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any


def outline(points: Sequence[tuple[Any, ...]]) -> dict[str, Any]:
    """Outline through points (x, y)."""
    return {"segmentation": [[float(value) for point in points for value in point]]}


def around(x: float, y: float, radii: tuple[float, float], turn: float = 0.0) -> dict[str, Any]:
    """Box around an ellipse, turned by radians."""
    cos, sin = math.cos(turn), math.sin(turn)
    half_x, half_y = math.hypot(radii[0] * cos, radii[1] * sin), math.hypot(radii[0] * sin, radii[1] * cos)
    return {"bbox": [x - half_x, y - half_y, 2 * half_x, 2 * half_y]}
