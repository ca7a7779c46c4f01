"""Settings of known land and of places of known objects."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from refinedet.config.base import Settings, check, validated
from refinedet.config.options.option import option

LandMask = Literal["flag", "drop", "off"]
COAST_RANGE_M = 100_000.0
"""Largest distance at which coasts are searched."""
_Reach = Annotated[float, Field(ge=0, le=COAST_RANGE_M)]
_BUFFER_M, _NEAR_M = 500.0, 100.0
"""Usual width of the buffer along the coast, and distance from known places."""


@validated(frozen=True, slots=True)
class LandSettings(Settings):
    """Treatment of detections on land, and at places of known objects that are no ships."""

    land_mask: LandMask | None = option(
        None,
        "Detections on land: flag them, drop them, or ignore land (off).",
        metavar="flag|drop|off",
        default_text="flag",
    )
    land: Path | None = option(
        None,
        "Your own land polygons: GeoJSON, GeoPackage or Shapefile.",
        metavar="FILE",
        default_text="the coastline in the package",
    )
    land_buffer_m: _Reach = option(
        _BUFFER_M, "Width in metres of the buffer on both sides of the coast, flagged as shore; farther inland is land."
    )
    exclude: Path | None = option(None, "Points, lines or polygons; detections there are dropped.", metavar="FILE")
    exclude_m: _Reach = option(_NEAR_M, "Also drop detections up to this many metres from these places.")
    platforms: Path | None = option(
        None,
        "GeoJSON, GeoPackage, Shapefile or table of known platforms and turbines. Detections there are flagged as "
        "platform and kept.",
        metavar="FILE",
    )
    platforms_m: _Reach = option(_NEAR_M, "Also flag detections up to this many metres from a known platform.")
    fixed: Path | None = option(
        None,
        "File of fixed objects, as `refinedet fixed` writes it from an archive. Detections there are flagged as fixed "
        "platform and kept.",
        metavar="FILE",
    )
    fixed_m: _Reach = option(_NEAR_M, "Also flag detections up to this many metres from a fixed object.")

    def __post_init__(self) -> None:
        check(self.land is None or self.land_mask != "off", "land_mask", "flag or drop beside `land`", self.land_mask)
        for name in ("exclude", "platforms", "fixed"):
            reach = getattr(self, f"{name}_m")
            fits = getattr(self, name) is not None or reach == _NEAR_M
            check(fits, f"{name}_m", f"a file in `{name}` beside it", reach)
        usual = self.mask != "off" or self.land_buffer_m == _BUFFER_M
        check(usual, "land_buffer_m", "`land_mask` flag or drop beside it", self.land_buffer_m)

    @property
    def mask(self) -> LandMask:
        """Value of `land_mask`: the option if it is given, else flag."""
        return self.land_mask or "flag"

    @property
    def insists(self) -> bool:
        """True if unknown land is an error, because the user named a mask or a file."""
        return self.land_mask in ("flag", "drop") or self.land is not None
