"""From raw outputs to detections, and how overlapping boxes become one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from refinedet.config.base import Settings, check

Suppression = Literal["nms", "soft_linear", "soft_gaussian", "none"]


@dataclass(frozen=True, slots=True)
class SuppressionConfig(Settings):
    """How the boxes of one class that overlap become one. With `voting_iou`: box voting, or soft box voting."""

    suppression: Suppression = "nms"
    """What a box does to the weaker ones of its class: drops those it overlaps more than `nms_iou` (nms), multiplies
    their scores by 1 - IoU (soft_linear), multiplies all scores by exp(-IoU^2 / sigma) (soft_gaussian), or nothing."""
    nms_iou: float = 0.5
    """Overlap above which two boxes of one class are taken for one object."""
    sigma: float = 0.5
    """Width of soft_gaussian: the larger, the milder."""
    voting_iou: float | None = 0.6
    """A box that NMS would keep becomes the score-weighted mean of its class's boxes from this IoU on; null: not so."""
    score_min: float = 0.01
    """Lowest class score of a box that takes part."""
    keep_min: float = 0.0
    """Lowest class score of a detection, where that is higher: weaker boxes vote, and are left out. What is kept is the
    same as without it, in a fraction of the time."""
    max_detections: int = 300
    """Strongest detections kept per image."""

    def __post_init__(self) -> None:
        kinds = get_args(Suppression)
        check(self.suppression in kinds, "suppression", f"one of {kinds}", self.suppression)
        check(0 < self.nms_iou <= 1, "nms_iou", "within (0, 1]", self.nms_iou)
        check(self.sigma > 0, "sigma", "more than 0", self.sigma)
        check(
            self.voting_iou is None or 0 < self.voting_iou <= 1, "voting_iou", "within (0, 1] or null", self.voting_iou
        )
        check(0 <= self.score_min < 1, "score_min", "within [0, 1)", self.score_min)
        check(0 <= self.keep_min < 1, "keep_min", "within [0, 1)", self.keep_min)
        check(self.max_detections >= 1, "max_detections", "at least 1", self.max_detections)


@dataclass(frozen=True, slots=True)
class PostprocessConfig(SuppressionConfig):
    """From raw outputs to detections."""

    objectness_min: float = 0.01
    """Anchors whose ARM objectness is not above this are dropped."""
    pre_nms: int = 1000
    """Strongest candidates per image that enter suppression."""
    operating_score: float = 0.5
    """The network's own score that is reported as 0.5; scores keep their order, so AP does not depend on it."""

    def __post_init__(self) -> None:
        SuppressionConfig.__post_init__(self)  # super() without arguments does not find a class with slots
        check(0 <= self.objectness_min < 1, "objectness_min", "within [0, 1)", self.objectness_min)
        check(self.pre_nms >= 1, "pre_nms", "at least 1", self.pre_nms)
        check(0 < self.operating_score < 1, "operating_score", "within (0, 1)", self.operating_score)
