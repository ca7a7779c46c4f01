"""Names of a list and counts of things in a sentence."""

from __future__ import annotations

import pytest

from refinedet.wording import counted, first_of, ships_in_words


@pytest.mark.parametrize(
    ("count", "most", "mark", "expected"),
    [
        (0, 3, ", ", ""),
        (1, 3, ", ", "a"),
        (3, 3, ", ", "a, b, c"),
        (5, 3, ", ", "a, b, c and 2 more"),
        (5, 1, ", ", "a and 4 more"),
        (5, 3, "; ", "a; b; c; and 2 more"),
    ],
)
def test_the_first_names_and_the_number_of_the_others(count: int, most: int, mark: str, expected: str) -> None:
    assert first_of("abcdefg"[:count], most, mark=mark) == expected


def test_one_thing_and_several() -> None:
    assert [counted(number, "scene") for number in (0, 1, 2, 1204)] == [
        "0 scenes",
        "1 scene",
        "2 scenes",
        "1,204 scenes",
    ]
    assert [counted(number, "entry", "entries") for number in (1, 2)] == ["1 entry", "2 entries"]
    assert [ships_in_words(number) for number in (0, 1, 2)] == ["no ship found", "1 ship", "2 ships"]
