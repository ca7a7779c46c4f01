"""A folder to unpack into."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "outer" / "inner"
    made.mkdir(parents=True)
    return made
