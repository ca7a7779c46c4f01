"""AIS messages as arrays, before cleaning."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Area = tuple[float, float, float, float]
"""West, south, east, north in degrees; west is greater than east across the antimeridian."""
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Messages:
    """Part of the messages of a file, as reported; all arrays have N rows. A missing number is NaN."""

    mmsi: NDArray[np.int64]
    """0 for a missing number."""
    time: NDArray[np.datetime64]
    """datetime64[ms], UTC; NaT for a missing time."""
    longitude_deg: NDArray[np.float64]
    latitude_deg: NDArray[np.float64]
    speed_kn: NDArray[np.float64]
    course_deg: NDArray[np.float64]
    heading_deg: NDArray[np.float64]
    message_type: NDArray[np.int16]
    """0 where it is unknown."""
    accuracy: NDArray[np.int8]
    """1 for high, 0 for low, -1 where it is unknown."""
    mobile: NDArray[np.str_]
    """Type of mobile in words; empty where it is unknown, like all texts of this class."""
    name: NDArray[np.str_]
    ship_type: NDArray[np.str_]
    sides_m: NDArray[np.float64]
    """(N, 4): distance from the antenna to bow, stern, port and starboard."""
    size_m: NDArray[np.float64]
    """(N, 2): length and width."""

    def __len__(self) -> int:
        """Number of messages."""
        return len(self.mmsi)

    def take(self, rows: Mask) -> Messages:
        """Messages of some rows."""
        return Messages(*(getattr(self, field.name)[rows] for field in fields(self)))


@dataclass(frozen=True, slots=True)
class Wanted:
    """Area and time to read."""

    area: Area | None = None
    """Area; None: the whole earth."""
    start: np.datetime64 | None = None
    """First time in UTC; None: no limit. `end` is the last time."""
    end: np.datetime64 | None = None

    def inside(self, longitude_deg: NDArray[np.float64], latitude_deg: NDArray[np.float64]) -> Mask:
        """True for places in the area."""
        if self.area is None:
            return np.ones(len(longitude_deg), np.bool_)
        west, south, east, north = self.area
        within = (latitude_deg >= south) & (latitude_deg <= north)
        after, before = longitude_deg >= west, longitude_deg <= east
        return within & (after & before if west <= east else after | before)

    def during(self, time: NDArray[np.datetime64]) -> Mask:
        """True for times between start and end, both included; false for NaT."""
        right = ~np.isnat(time)
        if self.start is not None:
            right &= time >= self.start
        if self.end is not None:
            right &= time <= self.end
        return right


class Rows(Protocol):
    """Part of a file whose places are known; the other fields are decoded only for the rows that `take` selects."""

    @property
    def longitude_deg(self) -> NDArray[np.float64]:
        """Longitudes; NaN for a missing one."""
        ...

    @property
    def latitude_deg(self) -> NDArray[np.float64]:
        """Latitudes; NaN for a missing one."""
        ...

    def take(self, rows: Mask) -> Messages:
        """Messages of some rows."""
        ...
