"""The result type refuses what is wrong and puts the rest in one order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinedet.detections import Detections
from refinedet.errors import InputError


@given(st.permutations(range(6)))
def test_the_order_does_not_depend_on_the_input_order(order: list[int]) -> None:
    boxes = np.array([[0, 0, 4, 4], [0, 0, 4, 5], [0, 0, 5, 4], [1, 0, 5, 5], [0, 1, 5, 5], [0, 0, 4, 4]], np.float32)
    scores, labels = np.array([0.5, 0.5, 0.5, 0.5, 0.5, 0.9]), np.array([0, 0, 0, 0, 1, 0])
    shuffled = Detections.of(boxes[order], scores[order], labels[order])
    straight = Detections.of(boxes, scores, labels)
    assert shuffled.boxes_xyxy.tobytes() == straight.boxes_xyxy.tobytes()
    assert straight.scores[0] == pytest.approx(0.9)
    assert straight.boxes_xyxy[-1].tolist() == [0, 1, 5, 5]


@pytest.mark.parametrize(
    ("boxes", "scores", "labels", "words"),
    [
        ([[0, 0, 1, 1]], [0.5, 0.6], [0], "equal lengths"),
        ([[0, 0, float("nan"), 1]], [0.5], [0], "finite"),
        ([[2, 0, 1, 1]], [0.5], [0], "inverted"),
        ([[0, 2, 1, 1]], [0.5], [0], "inverted"),
        ([[0, 0, 1, 1]], [float("inf")], [0], "finite"),
        ([[0, 0, 1, 1]], [1.5], [0], "scores in"),
        ([[0, 0, 1, 1]], [-0.1], [0], "scores in"),
        ([[0, 0, 1, 1]], [0.5], [0, 1], "equal lengths"),
        ([[0, 0, 1]], [0.5], [0], r"\(N, 4\)"),
    ],
)
def test_what_is_wrong_is_refused_with_its_name(boxes: list, scores: list, labels: list, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Detections.of(boxes, scores, labels)


def test_the_ends_of_what_is_allowed_are_allowed() -> None:
    found = Detections.of([[3, 3, 3, 3], [0, 0, 1, 1]], [0.0, 1.0], [0, 0])  # a point is no inverted box
    assert found.scores.tolist() == [1, 0]
    assert found.above(1.0).boxes_xyxy.tolist() == [[0, 0, 1, 1]]
    assert len(found.above(0.0)) == 2


def test_the_order_is_that_of_score_then_top_left_bottom_right_and_label() -> None:
    wanted = [
        (0.9, 9, 9, 10, 10, 9),
        (0.5, 0, 9, 10, 10, 9),  # the top decides before the left
        (0.5, 1, 0, 10, 20, 9),
        (0.5, 1, 1, 5, 9, 9),  # the bottom before the right
        (0.5, 1, 1, 6, 8, 9),
        (0.5, 1, 1, 6, 9, 0),
        (0.5, 1, 1, 6, 9, 1),
    ]
    boxes = [[x1, y1, x2, y2] for _, y1, x1, y2, x2, _ in wanted]
    for order in (list(range(7)), list(range(6, -1, -1)), [3, 1, 5, 0, 6, 2, 4]):
        found = Detections.of([boxes[i] for i in order], [wanted[i][0] for i in order], [wanted[i][-1] for i in order])
        assert found.boxes_xyxy.tolist() == boxes
        assert found.labels.tolist() == [9, 9, 9, 9, 9, 0, 1]


def test_selecting_and_joining() -> None:
    found = Detections.of([[0, 0, 1, 1], [0, 0, 2, 2]], [0.2, 0.7], [0, 1])
    assert found.above(0.5).labels.tolist() == [1]
    assert len(Detections.concatenate([found, Detections.empty(), found])) == 4
    assert len(Detections.concatenate([])) == 0
    assert Detections.empty().boxes_xyxy.shape == (0, 4)
