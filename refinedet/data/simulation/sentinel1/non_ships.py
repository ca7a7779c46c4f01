"""Objects of a scene that are no ships but are easily taken for ships."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

NonShipKind = Literal["islet", "rock", "breakwater", "turbine", "platform"]


@dataclass(frozen=True, slots=True)
class NonShip:
    """Place of one object."""

    kind: NonShipKind
    box: tuple[float, float, float, float]
    """[x1, y1, x2, y2] in pixels around the object, without its side lobes."""
