"""What an evaluation says beyond AP, as plain tables: calibration of the scores, kinds of mistakes, chip by chip."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from refinedet.data.coco import Record
from refinedet.detections import Detections
from refinedet.evaluation.calibration import reliability
from refinedet.evaluation.metrics import HIT_SCORE, match, strongest
from refinedet.evaluation.mistakes import ap_costs, find_mistakes, kinds_of

Row = dict[str, Any]


def calibration_table(truth: Record, found: Mapping[int, Detections]) -> list[Row]:
    """A row for each bin of score with detections: `score` (their mean), `precision`, its 95 % interval, `count`."""
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


def mistake_table(part: Record, found: Mapping[int, Detections]) -> dict[str, Row]:
    """Kind of mistake -> `count` at the score of detection, `count_all` at any score, and `AP50_cost` in points."""
    own = strongest({image.id: found[image.id] for image in part.images if image.id in found})
    reported = find_mistakes(part, own, score_min=HIT_SCORE).values()
    at_all = find_mistakes(part, own, score_min=0.0).values()
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
    """A row for each chip, in the order of the record: `chip`, `hits`, `misses` and `false_alarms` at HIT_SCORE."""
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
