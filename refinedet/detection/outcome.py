"""Outcome of a run on one scene."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from refinedet.cloud.scene import Scene
from refinedet.wording import ships_in_words

if TYPE_CHECKING:
    from refinedet.scene.result import SceneResult


@dataclass(frozen=True, slots=True)
class DetectionRun:
    """Outcome of a run on one scene: its ships, its files and its record."""

    scene: Scene
    record: Mapping[str, Any]
    """Content of the file <stem>.run.json."""
    files: dict[str, Path] = field(default_factory=dict)
    """Paths of the result files by format or view: geojson, csv, quicklook, map, record and so on."""
    result: SceneResult | None = None
    """Ships of the scene; None if `skipped`."""
    windows_kept: int = 0
    """Number of windows from an interrupted run."""
    seconds: float = 0.0
    """Wall time of this run in seconds."""

    def __repr__(self) -> str:
        """One line, since record and result hold thousands of numbers."""
        as_before = " as before" if self.skipped else ""
        files = ", ".join(str(path) for path in self.files.values())
        return f"<DetectionRun on {self.record['scene']['name']}: {ships_in_words(self.ships)}{as_before}; {files}>"

    def _repr_html_(self) -> str:
        """HTML for a notebook: that of the result, and the paths of the files."""
        shown = f"<p>{escape(repr(self))}</p>" if self.result is None else self.result._repr_html_()
        files = "".join(f"<li>{escape(name)}: {escape(str(path))}</li>" for name, path in self.files.items())
        return f"{shown}<ul>{files}</ul>" if self.result is not None and files else shown

    @property
    def skipped(self) -> bool:
        """True if the same results exist from an earlier run."""
        return self.result is None

    @property
    def ships(self) -> int:
        """Number of ships."""
        return int(self.record["counts"]["ships"])

    @property
    def notes(self) -> tuple[str, ...]:
        """Facts about this scene that the user should know, one sentence each."""
        return tuple(self.record["notes"])
