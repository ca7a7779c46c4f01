"""refinedet score, as a user types it."""

from __future__ import annotations

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
