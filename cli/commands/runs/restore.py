"""`refinedet restore`: a run's code, data and weights, with a table of the restored parts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import options
from cli.console import EXIT_ERROR, one_sentence_errors, out, say
from refinedet.extras import check_extra

if TYPE_CHECKING:
    from pipeline.versions.restore import Restored


def restore(
    run_id: options.RunId,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="New or empty folder.", show_default=False)],
    stage: Annotated[
        str | None,
        typer.Option(help="Restore the state that this stage recorded.", show_default="the last stage recorded"),
    ] = None,
    debug: options.Debug = False,
) -> None:
    """Restore the code, settings, data and weights of a run into a git worktree, and verify all hashes.

    Run it in a clone of the project. If something is missing, it says where that was last seen, and exits with 1.
    """
    with one_sentence_errors(debug=debug):
        check_extra("dvc", "`refinedet restore`")
        from pipeline.versions.restore import restore as restore_run

        made = restore_run(run_id, folder, stage=stage)
        _show(made)
        if not made.whole:
            raise typer.Exit(EXIT_ERROR)


def _show(made: Restored) -> None:
    wrong = [check for check in made.checks if check.state != "same"]
    for check in wrong:
        now = "" if check.found is None else f", here {check.found}"
        out.print(f"{check.state} {check.path}, MD5 {check.expected} in the run{now}")
    for note in made.notes:
        say(note)
    out.print(f"{made.project}: revision {made.revision[:12]} as stage {made.stage} left it")
    out.print(f"{len(made.checks) - len(wrong)} of {len(made.checks)} files and folders have the run's MD5")
    if made.repro_does_nothing:
        out.print("`dvc repro` has nothing to do there")
    else:
        out.print("`dvc repro` there would run stages again: `dvc status` names them")
