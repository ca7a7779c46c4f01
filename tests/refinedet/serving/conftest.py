"""Servers with a worker of a few lines."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from refinedet.config.options.serve import ServeSettings
from refinedet.config.options.settings import DetectSettings
from tests.refinedet.serving.clients import STUB, Client, Serve, served


@pytest.fixture
def stub_command(tmp_path: Path) -> tuple[str, ...]:
    """Command of a worker that does what the content of a scene says."""
    path = tmp_path / "stub.py"
    path.write_text(STUB)
    return (sys.executable, str(path))


@pytest.fixture
def stub(stub_command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Serve:
    """Serve with a worker that does what the content of a scene says; limits are named."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))

    def make(**limits: Any) -> AbstractContextManager[Client]:
        return served(DetectSettings(), ServeSettings(port=0, **limits), stub_command)

    return make
