"""Land around a scene, read only if the place of an AIS ship needs it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from refinedet.config.options.land import LandSettings
from refinedet.geo.position import Position
from refinedet.scene.land.survey import survey


class LandAround:
    """Test for land around a scene; it takes places in degrees."""

    def __init__(self, position: Position, width_px: int, height_px: int, settings: LandSettings) -> None:
        """Take the place of the scene; nothing is read yet."""
        self._scene = position, width_px, height_px
        self._settings = settings
        self.notes: tuple[str, ...] = ()
        """Facts that the user should know, a sentence each; empty before the first call."""

    def __call__(self, lonlat: NDArray[np.float64]) -> NDArray[np.bool_]:
        """(N,) true for places (N, 2) that lie on land; false for all where land is unknown.

        Raises:
            RefineDetError: the settings insist on land, and it cannot be known.
        """
        around = survey(*self._scene, self._settings)
        self.notes = around.notes
        found = around.land_at(lonlat)
        return np.zeros(len(lonlat), np.bool_) if found is None else found
