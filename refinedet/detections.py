"""Detections of one image: boxes, scores and labels, validated and in a total order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from refinedet.boxes import Boxes, as_boxes
from refinedet.errors import InputError


@dataclass(frozen=True, slots=True)
class Detections:
    """N detections of one image or scene. Build it with `Detections.of`, which validates and sorts."""

    boxes_xyxy: Boxes
    """(N, 4) float32 [x1, y1, x2, y2], absolute pixels, half-open."""
    scores: NDArray[np.float32]
    """(N,) float32 in [0, 1]."""
    labels: NDArray[np.int64]
    """(N,) int64, 0-based class index."""

    @classmethod
    def of(cls, boxes_xyxy: ArrayLike, scores: ArrayLike, labels: ArrayLike) -> Self:
        """Validate and sort: score down, then y1, x1, y2, x2, label. Two equal sets give equal bytes.

        Raises:
            InputError: lengths differ, a value is not finite, a box is inverted, or a score is outside [0, 1].
        """
        boxes = as_boxes(boxes_xyxy)
        score = np.array(scores, np.float32).reshape(-1)
        label = np.array(labels, np.int64).reshape(-1)
        if not len(boxes) == len(score) == len(label):
            raise InputError(
                f"expected equal lengths, found {len(boxes)} boxes, {len(score)} scores, {len(label)} labels"
            )
        if not (np.isfinite(boxes).all() and np.isfinite(score).all()):
            raise InputError("expected finite boxes and scores, found NaN or infinity; was the network trained stably?")
        if (boxes[:, 2:] < boxes[:, :2]).any():
            raise InputError("expected x1 <= x2 and y1 <= y2 in every box, found an inverted one")
        if len(score) and not (score.min() >= 0 and score.max() <= 1):
            raise InputError(f"expected scores in [0, 1], found {score.min()} .. {score.max()}")
        order = np.lexsort((label, boxes[:, 2], boxes[:, 3], boxes[:, 0], boxes[:, 1], -score))
        return cls(boxes[order], score[order], label[order])

    @classmethod
    def empty(cls) -> Self:
        """No detections: shapes (0, 4), (0,), (0,)."""
        return cls.of([], [], [])

    @classmethod
    def concatenate(cls, parts: list[Detections]) -> Self:
        """All detections of `parts`, sorted again."""
        if not parts:
            return cls.empty()
        return cls.of(
            np.concatenate([p.boxes_xyxy for p in parts]),
            np.concatenate([p.scores for p in parts]),
            np.concatenate([p.labels for p in parts]),
        )

    def __len__(self) -> int:
        return len(self.scores)

    def keep(self, mask: NDArray[np.bool_]) -> Detections:
        """Detections for which `mask` (N,) is true, order unchanged."""
        return Detections(self.boxes_xyxy[mask], self.scores[mask], self.labels[mask])

    def above(self, score_min: float) -> Detections:
        """Detections with score >= `score_min`."""
        return self.keep(self.scores >= score_min)
