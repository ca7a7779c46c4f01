"""From arrays to boxes, scores and labels: every layout of the same detections reads alike."""

from __future__ import annotations

import numpy as np
import pytest

from refinedet.adapters.common import Found
from refinedet.adapters.onnx_layout import OnnxLayout, Port, plan_outputs
from refinedet.adapters.onnx_outputs import decode
from refinedet.errors import InputError

CORNERS = np.array([[10, 20, 30, 28], [40, 5, 46, 25], [11, 20, 31, 28]], float)
CENTRES = np.concatenate([(CORNERS[:, :2] + CORNERS[:, 2:]) / 2, CORNERS[:, 2:] - CORNERS[:, :2]], axis=1)
BY_CLASS = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]])


def read(arrays: dict[str, np.ndarray], classes: int = 2, **layout: object) -> list[Found]:
    ports = [Port(name, array.shape, array.dtype.name) for name, array in arrays.items()]
    plan = plan_outputs(ports, OnnxLayout(**layout), classes, "it")  # type: ignore[arg-type]
    return decode(arrays, plan, classes, 0.25, 0.5)


def table(*columns: np.ndarray) -> np.ndarray:
    return np.concatenate([np.concatenate(columns, axis=1)] * 2).reshape(2, 3, -1)


ONE = np.ones((3, 1))
RAW = {
    "channels first": {"o": table(CENTRES, BY_CLASS).swapaxes(1, 2)},
    "channels last": {"o": table(CENTRES, BY_CLASS)},
    "objectness": {"o": table(CENTRES, ONE / 2, BY_CLASS * 2)},
    "apart": {"boxes": table(CORNERS), "scores": table(BY_CLASS)},
}


@pytest.mark.parametrize("arrays", RAW.values(), ids=RAW)
def test_the_layouts_of_raw_detections_read_alike(arrays: dict[str, np.ndarray]) -> None:
    """The third box is the first one again, and the weaker."""
    kind = "yolo" if "o" in arrays and arrays["o"].shape[2] == 6 else "auto"
    for found in read(arrays, kind=kind):
        np.testing.assert_allclose(found.boxes_xyxy, CORNERS[:2])
        np.testing.assert_allclose(found.scores, [0.9, 0.8])
        np.testing.assert_array_equal(found.labels, [0, 1])


def test_rows_and_named_labels_are_taken_as_they_are() -> None:
    label = np.array([[1.0], [0], [1]])
    rows = read({"o": table(CORNERS, ONE * 0.6, label)})
    single = read({"b": CORNERS, "s": np.full(3, 0.6), "l": label[:, 0].astype(np.int64)})
    for found in (*rows, *single):
        np.testing.assert_array_equal(found.boxes_xyxy, CORNERS)
        np.testing.assert_array_equal(found.labels, label[:, 0])
    assert (len(rows), len(single)) == (2, 1)


def test_boxes_of_two_classes_do_not_suppress_each_other() -> None:
    both = np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]])
    assert len(read({"boxes": table(CORNERS), "scores": table(both)})[0].scores) == 3


def test_nothing_above_the_score_is_nothing() -> None:
    for found in read({"boxes": table(CORNERS), "scores": table(BY_CLASS / 10)}):
        assert [len(part) for part in found] == [0, 0, 0]


def test_one_class_needs_no_labels_and_two_do() -> None:
    arrays = {"boxes": table(CORNERS), "scores": table(BY_CLASS)[..., 0]}
    assert read(arrays, classes=1)[0].scores.tolist() == [0.9]  # 0.7 lies upon it, and 0.2 is too weak
    with pytest.raises(InputError, match=r"expected boxes \(B, N, 4\).*from it, found \(2, 3, 4\), \(2, 3\) and None"):
        read(arrays, classes=2)


def test_a_later_array_of_another_shape_is_one_sentence() -> None:
    plan = plan_outputs([Port("o", (1, 5, 9), "float32")], OnnxLayout(), 1, "it")
    with pytest.raises(InputError, match=r"expected 5 numbers for each box in 'o' of it, found \(1, 7, 9\)"):
        decode({"o": np.zeros((1, 7, 9))}, plan, 1, 0.25, 0.5)
