"""Coordinates as text."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from refinedet.ais.reading.parsing.coordinates import degrees


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("59.5", 59.5),
        ("59,5", 59.5),
        ("59\N{DEGREE SIGN}20'30\"N", 59.341667),
        ("59\N{DEGREE SIGN} 20\N{PRIME} 30.5\N{DOUBLE PRIME} S", -59.341806),
        ("59 20.5 N", 59.341667),
        ("59 20,5 N", 59.341667),
        ("N 59-20.5", 59.341667),
        ("59:20:30", 59.341667),
        ("-59 20.5", -59.341667),
        ("59.5S", -59.5),
        ("59.5\N{DEGREE SIGN}", 59.5),
        ("0 30 s", -0.5),
    ],
)
def test_a_latitude_is_read_in_every_spelling(text: str, value: float) -> None:
    assert degrees(pa.array([text]), "NS") == pytest.approx([value], abs=1e-6)


@pytest.mark.parametrize("text", ["10.5E", "59 60.5 N", "59.5 20 N", "-59 20 S", "59 20 70", "north", "N", "1 2 3 4"])
def test_what_is_no_latitude_is_missing(text: str) -> None:
    assert np.isnan(degrees(pa.array([text]), "NS")).all()


def test_columns_of_numbers_and_mixed_columns_are_read() -> None:
    assert np.array_equal(degrees(pa.array([10.5, None]), "EW"), [10.5, np.nan], equal_nan=True)
    found = degrees(pa.array(["10.25", None, "", "10 30 W"]), "EW")
    assert np.array_equal(found, [10.25, np.nan, np.nan, -10.5], equal_nan=True)
