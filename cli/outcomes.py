"""Outcomes of `refinedet detect`, of scenes and of an archive: for programs as JSON values, for people as tables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table

from cli.console import out, say
from cli.option_names import in_flags
from refinedet.cloud.scene import Scene

if TYPE_CHECKING:
    from refinedet.batch.archive import Summary
    from refinedet.detection.outcome import DetectionRun
    from refinedet.errors import RefineDetError
    from refinedet.radiometry import StretchLimits

_SHOWN = 20
"""Most failures of an archive that are printed one by one."""


def summary(scene: Scene, outcome: DetectionRun | RefineDetError) -> dict[str, Any]:
    """Outcome of one scene, ready for JSON."""
    if isinstance(outcome, Exception):
        empty = {
            "skipped": False,
            "ships": 0,
            "flagged": 0,
            "flags": {},
            "dropped": {},
            "notes": [],
            "files": [],
            "seconds": 0.0,
        }
        counts = {"windows": 0, "windows_skipped": 0, "windows_kept": 0}
        pixels = {"stretch_limits": None, "scale": [1.0, 1.0]}
        return {"scene": str(scene), "ok": False, "error": in_flags(str(outcome))} | empty | counts | pixels
    counts = outcome.record["counts"]
    return {
        "scene": str(scene),
        "ok": True,
        "error": None,
        "skipped": outcome.skipped,
        "ships": outcome.ships,
        "flagged": counts.get("ships_flagged"),  # unknown in the results of an earlier version
        "flags": counts["ships_by_flag"],
        "dropped": counts["dropped_by_reason"],
        "notes": [in_flags(note) for note in outcome.notes],
        "windows": counts["windows"],
        "windows_skipped": counts["windows_skipped"],
        "windows_kept": outcome.windows_kept,
        "stretch_limits": outcome.record["stretch_limits"],
        "scale": outcome.record["scene"]["scale"],
        "seconds": round(outcome.seconds, 2),
        "files": [str(path) for path in outcome.files.values()],
    }


def print_runs(outcomes: Mapping[Scene, DetectionRun | RefineDetError]) -> None:
    """A table on stdout; what failed, one sentence each, on stderr."""
    from refinedet.detection.notes import SceneNotes

    runs = [one for one in outcomes.values() if not isinstance(one, Exception)]
    if runs:
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column("scene", overflow="fold")
        for name in ("ships", "windows", "stretch", "seconds"):
            table.add_column(name, justify="right")
        table.add_column("results", overflow="fold")
        for one in runs:
            table.add_row(*_row(one))
        out.print(table)
    notes = SceneNotes()
    for one in runs:
        notes.add(one.record["scene"]["name"], one.notes)
    for note in notes.sentences():
        say(note)
    failed = [one for one in outcomes.values() if isinstance(one, Exception)]
    for error in failed:
        say(str(error))
    if failed and len(outcomes) > 1:
        say(f"{len(failed)} of {len(outcomes)} scenes failed")


def _row(one: DetectionRun) -> tuple[str, ...]:
    counts = one.record["counts"]
    states = (one.record.get("ais") or {}).get("detections", {})
    dropped = ", ".join(f"{count} {reason}" for reason, count in counts["dropped_by_reason"].items())
    about = [f"{count} {state}" for state, count in states.items() if count]
    if flagged := counts.get("ships_flagged"):
        about += [f"{flagged} flagged", *(f"{count} {flag}" for flag, count in counts["ships_by_flag"].items())]
    about += [f"dropped: {dropped}"] if dropped else []
    remarks = ((counts["windows_skipped"], "skipped"), (one.windows_kept, "from before"))
    folder = next(iter(one.files.values())).parent if one.files else "-"
    name = one.record["scene"]["name"]
    suffixes = " ".join(path.name.removeprefix(Path(name).stem) for path in one.files.values())
    return (
        name,
        _with(one.ships, about),
        _with(counts["windows"], [f"{count} {remark}" for count, remark in remarks if count]),
        _stretch(one),
        "as before" if one.skipped else f"{one.seconds:.1f}",
        f"{folder}/  {suffixes}",
    )


def _with(count: int, remarks: list[str]) -> str:
    """A count, and its remarks on lines of their own, so that the column stays narrow."""
    return "\n".join([f"{count}", *remarks])


def _stretch(one: DetectionRun) -> str:
    """Stretch limits as text for people, and their domain."""
    if one.result is None:
        return "-"
    if one.result.polarisations:
        return ", ".join(f"{seen.name} {_limits(seen.stretch_limits)}" for seen in one.result.polarisations)
    return _limits(one.result.stretch_limits)


def _limits(limits: StretchLimits | None) -> str:
    if limits is None:
        return "none"
    ends = f"{limits.low:.3g} to {limits.high:.3g}"
    return ends if limits.domain == "amplitude" else f"{ends} ({limits.domain})"


def archive_summary(found: Summary, folder: Path) -> dict[str, Any]:
    """Outcome of an archive, ready for JSON; the status file has the outcome of each scene."""
    from refinedet.batch.paths import DATASET
    from refinedet.batch.status import NAME

    return {
        "scenes": found.scenes,
        "done": found.done,
        "as_before": found.as_before,
        "failed": [{"scene": str(scene), "error": in_flags(error)} for scene, error in found.failed.items()],
        "ships": found.ships,
        "notes": [in_flags(note) for note in found.notes.sentences()],
        "seconds": round(found.seconds, 2),
        "status": str(folder / NAME),
        "dataset": str(folder / DATASET),
    }


def print_archive(found: Summary, folder: Path) -> None:
    """A table on stdout; what failed, one sentence each, on stderr."""
    from refinedet.batch.paths import DATASET
    from refinedet.batch.status import NAME

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("scenes", "done", "as before", "failed", "ships", "seconds"):
        table.add_column(name, justify="right")
    table.add_column("results", overflow="fold")
    counts = (found.scenes, found.done, found.as_before, len(found.failed), found.ships)
    table.add_row(*map(str, counts), f"{found.seconds:.1f}", f"{folder}/  {DATASET}/ {NAME}")
    out.print(table)
    for note in found.notes.sentences():
        say(note)
    for error in list(found.failed.values())[:_SHOWN]:
        say(error)
    if found.failed:
        say(f"{len(found.failed)} of {found.scenes} scenes failed; {folder / NAME} names each")
