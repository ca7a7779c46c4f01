"""The plan's arithmetic, and a judge that sees what differs."""

from __future__ import annotations

import importlib.util
import re
import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def script() -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location("archive_benchmark", ROOT / "benchmarks" / "speed" / "archive.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    patch = pytest.MonkeyPatch()
    patch.syspath_prepend(str(ROOT / "benchmarks" / "speed"))  # it imports modules of its own folder
    spec.loader.exec_module(module)
    yield module
    patch.undo()


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


def test_products_are_copies_with_names_of_their_own(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def make(out: Path, ships: int, *, share: float) -> Path:
        product = out / "S1A_IW_GRDH_20221002T205126_0664.SAFE"
        product.mkdir(parents=True)
        (product / "manifest.safe").write_text(f"{ships} {share}")
        return product

    def whole(command: list[str]) -> float:
        (pattern,) = [word for word in command if word.endswith("*.SAFE")]
        found = sorted(path.name[-9:] for path in Path(pattern).parent.glob("*.SAFE"))
        assert found == ["0000.SAFE", "0001.SAFE", "0002.SAFE"]
        data = Path(command[command.index("--out") + 1]) / "dataset"
        data.mkdir(parents=True)
        (data / "a.parquet").write_bytes(b"ray" if "ray" in command else b"local")
        return 9.0

    monkeypatch.setattr(script, "make_product", make)
    monkeypatch.setattr(script, "whole", whole)
    monkeypatch.setattr(script.subprocess, "run", lambda *_, **__: None)
    asked = Namespace(products=3, share=0.5, workers=2)
    assert script.time_products(tmp_path, asked, []) == 1, "the data sets differ"
    assert "| Ray, 2 workers | 9.0 | 3.0 |" in capsys.readouterr().out
