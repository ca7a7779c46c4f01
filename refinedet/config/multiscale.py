"""Settings of the multi-scale test: the passes of one image through the network, and the merging of their boxes."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Any, Literal, Self

from pydantic import Field

from refinedet.config.base import Settings, check, validated
from refinedet.config.postprocess import SuppressionConfig
from refinedet.errors import InputError

Flip = Literal["none", "horizontal", "vertical", "both"]
Side = Literal["long", "short"]
Scoring = Literal["strongest", "mean"]
Preset = Literal["light", "published", "published-coco", "published-voc"]


@validated(frozen=True, slots=True)
class Pass(Settings):
    """One pass of an image: its size, how it is mirrored, and which boxes are kept."""

    scale: Annotated[float, Field(gt=0, le=4)] = 1.0
    """Length of `side` on the canvas, in units of the network's input size."""
    side: Side = "long"
    """The side of the image that `scale` sets; the other follows, the image is never warped."""
    flip: Flip = "none"
    """horizontal mirrors left to right, vertical top to bottom, both is half a turn."""
    min_short_px: Annotated[float, Field(ge=0)] | None = None
    """Keep boxes whose short side is at least this, in pixels of the image as it came; null: no limit."""
    max_short_px: float | None = None
    """Keep boxes whose short side is below this, in pixels of the image as it came; null: no limit."""

    def __post_init__(self) -> None:
        low, high = self.min_short_px or 0, self.max_short_px
        check(high is None or high > low, "max_short_px", "more than min_short_px or null", high)


@validated(frozen=True, slots=True)
class MultiscaleConfig(Settings):
    """Passes and their merging. One pass of scale 1 without `pass_nms_iou` is the single-scale test."""

    passes: Annotated[tuple[Pass, ...], Field(min_length=1)] = (Pass(),)
    pass_nms_iou: Annotated[float, Field(gt=0, le=1)] | None = None
    """IoU of the NMS within each pass, before its size gate and before merging; null: all candidates are merged."""
    merge: SuppressionConfig = field(default_factory=SuppressionConfig)
    """Merging of the boxes of all passes into one set."""
    scoring: Scoring = "strongest"
    """Score of a merged box: that of its strongest box (as published), or the mean, over the passes whose size gate
    admits it, of each pass's strongest box on it (0 where a pass has none), as weighted boxes fusion does."""

    @classmethod
    def preset(cls, name: str) -> Self:
        """One of PRESETS by name.

        Raises:
            InputError: there is no such preset.
        """
        if name not in PRESETS:
            raise InputError(f"expected a multi-scale preset, one of {sorted(PRESETS)}, found '{name}'")
        return cls.from_dict(PRESETS[name])


_GATES_PX = {1.25: 224.0, 1.5: 192.0, 1.75: 128.0, 2.0: 96.0, 2.25: 64.0}
"""Scale -> boxes from this short side on are left to the smaller scales (public RefineDet++ code)."""
_VOTING = {"suppression": "nms", "nms_iou": 0.45, "voting_iou": 0.45}
_SOFT_VOTING = _VOTING | {"suppression": "soft_linear"}
_PUBLISHED_SCALES = (0.5, 0.75, 1.0, 1.5, 1.75)


def _with_flips(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**row, "flip": flip} for row in rows for flip in ("none", "horizontal")]


def _published(*scales: float, merge: dict[str, Any] = _SOFT_VOTING) -> dict[str, Any]:
    rows = [{"scale": scale, "max_short_px": _GATES_PX.get(scale)} for scale in scales]
    short = {"scale": 0.75, "side": "short"}
    return {"passes": _with_flips(*rows, short), "pass_nms_iou": 0.45, "merge": merge}


PRESETS: dict[Preset, dict[str, Any]] = {
    "published": _published(*_PUBLISHED_SCALES),
    "published-voc": _published(*_PUBLISHED_SCALES, merge=_VOTING),
    "published-coco": _published(*_PUBLISHED_SCALES, 1.25, 2.0, 2.25),
    "light": {
        "passes": _with_flips({"scale": 0.8}, {"scale": 1.0}, {"scale": 1.25}),
        "merge": {"nms_iou": 0.5, "voting_iou": 0.7},
        "scoring": "mean",
    },
}
"""Name -> MultiscaleConfig as plain values. The published ones are those of the public RefineDet++ code: 12 passes for
its SSDD and VOC figures, 18 for COCO; soft box voting merges them, or box voting for VOC. `light` was found on SSDD's
validation chips."""
