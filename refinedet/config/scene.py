"""How a scene becomes chips: pixel values and windows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, Self, get_args

from refinedet.config.base import Settings, check
from refinedet.errors import InputError

Stretch = Literal["percentile", "decibel", "none"]
StretchKind = Literal["auto", "percentile", "decibel", "fixed", "none"]


@dataclass(frozen=True, slots=True)
class Radiometry(Settings):
    """How pixel values of a scene become the 8 bits that the network sees. Stored in the checkpoint."""

    stretch: Stretch = "percentile"
    """percentile: linear in amplitude, from `low_percentile` to `high_percentile` of valid pixels; decibel: linear in
    decibels, likewise; none: clip to 0..255."""
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
class StretchChoice(Settings):
    """What one run asks of the stretch: the checkpoint's own way, or another one."""

    kind: StretchKind = "auto"
    """auto: as the checkpoint's `Radiometry` says, 8-bit scenes as they are; fixed: linear from `low` to `high`; the
    others: as in `Radiometry`, 8-bit scenes too."""
    low: float = 0.0
    """Of fixed, in the values that the scene holds."""
    high: float = 0.0

    def __post_init__(self) -> None:
        check(self.kind in get_args(StretchKind), "stretch", f"one of {get_args(StretchKind)}", self.kind)
        if self.kind == "fixed":
            spans = math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high
            check(spans, "stretch", "fixed:LOW:HIGH with finite LOW < HIGH", f"fixed:{self.low}:{self.high}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """From the command line: auto, percentile, decibel, none, or fixed:LOW:HIGH.

        Raises:
            InputError: it is none of these.
        """
        kind, *ends = text.split(":")
        try:
            levels = {name: float(end) for name, end in zip(("low", "high"), ends, strict=True)} if ends else {}
        except ValueError:  # more or fewer than two, or no numbers
            levels = None
        if levels is None or kind not in get_args(StretchKind) or bool(levels) != (kind == "fixed"):
            raise InputError(
                "expected a stretch of auto, percentile, decibel, none or fixed:LOW:HIGH, such as fixed:-25:5, "
                f"found {text!r}"
            )
        return cls.from_dict({"kind": kind, **levels})


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
        check(self.whole_factor > 0, "whole_factor", "more than 0", self.whole_factor)
        check(0 < self.min_visible <= 1, "min_visible", "within (0, 1]", self.min_visible)
