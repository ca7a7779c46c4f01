"""Kinds of detection errors on cases worked by hand, and the effect of their repair on the AP."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refinedet.boxes import as_boxes
from refinedet.data.coco import ImageRecord, Record
from refinedet.detections import Detections
from refinedet.errors import InputError
from refinedet.evaluation.detection_errors import KINDS, ap_costs, find_detection_errors, kinds_of

Found = list[tuple[tuple[float, float, float, float], float, int]]
"""Box, score and label of each detection."""

LEFT, RIGHT, FAR = (0, 0, 20, 10), (40, 0, 60, 10), (0, 60, 20, 70)


def record(
    boxes: list[tuple[float, ...]], labels: list[int], ignored: list[bool] | None = None, classes: int = 2
) -> Record:
    """One image of 100 x 100."""
    flags = np.array(ignored or [False] * len(boxes), np.bool_)
    names = ("ship", "buoy")[:classes]
    image = ImageRecord(1, "1.png", 100, 100)
    return Record((image,), {1: as_boxes(boxes)}, {1: np.array(labels, np.int64)}, {1: flags}, names)


def detections(found: Found) -> dict[int, Detections]:
    """Detections of the image of `record`."""
    boxes, scores, labels = zip(*found, strict=True) if found else ([], [], [])
    return {1: Detections.of(boxes, scores, labels)}


def test_each_kind_by_hand() -> None:
    truth = record([LEFT, RIGHT, FAR], [0, 0, 1])
    found = detections([
        (LEFT, 0.9, 0),  # 0: hits
        ((0, 0, 20, 9), 0.8, 0),  # 1: IoU 0.9 with what 0 hit: a double
        ((40, 0, 60, 4), 0.7, 0),  # 2: IoU 0.4 with a ship of its class: badly placed
        (FAR, 0.6, 0),  # 3: on a buoy, called a ship
        ((0, 60, 20, 64), 0.55, 0),  # 4: IoU 0.4 with the buoy: wrong class and place
        ((80, 80, 90, 90), 0.52, 0),  # 5: nothing there
        ((80, 80, 95, 95), 0.4, 0),  # too weak to count here
    ])  # fmt: skip
    (errors,) = find_detection_errors(truth, found, score_min=0.5).values()
    assert errors.detections == {
        1: "double",
        2: "badly_placed",
        3: "wrong_class",
        4: "wrong_class_and_place",
        5: "false_alarm",
    }
    assert errors.meant == {2: 1, 3: 2}
    assert errors.unhit.tolist() == [1, 2]
    assert errors.missed.tolist() == [], "a detection was meant for each of them"
    assert {kind: errors.count(kind) for kind in KINDS} == {
        "missed": 0,
        "badly_placed": 1,
        "double": 1,
        "false_alarm": 1,
        "wrong_class": 1,
        "wrong_class_and_place": 1,
    }


def test_a_ship_is_missed_where_nothing_is_meant_for_it() -> None:
    truth = record([LEFT, RIGHT, FAR], [0, 0, 0], classes=1)
    found = detections([((40, 0, 60, 4), 0.7, 0), (FAR, 0.3, 0)])
    assert kinds_of(truth) == ("missed", "badly_placed", "double", "false_alarm")
    assert find_detection_errors(truth, found, score_min=0.5)[1].missed.tolist() == [0, 2]
    assert find_detection_errors(truth, found, score_min=0.0)[1].missed.tolist() == [0]


def test_ignored_boxes_make_no_errors() -> None:
    truth = record([LEFT, RIGHT], [0, 0], ignored=[True, False])
    found = detections([(LEFT, 0.9, 0), ((0, 0, 20, 30), 0.8, 0), (RIGHT, 0.7, 0)])
    (errors,) = find_detection_errors(truth, found, score_min=0.0).values()
    assert errors.detections == {1: "false_alarm"}, "two thirds of it lie beside the ignored box"
    assert errors.missed.tolist() == []


def test_at_the_edges_between_kinds() -> None:
    truth = record([(0, 0, 10, 10)], [0], classes=1)
    for box, kind in {
        (0, 0, 10, 5): {},  # IoU 0.5 hits
        (0, 0, 10, 4.99): {0: "badly_placed"},
        (0, 0, 10, 1): {0: "badly_placed"},  # IoU 0.1
        (0, 0, 10, 0.99): {0: "false_alarm"},
    }.items():
        assert find_detection_errors(truth, detections([(box, 0.9, 0)]), score_min=0.5)[1].detections == kind, box


def test_costs_by_hand() -> None:
    # one hit, then a badly placed box and a false alarm; nothing is near the third ship
    truth = record([LEFT, RIGHT, FAR], [0, 0, 0], classes=1)
    found = detections([(LEFT, 0.9, 0), ((40, 0, 60, 4), 0.8, 0), ((80, 80, 90, 90), 0.7, 0)])
    costs = ap_costs(truth, found)
    thirds, two_thirds, half = 34 / 101, 67 / 101, 51 / 101  # recall points reached by one or two of three, one of two
    assert costs["badly_placed"] == pytest.approx(100 * (two_thirds - thirds))
    assert costs["missed"] == pytest.approx(100 * (half - thirds))
    assert (costs["double"], costs["false_alarm"]) == pytest.approx((0, 0)), "they come after all that is hit"


def test_a_false_alarm_before_a_hit_costs_half_of_the_precision() -> None:
    truth = record([LEFT], [0], classes=1)
    costs = ap_costs(truth, detections([((80, 80, 90, 90), 0.9, 0), (LEFT, 0.8, 0)]))
    assert costs == pytest.approx({"missed": 0, "badly_placed": 0, "double": 0, "false_alarm": 50})


def test_a_wrong_class_is_repaired_by_the_right_one() -> None:
    truth = record([LEFT, FAR], [0, 1])
    costs = ap_costs(truth, detections([(LEFT, 0.9, 0), (FAR, 0.8, 0)]))
    assert costs["wrong_class"] == pytest.approx(50), "the buoys' AP rises from 0 to 100"


def test_nothing_to_find_and_nothing_found() -> None:
    assert ap_costs(record([], [], classes=1), detections([(LEFT, 0.9, 0)])) == {}
    assert ap_costs(record([LEFT], [0], classes=1), {}) == pytest.approx(
        {"missed": 100, "badly_placed": 0, "double": 0, "false_alarm": 0}
    )
    with pytest.raises(InputError, match="image ids"):
        find_detection_errors(record([LEFT], [0]), {7: Detections.empty()}, score_min=0.5)


@st.composite
def scenes(draw: st.DrawFn) -> tuple[Record, dict[int, Detections]]:
    """Ships apart from one another, each with some detections around it, and some beside all."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    count = draw(st.integers(1, 5))
    boxes = as_boxes([(200 * i, 0, 200 * i + 60, 30) for i in range(count)])
    seen = rng.integers(0, count, draw(st.integers(0, 12)))
    moved = boxes[seen] + rng.normal(0, 12, (len(seen), 4)).astype(np.float32)
    moved[:, 2:] = np.maximum(moved[:, 2:], moved[:, :2] + 1)
    labels = np.zeros(count, np.int64), rng.integers(0, 2, len(seen))
    image = ImageRecord(1, "1.png", 1200, 100)
    truth = Record((image,), {1: boxes}, {1: labels[0]}, {1: np.zeros(count, np.bool_)}, ("ship", "buoy"))
    return truth, {1: Detections.of(moved, rng.random(len(seen)), labels[1])}


