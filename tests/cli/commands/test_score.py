"""refinedet score, as a user types it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from typer.testing import Result

from refinedet.files import write_json

Run = Callable[..., Result]


def test_score_limits_can_be_set(run: Run, tmp_path: Path) -> None:
    def file(name: str, x: int) -> Path:
        properties = {"bbox_px": [x, 0, x + 10, 10], "score": 0.4}
        features = [{"type": "Feature", "geometry": None, "properties": properties}]
        write_json(tmp_path / name, {"type": "FeatureCollection", "features": features})
        return tmp_path / name

    a, b = file("a.geojson", 0), file("b.geojson", 5)
    assert "F1 1.000" in run("score", a, b).stdout
    assert "F1 0.000" in run("score", a, b, "--iou-min", "0.5").stdout
    assert "missed 1" in run("score", a, b, "--score-min", "0.5").stdout


def test_missing_files_are_one_sentence(run: Run) -> None:
    ran = run("score", "a.geojson", "b.geojson")
    assert ran.exit_code == 1
    assert ran.stderr.startswith("refinedet: expected")
    assert len(ran.stderr.strip().splitlines()) == 1


def test_a_truth_that_lies_elsewhere_is_told_on_the_console_and_in_json(run: Run, tmp_path: Path) -> None:
    for name, lon in (("a.csv", 9), ("b.csv", 49)):
        (tmp_path / name).write_text(f"lon,lat\n{lon},54\n")
    ran = run("score", tmp_path / "a.csv", tmp_path / "b.csv", "--json")
    assert "the nearest ship of" in ran.stderr
    assert " km from a detection" in json.loads(ran.stdout)["notes"][0]
    assert "F1 1.000" in run("score", tmp_path / "a.csv", tmp_path / "b.csv", "--centre-m", 3e6).stdout
