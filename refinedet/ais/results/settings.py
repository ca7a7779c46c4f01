"""Settings of a match of result files with AIS files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from refinedet.config.base import Positive, Settings, Share, validated
from refinedet.config.option import Effect, option

MatchFormat = Literal["geojson", "csv", "gpkg"]
Degrees = Annotated[float, Field(ge=0, le=360)]
Incidence = Annotated[float, Field(ge=5, le=80)]


@validated(frozen=True, slots=True)
class ViewSettings(Settings):
    """Time and geometry of a scene whose record does not have them."""

    time: str | None = option(
        None, "Time of a scene whose ships have none, in UTC.", metavar="TIME", default_text="of the ships"
    )
    platform_heading: Degrees | None = option(
        None, "Direction of flight, clockwise from north; of a product, its annotation's.", default_text="unknown"
    )
    look: Literal["left", "right"] = option("right", "Side to which the radar looks.")
    incidence: Incidence | None = option(
        None, "Angle of the line of sight from the vertical, in degrees.", default_text="unknown"
    )
    altitude_km: Positive = option(693.0, "Altitude of the satellite; that of Sentinel-1 unless told.")


@validated(frozen=True, slots=True)
class MatchOptions(Settings):
    """Limits of a match, and its files."""

    gap_min: Positive = option(30.0, "Longest time in minutes from a report to the place of a ship.")
    score_min: Share = option(0.0, "Lowest score of a ship; weaker ones tell why a ship of AIS was not seen.")
    out: Path | None = option(None, "Folder for results.", Effect.FILES, default_text="beside SHIPS")
    format: tuple[MatchFormat, ...] | None = option(
        None, "Result files; repeat for several.", Effect.FILES, default_text="geojson, csv"
    )
    report: bool = option(False, "Write a page with a map, precision and recall.", Effect.FILES, flag="--report")
    overwrite: bool = option(False, "Replace existing results.", Effect.NONE, flag="--overwrite")