@settings(max_examples=40, deadline=None)
@given(scene=scenes())
def test_repairs_never_cost_and_every_error_is_sorted(scene: tuple[Record, dict[int, Detections]]) -> None:
    truth, found = scene
    assert all(cost >= -1e-9 for cost in ap_costs(truth, found).values())
    (errors,) = find_detection_errors(truth, found, score_min=0.0).values()
    hits = len(truth.boxes[1]) - len(errors.unhit)
    assert hits + len(errors.detections) == len(found[1])
    assert set(errors.missed) | set(errors.meant.values()) >= set(errors.unhit.tolist())


TIDECV: dict[int, dict[str, tuple[int, float]]] = {
    0: {
        "wrong_class": (16, 13.096911426619435),
        "badly_placed": (6, 9.958926199525322),
        "wrong_class_and_place": (8, 4.128950344797012),
        "double": (33, 6.573275110733242),
        "false_alarm": (8, 4.258146383488906),
        "missed": (2, 3.2100075780914494),
    },
    5: {
        "wrong_class": (14, 12.354608476958731),
        "badly_placed": (17, 13.712668407508758),
        "wrong_class_and_place": (7, 0.6486482134073341),
        "double": (21, 4.257369845702669),
        "false_alarm": (8, 2.1294973862323943),
        "missed": (0, 0.0),
    },
}
"""Seed of `crowded` -> kind -> number and cost, as the authors' tidecv 1.0.1 gives them for that case."""


def crowded(seed: int) -> tuple[Record, dict[int, Detections]]:
    """Eight images of two classes, with objects in one another's way and detections of every kind."""
    rng = np.random.default_rng(seed)
    boxes, labels, found = {}, {}, {}
    for image in range(1, 9):
        count = int(rng.integers(1, 6))
        corners = rng.uniform(0, 300, (count, 2))
        boxes[image] = as_boxes(np.hstack([corners, corners + rng.uniform(15, 80, (count, 2))]))
        labels[image] = rng.integers(0, 2, count)
        seen = rng.integers(0, count, 3 * count)
        moved = boxes[image][seen] + rng.normal(0, 7, (len(seen), 4)).astype(np.float32)
        moved[:, 2:] = np.maximum(moved[:, 2:], moved[:, :2] + 1)
        called = np.where(rng.random(len(seen)) < 0.75, labels[image][seen], 1 - labels[image][seen])
        far = np.array([[500, 500, 520, 520]], np.float32)
        found[image] = Detections.of(np.vstack([moved, far]), rng.random(len(seen) + 1), np.append(called, 0))
    images = tuple(ImageRecord(i, f"{i}.png", 600, 600) for i in boxes)
    return Record(images, boxes, labels, {i: np.zeros(len(b), np.bool_) for i, b in boxes.items()}, ("a", "b")), found


@pytest.mark.parametrize("seed", TIDECV)
def test_numbers_and_costs_are_those_of_the_authors_program(seed: int) -> None:
    truth, found = crowded(seed)
    errors = find_detection_errors(truth, found, score_min=0.0).values()
    counts = {kind: sum(one.count(kind) for one in errors) for kind in KINDS}
    assert counts == {kind: count for kind, (count, _) in TIDECV[seed].items()}
    assert ap_costs(truth, found) == pytest.approx({kind: cost for kind, (_, cost) in TIDECV[seed].items()}, abs=1e-6)


def test_only_what_coco_judges_costs() -> None:
    truth = record([LEFT], [0], classes=1)
    crowd = [((80, 80, 90, 90), 0.9, 0)] * 100
    costs = ap_costs(truth, detections([*crowd, (LEFT, 0.1, 0)]))
    assert costs == pytest.approx({"missed": 100, "badly_placed": 0, "double": 0, "false_alarm": 0})
