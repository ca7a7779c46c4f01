"""How a scene becomes chips: pixel values and windows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from refinedet.config.base import Settings, check

Stretch = Literal["percentile", "none"]


@dataclass(frozen=True, slots=True)
class Radiometry(Settings):
    """How pixel values of a scene become the 8 bits that the network sees. Stored in the checkpoint."""

    stretch: Stretch = "percentile"
    """percentile: linear from `low_percentile` to `high_percentile` of valid pixels; none: clip to 0..255."""
    low_percentile: float = 1.0
    high_percentile: float = 99.5
    headroom: float = 2.0
    """The upper end of the stretch is this many times the high percentile, so that ships do not all saturate."""

    def __post_init__(self) -> None:
        check(self.stretch in get_args(Stretch), "stretch", f"one of {get_args(Stretch)}", self.stretch)
        check(
            0 <= self.low_percentile < self.high_percentile <= 100,
            "low_percentile",
            "0 <= low < high <= 100",
            (self.low_percentile, self.high_percentile),
        )
        check(self.headroom >= 1, "headroom", "at least 1", self.headroom)


@dataclass(frozen=True, slots=True)
class TileConfig(Settings):
    """How a scene is cut into windows; the same rule for training chips and for detection."""

    tile_px: int = 512
    """Side of a window, in scene pixels."""
    overlap_px: int = 160
    """Pixels shared by neighbouring windows; a ship no longer than this is whole in one of them."""
    whole_factor: float = 1.5
    """A scene whose long side is at most this many tiles is one window."""
    min_visible: float = 0.5
    """A truth box cut by a window is kept where at least this share of it is visible, else ignored."""

    def __post_init__(self) -> None:
        check(self.tile_px >= 64, "tile_px", "at least 64", self.tile_px)
        check(0 <= self.overlap_px < self.tile_px, "overlap_px", "0 <= overlap_px < tile_px", self.overlap_px)
        check(self.whole_factor >= 1, "whole_factor", "at least 1", self.whole_factor)
        check(0 < self.min_visible <= 1, "min_visible", "within (0, 1]", self.min_visible)
