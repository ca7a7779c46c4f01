"""Settings of a search in a catalogue."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from refinedet.catalogues.known import COLLECTION
from refinedet.config.base import Settings, check, validated
from refinedet.config.options.option import Effect, option, overwrite_option


@validated(frozen=True, slots=True)
class SearchSettings(Settings):
    """Settings of a search, except its box and its time."""

    area: Path | None = option(
        None, "Area as polygons: GeoJSON, .gpkg or .shp.", metavar="FILE", default_text="that of the bounding box"
    )
    orbit: Annotated[int, Field(ge=1, le=175)] | None = option(None, "Relative orbit number.", default_text="any")
    direction: Literal["ascending", "descending"] | None = option(
        None, "Orbit direction.", metavar="ascending|descending", default_text="both"
    )
    pol: Literal["vv", "vh", "hh", "hv"] | None = option(
        None, "Polarisation that a scene must have.", metavar="vv|vh|hh|hv", default_text="any"
    )
    limit: Annotated[int, Field(ge=1, le=10_000)] = option(100, "Maximum number of scenes.")
    collection: str = option(COLLECTION, "Collection in the catalogue.")
    out: Path | None = option(
        None,
        "Folder for manifest.txt, its STAC items and footprints.html.",
        Effect.FILES,
        metavar="DIR",
        default_text="none: only print a table",
    )
    overwrite: bool = overwrite_option()

    def __post_init__(self) -> None:
        check(self.out is not None or not self.overwrite, "overwrite", "none without `out`", self.overwrite)
