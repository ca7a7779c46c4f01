"""VOC's average precision: a table worked by hand, and the devkit's rules written out a second time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinedet.boxes import as_boxes
from refinedet.data.coco import Annotated, Record, build_record
from refinedet.detections import Detections
from refinedet.errors import InputError
from refinedet.evaluation.voc import JudgedDetections, ap_11_points, ap_area, judge_class, voc_metrics

Row = tuple[float, float, float, float]


def record(*images: list[tuple[Row, int, bool]], classes: tuple[str, ...] = ("cat",)) -> Record:
    """Record of images 1, 2, ... from rows (box, label, is difficult)."""
    made = []
    for number, rows in enumerate(images):
        boxes, labels, ignored = zip(*rows, strict=True) if rows else ((), (), ())
        truth = (as_boxes(boxes), np.array(labels, np.int64), np.array(ignored, np.bool_))
        made.append(Annotated(f"{number:03d}.jpg", 200, 200, *truth))
    return build_record(made, classes)


def found(*rows: tuple[Row, float, int]) -> Detections:
    boxes, scores, labels = zip(*rows, strict=True) if rows else ((), (), ())
    return Detections.of(boxes, scores, labels)


def test_a_table_worked_by_hand() -> None:
    """Three cats and a difficult one in two images, nine detections.

    score  image  lies on                          IoU     becomes        TP  FP  recall  precision
    .95      1    A exactly                        1       hit             1   0   1/3     1
    .90      2    nothing                          0       false alarm     1   1   1/3     1/2
    .85      1    A again, 10 columns to the right 9/11    duplicate: FP   1   2   1/3     1/3
    .80      2    the difficult one exactly        1       counts neither way
    .75      2    the difficult one, shifted       9/11    counts neither way
    .70      1    B, half of it                    1/2     hit (>= .5)     2   2   2/3     1/2
    .65      2    C, 49 of 100 columns             .49     false alarm     2   3   2/3     2/5
    .60      2    C exactly                        1       hit             3   3   1       1/2
    .55      1    nothing                          0       false alarm     3   4   1       3/7

    11 points, the best precision at that recall or a higher one: 1 at 0, .1, .2 and .3; 1/2 from .4 to 1.
    (4 * 1 + 7 * 1/2) / 11 = 7.5 / 11.
    Area: 1/3 * 1 + 1/3 * 1/2 + 1/3 * 1/2 = 2/3.
    """
    a, b, c, hard = (0, 0, 100, 10), (0, 50, 100, 60), (0, 100, 100, 110), (0, 150, 100, 160)
    truth = record([(a, 0, False), (b, 0, False)], [(c, 0, False), (hard, 0, True)])
    detections = {
        1: found(
            (a, 0.95, 0),
            ((10, 0, 110, 10), 0.85, 0),
            ((0, 50, 50, 60), 0.7, 0),
            ((150, 150, 160, 160), 0.55, 0),
        ),
        2: found(
            ((150, 0, 160, 10), 0.9, 0),
            (hard, 0.8, 0),
            ((10, 150, 110, 160), 0.75, 0),
            ((0, 100, 49, 110), 0.65, 0),
            (c, 0.6, 0),
        ),
    }
    judged = judge_class(truth, detections, 0)
    assert judged.hit.astype(int).tolist() == [1, 0, 0, 0, 0, 1, 0, 1, 0]
    assert judged.false_alarm.astype(int).tolist() == [0, 1, 1, 0, 0, 0, 1, 0, 1]
    assert judged.objects == 3
    metrics = voc_metrics(truth, detections)
    assert metrics["mAP07"] == metrics["AP07/cat"] == pytest.approx(100 * 7.5 / 11)
    assert metrics["mAP10"] == metrics["AP10/cat"] == pytest.approx(100 * 2 / 3)


def test_a_detection_takes_its_best_object_and_never_the_second() -> None:
    """Two objects side by side; both detections overlap the left one most. COCO would give the second the right one."""
    truth = record([((0, 0, 100, 10), 0, False), ((20, 0, 120, 10), 0, False)])
    detections = {1: found(((0, 0, 100, 10), 0.9, 0), ((8, 0, 108, 10), 0.8, 0))}
    judged = judge_class(truth, detections, 0)
    assert judged.hit.tolist() == [True, False]
    assert judged.false_alarm.tolist() == [False, True]


def test_a_detection_whose_best_object_is_difficult_does_not_fall_back_on_an_easy_one() -> None:
    truth = record([((0, 0, 100, 10), 0, True), ((20, 0, 120, 10), 0, False)])
    judged = judge_class(truth, {1: found(((8, 0, 108, 10), 0.9, 0))}, 0)
    assert not judged.hit.any()
    assert not judged.false_alarm.any()
    assert judged.objects == 1


def test_the_mean_is_over_the_classes_that_have_objects() -> None:
    truth = record(
        [((0, 0, 10, 10), 0, False), ((50, 50, 60, 60), 1, True)], classes=("cat", "dog", "horse", "sheep")
    ).select([1])
    truth = record([*_rows(truth), ((80, 80, 90, 90), 3, False)], classes=truth.classes)
    metrics = voc_metrics(truth, {1: found(((0, 0, 10, 10), 0.9, 0), ((0, 0, 10, 10), 0.9, 2))})
    assert metrics["AP07/cat"] == metrics["AP10/cat"] == 100
    assert metrics["AP07/dog"] is None, "its only one is difficult"
    assert metrics["AP10/horse"] is None, "there is none"
    assert metrics["AP07/sheep"] == metrics["AP10/sheep"] == 0, "it was not found"
    assert metrics["mAP07"] == metrics["mAP10"] == 50


def _rows(truth: Record) -> list[tuple[Row, int, bool]]:
    return [
        (tuple(box), int(label), bool(hard))
        for box, label, hard in zip(truth.boxes[1].tolist(), truth.labels[1], truth.ignored[1], strict=True)
    ]


def test_nothing_to_find_has_no_average_precision() -> None:
    metrics = voc_metrics(record([]), {1: found(((0, 0, 10, 10), 0.9, 0))})
    assert metrics == {"mAP07": None, "mAP10": None, "AP07/cat": None, "AP10/cat": None}


def test_recall_that_is_exactly_a_tenth_counts() -> None:
    """3 of 10: in floating point, 3 * 0.1 is more than 3 / 10."""
    hit = np.ones(3, np.bool_)
    assert ap_11_points(JudgedDetections(hit, ~hit, 10)) == pytest.approx(4 / 11)  # recall 0, .1, .2, .3
    assert ap_area(JudgedDetections(hit, ~hit, 10)) == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("detections", "iou_min", "message"),
    [
        pytest.param({7: found()}, 0.5, r"image ids \[7\]", id="stranger"),
        pytest.param({1: found(((0, 0, 1, 1), 0.5, 1))}, 0.5, "labels below 1", id="unknown class"),
        pytest.param({}, 0.0, "iou_min within", id="no overlap asked for"),
        pytest.param({}, math.nan, "iou_min within", id="NaN"),
    ],
)
def test_what_does_not_belong_together_is_refused(detections: Any, iou_min: float, message: str) -> None:
    with pytest.raises(InputError, match=message):
        voc_metrics(record([]), detections, iou_min=iou_min)


def devkit(truth: Record, detections: dict[int, Detections], label: int, iou_min: float) -> tuple[float, float] | None:
    """AP by 11 points and by area, by the letter of the devkit: inclusive boxes, one detection after the other."""
    objects = {}
    for image in truth.images:
        of_class = truth.labels[image.id] == label
        objects[image.id] = [
            {"box": inclusive(box), "difficult": hard, "taken": False}
            for box, hard in zip(truth.boxes[image.id][of_class], truth.ignored[image.id][of_class], strict=True)
        ]
    easy = sum(not one["difficult"] for several in objects.values() for one in several)
    claims = [
        (float(score), image_id, inclusive(box))
        for image_id, result in sorted(detections.items())
        for box, score, found_label in zip(result.boxes_xyxy, result.scores, result.labels, strict=True)
        if found_label == label
    ]
    hits, alarms, curve = 0, 0, []
    for _, image_id, box in sorted(claims, key=lambda claim: -claim[0]):
        best, highest = None, -math.inf
        for one in objects[image_id]:
            overlap = inclusive_iou(box, one["box"])
            if overlap > highest:
                best, highest = one, overlap
        if best is not None and highest >= iou_min:
            if best["difficult"]:
                continue  # neither way, so no point on the curve moves
            hits, alarms = (hits, alarms + 1) if best["taken"] else (hits + 1, alarms)
            best["taken"] = True
        else:
            alarms += 1
        curve.append((hits, hits / (hits + alarms)))
    if not easy:
        return None
    points = [max((p for h, p in curve if 10 * h >= t * easy), default=0.0) for t in range(11)]
    recall = [0.0, *(h / easy for h, _ in curve), 1.0]
    precision = [0.0, *(p for _, p in curve), 0.0]
    for index in range(len(precision) - 2, -1, -1):
        precision[index] = max(precision[index], precision[index + 1])
    area = sum((recall[i] - recall[i - 1]) * precision[i] for i in range(1, len(recall)))
    return sum(points) / 11, area


def inclusive(box: Any) -> list[int]:
    x1, y1, x2, y2 = (int(value) for value in box)
    return [x1 + 1, y1 + 1, x2, y2]


def inclusive_iou(a: list[int], b: list[int]) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0]) + 1
    height = min(a[3], b[3]) - max(a[1], b[1]) + 1
    if width <= 0 or height <= 0:
        return 0.0
    sizes = [(box[2] - box[0] + 1) * (box[3] - box[1] + 1) for box in (a, b)]
    return width * height / (sum(sizes) - width * height)


@given(seed=st.integers(0, 2**32 - 1), iou_min=st.sampled_from([0.3, 0.5, 0.75]))
def test_it_agrees_with_the_rules_written_out_a_second_time(seed: int, iou_min: float) -> None:
    rng = np.random.default_rng(seed)
    images, detections = [], {}
    for image_id in range(1, rng.integers(2, 8)):
        boxes = rng.integers(0, 40, (rng.integers(0, 8), 4))
        boxes[:, 2:] = boxes[:, :2] + rng.integers(1, 25, (len(boxes), 2))
        rows = [(tuple(box.tolist()), int(rng.integers(3)), bool(rng.random() < 0.3)) for box in boxes]
        images.append(rows)
        near = [box + rng.integers(-3, 4, 4) for box in boxes for _ in range(rng.integers(0, 4))]
        claims = [box for box in (np.maximum(box, 0) for box in near) if (box[2:] > box[:2]).all()]
        # a few scores alone, so that many are equal
        detections[image_id] = found(
            *((tuple(box.tolist()), int(rng.integers(1, 8)) / 8, int(rng.integers(3))) for box in claims)
        )
    truth = record(*images, classes=("cat", "dog", "horse"))
    metrics = voc_metrics(truth, detections, iou_min=iou_min)
    expected = [devkit(truth, detections, label, iou_min) for label in range(3)]
    for name, pair in zip(truth.classes, expected, strict=True):
        for rule, value in zip(("07", "10"), pair or (None, None), strict=True):
            assert metrics[f"AP{rule}/{name}"] == (None if value is None else pytest.approx(100 * value))
    for rule, position in (("07", 0), ("10", 1)):
        present = [100 * pair[position] for pair in expected if pair]
        assert metrics[f"mAP{rule}"] == (pytest.approx(np.mean(present)) if present else None)
