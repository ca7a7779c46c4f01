"""Settings of postprocessing: from raw outputs to detections, and the suppression of overlapping boxes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from refinedet.config.base import Count, Positive, Settings, validated

Suppression = Literal["nms", "soft_linear", "soft_gaussian", "none"]
_Overlap = Annotated[float, Field(gt=0, le=1)]
_Score = Annotated[float, Field(ge=0, lt=1)]


@validated(frozen=True, slots=True)
class SuppressionConfig(Settings):
    """Suppression of overlapping boxes of one class. With `voting_iou`: box voting, or soft box voting."""

    suppression: Suppression = "nms"
    """Effect of a box on the weaker ones of its class: drops those it overlaps more than `nms_iou` (nms), multiplies
    their scores by 1 - IoU (soft_linear), multiplies all scores by exp(-IoU^2 / sigma) (soft_gaussian), or nothing."""
    nms_iou: _Overlap = 0.5
    """IoU above which two boxes of one class count as one object."""
    sigma: Positive = 0.5
    """Width of soft_gaussian: the larger, the milder."""
    voting_iou: _Overlap | None = 0.6
    """A box that NMS keeps becomes the score-weighted mean of its class's boxes from this IoU on; null: no voting."""
    score_min: _Score = 0.01
    """Lowest class score of a box that takes part."""
    keep_min: _Score = 0.0
    """Lowest class score of a detection, where that is higher: weaker boxes vote, and are left out. The kept detections
    are the same as without this limit, and take a fraction of the time."""
    max_detections: Count = 300
    """Strongest detections kept per image."""


@validated(frozen=True, slots=True)
class PostprocessConfig(SuppressionConfig):
    """Settings from raw outputs to detections."""

    objectness_min: _Score = 0.01
    """Anchors whose ARM objectness is not above this are dropped."""
    pre_nms: Count = 1000
    """Strongest candidates per image that enter suppression."""
    operating_score: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """The network's own score, for a box with a side of 16 pixels of the canvas, that is reported as 0.5."""
    size_slope: Annotated[float, Field(ge=0, le=2)] = 0.0
    """Logit that a score loses with each doubling of the box's side, and gains with each halving, between 8 and 32
    pixels of the canvas. The network learns the IoU as score, which is low for a small ship however clear it is."""
