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
        ([[0, 0, 1, 1]], [1.5], [0], "scores in"),
        ([[0, 0, 1]], [0.5], [0], r"\(N, 4\)"),
    ],
)
def test_what_is_wrong_is_refused_with_its_name(boxes: list, scores: list, labels: list, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Detections.of(boxes, scores, labels)


def test_selecting_and_joining() -> None:
    found = Detections.of([[0, 0, 1, 1], [0, 0, 2, 2]], [0.2, 0.7], [0, 1])
    assert found.above(0.5).labels.tolist() == [1]
    assert len(Detections.concatenate([found, Detections.empty(), found])) == 4
    assert len(Detections.concatenate([])) == 0
    assert Detections.empty().boxes_xyxy.shape == (0, 4)
