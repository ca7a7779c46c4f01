"""`refinedet compare`: evaluations side by side, with a summary on the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import options
from cli.console import one_sentence_errors, out, print_json
from refinedet.extras import check_extra

if TYPE_CHECKING:
    from rich.table import Table

_MEASURES = ("AP", "AP50", "AP75", "precision", "recall", "F1", "ECE")


def compare(
    experiments: Annotated[
        list[str],
        typer.Argument(
            metavar="EXPERIMENT",
            help="Folder of outputs (or only outputs/evaluate), DVC experiment or git revision. LABEL=... sets its "
            "name.",
            show_default=False,
        ),
    ],
    page: Annotated[
        Path, typer.Option("--out", help="HTML file to write; a JSON file with the numbers is written beside it.")
    ] = Path("comparison.html"),
    overwrite: options.Overwrite = False,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Compare two to six evaluations in one HTML page, with a JSON file of the numbers.

    Differences are relative to the first evaluation. The page shows chips if the folder outputs/tile is available.
    """
    with one_sentence_errors(debug=debug, progress=not json):
        check_extra("dvc", "`refinedet compare`")
        from pipeline.comparison.compare import check_free
        from pipeline.comparison.compare import compare as compare_experiments

        check_free(page, overwrite=overwrite)
        content = compare_experiments(experiments, page)
        tests = {label: numbers["metrics"]["test"] for label, numbers in content["experiments"].items()}
        if json:
            print_json({"page": str(page), "test": tests, "differences": content["differences"]})
            return
        out.print(_table(tests, content["differences"]))
        out.print(str(page))


def _table(tests: Mapping[str, Mapping[str, float]], differences: Mapping[str, Mapping[str, Any]]) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for measure in _MEASURES:
        table.add_column(measure, justify="right")
    if differences:
        table.add_column("AP difference", justify="right", no_wrap=True)
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
