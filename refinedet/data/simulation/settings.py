"""Settings of simulated scenes, as a user states them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from refinedet.config.base import Positive, Settings, Share, Whole, check, validated
from refinedet.config.option import Effect, option
from refinedet.config.scene_kind import SceneKind

_Side = Annotated[int, Field(ge=64)]
_Passes = Annotated[int, Field(ge=1, le=999)]


@validated(frozen=True, slots=True)
class SimulationSettings(Settings):
    """Settings of one simulated scene, or of a series of passes over one place."""

    width_px: _Side = option(2048, "Width of a scene.")
    height_px: _Side = option(2048, "Height of a scene.")
    ships: Whole = option(60, "Number of ships, of a series in each pass.")
    seed: Whole = option(1, "Equal seeds give equal bytes.")
    kind: SceneKind | None = option(
        None,
        "Kind of scene: ships, sea and land; or harder, calibrated on images of Sentinel-1.",
        metavar="plain|sentinel1",
        default_text="plain; of a series sentinel1",
    )
    ais: bool = option(
        False,
        "Write the reports of the ships by AIS too, as MarineCadastre does, and who is dark in the truth. The scene "
        "states its time and how the radar looked.",
        flag="--ais",
    )
    reporting: Share | None = option(None, "Share of the ships that report by AIS.", default_text="0.7")
    gap_min: Positive | None = option(
        None, "Longest time in minutes from the image to the nearest report.", default_text="15"
    )
    series: _Passes | None = option(
        None,
        "Number of passes over one place, days apart: OUT_<time>.tif for each, with the same platforms and turbines, "
        "an anchorage whose ships change, and ships that pass.",
        default_text="one scene",
    )
    platforms: Whole | None = option(None, "Number of platforms of a series.", default_text="8")
    turbines: Whole | None = option(None, "Number of wind turbines of a series.", default_text="12")
    overwrite: bool = option(False, "Replace existing results.", Effect.NONE, flag="--overwrite")

    def __post_init__(self) -> None:
        for name in ("reporting", "gap_min"):
            asked = getattr(self, name)
            check(asked is None or self.ais, name, "none without `ais`", asked)
        for name in ("platforms", "turbines"):
            asked = getattr(self, name)
            check(asked is None or self.series is not None, name, "none without `series`", asked)
        check(self.series is None or self.kind != "plain", "kind", "sentinel1 beside `series`", self.kind)
