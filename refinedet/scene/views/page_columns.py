"""Columns of a table of ships on a page: headings, units, decimals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_UNITS = {"m": ("m", 0), "deg": ("°", 0), "db": ("dB", 1), "px": ("px", 0)}
"""End of a measure's name -> unit and decimals."""
_ENDS = ("low", "high")
"""Ends of the names of the bounds of an interval, after the unit."""


@dataclass(frozen=True, slots=True)
class Column:
    """Column of the page: one value of each ship, with a heading."""

    key: str
    name: str
    """Full name, such as `length`."""
    unit: str = ""
    digits: int = 0
    table: bool = True
    text: bool = False
    spare: bool = False
    """True to omit the value from the list of a chosen ship if it is unknown."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values, with the heading."""
        label = f"{self.name} ({self.unit})" if self.unit else self.name
        return {name: getattr(self, name) for name in self.__slots__} | {"label": label}


def measure(name: str) -> Column:
    """Column of a measure of ships, by the name that it has in result files; bounds are not in the table."""
    plain, _, bound = name.rpartition("_")
    plain, bound = (plain, f" {bound}") if bound in _ENDS else (name, "")
    stem, _, end = plain.rpartition("_")
    unit, digits = _UNITS.get(end, ("", 1))
    shown = (stem if unit else plain).replace("_", " ") + bound
    return Column(name, shown, unit, digits, table=not bound)
