"""Matching and losses."""

from __future__ import annotations

from dataclasses import dataclass

from refinedet.config.base import Settings, check


@dataclass(frozen=True, slots=True)
class LossConfig(Settings):
    """Matching and losses of both modules."""

    arm_candidates: int = 9
    """Anchors per level and ship that the adaptive assignment (ATSS) of the ARM considers."""
    odm_positive_iou: float = 0.5
    """A refined anchor that overlaps a ship at least this much learns it."""
    odm_negative_iou: float = 0.4
    """Below this it is background; between the two it is left out."""
    focal_gamma: float = 2.0
    """Exponent that turns the loss away from easy anchors, in both modules."""
    focal_alpha: float = 0.25
    """Weight of positives in the ARM's focal loss."""
    box_weight: float = 2.0
    """Weight of the GIoU losses against the classification losses."""

    def __post_init__(self) -> None:
        check(self.arm_candidates >= 1, "arm_candidates", "at least 1", self.arm_candidates)
        check(
            0 < self.odm_negative_iou <= self.odm_positive_iou < 1,
            "odm_negative_iou",
            "0 < negative <= positive < 1",
            (self.odm_negative_iou, self.odm_positive_iou),
        )
        check(self.focal_gamma >= 0 and 0 < self.focal_alpha < 1, "focal_alpha", "within (0, 1)", self.focal_alpha)
        check(self.box_weight > 0, "box_weight", "more than 0", self.box_weight)
