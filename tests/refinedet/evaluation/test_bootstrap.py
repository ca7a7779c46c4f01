"""Bootstrap intervals against pycocotools on records that really hold each drawn image several times."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from refinedet.boxes import as_boxes
from refinedet.data.coco import ImageRecord, Record
from refinedet.detections import Detections
from refinedet.errors import InputError
from refinedet.evaluation.bootstrap import _average_precision, _matched, bootstrap_difference, bootstrap_interval
from refinedet.evaluation.metrics import coco_metrics


def case(seed: int, images: int = 9) -> tuple[Record, dict[int, Detections]]:
    """Two classes, crowds, images without objects and without detections; jittered, repeated and false detections."""
    rng = np.random.default_rng(seed)
    boxes, labels, ignored, found = {}, {}, {}, {}
    for image in range(5, 5 + images):
        count = int(rng.integers(0, 5))
        corners = rng.uniform(0, 150, (count, 2))
        boxes[image] = as_boxes(np.hstack([corners, corners + rng.uniform(8, 100, (count, 2))]))
        labels[image] = rng.integers(0, 2, count)
        ignored[image] = rng.random(count) < 0.2
        seen = rng.integers(0, count, 2 * count) if count else np.zeros(0, np.int64)
        moved = boxes[image][seen] + rng.normal(0, 4, (len(seen), 4)).astype(np.float32)
        moved[:, 2:] = np.maximum(moved[:, 2:], moved[:, :2] + 1)
        false = np.array([[200, 200, 220, 230]], np.float32)
        found[image] = Detections.of(
            np.concatenate([moved, false]), rng.random(len(moved) + 1), rng.integers(0, 2, len(moved) + 1)
        )
    found.pop(6)
    records = tuple(ImageRecord(i, f"{i}.png", 256, 256) for i in boxes)
    return Record(records, boxes, labels, ignored, ("ship", "buoy")), found


def drawn(truth: Record, found: dict[int, Detections], counts: np.ndarray) -> tuple[Record, dict[int, Detections]]:
    """The record with each image as often as `counts` says, under ids of its own."""
    copies = [image for image, count in zip(truth.images, counts, strict=True) for _ in range(count)]
    ids = dict(enumerate(copies, start=1))
    record = Record(
        tuple(replace(image, id=new) for new, image in ids.items()),
        {new: truth.boxes[image.id] for new, image in ids.items()},
        {new: truth.labels[image.id] for new, image in ids.items()},
        {new: truth.ignored[image.id] for new, image in ids.items()},
        truth.classes,
    )
    return record, {new: found[image.id] for new, image in ids.items() if image.id in found}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("measure", ["AP", "AP50", "AP75"])
def test_a_draw_scores_what_pycocotools_says_of_it(seed: int, measure: str) -> None:
    truth, found = case(seed)
    rng = np.random.default_rng(seed)
    counts = np.vstack([np.ones(9, np.int64), rng.multinomial(9, np.full(9, 1 / 9), 6)])
    values = _average_precision(_matched(truth, found, measure), counts)
    expected = [coco_metrics(*drawn(truth, found, row))[measure] for row in counts]
    assert 100 * values == pytest.approx(expected, abs=1e-9)
    assert 1 < 100 * values[0] < 99, "the case must be neither empty nor trivial"


def test_the_interval_is_the_quantiles_of_the_draws_and_repeats_itself() -> None:
    truth, found = case(3)
    low, high = bootstrap_interval(truth, found, resamples=250, seed=4) or (0, 0)
    draws = np.random.default_rng(4).multinomial(9, np.full(9, 1 / 9), 250)
    values = [coco_metrics(*drawn(truth, found, row))["AP"] for row in draws[:40]]
    assert 0.8 < np.mean([low <= (value or 0) <= high for value in values]) <= 1
    assert low < (coco_metrics(truth, found)["AP"] or 0) < high
    assert bootstrap_interval(truth, found, resamples=250, seed=4) == (low, high)
    assert bootstrap_interval(truth, found, resamples=250, seed=5) != (low, high)


def test_more_images_narrow_the_interval() -> None:
    widths = []
    for images in (9, 90):
        truth, found = case(1, images)
        low, high = bootstrap_interval(truth, found, resamples=300) or (0, 0)
        widths.append(high - low)
    assert widths[1] < 0.6 * widths[0]


def test_extremes() -> None:
    truth, found = case(0)
    perfect = {i: Detections.of(b, np.ones(len(b)), truth.labels[i]) for i, b in truth.boxes.items()}
    assert bootstrap_interval(truth, perfect, resamples=20) == pytest.approx((100, 100))
    assert bootstrap_interval(truth, {}, resamples=20) == (0, 0)
    sea = replace(truth, ignored={i: np.ones_like(v) for i, v in truth.ignored.items()})
    assert bootstrap_interval(sea, found, resamples=20) is None
    with pytest.raises(InputError, match="at least 1 resample, found 0"):
        bootstrap_interval(truth, found, resamples=0)
    with pytest.raises(InputError, match="image ids"):
        bootstrap_interval(truth, {999: Detections.empty()})


def test_a_difference_is_that_of_the_same_draws() -> None:
    truth, found = case(3)
    weaker = {image: own.keep(np.arange(len(own)) % 2 == 0) for image, own in found.items()}
    counts = np.random.default_rng(0).multinomial(9, np.full(9, 1 / 9), 30)
    gains = [
        (coco_metrics(*drawn(truth, found, row))["AP"] or 0) - (coco_metrics(*drawn(truth, weaker, row))["AP"] or 0)
        for row in counts
    ]
    interval = bootstrap_difference(truth, weaker, found, resamples=30)
    assert interval == pytest.approx(np.quantile(gains, (0.025, 0.975)))
    assert bootstrap_difference(truth, found, found, resamples=50) == (0, 0)
