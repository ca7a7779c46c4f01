"""Tables of AIS: position reports and static data of ships, as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SHARED = 10**9
"""Added to the number of the second ship that sends one number, twice to that of the third, and so on."""


@dataclass(frozen=True, slots=True)
class Fixes:
    """Position reports, sorted by number and time; all arrays are 1-D and of one length."""

    mmsi: NDArray[np.int64]
    """Number of the ship. Of several ships that send one number, all but one have a multiple of `SHARED` added."""
    time: NDArray[np.datetime64]
    """UTC, datetime64[ms]."""
    longitude_deg: NDArray[np.float64]
    latitude_deg: NDArray[np.float64]
    speed_kn: NDArray[np.float32]
    """Speed over ground; NaN where it is not available."""
    course_deg: NDArray[np.float32]
    """Course over ground, 0 to 360 clockwise from north; NaN where it is not available."""
    heading_deg: NDArray[np.float32]
    """True heading, 0 to 360; NaN where it is not available."""
    uncertainty_m: NDArray[np.float32]
    """Uncertainty of the position as reported, in metres."""

    def __len__(self) -> int:
        """Count reports."""
        return len(self.mmsi)


@dataclass(frozen=True, slots=True)
class Statics:
    """Static data of the ships of `Fixes`, one row a number, sorted; all arrays are 1-D and of one length."""

    mmsi: NDArray[np.int64]
    name: NDArray[np.str_]
    """Name of the ship; empty where it is unknown."""
    ship_type: NDArray[np.str_]
    """Type of the ship in words, such as "cargo" or "fishing"; empty where it is unknown."""
    length_m: NDArray[np.float32]
    """NaN where it is unknown, as all lengths here."""
    width_m: NDArray[np.float32]
    bow_m: NDArray[np.float32]
    """Distance of the antenna to the bow; NaN where its place on the ship is unknown."""
    stern_m: NDArray[np.float32]
    port_m: NDArray[np.float32]
    starboard_m: NDArray[np.float32]

    def __len__(self) -> int:
        """Count ships."""
        return len(self.mmsi)


@dataclass(frozen=True, slots=True)
class Ais:
    """Result of reading files of AIS."""

    fixes: Fixes
    statics: Statics
    counts: dict[str, int]
    """Messages kept, dropped and repaired, by reason."""
    files: tuple[str, ...]
    """Files that were read, as they were named."""


def sent_number(mmsi: NDArray[np.int64]) -> NDArray[np.int64]:
    """Numbers as the ships sent them, which several ships may share."""
    return mmsi % SHARED
