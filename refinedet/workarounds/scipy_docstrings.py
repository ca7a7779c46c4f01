"""Import of scipy without parsing its docstrings.

Problem: scipy parses the docstring of each function as it is imported, to add a table of array libraries. That takes
    half of the time that scipy.ndimage needs.
Upstream: no report was found. The parsing is in `xp_capabilities` of scipy/_lib/_array_api.py.
Versions: scipy 1.17.
Remove: when scipy adds the table without parsing, or not on import.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from refinedet.workarounds.unused_imports import read_parts_of_numpy_when_used


def import_ndimage() -> None:
    """Import scipy.ndimage in half the time if scipy has the expected form; else leave the import to its first use.

    Call it only in processes of this project: elsewhere, it would change the help() of scipy.
    """
    read_parts_of_numpy_when_used()
    with suppress(ImportError, AttributeError):
        from scipy._lib import _array_api as table

        parser, table.FunctionDoc = table.FunctionDoc, _Unparsed
        try:
            from scipy import ndimage  # noqa: F401 - and with it scipy.special
        finally:
            table.FunctionDoc = parser


class _Unparsed:
    """Docstring of a function as text that ignores additions."""

    def __init__(self, function: Any) -> None:
        self._text = function.__doc__ or ""

    def __getitem__(self, section: str) -> list[str]:
        return []

    def __str__(self) -> str:
        return f"\n{self._text}"  # whose first line would be the signature
