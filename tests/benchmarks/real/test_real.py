"""The bench finds its data, says in one line what is missing, and rewrites the tables of its page alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np

_ROOT = Path(__file__).resolve().parents[3]


def _run(*arguments: object, data: Path) -> subprocess.CompletedProcess[str]:
    script = _ROOT / "benchmarks" / "real" / "real.py"
    environment = os.environ | {"PYTHONPATH": str(_ROOT), "REFINEDET_DATA": str(data)}
    command = [sys.executable, script, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def test_missing_data_is_told_in_one_line(tmp_path: Path) -> None:
    done = _run(data=tmp_path)
    assert done.returncode == 1
    assert done.stderr == f"expected a folder `real` in the sample data, found none in {tmp_path}\n"


def test_page_without_marks_is_refused_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    page = tmp_path / "page.md"
    page.write_text("# Page\n")
    done = _run("--write", page, data=tmp_path)
    assert done.returncode == 1
    assert "tables: begin" in done.stderr
    assert page.read_text() == "# Page\n"


def test_only_the_tables_of_a_page_change(tmp_path: Path) -> None:
    real = import_module("real")
    page = tmp_path / "page.md"
    page.write_text(f"# Page\n\n{real.BEGIN}\nold\n{real.END}\n\nEnd.\n")
    real.replace_tables(page, "new")
    assert page.read_text() == f"# Page\n\n{real.BEGIN}\nnew\n{real.END}\n\nEnd.\n"


def test_bench_measures_laid_ships_and_compares_two_runs(tmp_path: Path, tiny_network: Path) -> None:
    folder = tmp_path / "real" / "opensarship"
    folder.mkdir(parents=True)
    product = "S1A_IW_GRDH_1SDV_20160131T101646_20160131T101715_009737_00E392_36F7"
    rng = np.random.default_rng(0)
    patches = (100 * np.sqrt(rng.gamma(4.4, 1 / 4.4, (2, 41, 41)))).astype(np.float32)
    patches[:, 18:23, 15:27] = 2000
    entry = {"patch": "a", "bands": ["vh", "vv"], "centre_px": [0, 0], "head_px": [6, 0], "tail_px": [-6, 0]}
    entry |= {"ais": {"length_m": 120, "width_m": 20}, "register": None, "manual_length_m": 120}
    (folder / f"{product}.json").write_text(json.dumps({"ships": [entry]}))
    np.savez(folder / f"{product}.npz", a=patches)
    first = _run("--only", "opensarship", "--weights", tiny_network, "--json", tmp_path / "a.json", data=tmp_path)
    assert first.returncode == 0, first.stderr
    kept = json.loads((tmp_path / "a.json").read_text())
    assert {row["table"] for row in kept["rows"]} >= {"opensarship: recall", "opensarship: other boxes"}
    assert kept["rows"][0]["part"] == "decide"
    assert len(kept["weights_sha256"]) == 64
    second = _run("--only", "opensarship", "--weights", tiny_network, "--against", tmp_path / "a.json", data=tmp_path)
    assert second.returncode == 0, second.stderr
    assert f"## Beside {kept['weights_sha256'][:12]}" in second.stdout
    changes = [
        line.rsplit("|", 2)[1].strip() for line in second.stdout.split("## Beside")[1].splitlines() if "vv" in line
    ]
    assert changes
    assert set(changes) <= {"0", "-"}
