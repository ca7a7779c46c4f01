"""Simulated scene in memory: its pixels and its truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from refinedet.boxes import Boxes
from refinedet.data.simulation.fields import Mask
from refinedet.data.simulation.sentinel1.conditions import Sentinel1Conditions
from refinedet.data.simulation.sentinel1.non_ships import NonShip
from refinedet.data.simulation.ships import Ship
from refinedet.data.simulation.spec import Conditions


@dataclass(frozen=True, slots=True)
class SimulatedScene:
    """Pixels and truth of a simulated scene. Arrays are (H, W); ship i has box i."""

    pixels: NDArray[np.uint16]
    """Amplitude; 0 means nodata only."""
    boxes_xyxy: Boxes
    """(N, 4) float32, around each hull; of kind `sentinel1` at least one resolution cell wide."""
    ships: tuple[Ship, ...]
    land: Mask
    valid: Mask
    """False in the borders without data."""
    conditions: Conditions | Sentinel1Conditions
    non_ships: tuple[NonShip, ...] = ()
    """Islets, breakwaters, turbines and platforms, which are easily taken for ships. Kind `plain` has none."""
    speeds_kn: tuple[float, ...] = ()
    """Speed of each ship, by which it is displaced and smeared; none in scenes of kind `plain`."""
