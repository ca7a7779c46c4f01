"""NMS without torch, against torchvision's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchvision.ops import nms as oracle

from refinedet.nms import nms


def assert_equal_to_torchvision(boxes: np.ndarray, scores: np.ndarray, iou_max: float) -> None:
    expected = oracle(torch.from_numpy(boxes), torch.from_numpy(scores), iou_max).numpy()
    np.testing.assert_array_equal(nms(boxes, scores, iou_max), expected)


@pytest.mark.parametrize("iou_max", [0.1, 0.3, 0.5, 0.6, 0.7, 1.0])
@pytest.mark.parametrize("levels", [3, 1000], ids=["ties", "hardly any tie"])
def test_it_keeps_what_torchvision_keeps_in_the_same_order(iou_max: float, levels: int) -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        count = int(rng.integers(1, 400))
        corner = rng.uniform(0, 80, (count, 2)) + rng.normal(0, 2, (count, 2))
        boxes = np.hstack([corner, corner + rng.uniform(4, 40, (count, 2))]).astype(np.float32)
        boxes[rng.integers(0, count, count // 3)] = boxes[0]  # copies
        assert_equal_to_torchvision(boxes, (rng.integers(0, levels, count) / levels).astype(np.float32), iou_max)


@given(
    st.lists(st.tuples(*[st.integers(0, 12)] * 4, st.integers(0, 3)), max_size=40),
    st.sampled_from([0.2, 0.25, 1 / 3, 0.5, 0.6, 2 / 3]),
)
def test_also_where_overlaps_lie_on_the_limit_and_boxes_have_no_area(
    rows: list[tuple[int, ...]], iou_max: float
) -> None:
    table = np.array(rows, np.float32).reshape(-1, 5)
    boxes = np.hstack([table[:, :2], table[:, :2] + table[:, 2:4]])
    assert_equal_to_torchvision(boxes, np.ascontiguousarray(table[:, 4]), iou_max)
