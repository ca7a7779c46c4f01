"""Names of Sentinel-1 products in catalogues: with or without the last four characters, and with `_COG`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

_NAME = re.compile(
    r"(?P<mission>S1[A-D])_(?P<mode>[A-Z0-9]{2})_(?P<kind>[A-Z]{3}[FHM_])_1S(?P<polarisations>SH|SV|DH|DV|HH|HV|VV|VH)"
    r"_(?P<start>\d{8}T\d{6})_(?P<end>\d{8}T\d{6})_(?P<orbit>\d{6})_(?P<take>[0-9A-F]{6})"
    r"(?:_(?P<version>[0-9A-F]{4}))?(?P<cog>_COG)?(?:\.SAFE)?"
)
_FORMAT = "%Y%m%dT%H%M%S"
_SHIFTS = {"S1A": 73, "S1B": 27, "S1C": 172}
"""Absolute orbit minus relative orbit plus one, modulo 175. The value of S1D is not known here."""
_CYCLE = 175
_POLARISATIONS = {"SH": ("hh",), "SV": ("vv",), "DH": ("hh", "hv"), "DV": ("vv", "vh")}


@dataclass(frozen=True, slots=True)
class ProductName:
    """Parts of the name of a product."""

    mission: str
    kind: str
    """Mode, type, resolution and polarisations, such as IW_GRDH_DV."""
    start: datetime
    end: datetime
    take: str
    """Data take, hexadecimal."""
    version: str | None
    """Last four characters, which differ between processings of one acquisition; None if the name lacks them."""
    cog: bool
    """True if the rasters are cloud-optimised copies."""
    relative_orbit: int | None
    polarisations: tuple[str, ...]

    @classmethod
    def of(cls, name: str) -> ProductName | None:
        """Parse the name of a product; None if it is no product name."""
        match = _NAME.fullmatch(name)
        if match is None:
            return None
        try:
            start, end = (datetime.strptime(match[one], _FORMAT).replace(tzinfo=UTC) for one in ("start", "end"))
        except ValueError:
            return None
        letters = match["polarisations"]
        shift = _SHIFTS.get(match["mission"])
        return cls(
            match["mission"],
            f"{match['mode']}_{match['kind']}_{letters}",
            start,
            end,
            match["take"],
            match["version"],
            match["cog"] is not None,
            None if shift is None else (int(match["orbit"]) - shift) % _CYCLE + 1,
            _POLARISATIONS.get(letters, (letters.lower(),)),
        )
