"""errors_by_chip.py: every hit, miss and false alarm appears once, in order, with true words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.report.errors_by_chip import Judged, evenly_sampled
from refinedet.boxes import as_boxes
from refinedet.data.coco import ImageRecord, Record
from refinedet.detections import Detections


@pytest.fixture
def judged() -> Judged:
    """Image 1: a hit, a ship seen too weakly, one not seen, an ignored one. Image 2: a loose box. Image 3: nothing."""
    boxes = {
        1: as_boxes([[0, 0, 20, 20], [30, 0, 50, 10], [0, 40, 5, 45], [60, 60, 64, 64]]),
        2: as_boxes([[0, 0, 20, 10]]),
        3: as_boxes([]),
    }
    ignored = {1: np.array([False, False, False, True]), 2: np.array([False]), 3: np.zeros(0, bool)}
    truth = Record(
        tuple(ImageRecord(i, f"test/{i}.png", 64, 64) for i in boxes),
        boxes,
        {i: np.zeros(len(b), np.int64) for i, b in boxes.items()},
        ignored,
        ("ship",),
    )
    found = {
        1: Detections.of([[0, 0, 20, 18], [30, 0, 50, 10], [58, 58, 64, 64]], [0.9, 0.4996, 0.7], [0, 0, 0]),
        2: Detections.of([[0, 0, 20, 4], [40, 40, 60, 60]], [0.8, 0.95], [0, 0]),
    }
    return Judged.of(truth, found)


def test_events_in_order_with_captions(judged: Judged) -> None:
    events = judged.events()
    assert [(e.image.id, e.caption) for e in events["hit"]] == [(1, "score 0.90, IoU 0.90")]
    assert [(e.image.id, e.caption) for e in events["miss"]] == [
        (1, "20 x 10 px, seen at 0.49"),  # below 0.5, so never shown as 0.50
        (2, "20 x 10 px, not seen"),
        (1, "5 x 5 px, not seen"),
    ]
    assert [(e.image.id, e.caption) for e in events["false alarm"]] == [
        (2, "score 0.95, no ship there"),
        (2, "score 0.80, best IoU 0.40"),
        (1, "score 0.70, best IoU 0.44"),  # around an ignored ship, but less than half of it lies on that
    ]


def test_marks_show_each_box_as_what_it_is(judged: Judged) -> None:
    marks = judged.marks(judged.truth.images[0])
    assert [m.kind for m in marks] == ["truth", "miss", "miss", "ignored", "hit", "false alarm"]
    assert [m.text for m in marks] == ["", "", "", "", "0.90", "0.70"]
    assert judged.marks(judged.truth.images[2]) == []


@given(length=st.integers(0, 200), count=st.integers(2, 30))
def test_spread_keeps_order_and_both_ends(length: int, count: int) -> None:
    chosen = evenly_sampled(range(length), count)
    assert len(chosen) == min(length, count)
    assert chosen == sorted(set(chosen))
    if length:
        assert (chosen[0], chosen[-1]) == (0, length - 1)
