"""Import path of the scripts: a script imports modules of its own folder, so a test puts that folder first."""

from __future__ import annotations

from pathlib import Path

import pytest

_BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def beside_the_scripts(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder of the scripts under test, first on the import path as when one of them runs."""
    folder = _BENCHMARKS / request.path.parent.name
    monkeypatch.syspath_prepend(str(folder))
    return folder
