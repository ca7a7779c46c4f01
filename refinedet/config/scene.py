"""Settings that turn a scene into chips: pixel values and windows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Literal, Self, get_args

from pydantic import Field

from refinedet.config.base import Positive, Settings, Whole, check, validated
from refinedet.errors import InputError

ValueKind = Literal["amplitude", "power", "db", "db10", "db100", "db1000", "iq"]
"""Kind of the values of a raster: amplitude; power; decibels; tenths, hundredths or thousandths of them; real and
imaginary part."""
Stretch = Literal["percentile", "decibel", "none"]
StretchKind = Literal["auto", "percentile", "decibel", "fixed", "none"]
_Percentile = Annotated[float, Field(ge=0, le=100)]
_LARGEST_PX = 2**20


@validated(frozen=True, slots=True)
class Radiometry(Settings):
    """Mapping of the pixel values of a scene to the 8 bits that the network sees. Stored in the checkpoint."""

    stretch: Stretch = "percentile"
    """percentile: linear in amplitude, from `low_percentile` to `high_percentile` of valid pixels; decibel: linear in
    decibels, likewise; none: clip to 0..255."""
    low_percentile: _Percentile = 1.0
    high_percentile: _Percentile = 99.5
    headroom: Annotated[float, Field(ge=1)] = 2.0
    """The upper end of the stretch is this many times the high percentile, so that ships do not all saturate."""

    def __post_init__(self) -> None:
        low, high = self.low_percentile, self.high_percentile
        check(low < high, "low_percentile", f"less than high_percentile, {high}", low)


@validated(frozen=True, slots=True)
class StretchChoice(Settings):
    """Stretch that one run asks for: the checkpoint's own, or another one."""

    kind: StretchKind = "auto"
    """auto: as the checkpoint's `Radiometry` says, 8-bit scenes as they are unless they are dark; fixed: linear from
    `low` to `high`; the others: as in `Radiometry`, 8-bit scenes too."""
    low: float = 0.0
    """Lower end of a fixed stretch, in the values of the scene."""
    high: float = 0.0

    def __post_init__(self) -> None:
        spans = self.kind != "fixed" or self.low < self.high
        check(spans, "stretch", "fixed:LOW:HIGH with LOW below HIGH", f"fixed:{self.low:g}:{self.high:g}")

    def mapped(self, amplitude: Callable[[float], float]) -> Self:
        """Stretch with the ends of a fixed one as amplitudes; `amplitude` converts the values of the scene."""
        if self.kind != "fixed":
            return self
        return replace(self, low=amplitude(self.low), high=amplitude(self.high))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse the text of an option: auto, percentile, decibel, none, or fixed:LOW:HIGH.

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


@validated(frozen=True, slots=True)
class TileConfig(Settings):
    """Rule by which a scene is cut into windows; the same for training chips and for detection."""

    tile_px: Annotated[int, Field(ge=64, le=_LARGEST_PX)] = 512
    """Side of a window, in scene pixels."""
    overlap_px: Whole = 160
    """Pixels shared by neighbouring windows; a ship no longer than this is whole in one of them."""
    whole_factor: Positive = 1.5
    """A scene whose long side is at most this many tiles is one window."""
    min_visible: Annotated[float, Field(gt=0, le=1)] = 0.5
    """A truth box cut by a window is kept where at least this share of it is visible, else ignored."""

    def __post_init__(self) -> None:
        check(self.overlap_px < self.tile_px, "overlap_px", f"less than tile_px, {self.tile_px}", self.overlap_px)
