"""Names of a list in a sentence."""

from __future__ import annotations

import pytest

from refinedet.wording import first_of


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
