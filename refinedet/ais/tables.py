"""AIS tables: position reports and static data of ships, as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SHARED = 10**9
"""Number added to the MMSI of the second ship that sends it, twice to that of the third, and so on."""


@dataclass(frozen=True, slots=True)
class Fixes:
    """Position reports, sorted by MMSI and time; all arrays are 1-D and of one length."""

    mmsi: NDArray[np.int64]
    """MMSI of the ship. If several ships send one MMSI, all but one have a multiple of `SHARED` added."""
    time: NDArray[np.datetime64]
    """Time in UTC, datetime64[ms]."""
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
        """Number of reports."""
        return len(self.mmsi)


@dataclass(frozen=True, slots=True)
class Statics:
    """Static data of the ships of `Fixes`, one row per MMSI, sorted; all arrays are 1-D and of one length."""

    mmsi: NDArray[np.int64]
    name: NDArray[np.str_]
    """Name of the ship; empty where it is unknown."""
    ship_type: NDArray[np.str_]
    """Type of the ship in words, such as "cargo" or "fishing"; empty where it is unknown."""
    length_m: NDArray[np.float32]
    """Length; NaN where it is unknown, like all lengths of this class."""
    width_m: NDArray[np.float32]
    bow_m: NDArray[np.float32]
    """Distance of the antenna to the bow; NaN where its place on the ship is unknown."""
    stern_m: NDArray[np.float32]
    port_m: NDArray[np.float32]
    starboard_m: NDArray[np.float32]

    def __len__(self) -> int:
        """Number of ships."""
        return len(self.mmsi)


@dataclass(frozen=True, slots=True)
class Ais:
    """Result of reading AIS files."""

    fixes: Fixes
    statics: Statics
    counts: dict[str, int]
    """Messages kept, dropped and repaired, by reason."""
    files: tuple[str, ...]
    """Files that were read, as the caller named them."""


def sent_number(mmsi: NDArray[np.int64]) -> NDArray[np.int64]:
    """MMSIs as the ships sent them; several ships may share one."""
    return mmsi % SHARED
