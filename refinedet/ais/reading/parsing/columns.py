"""Columns of AIS tables, found by the names that providers use."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from refinedet.errors import InputError
from refinedet.wording import first_of

_IN_KNOTS = {
    **dict.fromkeys(("", "kn", "kts", "knots"), 1.0),
    "knotsx10": 0.1,  # as MarineTraffic writes it
    **dict.fromkeys(("ms", "mps"), 3600 / 1852),
    **dict.fromkeys(("kmh", "kph"), 1000 / 1852),
}
"""Knots in each unit that may end the name of a speed."""
_SPEEDS = {f"{name}{unit}": kn for unit, kn in _IN_KNOTS.items() for name in ("sog", "speedoverground", "speed")}
"""Knots in the unit of a speed, by its name."""
NAMES: Mapping[str, tuple[str, ...]] = {
    "mmsi": ("mmsi", "mmsinumber", "userid", "sourcemmsi", "shipmmsi", "vesselmmsi", "mmsino", "ssvid"),
    "time": (
        *("basedatetime", "timestampexternal", "dtposutc", "datetimeutc", "timeutc", "timestamputc", "timestamp"),
        *("datetime", "time", "tstamp", "basetime", "utctime", "utc", "msgtime", "unixtime", "epoch"),
        *("createdat", "receivedat", "date"),
    ),
    "date": ("basedate", "dateutc", "utcdate", "date"),
    "millisecond": ("millisecond", "milliseconds", "miliseconds"),
    "longitude": ("longitude", "lon", "long", "lng", "londeg", "x"),
    "latitude": ("latitude", "lat", "latdeg", "y"),
    "speed": tuple(_SPEEDS),
    "course": ("cog", "courseoverground", "course"),
    "heading": ("trueheading", "heading", "hdg"),
    "message_type": ("messageid", "msgtype", "messagetype", "msgid", "aistype"),
    "accuracy": ("accuracy", "positionaccuracy", "posaccuracy", "posacc"),
    "mobile": ("typeofmobile", "mobiletype"),
    "name": ("vesselname", "shipname", "name"),
    "ship_type": ("shiptype", "vesseltype", "shipandcargotype", "shipcargotype", "aisshiptype"),
    "length": ("length", "vessellength", "shiplength", "lengthm", "loa"),
    "width": ("width", "breadth", "beam", "vesselwidth", "shipwidth", "widthm"),
    "bow": ("tobow", "dimensiontobow", "dimbow", "bow", "dimensiona", "dima", "referencepointa", "sizea", "a"),
    "stern": (
        "tostern",
        "dimensiontostern",
        "dimstern",
        "stern",
        "dimensionb",
        "dimb",
        "referencepointb",
        "sizeb",
        "b",
    ),
    "port": ("toport", "dimensiontoport", "dimport", "dimensionc", "dimc", "referencepointc"),
    "starboard": ("tostarboard", "dimensiontostarboard", "dimstarboard", "dimensiond", "dimd", "referencepointd"),
}
"""Names of each field in lower-case letters and digits only, the clearest first.

The plain names C and D are left out on purpose: the Danish Maritime Authority defines them in the opposite order to the
standard.
"""

_BEFORE = ("lastposition", "lastpos", "position", "pos")
"""Words before the name of a field of a position."""
_UNITS = r"[(\[]\s*(utc|gmt|deg|degrees|°|kn|kts|knots|m|metres|meters)\s*[)\]]"
"""Units in brackets that are those of this package."""
_GRID = "cell_ll_lat"
"""Column of Global Fishing Watch's grids of fishing effort."""

