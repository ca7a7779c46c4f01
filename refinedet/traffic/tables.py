"""Tables of an archive: its scenes with their seen areas, and its ships."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Areas = NDArray[Any]
"""(S,) polygons in degrees; None where unknown."""


@dataclass(frozen=True, slots=True)
class Scenes:
    """Scenes of an archive; all arrays are 1-D and of one length."""

    names: tuple[str, ...]
    start: NDArray[np.datetime64]
    """Times of the first lines, datetime64[ms]; NaT where unknown."""
    areas: Areas

    def __len__(self) -> int:
        """Number of scenes."""
        return len(self.names)


@dataclass(frozen=True, slots=True)
class Ships:
    """Ships of an archive that have a place; all arrays are of one length N."""

    lonlat: NDArray[np.float64]
    """(N, 2) degrees."""
    scene: NDArray[np.int64]
    """Index of the scene of each ship."""
    length_m: NDArray[np.float64]
    score: NDArray[np.float64]

    def __len__(self) -> int:
        """Number of ships."""
        return len(self.scene)

    def only(self, rows: NDArray[Any]) -> Ships:
        """Ships of some rows, by number or by mask."""
        return Ships(self.lonlat[rows], self.scene[rows], self.length_m[rows], self.score[rows])
