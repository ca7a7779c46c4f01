"""Detections of the chips of a record, a few images in memory at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from refinedet.data.coco import ImageRecord
from refinedet.data.dataset import read_chip
from refinedet.detections import Detections
from refinedet.predictors.predictor import Predictor

_CHIPS_PER_CALL = 64


def predict_chips(predictor: Predictor, images: Sequence[ImageRecord], root: Path) -> Iterator[dict[int, Detections]]:
    """Detections by image id, of some images at a time; the files of `images` lie under `root`."""
    for first in range(0, len(images), _CHIPS_PER_CALL):
        part = images[first : first + _CHIPS_PER_CALL]
        found = predictor.predict([read_chip(root / image.file_name) for image in part])
        yield {image.id: detections for image, detections in zip(part, found, strict=True)}
