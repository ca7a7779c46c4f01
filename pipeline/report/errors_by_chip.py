"""Hits, misses and false alarms of a detector, one by one, each with a caption."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from refinedet.boxes import area, iou
from refinedet.data.coco import ImageRecord, Record
from refinedet.detections import Detections
from refinedet.evaluation.detection_errors import NEAR_IOU, DetectionErrors, Kind, find_detection_errors
from refinedet.evaluation.metrics import HIT_IOU, HIT_SCORE, Match, match

Outcome = Literal["hit", "miss", "false alarm"]
Box = NDArray[np.float32]
"""(4,) [x1, y1, x2, y2], pixels of the chip."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Event:
    """One hit, miss or false alarm."""

    outcome: Outcome
    image: ImageRecord
    box_xyxy: Box
    rank: float
    """Score of a detection; area in square pixels of a missed ship."""
    caption: str
    kind: Kind | None = None
    """Kind of error of a false alarm."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Box to draw."""

    kind: Literal["truth", "hit", "miss", "false alarm", "ignored"]
    box_xyxy: Box
    text: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """Detections matched to the truth, at the IoU and score with which evaluate counts hits."""

    truth: Record
    found: Mapping[int, Detections]
    matches: Mapping[int, Match]
    errors: Mapping[int, DetectionErrors]

    @classmethod
    def of(cls, truth: Record, found: Mapping[int, Detections]) -> Judged:
        """Match `found` to `truth`, as metrics.match does."""
        complete = {image.id: found.get(image.id, Detections.empty()) for image in truth.images}
        return cls(truth, complete, match(truth, complete), find_detection_errors(truth, complete, score_min=HIT_SCORE))

    def events(self) -> dict[Outcome, list[Event]]:
        """All hits and false alarms by falling score, and all misses by falling size."""
        listed: dict[Outcome, list[Event]] = {"hit": [], "miss": [], "false alarm": []}
        for image in self.truth.images:
            for event in self._events_of(image):
                listed[event.outcome].append(event)
        return {name: sorted(events, key=_order) for name, events in listed.items()}

    def worst(self, count: int) -> list[ImageRecord]:
        """At most `count` images with the most misses and false alarms, the worst first."""
        bad = [image for image in self.truth.images if self.wrong(image)]
        return sorted(bad, key=lambda i: (-self.wrong(i), len(self.matches[i.id].hits), i.file_name))[:count]

    def wrong(self, image: ImageRecord) -> int:
        """Ships missed on an image, and detections that hit nothing."""
        return len(self.matches[image.id].misses) + len(self.matches[image.id].false_alarms)

    def marks(self, image: ImageRecord) -> list[Mark]:
        """Boxes to draw on an image: first the truth, then detections at HIT_SCORE or better with their score."""
        found, matched, ignored = self.found[image.id], self.matches[image.id], self.truth.ignored[image.id]
        marks = [Mark("ignored" if i else "truth", b) for b, i in zip(self.truth.boxes[image.id], ignored, strict=True)]
        for index in matched.misses:
            marks[index] = Mark("miss", marks[index].box_xyxy)
        hits = [Mark("hit", found.boxes_xyxy[d], f"{found.scores[d]:.2f}") for d in matched.hits[:, 0]]
        alarms = [Mark("false alarm", found.boxes_xyxy[d], f"{found.scores[d]:.2f}") for d in matched.false_alarms]
        return marks + hits + alarms

    def _events_of(self, image: ImageRecord) -> list[Event]:
        boxes, found, matched = self.truth.boxes[image.id], self.found[image.id], self.matches[image.id]
        ious = iou(found.boxes_xyxy, boxes)
        events: list[Event] = []
        for d, t in matched.hits:
            score = float(found.scores[d])
            caption = f"score {score:.2f}, IoU {ious[d, t]:.2f}"
            events.append(Event("hit", image, found.boxes_xyxy[d], score, caption))
        for d in matched.false_alarms:
            score = float(found.scores[d])
            caption, kind = _alarm_caption(score, ious[d]), self.errors[image.id].detections[int(d)]
            events.append(Event("false alarm", image, found.boxes_xyxy[d], score, caption, kind))
        for t in matched.misses:
            caption = _miss_caption(boxes[t], found, ious[:, t])
            events.append(Event("miss", image, boxes[t], float(area(boxes[t : t + 1])[0]), caption))
        return events


def evenly_sampled(items: Sequence[T], count: int) -> list[T]:
    """Pick at most `count` (2 or more) items, evenly spaced from the first to the last."""
    if len(items) <= count:
        return list(items)
    return [items[round(index * (len(items) - 1) / (count - 1))] for index in range(count)]


def _order(event: Event) -> tuple[float, str, list[float]]:
    return -event.rank, event.image.file_name, event.box_xyxy.tolist()


def _alarm_caption(score: float, ious: NDArray[np.float32]) -> str:
    best = float(ious.max()) if len(ious) else 0.0
    where = f"best IoU {best:.2f}" if best >= NEAR_IOU else "no ship there"
    return f"score {score:.2f}, {where}"


def _miss_caption(box: Box, found: Detections, ious: NDArray[np.float32]) -> str:
    weak = found.scores[(ious >= HIT_IOU) & (found.scores < HIT_SCORE)]
    seen = f"seen at {np.floor(weak.max() * 100) / 100:.2f}" if len(weak) else "not seen"  # 0.499 is not 0.50
    return f"{box[2] - box[0]:.0f} x {box[3] - box[1]:.0f} px, {seen}"
