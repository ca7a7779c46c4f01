"""Modules of the bench of real scenes on the import path."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _bench(beside_the_scripts: Path) -> None:
    """Let every test here import modules of benchmarks/real."""
    del beside_the_scripts
