"""Matching and losses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from refinedet.config.base import Settings, check

ArmMatching = Literal["atss", "iou"]
Classification = Literal["quality", "focal", "hard_negative"]
BoxLoss = Literal["giou", "ciou", "smooth_l1"]
ObjectnessTarget = Literal["hard", "iou"]


@dataclass(frozen=True, slots=True)
class LossConfig(Settings):
    """Matching and losses of both modules.

    As published (RefineDet, Zhang et al. 2018): arm_matching iou, odm_negative_iou 0.5, classification hard_negative,
    box smooth_l1, box_weight 1.
    """

    arm_matching: ArmMatching = "atss"
    """How default boxes find their ships: adaptively, or by a fixed IoU as published."""
    arm_candidates: int = 9
    """Anchors per level and ship that the adaptive assignment (ATSS) of the ARM considers."""
    arm_positive_iou: float = 0.5
    """With arm_matching iou: a default box that overlaps a ship at least this much learns it."""
    odm_positive_iou: float = 0.5
    """A refined anchor that overlaps a ship at least this much learns it."""
    odm_negative_iou: float = 0.4
    """Below this it is background; between the two it is left out."""
    classification: Classification = "quality"
    """Class loss: quality focal loss (the score learns the IoU of the box), focal loss, or hard negative mining."""
    objectness_target: ObjectnessTarget = "hard"
    """What a positive of the ARM learns to score: 1, or the IoU of its refined anchor."""
    focal_gamma: float = 2.0
    """Exponent that turns the loss away from easy anchors, in both modules."""
    focal_alpha: float = 0.25
    """Weight of positives in the focal loss."""
    negatives_per_positive: int = 3
    """With hard_negative: the hardest background anchors of an image that are learnt, for each of its positives."""
    box: BoxLoss = "giou"
    """Box loss: generalised or complete IoU of the boxes, or smooth L1 of the offsets."""
    box_weight: float = 2.0
    """Weight of the box losses against the classification losses."""

    def __post_init__(self) -> None:
        for name, words in (
            ("arm_matching", get_args(ArmMatching)),
            ("classification", get_args(Classification)),
            ("objectness_target", get_args(ObjectnessTarget)),
            ("box", get_args(BoxLoss)),
        ):
            check(getattr(self, name) in words, name, f"one of {words}", getattr(self, name))
        for name in ("arm_candidates", "negatives_per_positive"):
            check(getattr(self, name) >= 1, name, "at least 1", getattr(self, name))
        check(0 < self.arm_positive_iou < 1, "arm_positive_iou", "within (0, 1)", self.arm_positive_iou)
        check(
            0 < self.odm_negative_iou <= self.odm_positive_iou < 1,
            "odm_negative_iou",
            "0 < negative <= positive < 1",
            (self.odm_negative_iou, self.odm_positive_iou),
        )
        # between 0 and 1, the focal loss of an anchor that is certain has an infinite slope
        check(self.focal_gamma == 0 or self.focal_gamma >= 1, "focal_gamma", "0, or at least 1", self.focal_gamma)
        check(0 < self.focal_alpha < 1, "focal_alpha", "within (0, 1)", self.focal_alpha)
        check(self.box_weight > 0, "box_weight", "more than 0", self.box_weight)
