"""Scripts import what lies beside them; a test has them do so."""

from __future__ import annotations

from pathlib import Path

import pytest

_SCRIPTS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def beside_the_scripts(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the scripts, where imports look first, as when one of them runs."""
    monkeypatch.syspath_prepend(str(_SCRIPTS))
    return _SCRIPTS
