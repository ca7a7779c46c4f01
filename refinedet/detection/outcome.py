"""Outcome of a run on one scene."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from refinedet.cloud.scene import Scene

if TYPE_CHECKING:
    from refinedet.scene.result import SceneResult


@dataclass(frozen=True, slots=True)
class DetectionRun:
    """Outcome of a run on one scene: its ships, its files and its record."""

    scene: Scene
    record: Mapping[str, Any]
    """Content of the file <stem>.run.json."""
    files: dict[str, Path] = field(default_factory=dict)
    """Result files by format or view: geojson, csv, quicklook, map, record ..."""
    result: SceneResult | None = None
    """Ships of the scene; None if `skipped`."""
    windows_kept: int = 0
    """Windows that were taken over from an interrupted run."""
    seconds: float = 0.0
    """Wall time of this run."""

    @property
    def skipped(self) -> bool:
        """True if an earlier run has left the same results."""
        return self.result is None

    @property
    def ships(self) -> int:
        """Number of ships."""
        return int(self.record["counts"]["ships"])

    @property
    def notes(self) -> tuple[str, ...]:
        """Facts that the user should know of this scene, a sentence each."""
        return tuple(self.record["notes"])
