"""Both ways of the timing hold the same chips."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("shards_benchmark", ROOT / "benchmarks" / "speed" / "shards.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_files_and_shards_hold_chips_that_can_be_read(script: ModuleType, tmp_path: Path) -> None:
    counts = {}
    for way in ("files", "shards"):
        script.write(tmp_path / way, way, 30, 100)
        script.read(tmp_path / way, list(range(30)), 100)
        counts[way] = sum(path.is_file() for path in (tmp_path / way).rglob("*"))
    assert counts == {"files": 30, "shards": 2}
