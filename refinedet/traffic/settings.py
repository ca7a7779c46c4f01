"""Settings of questions to the data set of an archive."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from refinedet.config.base import Count, Positive, Settings, Share, validated
from refinedet.config.option import Effect, option

Period = Literal["month"]
AisState = Literal["matched", "dark", "unknown"]


@validated(frozen=True, slots=True)
class FixedSettings(Settings):
    """Settings of a search for what stands still."""

    passes_min: Count = option(3, "Least number of passes that show a fixed thing.")
    share_min: Share = option(0.35, "Least share of the passes over its place that show a fixed thing.")
    radius_m: Annotated[float, Field(gt=0, le=500)] = option(
        50.0, "Largest distance of the detections of a fixed thing from their middle."
    )
    out: Path | None = option(
        None, "GeoJSON to write.", Effect.FILES, metavar="FILE", default_text="fixed.geojson in the archive's folder"
    )
    overwrite: bool = option(False, "Replace existing results.", Effect.NONE, flag="--overwrite")


@validated(frozen=True, slots=True)
class DensitySettings(Settings):
    """Settings of a map of traffic."""

    cell_deg: Positive = option(0.05, "Side of a cell in degrees.")
    by: Period | None = option(
        None, "A layer for each month in which something was seen.", metavar="month", default_text="one for all time"
    )
    ais_state: AisState | None = option(
        None,
        "Only ships of this state by AIS, of an archive that was matched.",
        metavar="matched|dark|unknown",
        default_text="all ships",
    )
    fixed: Path | None = option(
        None, "Fixed things, whose detections are left out.", metavar="FILE", default_text="none left out"
    )
    fixed_m: Positive = option(100.0, "Distance from a fixed thing up to which detections are left out.")
    out: Path | None = option(
        None, "GeoTIFF to write.", Effect.FILES, metavar="FILE", default_text="density.tif in the archive's folder"
    )
    overwrite: bool = option(False, "Replace existing results.", Effect.NONE, flag="--overwrite")
