"""Settings of the results of a detection: files, views, and what happens to older ones."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from refinedet.config.base import Settings, check, validated
from refinedet.config.options.option import Effect, option, overwrite_option

Format = Literal["geojson", "csv", "gpkg", "coco", "geoparquet", "kml", "fgb", "stac"]
Outline = Literal["box", "oriented"]
"""Outline of a ship: the box of its detection, or a rectangle of its length and width along its heading."""


@validated(frozen=True, slots=True)
class OutputSettings(Settings):
    """Result files, and what happens to older ones."""

    out: Path | None = option(None, "Folder for results.", Effect.FILES, default_text="./<stem>_ships")
    format: tuple[Format, ...] | None = option(
        None,
        "Format of the result files; repeat for several.",
        Effect.FILES,
        default_text="geojson, csv; for an archive its data set",
    )
    outline: Outline = option(
        "box",
        "Outline of a ship in vector files, map and picture: its box, or a rectangle of its measured length and width "
        "along its heading (oriented). Ships without a measured heading keep their box.",
        Effect.FILES,
        metavar="box|oriented",
    )
    quicklook: bool | None = option(
        None,
        "Write a picture of the scene with its ships.",
        Effect.FILES,
        flag="--quicklook/--no-quicklook",
        default_text="on, for an archive off",
    )
    map: bool | None = option(
        None,
        "Write a map of the ships for the browser (one HTML file).",
        Effect.FILES,
        flag="--map/--no-map",
        default_text="on, for an archive off",
    )
    overwrite: bool = overwrite_option()
    skip_existing: bool = option(
        False,
        "Skip scenes that already have complete results of the same scene, weights and settings.",
        Effect.NONE,
        flag="--skip-existing",
    )
    restart: bool = option(
        False,
        "Discard the finished windows of an interrupted run, and start from the beginning.",
        Effect.NONE,
        flag="--restart",
    )

    def __post_init__(self) -> None:
        check(
            not (self.skip_existing and self.overwrite), "skip_existing", "none beside `overwrite`", self.skip_existing
        )

    def formats(self, default: tuple[Format, ...]) -> tuple[Format, ...]:
        """Formats that were asked for, else `default`."""
        return default if self.format is None else self.format
