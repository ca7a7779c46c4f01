"""MMSIs of AIS stations, and which of them are ships (ITU-R M.585)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from refinedet.ais.reading import reasons

_FIRST_COUNTRY, _LAST_COUNTRY = 201, 775
"""Least and greatest three-digit country code."""
_TYPES: Mapping[str, tuple[int, ...]] = {
    reasons.BASE_STATION: (4, 11, 17),
    reasons.AIRCRAFT: (9,),
    reasons.AID: (21,),
}
"""Message types of stations that are no ships."""
_MOBILES: Mapping[str, tuple[str, ...]] = {
    reasons.BASE_STATION: ("base station",),
    reasons.AIRCRAFT: ("sar airborne", "sar aircraft", "airborne"),
    reasons.AID: ("aton", "aid to navigation", "aids to navigation"),
    reasons.BEACON: ("sart", "search and rescue transponder", "mob", "man overboard device", "epirb"),
}
"""Types of mobile in words, as the Danish Maritime Authority writes them."""
_LONGEST = 9


def no_ships(
    mmsi: NDArray[np.int64], message_type: NDArray[np.int16], mobile: NDArray[np.str_]
) -> list[tuple[str, NDArray[np.bool_]]]:
    """Masks of the stations that are no ships, by reason; from MMSI, message type or the provider's words."""
    words = np.char.lower(mobile) if mobile.dtype.itemsize else mobile
    found = {
        reasons.BASE_STATION: (mmsi < 10**7) & _country(mmsi // 10**4),
        reasons.GROUP: (mmsi >= 10**7) & (mmsi < 10**8) & _country(mmsi // 10**5),
        reasons.AIRCRAFT: (mmsi // 10**6 == 111) & _country(mmsi // 10**3 % 1000),
        reasons.AID: (mmsi // 10**7 == 99) & _country(mmsi // 10**4 % 1000),
        reasons.BEACON: np.isin(mmsi // 10**6, (970, 972, 974)),
    }
    for reason, types in _TYPES.items():
        found[reason] |= np.isin(message_type, types)
    for reason, names in _MOBILES.items():
        found[reason] |= np.isin(words, names)
    return list(found.items())


def is_number(mmsi: NDArray[np.int64]) -> NDArray[np.bool_]:
    """True for numbers of one to nine digits."""
    return np.asarray((mmsi > 0) & (mmsi < 10**_LONGEST))


def is_odd(mmsi: NDArray[np.int64]) -> NDArray[np.bool_]:
    """True for numbers that belong to no ship, no craft of a mother ship and no handheld device."""
    ship = _country(mmsi // 10**6)
    craft = (mmsi // 10**7 == 98) & _country(mmsi // 10**4 % 1000)
    handheld = (mmsi // 10**8 == 8) & _country(mmsi // 10**5 % 1000)
    return np.asarray(~(ship | craft | handheld))


def _country(digits: NDArray[np.int64]) -> NDArray[np.bool_]:
    return np.asarray((digits >= _FIRST_COUNTRY) & (digits <= _LAST_COUNTRY))
