"""Tables of an evaluation besides AP: calibration of the scores, kinds of detection errors, and results by chip."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from refinedet.data.coco import Record
from refinedet.detections import Detections
from refinedet.evaluation.detection_errors import ap_costs, find_detection_errors, kinds_of
from refinedet.evaluation.metrics import HIT_SCORE, match, strongest
from refinedet.evaluation.score_calibration import reliability

Row = dict[str, Any]


def calibration_table(truth: Record, found: Mapping[int, Detections]) -> list[Row]:
    """Rows of the bins of score that hold detections: `score` (their mean), `precision`, its 95 % interval, `count`."""
    return [
        {
            "from": one.low,
            "to": one.high,
            "score": one.score,
            "precision": one.precision,
            "precision_low": one.interval[0],
            "precision_high": one.interval[1],
            "count": one.count,
        }
        for one in reliability(truth, found)
    ]


def detection_error_table(part: Record, found: Mapping[int, Detections]) -> dict[str, Row]:
    """Map each kind of error to its `count` at HIT_SCORE, `count_all` at any score, and `AP50_cost` in points."""
    own = strongest({image.id: found[image.id] for image in part.images if image.id in found})
    reported = find_detection_errors(part, own, score_min=HIT_SCORE).values()
    at_all = find_detection_errors(part, own, score_min=0.0).values()
    costs = ap_costs(part, own)
    return {
        kind: {
            "count": sum(one.count(kind) for one in reported),
            "count_all": sum(one.count(kind) for one in at_all),
            **({"AP50_cost": costs[kind]} if kind in costs else {}),
        }
        for kind in kinds_of(part)
    }


def chip_table(truth: Record, found: Mapping[int, Detections]) -> list[Row]:
    """Rows of the chips, in the order of the truth: `chip`, `hits`, `misses` and `false_alarms` at HIT_SCORE."""
    matches = match(truth, found)
    return [
        {
            "chip": image.file_name,
            "hits": len(matches[image.id].hits),
            "misses": len(matches[image.id].misses),
            "false_alarms": len(matches[image.id].false_alarms),
        }
        for image in truth.images
    ]
