"""Settings to match detections with AIS: the AIS files, and the view of the radar on scenes that do not state it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from refinedet.config.base import Positive, Settings, check, validated
from refinedet.config.options.option import Effect, option

Degrees = Annotated[float, Field(ge=0, le=360)]
Incidence = Annotated[float, Field(ge=5, le=80)]
Look = Literal["left", "right"]
DateOrder = Literal["day-first", "month-first"]
"""Order of day and month in dates such as 05/06/2024."""

GAP_MIN = 30.0
GAP_HELP = "Longest time in minutes between the image and the nearest AIS report of a ship."
SENTINEL_1_KM = 693.0
"""Altitude of Sentinel-1, in km."""


def date_order_option() -> Any:
    """Declare the option for the order of day and month in AIS files, which two commands have under two names."""
    return option(
        None,
        "Order of day and month in dates of AIS files such as 05/06/2024.",
        Effect.FILES,
        metavar="day-first|month-first",
        default_text="as the dates or the time of the scene show",
    )


@validated(frozen=True, slots=True)
class RadarView(Settings):
    """View of the radar on a scene, from which the displacement of moving ships follows."""

    platform_heading: Degrees | None = option(
        None,
        "Flight direction of the satellite in degrees, clockwise from north. For Sentinel-1 products it comes from the "
        "annotation.",
        Effect.FILES,
        default_text="unknown",
    )
    look: Look | None = option(
        None, "Look direction of the radar.", Effect.FILES, metavar="left|right", default_text="right"
    )
    incidence: Incidence | None = option(None, "Incidence angle in degrees.", Effect.FILES, default_text="unknown")
    altitude_km: Positive | None = option(
        None,
        "Altitude of the satellite in kilometres.",
        Effect.FILES,
        default_text=f"{SENTINEL_1_KM:g}, that of Sentinel-1",
    )

    def __post_init__(self) -> None:
        for name, other in (("platform_heading", "incidence"), ("incidence", "platform_heading")):
            whole = getattr(self, name) is not None or getattr(self, other) is None
            check(whole, name, f"a number beside `{other}`, as the displacement needs both", getattr(self, name))
        for name in ("look", "altitude_km"):
            asked = getattr(self, name)
            check(asked is None or self.stated, name, "none without `platform_heading`", asked)

    @property
    def stated(self) -> bool:
        """True if the view is stated."""
        return self.platform_heading is not None and self.incidence is not None


@validated(frozen=True, slots=True)
class AisSettings(RadarView):
    """AIS with which the ships of each scene are matched."""

    ais: tuple[Path, ...] | None = option(
        None,
        "AIS file or quoted pattern, to identify ships and to find those without AIS. Repeat for several.",
        Effect.FILES,
        metavar="FILE",
        default_text="none",
    )
    ais_columns: tuple[str, ...] | None = option(
        None,
        "Name of a column in the AIS files, such as mmsi=SHIP; repeat for several.",
        Effect.FILES,
        metavar="FIELD=COLUMN",
        default_text="by their names",
    )
    ais_date_order: DateOrder | None = date_order_option()
    ais_gap_min: Positive | None = option(None, GAP_HELP, Effect.FILES, default_text=f"{GAP_MIN:g}")

    def __post_init__(self) -> None:
        for name in (
            "ais_columns",
            "ais_date_order",
            "ais_gap_min",
            "platform_heading",
            "incidence",
            "look",
            "altitude_km",
        ):
            asked = getattr(self, name)
            check(asked is None or self.ais is not None, name, "none without `ais`", asked)
        RadarView.__post_init__(self)
        check(self.ais is None or len(self.ais) > 0, "ais", "at least one file", self.ais)
        for one in self.ais_columns or ():
            check(all(one.partition("=")), "ais_columns", "FIELD=COLUMN, such as mmsi=SHIP", one)

    @property
    def columns(self) -> dict[str, str]:
        """Columns of the AIS files by field; only those that the options name."""
        return dict(one.split("=", 1) for one in self.ais_columns or ())

    @property
    def gap_min(self) -> float:
        """Value of `ais_gap_min` in minutes: the option if it is given, else the default."""
        return GAP_MIN if self.ais_gap_min is None else self.ais_gap_min


def detect_names(text: str) -> str:
    """Replace the names of settings of the AIS reader in a sentence by the names that detection uses."""
    return text.replace("`columns`", "`ais_columns`").replace("`date_order`", "`ais_date_order`")
