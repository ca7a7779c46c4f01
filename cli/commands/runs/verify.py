"""`refinedet verify`: a run evaluated again, with each metric compared to the logged one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import options
from cli.console import EXIT_ERROR, one_sentence_errors, out, print_json, say
from refinedet.extras import check_extra

if TYPE_CHECKING:
    from pipeline.versions.verify import Verified


def verify(
    run_id: options.RunId,
    tolerance: Annotated[
        float, typer.Option(min=0, help="Largest difference that counts as equal, in the units of the metric.")
    ] = 0.01,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--dir",
            help="Folder to restore to and keep. If the run is already restored there, it is used.",
            show_default="a temporary folder",
        ),
    ] = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Evaluate the checkpoint of a run again with its own code and data, and compare all metrics with the log.

    Run it in a clone of the project. If a metric differs by more than the tolerance, it exits with 1.
    """
    with one_sentence_errors(debug=debug, progress=not json):
        check_extra("dvc", "`refinedet verify`")
        from pipeline.versions.verify import verify as verify_run

        found = verify_run(run_id, tolerance=tolerance, folder=folder)
        if json:
            print_json(found.to_dict())
        else:
            _show(found)
        if found.mismatches:
            raise typer.Exit(EXIT_ERROR)


def _show(found: Verified) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("metric", overflow="fold")
    for column in ("logged", "now", "difference", ""):
        table.add_column(column, no_wrap=True)
    wrong = {row.name for row in found.mismatches}
    for row in found.rows:
        numbers = ("missing" if value is None else f"{value:.6g}" for value in (row.logged, row.now))
        table.add_row(row.name, *numbers, f"{row.difference:+.2g}", "differs" if row.name in wrong else "")
    out.print(table)
    for name, same in found.detections.items():
        out.print(f"{name}: {'the same bytes' if same else 'other bytes'}")
    for name, (then, now) in found.machine.items():
        say(f"{name} was {then}, is {now}")
    equal = len(found.rows) - len(wrong)
    out.print(f"{equal} of {len(found.rows)} metrics are within {found.tolerance:g} of what was logged")
