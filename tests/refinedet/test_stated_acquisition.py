"""Acquisition that a raster states in a tag: it comes back as it was, and nonsense is none."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from refinedet.stated_acquisition import TAG, StatedAcquisition

MADE = StatedAcquisition(
    datetime(2024, 5, 1, 17, 0, 0, 250_000, tzinfo=UTC),
    (1.5, 0.0),
    (300, 200),
    "right",
    ((7.0, 54.5, 1.5, 115.0, 37.0, 348.0), (7.1, 54.4, 0.0, 115.0, 37.0, 348.0)),
)


def test_an_acquisition_comes_back_from_its_tag() -> None:
    assert StatedAcquisition.of(MADE.tags()) == MADE
    assert MADE.view()["start"] == "2024-05-01T17:00:00.250Z"
    assert StatedAcquisition.of({"ImageDescription": "a scene"}) is None


@pytest.mark.parametrize(
    "change",
    [
        {"start": "yesterday"},
        {"look": "down"},
        {"nodes": []},
        {"nodes": [[1, 2, 3]]},
        {"nodes": [[7.0, 54.5, 0.0, 115.0, 37.0, "north"]]},
        {"line_seconds": [0]},
        {"line_seconds": [0, float("nan")]},
        {"size_px": None},
    ],
    ids=str,
)
def test_nonsense_is_no_acquisition(change: dict[str, object]) -> None:
    content = json.loads(MADE.tags()[TAG]) | change
    assert StatedAcquisition.of({TAG: json.dumps(content)}) is None
    assert StatedAcquisition.of({TAG: "[" * 100_000}) is None
