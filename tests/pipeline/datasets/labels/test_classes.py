"""Spellings become one class, and categories without boxes none."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.datasets.labels.classes import settle_classes
from pipeline.datasets.labels.label_set import LabelSet


def labels(*owned: tuple[str, int]) -> LabelSet:
    """Labels with that many objects of each category."""
    categories = [{"id": 10 + i, "name": name} for i, (name, _) in enumerate(owned)]
    rows: list[Any] = [{"category_id": 10 + i} for i, (_, count) in enumerate(owned) for _ in range(count)]
    return LabelSet({"images": [], "annotations": rows, "categories": categories}, {}, "x", "COCO")


def settled(*owned: tuple[str, int]) -> tuple[list[str], list[str]]:
    (one,), notes = settle_classes([labels(*owned)])
    names = {category["id"]: category["name"] for category in one.document["categories"]}
    assert list(names) == list(range(1, len(names) + 1))
    assert {row["category_id"] for row in one.document["annotations"]} <= set(names)
    return list(names.values()), notes


@pytest.mark.parametrize(
    ("owned", "classes", "note"),
    [
        pytest.param([("ship", 3)], ["ship"], None, id="one class"),
        pytest.param([("my-ships", 0), ("ship", 3)], ["ship"], "no object is of the category 'my-ships'", id="a root"),
        pytest.param(
            [("ship", 1), ("Ship", 5), ("ship ", 2)], ["ship"], "'ship', 'Ship', 'ship ' are taken", id="three"
        ),
        pytest.param([("Ship", 1), ("SHIP", 5)], ["SHIP"], "as one class, 'SHIP'", id="the most frequent"),
        pytest.param([("ship", 1), ("ships", 5)], ["ship"], "as one class, 'ship'", id="plural, small letters first"),
        pytest.param([("fishing boat", 1), ("Fishing_boat", 1)], ["fishing boat"], "one class", id="between words"),
        pytest.param([("ship", 2), ("Ship", 0)], ["ship"], None, id="an unused spelling is not worth a word"),
        pytest.param([("gas", 1), ("ga", 0)], ["gas"], None, id="a name that ends in s"),
        pytest.param([("tanker", 2), ("ferry", 1)], ["tanker", "ferry"], None, id="two classes in their order"),
        pytest.param([("a", 0), ("b", 0)], ["a", "b"], None, id="no object at all: told later"),
    ],
)
def test_classes_are_those_that_own_objects(owned: list[tuple[str, int]], classes: list[str], note: str | None) -> None:
    found, notes = settled(*owned)
    assert found == classes
    assert (note is None) == (notes == [])
    assert note is None or note in notes[0]


def test_splits_get_the_same_classes() -> None:
    train, test = labels(("root", 0), ("ship", 2)), labels(("Ship", 1), ("ferry", 1))
    settled_sets, notes = settle_classes([train, test])
    assert {str(one.document["categories"]) for one in settled_sets} == {
        "[{'id': 1, 'name': 'ship'}, {'id': 2, 'name': 'ferry'}]"
    }
    assert [row["category_id"] for row in settled_sets[1].document["annotations"]] == [1, 2]
    assert len(notes) == 2


def test_what_is_no_annotation_is_left_for_reading_to_count() -> None:
    one = labels(("ship", 1))
    one.document["annotations"] += [[1], {"category_id": None}, {"category_id": [3]}]
    rows = settle_classes([one])[0][0].document["annotations"]
    assert rows == [{"category_id": 1}, [1], {"category_id": None}, {"category_id": None}]
