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
