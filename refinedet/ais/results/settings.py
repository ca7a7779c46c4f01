"""Settings of a match of result files with AIS files."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from refinedet.config.ais_options import GAP_MIN, RadarView
from refinedet.config.base import Positive, Settings, Share, validated
from refinedet.config.option import Effect, option

MatchFormat = Literal["geojson", "csv", "gpkg"]


@validated(frozen=True, slots=True)
class ViewSettings(RadarView):
    """Time and geometry of a scene whose record does not have them."""

    time: str | None = option(
        None, "Time of a scene whose ships have none, in UTC.", metavar="TIME", default_text="of the ships"
    )


@validated(frozen=True, slots=True)
class MatchOptions(Settings):
    """Limits of a match, and its files."""

    gap_min: Positive = option(GAP_MIN, "Longest time in minutes from a report to the place of a ship.")
    score_min: Share = option(0.0, "Lowest score of a ship; weaker ones tell why a ship of AIS was not seen.")
    land: Path | None = option(
        None,
        "Land polygons of your own, which tell which unseen ships lie on land.",
        metavar="FILE",
        default_text="the coastline that comes with refinedet",
    )
    out: Path | None = option(None, "Folder for results.", Effect.FILES, default_text="beside SHIPS")
    format: tuple[MatchFormat, ...] | None = option(
        None, "Result files; repeat for several.", Effect.FILES, default_text="geojson, csv"
    )
    map: bool = option(
        True, "Write a map of the ships for the browser, in one file.", Effect.FILES, flag="--map/--no-map"
    )
    report: bool = option(False, "Write a page with precision and recall.", Effect.FILES, flag="--report")
    overwrite: bool = option(False, "Replace existing results.", Effect.NONE, flag="--overwrite")
