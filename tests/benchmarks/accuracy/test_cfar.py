"""The CFAR table runs as its help says, and says what is wrong in one line."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from refinedet.data.simulation.scene import write_simulated
from refinedet.data.simulation.spec import SceneSpec

_ROOT = Path(__file__).resolve().parents[3]


def _run(*arguments: Path) -> subprocess.CompletedProcess[str]:
    script = _ROOT / "benchmarks" / "accuracy" / "cfar.py"
    environment = os.environ | {"PYTHONPATH": str(_ROOT)}
    return subprocess.run(
        [sys.executable, script, *arguments], capture_output=True, text=True, check=False, env=environment
    )


def test_table_ends_with_the_best_row(tmp_path: Path) -> None:
    truth = write_simulated(SceneSpec(300, 300, 6, seed=1), tmp_path / "scene.tif")
    done = _run(tmp_path / "scene.tif", truth)
    assert (done.returncode, done.stderr) == (0, "")
    *rows, last = done.stdout.splitlines()[1:]
    best = re.fullmatch(r"CFAR at its best threshold \(k = ([\d.]+)\): F1 = ([\d.]+)", last)
    assert best
    table = {row.split()[0]: float(row.split()[-1]) for row in rows}
    assert table[best[1]] == float(best[2]) == max(table.values())


def test_a_truth_without_boxes_is_one_line(tmp_path: Path) -> None:
    write_simulated(SceneSpec(100, 100, 1, seed=1), tmp_path / "scene.tif")
    (tmp_path / "truth.geojson").write_text('{"features": [{"properties": {}}]}')
    done = _run(tmp_path / "scene.tif", tmp_path / "truth.geojson")
    assert done.returncode == 2
    assert re.fullmatch(r"error: expected .*bbox_px.*\n", done.stderr)
