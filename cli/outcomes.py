"""What became of the scenes of one call, for people and for programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table

from cli.console import out, say

if TYPE_CHECKING:
    from refinedet.radiometry import Levels
    from refinedet.scene.result import SceneResult


@dataclass(slots=True)
class Outcome:
    """What became of one scene."""

    scene: Path
    ships: int = 0
    windows: int = 0
    windows_done: int = 0
    windows_skipped: int = 0
    windows_kept: int = 0
    """Taken over from an interrupted run."""
    dropped: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    levels: Levels | None = None
    factors: tuple[float, float] = (1.0, 1.0)
    seconds: float = 0.0
    files: list[str] = field(default_factory=list)
    error: str | None = None
    skipped: bool = False
    """An earlier run has left the same results."""

    def skip(self, record: Mapping[str, Any]) -> None:
        """Note what an earlier run has found, as its record tells."""
        self.skipped = True
        self.ships, self.dropped = record["counts"]["ships"], record["counts"]["dropped_by_reason"]
        self.windows, self.windows_skipped = record["counts"]["windows"], record["counts"]["windows_skipped"]

    def take(self, result: SceneResult) -> None:
        """Note what was found."""
        self.ships, self.windows_skipped = len(result.detections), result.windows_skipped
        self.dropped, self.notes = result.dropped, list(result.notes)
        self.levels, self.factors = result.levels, result.factors

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {
            "scene": str(self.scene),
            "ok": self.error is None,
            "error": self.error,
            "skipped": self.skipped,
            "ships": self.ships,
            "dropped": self.dropped,
            "notes": self.notes,
            "windows": self.windows,
            "windows_skipped": self.windows_skipped,
            "windows_kept": self.windows_kept,
            "stretch": None if self.levels is None else asdict(self.levels),
            "scale": list(self.factors),
            "seconds": round(self.seconds, 2),
            "files": self.files,
        }


def print_summary(outcomes: list[Outcome]) -> None:
    """A table on stdout; what failed, one sentence each, on stderr."""
    done = [outcome for outcome in outcomes if outcome.error is None]
    if done:
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column("scene", overflow="fold")
        for name in ("ships", "windows", "stretch", "seconds"):
            table.add_column(name, justify="right")
        table.add_column("results", overflow="fold")
        for one in done:
            table.add_row(*_row(one))
        out.print(table)
    for note in dict.fromkeys(note for one in outcomes for note in one.notes):
        say(note)
    for one in outcomes:
        if one.error is not None:
            say(one.error)
    if len(done) < len(outcomes) > 1:
        say(f"{len(outcomes) - len(done)} of {len(outcomes)} scenes failed")


def _row(one: Outcome) -> tuple[str, ...]:
    dropped = ", ".join(f"{count} {reason}" for reason, count in one.dropped.items())
    remarks = ((one.windows_skipped, "skipped"), (one.windows_kept, "from before"))
    kept = [f"{count} {remark}" for count, remark in remarks if count]
    folder = Path(one.files[0]).parent if one.files else "-"
    suffixes = " ".join(Path(name).name.removeprefix(one.scene.stem) for name in one.files)
    return (
        one.scene.name,
        _with(one.ships, [f"dropped: {dropped}"] if dropped else []),
        _with(one.windows, kept),
        _stretch(one),
        "as before" if one.skipped else f"{one.seconds:.1f}",
        f"{folder}/  {suffixes}",
    )


def _with(count: int, remarks: list[str]) -> str:
    return f"{count} ({', '.join(remarks)})" if remarks else f"{count}"


def _stretch(outcome: Outcome) -> str:
    """The ends of the stretch, in what they are of, for people."""
    if outcome.skipped:
        return "-"
    if outcome.levels is None:
        return "none"
    ends = f"{outcome.levels.low:.4g} to {outcome.levels.high:.4g}"
    return ends if outcome.levels.domain == "stored" else f"{ends} ({outcome.levels.domain})"
