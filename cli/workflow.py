"""Commands around the workflow of DVC and MLflow: data sets, runs, comparisons. Parse, call once, print."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli import options
from cli.commands.runs import runs
from cli.console import EXIT_ERROR, one_sentence_errors

commands = typer.Typer()
"""Part of `refinedet`, see cli/app.py."""
commands.command()(runs)


@commands.command()
def compare(
    experiments: options.Experiments,
    out_path: options.ComparisonPage = Path("comparison.html"),
    overwrite: options.Overwrite = False,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Set two to six evaluations side by side in one HTML page, with their numbers as JSON beside it.

    The others are measured against the first. Chips are drawn where the experiments' outputs/tile is at hand.
    """
    with one_sentence_errors(debug=debug, progress=not json):
        from cli.comparing import compare_experiments

        compare_experiments(experiments, out_path, overwrite=overwrite, as_json=json)


@commands.command()
def datasets(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Tell more of this one.", show_default="all of them")
    ] = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """The data sets that a recipe of params.yaml can name: where they are, what they are, on what terms."""
    with one_sentence_errors(debug=debug):
        from cli.datasets import show_datasets

        show_datasets(name, json=json)


@commands.command()
def sync(
    to: Annotated[
        str | None,
        typer.Option(
            metavar="URI", help="Where runs go whose server never answered.", show_default="as they were begun"
        ),
    ] = None,
    debug: options.Debug = False,
) -> None:
    """Send to MLflow what it was not told while its server was away."""
    with one_sentence_errors(debug=debug):
        from cli.syncing import sync as send

        send(to)


@commands.command()
def restore(
    run_id: Annotated[str, typer.Argument(metavar="RUN_ID", help="A run in MLflow.", show_default=False)],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="New or empty folder.", show_default=False)],
    stage: Annotated[
        str | None,
        typer.Option(help="The state that this stage recorded.", show_default="the one that was recorded last"),
    ] = None,
    debug: options.Debug = False,
) -> None:
    """Put a run's code, settings, data and weights back into a git worktree, verified hash by hash.

    Called in a clone of the project. Ends with 1 where something is missing, after saying where it was last seen.
    """
    with one_sentence_errors(debug=debug):
        from cli.restoring import restore_run

        if not restore_run(run_id, folder, stage=stage):
            raise typer.Exit(EXIT_ERROR)


@commands.command()
def verify(
    run_id: Annotated[str, typer.Argument(metavar="RUN_ID", help="A run in MLflow.", show_default=False)],
    tolerance: Annotated[
        float, typer.Option(min=0, help="Largest difference that counts as equal, in the unit of the metric.")
    ] = 0.01,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--dir", help="Restore there and keep it, or use what is restored there.", show_default="temporary"
        ),
    ] = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Evaluate a run's checkpoint again, by its own code on its own data, and compare each metric with the logged one.

    Called in a clone of the project. Ends with 1 where a metric differs by more than the tolerance.
    """
    with one_sentence_errors(debug=debug, progress=not json):
        from cli.restoring import verify_run

        if not verify_run(run_id, tolerance=tolerance, folder=folder, json=json):
            raise typer.Exit(EXIT_ERROR)
