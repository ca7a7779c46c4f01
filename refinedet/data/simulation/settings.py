"""User settings of simulated scenes."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from refinedet.config.base import Positive, Settings, Share, Whole, check, validated
from refinedet.config.options.ais import GAP_HELP
from refinedet.config.options.option import option, overwrite_option
from refinedet.config.scene_kind import SceneKind

_Side = Annotated[int, Field(ge=64)]
_Passes = Annotated[int, Field(ge=1, le=999)]


@validated(frozen=True, slots=True)
class SimulationSettings(Settings):
    """Settings of one simulated scene, or of a series of passes over one place."""

    width_px: _Side = option(2048, "Width of a scene in pixels.")
    height_px: _Side = option(2048, "Height of a scene in pixels.")
    ships: Whole = option(60, "Number of ships in a scene.")
    seed: Whole = option(1, "Random seed; equal seeds give equal bytes.")
    kind: SceneKind | None = option(
        None,
        "Kind of scene. plain: ships, sea and land; sentinel1: harder, calibrated on Sentinel-1 images.",
        metavar="plain|sentinel1",
        default_text="plain; for a series sentinel1",
    )
    ais: bool = option(
        False,
        "Also write AIS reports of the ships in the format of MarineCadastre. The truth says which ships are dark. The "
        "scene states its time and its viewing geometry.",
        flag="--ais",
    )
    reporting: Share | None = option(None, "Share of the ships that report by AIS.", default_text="0.7")
    gap_min: Positive | None = option(None, GAP_HELP, default_text="15")
    series: _Passes | None = option(
        None,
        "Number of passes over one area, days apart. Writes OUT_<time>.tif for each. All passes have the same "
        "platforms and turbines, an anchorage with changing ships, and passing ships.",
        default_text="one scene",
    )
    platforms: Whole | None = option(None, "Number of platforms in a series.", default_text="8")
    turbines: Whole | None = option(None, "Number of wind turbines in a series.", default_text="12")
    overwrite: bool = overwrite_option()

    def __post_init__(self) -> None:
        for name in ("reporting", "gap_min"):
            asked = getattr(self, name)
            check(asked is None or self.ais, name, "none without `ais`", asked)
        for name in ("platforms", "turbines"):
            asked = getattr(self, name)
            check(asked is None or self.series is not None, name, "none without `series`", asked)
        check(self.series is None or self.kind != "plain", "kind", "sentinel1 beside `series`", self.kind)
