"""Wording of sentences for the user. Pure."""

from __future__ import annotations

from collections.abc import Sequence

NAMED = 3
"""Usual number of names in a sentence."""


def first_of(names: Sequence[str], most: int = NAMED, *, mark: str = ", ") -> str:
    """First names of a list with the number of the others, such as `a, b, c and 4 more`; all if there are few.

    Args:
        names: the names, in the order in which they are shown.
        most: largest number of names, at least 1.
        mark: text between two names.
    """
    rest = len(names) - most
    ending = f"{';' if ';' in mark else ''} and {rest} more" if rest > 0 else ""
    return mark.join(names[:most]) + ending


def ships_in_words(count: int) -> str:
    """Number of ships in words."""
    return counted(count, "ship") if count else "no ship found"


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Number with its noun, such as `1 scene` or `1,204 scenes`; `plural` is for a noun whose plural is no added s."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"
