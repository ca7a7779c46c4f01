"""From raw outputs to detections."""

from __future__ import annotations

from dataclasses import dataclass

from refinedet.config.base import Settings, check


@dataclass(frozen=True, slots=True)
class PostprocessConfig(Settings):
    """From raw outputs to detections."""

    objectness_min: float = 0.01
    """Anchors whose ARM objectness is not above this are dropped."""
    score_min: float = 0.01
    """Lowest class score kept."""
    nms_iou: float = 0.5
    """Of two boxes of one class that overlap more than this, the weaker is dropped."""
    voting_iou: float | None = 0.6
    """A kept box becomes the score-weighted mean of its class's boxes above this IoU; None keeps it."""
    pre_nms: int = 1000
    """Strongest candidates per image that enter NMS."""
    max_detections: int = 300
    """Strongest detections kept per image."""
    operating_score: float = 0.5
    """The network's own score that is reported as 0.5; scores keep their order, so AP does not depend on it."""

    def __post_init__(self) -> None:
        for name in ("objectness_min", "score_min"):
            check(0 <= getattr(self, name) < 1, name, "within [0, 1)", getattr(self, name))
        check(0 < self.nms_iou <= 1, "nms_iou", "within (0, 1]", self.nms_iou)
        check(
            self.voting_iou is None or 0 < self.voting_iou <= 1, "voting_iou", "within (0, 1] or null", self.voting_iou
        )
        check(0 < self.operating_score < 1, "operating_score", "within (0, 1)", self.operating_score)
        check(self.pre_nms >= 1 and self.max_detections >= 1, "max_detections", "at least 1", self.max_detections)
