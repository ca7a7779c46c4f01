"""Equal boxes of one image."""

from __future__ import annotations

import pytest

from refinedet.data.truth import Changes, ImageTruth

BOX = (1.0, 2.0, 5.0, 9.0)


@pytest.mark.parametrize(
    ("flags", "ignored"),
    [((False, True), False), ((True, False), False), ((True, True), True), ((False, False), False)],
)
def test_of_equal_boxes_one_stays_and_an_object_outweighs_an_ignored_one(
    flags: tuple[bool, bool], ignored: bool
) -> None:
    changes = Changes()
    truth = ImageTruth(20, 10, changes)
    for flag in flags:
        truth.add(BOX, 0, ignored=flag)
    boxes, labels, marks = truth.arrays()
    assert (boxes.tolist(), labels.tolist(), marks.tolist()) == ([list(BOX)], [0], [ignored])
    assert dict(changes.dropped) == {"repeated": 1}


@pytest.mark.parametrize("first", ["object", "unreadable"])
def test_an_object_at_the_place_of_an_unreadable_one_stays_an_object(first: str) -> None:
    truth = ImageTruth(20, 10, Changes())
    for what in (first, *{"object", "unreadable"} - {first}):
        if what == "object":
            truth.add(BOX, 0, ignored=False)
        else:
            truth.ignore("unknown category", [0, 1], BOX)
    assert sorted(zip(truth.arrays()[1].tolist(), truth.arrays()[2].tolist(), strict=True)) == [(0, False), (1, True)]


def test_equal_boxes_of_two_classes_are_two_objects() -> None:
    changes = Changes()
    truth = ImageTruth(20, 10, changes)
    truth.add(BOX, 0, ignored=False)
    truth.add(BOX, 1, ignored=True)
    assert truth.arrays()[1].tolist() == [0, 1]
    assert truth.arrays()[2].tolist() == [False, True]
    assert not changes.dropped
