"""The plan's arithmetic, and a judge that sees what differs."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("archive_benchmark", ROOT / "benchmarks" / "speed" / "archive.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_the_tables_of_the_page_are_those_that_the_script_prints(
    script: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (ROOT / "docs" / "howto" / "cluster.md").read_text(encoding="utf-8")
    seconds = re.search(r"--plan ([\d.]+)", page)
    assert seconds is not None
    script.print_plan(script.Plan(float(seconds[1]), **script.Plan.assumed()))
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    assert len(rows) == 6
    assert [row for row in rows if row not in page] == []


def test_two_satellites_at_their_limit_and_a_node(script: ModuleType) -> None:
    plan = script.Plan(100, **script.Plan.assumed() | {"busy": 1, "cores": 2})
    assert plan.scenes_per_day == pytest.approx(1750)
    assert plan.core_s == 200
    assert plan.node_scenes_per_day == 864


@pytest.mark.parametrize(("content", "wrong"), [(b"same", 0), (b"other", 1), (None, 1)])
def test_a_file_that_differs_or_is_missing_is_seen(
    script: ModuleType, tmp_path: Path, content: bytes | None, wrong: int
) -> None:
    for name, written in (("local", b"same"), ("ray", b"same"), ("hurt", content)):
        path = tmp_path / name / "dataset" / "date=unknown" / "a.parquet"
        path.parent.mkdir(parents=True)
        if written is not None:
            path.write_bytes(written)
    assert script.judge(tmp_path) == wrong
