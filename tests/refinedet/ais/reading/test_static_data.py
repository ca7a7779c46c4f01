"""Sizes of ships, places of antennas, and types."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from refinedet.ais.reading import reasons
from refinedet.ais.reading.numbers import is_odd
from refinedet.ais.reading.ship_types import ship_types
from refinedet.ais.reading.static_data import dimensions

NONE = np.nan
Numbers = tuple[float, ...]


@pytest.mark.parametrize(
    ("sides", "size", "expected_sides", "expected_size"),
    [
        ((80, 20, 12, 8), (NONE, NONE), (80, 20, 12, 8), (100, 20)),
        ((0, 100, 0, 20), (NONE, NONE), (NONE, NONE, NONE, NONE), (100, 20)),  # no place of the antenna
        ((0, 100, 6, 14), (NONE, NONE), (0, 100, 6, 14), (100, 20)),  # an antenna at the bow
        ((0, 0, 0, 0), (NONE, NONE), (NONE, NONE, NONE, NONE), (NONE, NONE)),
        ((80, 20, NONE, NONE), (100, 20), (80, 20, NONE, NONE), (100, 20)),
        ((0, 100, NONE, NONE), (100, 20), (NONE, NONE, NONE, NONE), (100, 20)),
        ((NONE, NONE, NONE, NONE), (120, 0), (NONE, NONE, NONE, NONE), (120, NONE)),
    ],
)
def test_sizes_and_places(
    sides: tuple[float, ...],
    size: tuple[float, ...],
    expected_sides: tuple[float, ...],
    expected_size: tuple[float, ...],
) -> None:
    counts: Counter[str] = Counter()
    found = dimensions(np.array([sides], float), np.array([size], float), counts)
    assert np.array_equal(found[0][0], expected_sides, equal_nan=True)
    assert np.array_equal(found[1][0], expected_size, equal_nan=True)
    assert counts[reasons.SIZE_IMPOSSIBLE] == 0


@pytest.mark.parametrize("sides", [(511, 511, 20, 20), (10, 10, 63, 63), (4, 4, 9, 9)])
def test_no_ship_has_such_a_size(sides: Numbers) -> None:
    counts: Counter[str] = Counter()
    places, size = dimensions(np.array([sides], float), np.full((1, 2), NONE), counts)
    assert np.isnan(places).all()
    assert np.isnan(size).all()
    assert counts[reasons.SIZE_IMPOSSIBLE] == 1


def test_types_in_words() -> None:
    texts = np.array(["70", "89.0", "30", "Cargo", "HSC", "Undefined", "1024", "0", "250", "52", ""])
    expected = ["cargo", "tanker", "fishing", "cargo", "high speed craft", "", "tanker", "", "", "tug", ""]
    assert ship_types(texts).tolist() == expected


def test_numbers_of_ships_are_not_odd() -> None:
    numbers = np.array([219000001, 982190001, 821900001, 900100000, 123456789, 1])
    assert is_odd(numbers).tolist() == [False, False, False, True, True, True]
