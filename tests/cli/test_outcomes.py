"""The table of a run names ships, flags and what was dropped, each on a line of its own."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cli.outcomes import print_runs, summary
from refinedet.errors import FileError


def outcome(**counts: Any) -> Any:
    """A run of one scene with these counts, as far as the table reads it."""
    plain = {"windows": 9, "windows_skipped": 2, "dropped_by_reason": {}, "ships_flagged": 0, "ships_by_flag": {}}
    record = {"scene": {"name": "s.tif", "scale": [1.0, 1.0]}, "counts": plain | counts, "stretch_limits": None}
    files = {"geojson": Path("found/s.geojson")}
    about = {"ships": 5, "notes": (), "files": files, "skipped": False, "windows_kept": 0, "seconds": 1.25}
    return SimpleNamespace(record=record, result=None, **about)


def test_flags_are_counted_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    run = outcome(ships_flagged=3, ships_by_flag={"shore": 2, "edge": 1}, dropped_by_reason={"land": 4})
    print_runs({Path("s.tif"): run})
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[1].startswith("s.tif 5 9 - 1.2 found/ .geojson")
    assert lines[2:] == ["3 flagged 2 skipped", "2 shore", "1 edge", "dropped: 4 land"]
    assert summary(Path("s.tif"), run)["flags"] == {"shore": 2, "edge": 1}


def test_a_run_without_flags_has_one_number(capsys: pytest.CaptureFixture[str]) -> None:
    print_runs({Path("s.tif"): outcome(windows_skipped=0)})
    assert "flagged" not in capsys.readouterr().out


def test_a_scene_that_failed_has_the_same_keys() -> None:
    failed = summary(Path("s.tif"), FileError("expected a scene, found none"))
    assert failed.keys() == summary(Path("s.tif"), outcome()).keys()
    assert failed["error"] == "expected a scene, found none"
