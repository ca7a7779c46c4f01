"""Base of all adapters: converts chips to RGB, batches chips of one size, and checks the outputs of a detector."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from refinedet.boxes import area, as_boxes, clip
from refinedet.config import Radiometry
from refinedet.detections import Detections
from refinedet.errors import InputError
from refinedet.predictors.predictor import Chip

SCORE_MIN = 0.05
"""Default lowest score of the adapters; weaker detections are noise, of which scenes have millions."""
_ROUNDING = 1e-3
"""Largest accepted distance of probabilities from [0, 1], for half-precision networks."""


class Found(NamedTuple):
    """Unchecked output of a detector for one chip: boxes (N, 4) xyxy in chip pixels, scores (N,), labels (N,)."""

    boxes_xyxy: Any
    scores: Any
    labels: Any


@dataclass(frozen=True, slots=True)
class Reading:
    """Rules for reading the output of a detector.

    Raises:
        InputError: there is no class, a class to keep is unknown, or the score is out of range.
    """

    source: str
    """Name of the detector, for errors."""
    classes: tuple[str, ...]
    """Class names by label, without background."""
    first_label: int = 0
    """Label of `classes[0]` in the detector."""
    keep: tuple[str, ...] | None = None
    """Classes to keep; None: all."""
    score_min: float = SCORE_MIN
    """Lowest score that is kept; this also drops the padding of a fixed number of rows."""

    def __post_init__(self) -> None:
        if not self.classes or any(not isinstance(name, str) for name in self.classes):
            raise InputError(f"expected at least one class name for {self.source}, found {self.classes!r}")
        if unknown := sorted(set(self.keep or ()) - set(self.classes)):
            raise InputError(f"expected to keep some of the classes {self.classes} of {self.source}, found {unknown}")
        if not 0 < self.score_min <= 1:
            raise InputError(f"expected a lowest score within (0, 1] for {self.source}, found {self.score_min}")

    def detections(self, found: Found, chip: Chip) -> Detections:
        """Check an output; return its detections in chip pixels, clipped to the chip, without boxes of no area.

        Raises:
            InputError: the output is not boxes, scores and labels of the expected shapes and ranges.
        """
        boxes, scores, labels = (numbers(part) for part in found)
        count = len(scores) if scores.ndim == 1 else -1
        boxes = boxes.reshape(0, 4) if boxes.size == 0 == count else boxes
        if boxes.shape != (count, 4) or labels.shape != (count,):
            raise InputError(
                f"expected boxes (N, 4), scores (N,) and labels (N,) from {self.source}, "
                f"found shapes {boxes.shape}, {scores.shape} and {labels.shape}"
            )
        strong = ~(scores < self.score_min)  # NaN stays, and raises an error below
        boxes, scores, labels = boxes[strong], scores[strong], labels[strong]
        self._check(boxes, scores, labels)
        kept = np.isin(labels, self._wanted())
        height, width = chip.shape[:2]
        cut = clip(as_boxes(boxes[kept]), width, height)
        every = Detections.of(cut, np.clip(scores[kept], 0, 1), labels[kept] - self.first_label)
        return every.keep(area(every.boxes_xyxy) > 0)

    def _check(self, boxes: NDArray[np.float64], scores: NDArray[np.float64], labels: NDArray[np.float64]) -> None:
        if not (np.isfinite(boxes).all() and np.isfinite(scores).all()):
            raise InputError(f"expected finite boxes and scores from {self.source}, found NaN or infinity")
        if len(scores) and scores.max() > 1 + _ROUNDING:
            raise InputError(
                f"expected scores in [0, 1] from {self.source}, found {scores.max():.4g}; "
                "they look like logits, so put a sigmoid or softmax behind the network"
            )
        if (boxes[:, 2:] < boxes[:, :2]).any():
            raise InputError(
                f"expected boxes [x1, y1, x2, y2] with x1 <= x2 and y1 <= y2 from {self.source}, "
                "found an inverted one; they may be centres and sizes"
            )
        last = self.first_label + len(self.classes) - 1
        wrong = labels[~np.isin(labels, np.arange(self.first_label, last + 1))]
        if len(wrong):
            raise InputError(
                f"expected labels {self.first_label} to {last} from {self.source} for the classes {self.classes}, "
                f"found {wrong[0]:g}; name all of its classes, and its first label if it counts from another one"
            )

    def _wanted(self) -> list[int]:
        keep = self.classes if self.keep is None else self.keep
        return [self.first_label + label for label, name in enumerate(self.classes) if name in keep]


class Adapter(ABC):
    """Predictor for another detector. The result of a chip never depends on the other chips of the call.

    A subclass infers on batches of chips of one size, so that no canvas is enlarged for a neighbour.
    """

    def __init__(self, reading: Reading, *, radiometry: Radiometry | None, batch_size: int) -> None:
        if batch_size < 1:
            raise InputError(f"expected a batch size of at least 1, found {batch_size}")
        self.classes = reading.classes
        self.radiometry = radiometry or Radiometry()
        self.batch_size = batch_size
        self._reading = reading

    def predict(self, chips: Sequence[Chip]) -> list[Detections]:
        """Detections of each chip, in that chip's own pixels, in the order of `chips`.

        Raises:
            InputError: the detector's output is invalid; the message says what was expected and found.
        """
        results = [Detections.empty()] * len(chips)
        for batch in _batches(chips, self.batch_size):
            found = self._infer([to_rgb(chips[index]) for index in batch])
            if len(found) != len(batch):
                raise InputError(
                    f"expected {len(batch)} answers for as many chips from {self._reading.source}, found {len(found)}"
                )
            for index, one in zip(batch, found, strict=True):
                results[index] = self._reading.detections(one, chips[index])
        return results

    @abstractmethod
    def _infer(self, chips: list[Chip]) -> list[Found]:
        """Run the detector on chips (H, W, 3), all of one size."""


def class_names(names: Any, source: str) -> tuple[str, ...]:
    """Class names by label from a mapping {label: name} or a sequence of names.

    Raises:
        InputError: it is neither, or the labels do not run from 0 without a gap.
    """
    if isinstance(names, dict):
        if sorted(names) != list(range(len(names))):
            raise InputError(f"expected class labels from 0 without a gap in {source}, found {list(names)}")
        names = [names[label] for label in range(len(names))]
    if not isinstance(names, list | tuple):
        raise InputError(f"expected class names of {source} as a mapping or a list, found {type(names).__name__}")
    return tuple(str(name) for name in names)


def to_rgb(chip: Chip) -> Chip:
    """Convert a chip to RGB (H, W, 3); a single band is repeated three times."""
    return np.repeat(chip[..., None], 3, axis=2) if chip.ndim == 2 else chip


def numbers(values: Any) -> NDArray[np.float64]:
    """Convert a torch tensor on any device, an array or a list to an array of numbers."""
    if hasattr(values, "detach"):
        values = values.detach().cpu().double()
    return np.asarray(values, np.float64)


def _batches(chips: Sequence[Chip], size: int) -> Iterator[list[int]]:
    """Yield indices of chips of equal height and width, at most `size` at a time."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for index, chip in enumerate(chips):
        groups.setdefault(chip.shape[:2], []).append(index)
    for members in groups.values():
        yield from (members[start : start + size] for start in range(0, len(members), size))
