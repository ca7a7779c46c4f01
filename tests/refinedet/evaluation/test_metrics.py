"""metrics.py against pycocotools read through files, and against tables worked out by hand."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from refinedet.boxes import as_boxes
from refinedet.data.coco import ImageRecord, Record, write_record
from refinedet.detections import Detections
from refinedet.errors import InputError
from refinedet.evaluation.metrics import coco_metrics, coco_results, match, pr_curve, strongest

NAMES = {"AP": 0, "AP50": 1, "AP75": 2, "AP_small": 3, "AP_medium": 4, "AP_large": 5, "AR_100": 8}


def make_truth(
    rows: dict[int, list[tuple[float, float, float, float]]],
    labels: dict[int, list[int]] | None = None,
    ignored: dict[int, list[bool]] | None = None,
    classes: tuple[str, ...] = ("ship",),
) -> Record:
    return Record(
        tuple(ImageRecord(i, f"{i}.png", 256, 256) for i in rows),
        {i: as_boxes(r) for i, r in rows.items()},
        {i: np.array((labels or {}).get(i, [0] * len(r)), np.int64) for i, r in rows.items()},
        {i: np.array((ignored or {}).get(i, [False] * len(r)), np.bool_) for i, r in rows.items()},
        classes,
    )


def random_case(seed: int) -> tuple[Record, dict[int, Detections]]:
    """Images with 0 to 6 objects of all sizes and 2 classes, some ignored; jittered, repeated and false detections."""
    rng = np.random.default_rng(seed)
    rows, labels, ignored, found = {}, {}, {}, {}
    for image in range(3, 11):
        n = int(rng.integers(0, 7))
        corners, size = rng.uniform(0, 150, (n, 2)), rng.uniform(4, 106, (n, 2))
        rows[image] = [tuple(map(float, row)) for row in np.hstack([corners, corners + size]).astype(np.float32)]
        labels[image] = [int(v) for v in rng.integers(0, 2, n)]
        ignored[image] = [bool(v) for v in rng.random(n) < 0.2]
        picked = rng.integers(0, n, 2 * n) if n else np.zeros(0, int)
        boxes = as_boxes(rows[image])[picked] + rng.normal(0, 3, (len(picked), 4)).astype(np.float32)
        boxes[:, 2:] = np.maximum(boxes[:, 2:], boxes[:, :2] + 1)
        wrong = np.array([[200, 200, 220, 230]], np.float32)
        found[image] = Detections.of(
            np.concatenate([boxes, wrong]), rng.random(len(boxes) + 1).round(2), rng.integers(0, 2, len(boxes) + 1)
        )
    found.pop(5)  # an image without an entry has no detections
    return make_truth(rows, labels, ignored, ("ship", "buoy")), found


def through_files(truth: Record, found: dict[int, Detections], folder: Path) -> COCOeval:
    """Metrics by pycocotools from two JSON files and loadRes, as its users call it."""
    write_record(folder / "truth.json", truth)
    rows = [
        {
            "image_id": image,
            "category_id": int(label) + 1,
            "bbox": [float(b[0]), float(b[1]), float(b[2]) - float(b[0]), float(b[3]) - float(b[1])],
            "score": float(score),
        }
        for image, d in found.items()
        for b, score, label in zip(d.boxes_xyxy, d.scores, d.labels, strict=True)
    ]
    (folder / "found.json").write_text(json.dumps(rows))
    with redirect_stdout(io.StringIO()):
        coco = COCO(str(folder / "truth.json"))
        judge = COCOeval(coco, coco.loadRes(str(folder / "found.json")), "bbox")
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    return judge


@pytest.mark.parametrize("seed", range(4))
def test_equals_pycocotools_through_files(seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    truth, found = random_case(seed)
    judge = through_files(truth, found, tmp_path)
    ours = coco_metrics(truth, found)
    assert ours == pytest.approx({k: 100 * judge.stats[i] if judge.stats[i] >= 0 else None for k, i in NAMES.items()})
    assert 5 < (ours["AP"] or 0) < 95, "the case must be neither empty nor trivial"
    for index, iou_min in ((0, 0.5), (5, 0.75)):
        curve = pr_curve(truth, found, iou_min)
        assert curve == pytest.approx(judge.eval["precision"][index, :, :, 0, -1].mean(axis=1))
        assert curve is not None
        assert 100 * curve.mean() == pytest.approx(ours[f"AP{int(100 * iou_min)}"])
    assert capsys.readouterr() == ("", ""), "metrics must be silent"


def test_hand_worked_average_precision() -> None:
    """Three 20 x 20 ships; found exactly, 90 % of one, and a false alarm between them; one ship is missed.

    At IoU .5 the precisions by rank are 1, 1/2, 2/3: recall 0..0.33 (34 points) at 1, 0.34..0.66 (33 points) at 2/3.
    The second hit has IoU 0.9: it counts at 9 of the ten IoUs (.5 .. .9), and not at .95.
    """
    truth = make_truth({1: [(0, 0, 20, 20), (50, 50, 70, 70)], 2: [(0, 0, 20, 20)], 3: []})
    found = {
        1: Detections.of([[0, 0, 20, 20], [50, 50, 70, 68]], [0.9, 0.5], [0, 0]),
        3: Detections.of([[5, 5, 30, 30]], [0.7], [0]),
    }
    with_second = (34 + 33 * 2 / 3) / 101
    only_first = 34 / 101
    metrics = coco_metrics(truth, found)
    assert metrics["AP50"] == pytest.approx(100 * with_second)
    assert metrics["AP75"] == pytest.approx(100 * with_second)
    assert metrics["AP"] == pytest.approx(10 * (9 * with_second + only_first))
    assert metrics["AR_100"] == pytest.approx(10 * (9 * 2 / 3 + 1 / 3))
    assert metrics["AP_small"] == metrics["AP"], "all objects are small"
    assert metrics["AP_medium"] is None
    assert metrics["AP_large"] is None


def test_nothing_found_is_zero_and_nothing_to_find_is_none() -> None:
    truth = make_truth({1: [(0, 0, 20, 20)], 2: []})
    for nothing in ({}, {1: Detections.empty(), 2: Detections.empty()}):
        metrics = coco_metrics(truth, nothing)
        assert (metrics["AP"], metrics["AP50"], metrics["AR_100"]) == (0.0, 0.0, 0.0)
        curve = pr_curve(truth, nothing, 0.5)
        assert curve is not None
        assert curve.tolist() == [0.0] * 101
    sea = make_truth({1: [], 2: []})
    found = {1: Detections.of([[0, 0, 5, 5]], [0.5], [0])}
    assert set(coco_metrics(sea, found).values()) == {None}
    assert pr_curve(sea, found, 0.5) is None


def test_ignored_boxes_neither_help_nor_hurt() -> None:
    objects = {1: [(0.0, 0.0, 20.0, 20.0), (40.0, 40.0, 100.0, 100.0)]}
    truth = make_truth(objects, ignored={1: [False, True]})
    # two detections inside the ignored box: their IoU with it is far below .5, their share in it is 1
    found = {1: Detections.of([[0, 0, 20, 20], [45, 45, 60, 60], [70, 70, 90, 90]], [0.6, 0.9, 0.8], [0, 0, 0])}
    assert coco_metrics(truth, found)["AP"] == pytest.approx(100)
    matched = match(truth, found)[1]
    assert matched.hits.tolist() == [[2, 0]]
    assert matched.false_alarms.tolist() == matched.misses.tolist() == []
    assert match(truth, {})[1].misses.tolist() == [0]


def test_match_takes_the_strongest_first_and_each_object_once() -> None:
    truth = make_truth({7: [(0, 0, 10, 10), (100, 0, 110, 10), (0, 100, 10, 110)], 8: []})
    found = {
        7: Detections.of(
            [[0, 0, 10, 9], [0, 0, 10, 10], [100, 0, 110, 4], [0, 100, 10, 110]], [0.9, 0.8, 0.7, 0.4], [0, 0, 0, 0]
        ),
        8: Detections.of([[1, 1, 9, 9]], [0.6], [0]),
    }
    matched = match(truth, found, iou_min=0.5, score_min=0.5)
    assert matched[7].hits.tolist() == [[0, 0]], "the stronger one hits, though the weaker one overlaps more"
    assert matched[7].false_alarms.tolist() == [1, 2], "a second one on the same ship, and one that overlaps by 0.4"
    assert matched[7].misses.tolist() == [1, 2], "a detection below score_min finds nothing"
    assert matched[8].false_alarms.tolist() == [0]
    assert match(truth, found, iou_min=0.4, score_min=0.4)[7].misses.tolist() == []


@pytest.mark.parametrize(("covered", "alarms"), [(10, []), (9, [0])], ids=["half of it", "less"])
def test_a_detection_of_which_half_lies_on_an_ignored_box_is_no_false_alarm(covered: int, alarms: list[int]) -> None:
    truth = make_truth({1: [(0, 0, covered, 20)]}, ignored={1: [True]})
    found = {1: Detections.of([[0, 0, 20, 20]], [0.9], [0])}
    assert match(truth, found, iou_min=0.5)[1].false_alarms.tolist() == alarms


def test_the_strongest_are_a_hundred_of_each_class() -> None:
    scores = np.linspace(0.1, 0.9, 120).astype(np.float32)
    boxes = [[i, 0, i + 5, 5] for i in range(120)]
    both = Detections.concatenate([Detections.of(boxes, scores, [label] * 120) for label in (0, 1)])
    kept = strongest({3: both, 4: Detections.empty()})
    assert [int((kept[3].labels == label).sum()) for label in (0, 1)] == [100, 100]
    assert kept[3].scores.min() == scores[20]
    assert len(kept[4]) == 0


def test_match_keeps_classes_apart() -> None:
    truth = make_truth({1: [(0, 0, 10, 10)]}, labels={1: [1]}, classes=("ship", "buoy"))
    matched = match(truth, {1: Detections.of([[0, 0, 10, 10]], [0.9], [0])})[1]
    assert (len(matched.hits), len(matched.false_alarms), len(matched.misses)) == (0, 1, 1)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), score_min=st.sampled_from([0.0, 0.3, 0.6]))
def test_match_accounts_for_every_object_once(seed: int, score_min: float) -> None:
    truth, found = random_case(seed)
    for image, matched in match(truth, found, score_min=score_min).items():
        seen = sorted([*matched.hits[:, 1].tolist(), *matched.misses.tolist()])
        assert seen == np.flatnonzero(~truth.ignored[image]).tolist()
        used = [*matched.hits[:, 0].tolist(), *matched.false_alarms.tolist()]
        assert len(used) == len(set(used)) <= len(found.get(image, Detections.empty()).above(score_min))


def test_results_list_is_what_pycocotools_loads() -> None:
    rows = coco_results({4: Detections.of([[1, 2, 4, 8]], [0.5], [1])})
    assert rows == [{"image_id": 4, "category_id": 2, "bbox": [1.0, 2.0, 3.0, 6.0], "score": 0.5}]


@pytest.mark.parametrize(
    ("found", "says"),
    [
        pytest.param({9: Detections.empty()}, "image ids", id="an image that the truth does not know"),
        pytest.param(
            {1: Detections.of([[0, 0, 1, 1]], [0.5], [1])}, "labels below 1", id="a class that it does not know"
        ),
        pytest.param(
            {1: Detections.of([[0, 0, 1, 1]] * 2, [0.9, 0.5], [1, 0])}, "found 1", id="one such class among others"
        ),
    ],
)
def test_detections_of_something_else_are_refused(found: dict[int, Detections], says: str) -> None:
    truth = make_truth({1: [(0, 0, 20, 20)]})
    for judge in (coco_metrics, match):
        with pytest.raises(InputError, match=says):
            judge(truth, found)
    for iou_min in (0.0, 1.01):
        with pytest.raises(InputError, match="iou_min"):
            pr_curve(truth, {}, iou_min)
    assert pr_curve(truth, {}, 1.0) is not None
