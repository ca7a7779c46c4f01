"""Published figures of other detectors for reports. They are copied, not measured here, and marked as such."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Published:
    """One published result on a test split that this project can evaluate too."""

    detector: str
    part: str
    """Part of the test split, by its name in metrics.json."""
    percent: Mapping[str, float]
    """Measure, by its name in metrics.json -> value."""
    caveat: str
    """Difference in method that limits the comparison."""
    source: str


_SEED = "github.com/HaoIrving/RefineDet.PyTorch"
_CHOSEN = "best of about 21 checkpoints, chosen on this test split; images warped to a square"

PUBLISHED: Mapping[str, tuple[Published, ...]] = {
    "ssdd": (
        Published(
            "RefineDet++ 512", "test", {"AP": 62.94, "AP50": 97.35, "AP75": 72.96}, _CHOSEN, f"{_SEED}, refinedet++"
        ),
        Published(
            "RefineDet 512, without AlignConv", "test", {"AP": 62.57, "AP50": 97.51}, _CHOSEN, f"{_SEED}, refinedet++"
        ),
        Published("RefineDet 512", "test_inshore", {"AP": 51.7, "AP50": 93.7}, _CHOSEN, f"{_SEED}, refinedet++"),
        Published("RefineDet 512", "test_offshore", {"AP": 65.0, "AP50": 98.9}, _CHOSEN, f"{_SEED}, refinedet++"),
    )
}
"""Data set -> rows."""
