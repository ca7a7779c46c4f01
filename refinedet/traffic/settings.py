"""Settings of analyses of the data set of an archive."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from refinedet.config.base import Count, Positive, Settings, Share, check, validated
from refinedet.config.options.option import Effect, option, overwrite_option

Period = Literal["month"]
AisState = Literal["matched", "dark", "unknown"]
_NEAR_M = 100.0
"""Usual distance from fixed objects."""


@validated(frozen=True, slots=True)
class FixedSettings(Settings):
    """Settings of a search for fixed objects."""

    passes_min: Count = option(3, "Minimum number of passes in which a fixed object is detected.")
    share_min: Share = option(
        0.35, "Minimum share of the passes over its position in which a fixed object is detected."
    )
    radius_m: Annotated[float, Field(gt=0, le=500)] = option(
        50.0, "Maximum distance in metres of the detections of a fixed object from their mean position."
    )
    out: Path | None = option(
        None, "GeoJSON to write.", Effect.FILES, metavar="FILE", default_text="fixed.geojson in the archive's folder"
    )
    overwrite: bool = overwrite_option()


@validated(frozen=True, slots=True)
class DensitySettings(Settings):
    """Settings of a density map."""

    cell_deg: Positive = option(0.05, "Side of a cell in degrees.")
    by: Period | None = option(
        None, "Write layers for each month with observations.", metavar="month", default_text="one period"
    )
    ais_state: AisState | None = option(
        None,
        "Count only ships with this AIS state; needs an archive made with AIS reports.",
        metavar="matched|dark|unknown",
        default_text="all ships",
    )
    fixed: Path | None = option(
        None, "File of fixed objects; detections there are not counted.", metavar="FILE", default_text="none"
    )
    fixed_m: Positive = option(_NEAR_M, "Also leave out detections up to this many metres from a fixed object.")
    out: Path | None = option(
        None, "GeoTIFF to write.", Effect.FILES, metavar="FILE", default_text="density.tif in the archive's folder"
    )
    overwrite: bool = overwrite_option()

    def __post_init__(self) -> None:
        fits = self.fixed is not None or self.fixed_m == _NEAR_M
        check(fits, "fixed_m", "a file in `fixed` beside it", self.fixed_m)
