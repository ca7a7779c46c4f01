"""Matching and losses."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from refinedet.config.base import Count, Positive, Settings, check, validated

ArmMatching = Literal["atss", "iou"]
Classification = Literal["quality", "focal", "hard_negative"]
BoxLoss = Literal["giou", "ciou", "smooth_l1"]
ObjectnessTarget = Literal["hard", "iou"]
_Inner = Annotated[float, Field(gt=0, lt=1)]


@validated(frozen=True, slots=True)
class LossConfig(Settings):
    """Matching and losses of both modules.

    As published (RefineDet, Zhang et al. 2018): arm_matching iou, odm_negative_iou 0.5, classification hard_negative,
    box smooth_l1, box_weight 1.
    """

    arm_matching: ArmMatching = "atss"
    """Assignment of default boxes to ships: adaptively, or by a fixed IoU as published."""
    arm_candidates: Count = 9
    """Anchors per level and ship that the adaptive assignment (ATSS) of the ARM considers."""
    arm_positive_iou: _Inner = 0.5
    """With arm_matching iou: a default box that overlaps a ship at least this much learns it."""
    odm_positive_iou: _Inner = 0.5
    """A refined anchor that overlaps a ship at least this much learns it."""
    odm_negative_iou: _Inner = 0.4
    """Below this it is background; between the two it is left out."""
    classification: Classification = "quality"
    """Class loss: quality focal loss (the score learns the IoU of the box), focal loss, or hard negative mining."""
    objectness_target: ObjectnessTarget = "hard"
    """Score that a positive of the ARM learns: 1, or the IoU of its refined anchor."""
    focal_gamma: Annotated[float, Field(ge=0)] = 2.0
    """Exponent that turns the loss away from easy anchors, in both modules."""
    focal_alpha: _Inner = 0.25
    """Weight of positives in the focal loss."""
    negatives_per_positive: Count = 3
    """With hard_negative: the hardest background anchors of an image that are learnt, for each of its positives."""
    box: BoxLoss = "giou"
    """Box loss: generalised or complete IoU of the boxes, or smooth L1 of the offsets."""
    box_weight: Positive = 2.0
    """Weight of the box losses against the classification losses."""

    def __post_init__(self) -> None:
        least = self.odm_positive_iou
        check(
            self.odm_negative_iou <= least,
            "odm_negative_iou",
            f"at most odm_positive_iou, {least}",
            self.odm_negative_iou,
        )
        # between 0 and 1, the focal loss of an anchor that is certain has an infinite slope
        check(self.focal_gamma == 0 or self.focal_gamma >= 1, "focal_gamma", "0, or at least 1", self.focal_gamma)
