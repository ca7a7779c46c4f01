"""Training data of a checkpoint: windows and pixel sizes."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated

from pydantic import Field

from refinedet.config.base import Settings, check, validated
from refinedet.config.scene import TileConfig

_Metres = Annotated[float, Field(gt=0, le=10_000)]


@validated(frozen=True, slots=True)
class PixelSizes(Settings):
    """Pixel sizes on the ground, in metres, of a data set or of the training data of weights."""

    min_m: _Metres
    """Least size."""
    max_m: _Metres
    """Greatest size."""
    best_m: _Metres | None = None
    """The size that weights know best, or that most of a data set has; None: unknown."""

    def __post_init__(self) -> None:
        check(self.min_m <= self.max_m, "min_m", f"at most max_m, {self.max_m}", self.min_m)
        best = self.best_m
        within = best is None or self.min_m <= best <= self.max_m
        check(within, "best_m", f"null, or a number from {self.min_m} to {self.max_m}", best)


@validated(frozen=True, slots=True)
class TrainedOn(Settings):
    """Windows and pixel sizes of the chips of a training."""

    windows: TileConfig = field(default_factory=TileConfig)
    """Windows into which scenes were cut; detection cuts them likewise."""
    gsd_m: PixelSizes | None = None
    """Pixel sizes that the weights know; None: not known."""
    ships: bool = False
    """True if training began with weights that find ships; a single class then counts as ships, whatever its name."""
