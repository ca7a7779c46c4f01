"""Settings of a match of result files with AIS files."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from refinedet.config.base import Positive, Settings, Share, validated
from refinedet.config.options.ais import GAP_HELP, GAP_MIN, DateOrder, RadarView, date_order_option
from refinedet.config.options.option import Effect, option, overwrite_option

MatchFormat = Literal["geojson", "csv", "gpkg"]


@validated(frozen=True, slots=True)
class ViewSettings(RadarView):
    """Time and geometry of a scene whose record does not have them."""

    time: str | None = option(
        None,
        "Acquisition time (UTC) of a scene whose results have none.",
        metavar="TIME",
        default_text="from the results",
    )


@validated(frozen=True, slots=True)
class MatchOptions(Settings):
    """Limits of a match, and its files."""

    gap_min: Positive = option(GAP_MIN, GAP_HELP)
    date_order: DateOrder | None = date_order_option()
    score_min: Share = option(
        0.0, "Leave out detections below this score; they still explain why an AIS ship is unseen."
    )
    land: Path | None = option(
        None,
        "Your own land polygons, to tell which unseen AIS ships are on land.",
        metavar="FILE",
        default_text="the coastline in the package",
    )
    out: Path | None = option(None, "Folder for results.", Effect.FILES, default_text="beside SHIPS")
    format: tuple[MatchFormat, ...] | None = option(
        None, "Format of the result files; repeat for several.", Effect.FILES, default_text="geojson, csv"
    )
    map: bool = option(
        True, "Write a map of the ships for the browser (one HTML file).", Effect.FILES, flag="--map/--no-map"
    )
    report: bool = option(False, "Write an HTML report with precision and recall.", Effect.FILES, flag="--report")
    overwrite: bool = overwrite_option()
