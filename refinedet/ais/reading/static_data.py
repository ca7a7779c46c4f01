"""Static data of ships from all messages and files; for each field, the latest value counts."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinedet.ais.reading import reasons
from refinedet.ais.reading.messages import Messages
from refinedet.ais.reading.ship_types import ship_types
from refinedet.ais.tables import SHARED, Statics

_KINDS = ("name", "ship_type", "sides_m", "size_m")
_EVERY = 32
"""Number of parts after which the collected data are reduced to one row per MMSI."""
_LONGEST_M, _WIDEST_M = 500.0, 130.0
"""Length and width of the largest ships of the world, rounded up."""

_Column = tuple[NDArray[np.int64], NDArray[Any]]


class StaticData:
    """Collector of static data; its memory grows with the number of ships, not of messages."""

    def __init__(self) -> None:
        """Start empty."""
        self._parts: dict[str, list[_Column]] = {kind: [] for kind in _KINDS}

    def add(self, messages: Messages) -> None:
        """Add the static data of messages, later ones after earlier ones."""
        for kind in _KINDS:
            values = getattr(messages, kind)
            rows = (values > 0).any(axis=1) if values.ndim == 2 else values != ""
            if rows.any():
                parts = self._parts[kind]
                parts.append(_latest(messages.mmsi[rows], values[rows]))
                if len(parts) == _EVERY:
                    self._parts[kind] = [_joined(parts)]

    def join(self, other: StaticData) -> None:
        """Add the data of another collector, as later data."""
        for kind, parts in other._parts.items():
            if parts:
                self._parts[kind] = [_joined([*self._parts[kind], *parts])]

    def of(self, mmsi: NDArray[np.int64], counts: Counter[str]) -> Statics:
        """Static data of some ships.

        Args:
            mmsi: sorted numbers, each once. If ships share an MMSI, it is unknown which of them has the size.
            counts: counts by reason, to which this call adds.
        """
        sent = mmsi % SHARED
        shared = np.isin(sent, sent[mmsi >= SHARED])
        name = self._column("name", sent, np.array("", dtype="U32"))
        ship_type = ship_types(self._column("ship_type", sent, np.array("", dtype="U32")))
        sides = self._column("sides_m", sent, np.full(4, np.nan))
        size = self._column("size_m", sent, np.full(2, np.nan))
        sides, size = dimensions(sides, size, counts)
        sides[shared], size[shared] = np.nan, np.nan
        return Statics(mmsi, name, ship_type, *size.astype(np.float32).T, *sides.astype(np.float32).T)

    def _column(self, kind: str, mmsi: NDArray[np.int64], nothing: NDArray[Any]) -> NDArray[Any]:
        out = np.broadcast_to(nothing, (len(mmsi), *nothing.shape)).copy()
        if self._parts[kind]:
            numbers, values = _joined(self._parts[kind])
            place = np.minimum(np.searchsorted(numbers, mmsi), len(numbers) - 1)
            found = numbers[place] == mmsi
            out[found] = values[place[found]]
        return out


def dimensions(
    sides_m: NDArray[np.float64], size_m: NDArray[np.float64], counts: Counter[str]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Places of the antennas and sizes; NaN for missing or impossible values.

    Zeros at bow and port with other values at stern and starboard mean that these are length and width, and that the
    place of the antenna is unknown (ITU-R M.1371). Without port, a zero at the bow means the same.

    Args:
        sides_m: (N, 4), from the antenna to bow, stern, port, starboard.
        size_m: (N, 2), length and width from the provider; missing ones follow from the sides.
        counts: counts by reason, to which this call adds.
    """
    bow, stern, port, starboard = sides_m.T
    length = np.where(size_m[:, 0] > 0, size_m[:, 0], bow + stern)
    width = np.where(size_m[:, 1] > 0, size_m[:, 1], port + starboard)
    length, width = (np.where(values > 0, values, np.nan) for values in (length, width))
    no_place = ~(bow + stern > 0) | ((bow == 0) & ~(port > 0))
    no_side = no_place | ~(port + starboard > 0)
    wrong = (length > _LONGEST_M) | (width > _WIDEST_M) | (width > length)
    counts[reasons.SIZE_IMPOSSIBLE] += int(wrong.sum())
    sides = np.stack([bow, stern, port, starboard], axis=1)
    sides[no_place | wrong, :2] = np.nan
    sides[no_side | wrong, 2:] = np.nan
    size = np.stack([length, width], axis=1)
    size[wrong] = np.nan
    return sides, size


def _latest(mmsi: NDArray[np.int64], values: NDArray[Any]) -> _Column:
    """Last value of each MMSI, sorted by MMSI."""
    numbers, place = np.unique(mmsi[::-1], return_index=True)
    return numbers, values[len(mmsi) - 1 - place]


def _joined(parts: list[_Column]) -> _Column:
    return _latest(np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts]))