DANISH = "# timestamp"
"""First column of files of the Danish Maritime Authority, whose dates have the day first."""
_STATIC = ("name", "ship_type", "length", "width", "bow", "stern", "port", "starboard")
_POSITION = ("time", "longitude", "latitude")
_NUMBER = re.compile(r"[-+]?[0-9]+([.,][0-9]+)?")
SHOWN = 30
"""Most column names that a message shows."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns of one table."""

    place: Mapping[str, int]
    """Index of the column of each field that the table has."""
    day_first: bool
    """True where dates are known to have the day first."""
    overruled: frozenset[str] = field(default_factory=frozenset)
    """Fields whose column the user named."""
    speed_unit_kn: float = 1.0
    """Knots in the unit of the speeds."""

    @property
    def positions(self) -> bool:
        """True for position reports, false for static data alone."""
        return "longitude" in self.place


def check_fields(columns: Mapping[str, str] | None) -> None:
    """Check that the user names fields that exist.

    Raises:
        InputError: a field does not exist.
    """
    unknown = sorted(set(columns or {}) - set(NAMES))
    if unknown:
        raise InputError(f"expected `columns` to name any of {', '.join(NAMES)}; found {', '.join(unknown)}")


def find_columns(names: Sequence[str], where: str, columns: Mapping[str, str] | None = None) -> Columns:
    """Find the columns of a table of positions, or of static data alone.

    Args:
        names: names of the columns, in order.
        where: name of the file, for messages.
        columns: column names by field, as the user states them; names that this table lacks are ignored.

    Raises:
        InputError: columns are missing.
    """
    exact = {name.strip(): index for index, name in reversed(list(enumerate(names)))}
    plain = {_plain(name): index for index, name in reversed(list(enumerate(names)))}
    plain = {_without_position(name): index for name, index in plain.items()} | plain
    stated = {key: exact[name.strip()] for key, name in (columns or {}).items() if name.strip() in exact}
    found = {}
    for key, known in NAMES.items():
        index = next((plain[name] for name in known if name in plain), None)
        if index is not None and index not in stated.values():
            found[key] = index
    found |= stated
    if found.get("date") == found.get("time"):
        found.pop("date", None)
    missing = [key for key in ("mmsi", *_POSITION) if key not in found]
    static_alone = missing == list(_POSITION) and any(key in found for key in _STATIC)
    if "time" in found and missing == list(_POSITION[1:]):  # a ship register with a date column
        static_alone = any(key in found for key in _STATIC)
    if missing and not static_alone:
        absent = [name for name in (columns or {}).values() if name.strip() not in exact]
        raise InputError(_without(missing, names, where, absent))
    if static_alone:
        found = {key: index for key, index in found.items() if key in ("mmsi", *_STATIC)}
    danish = bool(names) and names[0].strip().lower() == DANISH
    unit_kn = _SPEEDS.get(_plain(names[found["speed"]]), 1.0) if "speed" in found else 1.0
    return Columns(found, danish, frozenset(stated), unit_kn)


def _without(missing: Sequence[str], names: Sequence[str], where: str, absent: Sequence[str]) -> str:
    """Sentence for a table without the columns of some fields; `absent` are columns that the user names in vain."""
    shown = first_of(names, SHOWN)
    if _GRID in names:
        return (
            f"expected positions of ships in {where}, found Global Fishing Watch's grid of fishing effort, which has "
            "none; name files of AIS messages"
        )
    if sum(_NUMBER.fullmatch(name.strip()) is not None for name in names) > 1:
        return (
            f"expected the names of the columns in the first line of {where}, found {shown}; add a line such as "
            "mmsi,time,longitude,latitude"
        )
    hint = (
        f"`columns` names {', '.join(absent)}, which is not there"
        if absent
        else f"name them with `columns`, such as {missing[0]}=COLUMN"
    )
    return (
        f"expected columns of mmsi, time, longitude and latitude in {where}, found none for {' and '.join(missing)} "
        f"among {shown}; {hint}"
    )


def _plain(name: str) -> str:
    """Lower-case letters and digits of a name, without a usual unit in brackets."""
    return re.sub("[^a-z0-9]", "", re.sub(_UNITS, "", name.lower()))


def _without_position(name: str) -> str:
    """Plain name without the word position before it."""
    return next((name.removeprefix(word) for word in _BEFORE if name.startswith(word) and name != word), name)
