"""The account of labels: everything is told, and much of it is a warning."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from pipeline.datasets.labels.label_set import LabelSet
from pipeline.datasets.labels.summary import summarise
from refinedet.data.truth import Changes


def labels(objects: int = 100, absent: int = 0) -> LabelSet:
    places = {f"{i}.png": Path(f"{i}.png") for i in range(100 - absent)}
    lost = tuple(f"lost{i}.png" for i in range(absent))
    return LabelSet({"annotations": [{}] * objects}, places, "a.json", "COCO", ("guessed",), lost)


def test_what_was_done_is_told() -> None:
    changes = Changes(derived=Counter({"polygon": 3, "turned box": 2, "mask": 1}))
    told = summarise([labels()], [changes], ("ship",), ["joined"])
    assert told.notes == (
        "COCO labels in a.json: 100 images, 100 objects of the class ship",
        "guessed",
        "joined",
        "boxes computed from masks: 1",
        "boxes computed from polygons: 3",
        "upright boxes around rotated boxes: 2",
    )
    assert told.warnings == ()


@pytest.mark.parametrize(
    ("count", "warns"), [(1, False), (5, False), (6, True)], ids=["one", "5 % is not beyond it", "more than 5 %"]
)
@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("clipped", "boxes ({0}.0 %) extend beyond their images and were clipped"),
        ("ignored", "objects ({0}.0 %) cannot be read (malformed {0}): they count neither as object"),
        ("dropped", "objects ({0}.0 %) were left out (malformed {0})"),
        ("absent", "images ({0}.0 %) are missing and were left out (such as lost0.png)"),
    ],
)
def test_a_large_share_is_a_warning(count: int, warns: bool, kind: str, sentence: str) -> None:
    changes = Changes()
    if kind == "clipped":
        changes.clipped = count
    elif kind != "absent":
        getattr(changes, kind)["malformed"] = count
    told = summarise([labels(absent=count if kind == "absent" else 0)], [changes], ("ship", "buoy"))
    expected = f"{count} of 100 {sentence.format(count)}"
    assert any(expected in one for one in told.warnings) == warns
    assert any(expected in one for one in told.notes) != warns
    assert all(one.startswith("warning: ") for one in told.warnings)
    assert sum(told.counts.values()) == 200 - (count if kind == "absent" else 0) + count
