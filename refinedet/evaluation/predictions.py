"""Detections of the chips of a data set, with a few images in memory at a time, and their quality."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from refinedet.data.coco import ImageRecord, Record
from refinedet.data.shards import read_chip
from refinedet.detections import Detections
from refinedet.errors import InputError
from refinedet.evaluation.metrics import coco_metrics
from refinedet.predictors.predictor import Predictor

_CHIPS_PER_CALL = 64


def predict_chips(predictor: Predictor, images: Sequence[ImageRecord], root: Path) -> Iterator[dict[int, Detections]]:
    """Yield detections by image id, for some images at a time; the files of `images` lie under `root`."""
    for first in range(0, len(images), _CHIPS_PER_CALL):
        part = images[first : first + _CHIPS_PER_CALL]
        found = predictor.predict([read_chip(root / image.file_name) for image in part])
        yield {image.id: detections for image, detections in zip(part, found, strict=True)}


def measure_chips(predictor: Predictor, truth: Record, root: Path) -> dict[str, float | None]:
    """Detect in every chip of a data set and return the COCO metrics, in percent; None for an undefined one.

    Args:
        predictor: predictor to measure.
        truth: the annotated chips.
        root: folder of their files.

    Raises:
        InputError: predictor and truth have different classes.
        FileError: a chip is missing or damaged.
    """
    return coco_metrics(truth, predict_all(predictor, truth, root))


def predict_all(predictor: Predictor, truth: Record, root: Path) -> dict[int, Detections]:
    """Detect in every chip of a data set; returns the detections by image id.

    Raises:
        InputError, FileError: as `measure_chips`.
    """
    if predictor.classes != truth.classes:
        raise InputError(
            f"expected chips of the classes {predictor.classes} under {root}, found {truth.classes}; name others"
        )
    return {key: one for part in predict_chips(predictor, truth.images, root) for key, one in part.items()}
