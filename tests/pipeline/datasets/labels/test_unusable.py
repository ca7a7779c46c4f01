"""Sentences on labels without a usable box."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from pipeline.datasets.labels.label_set import LabelSet
from pipeline.datasets.labels.unusable import why_unusable
from refinedet.data.truth import Changes


def labels(count: int) -> LabelSet:
    document = {"images": [], "annotations": [{}] * count, "categories": [{"id": 1, "name": "ship"}]}
    return LabelSet(document, {"a.png": Path("a.png")}, "a.json", "COCO")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (Changes(dropped=Counter({"unknown image": 7})), r"none of 7 .* \(unknown image: 7\); their image ids"),
        (Changes(ignored=Counter({"unknown category": 7})), "their category ids are those of no category"),
        (Changes(dropped=Counter({"without area": 5}), ignored=Counter({"malformed": 2})), "no width or no height"),
        (Changes(dropped=Counter({"outside the image": 7})), "are the images resized"),
        (Changes(), "7 objects that are all marked difficult"),
    ],
)
def test_the_most_frequent_reason_is_the_hint(changes: Changes, words: str) -> None:
    assert re.search(words, why_unusable(labels(7), changes))


def test_a_file_without_objects_says_so() -> None:
    assert why_unusable(labels(0), Changes()).startswith("expected boxes in a.json, found none in its 1 image")
