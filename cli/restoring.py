"""`refinedet restore` and `refinedet verify`: tables of what came back, and of what is still true."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cli.console import out, print_json, say

if TYPE_CHECKING:
    from pipeline.versions.restore import Restored
    from pipeline.versions.verify import Verified


def restore_run(run_id: str, folder: Path, *, stage: str | None) -> bool:
    """Restore a run and say what came back; whether all of it did."""
    from pipeline.versions.restore import restore

    made = restore(run_id, folder, stage=stage)
    wrong = [check for check in made.checks if check.state != "same"]
    for check in wrong:
        now = "" if check.found is None else f", here {check.found}"
        out.print(f"{check.state} {check.path}, MD5 {check.expected} in the run{now}", markup=False)
    for note in made.notes:
        say(note)
    _summary(made, len(made.checks) - len(wrong))
    return made.whole


def _summary(made: Restored, same: int) -> None:
    out.print(f"{made.project}: revision {made.revision[:12]} as stage {made.stage} left it", markup=False)
    out.print(f"{same} of {len(made.checks)} files and folders have the run's MD5")
    if made.repro_does_nothing:
        out.print("`dvc repro` has nothing to do there")
    else:
        out.print("`dvc repro` there would run stages again: `dvc status` names them")


def verify_run(run_id: str, *, tolerance: float, folder: Path | None, json: bool) -> bool:
    """Evaluate a run again and show each metric; whether all are what was logged."""
    from pipeline.versions.verify import verify

    found = verify(run_id, tolerance=tolerance, folder=folder)
    if json:
        print_json(found.to_dict())
    else:
        _show(found)
    return not found.mismatches


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
