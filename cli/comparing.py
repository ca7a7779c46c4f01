"""`refinedet compare`: the page, and its gist on the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from cli.console import out, print_json

_MEASURES = ("AP", "AP50", "AP75", "precision", "recall", "F1", "ECE")


def compare_experiments(words: Sequence[str], page: Path, *, overwrite: bool, as_json: bool) -> None:
    """Write the page and say what it found.

    Raises:
        FileError: an experiment is not there, or a file would be replaced and `overwrite` is false.
        InputError: the experiments cannot be compared.
    """
    from pipeline.comparison.compare import check_free, compare

    check_free(page, overwrite=overwrite)
    content = compare(words, page)
    tests = {label: numbers["metrics"]["test"] for label, numbers in content["experiments"].items()}
    if as_json:
        print_json({"page": str(page), "test": tests, "differences": content["differences"]})
        return
    out.print(_table(tests, content["differences"]))
    out.print(str(page), markup=False)


def _table(tests: Mapping[str, Mapping[str, float]], differences: Mapping[str, Mapping[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for measure in _MEASURES:
        table.add_column(measure, justify="right")
    if differences:
        table.add_column("AP, more or less", justify="right", no_wrap=True)
    for label, test in tests.items():
        gain = differences.get(label, {}).get("AP")
        cells = [f"{test[measure]:.2f}" if measure in test else "-" for measure in _MEASURES]
        table.add_row(label, *cells, *([_gain(gain)] if differences else []))
    return table


def _gain(difference: Mapping[str, Any] | None) -> str:
    if difference is None:
        return ""
    interval = difference["interval"]
    return f"{difference['value']:+.1f}" + (f" ({interval[0]:+.1f} to {interval[1]:+.1f})" if interval else "")
