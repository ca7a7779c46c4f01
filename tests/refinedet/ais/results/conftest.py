"""A made scene with its detections and its AIS as files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.refinedet.ais.results.matched import write_ais, write_ships

MakeScene = Callable[..., Any]


@pytest.fixture
def files(tmp_path: Path, make_scene: MakeScene) -> tuple[Any, Path, Path]:
    """A scene, its detections and its AIS."""
    made = make_scene(0, 20)
    write_ships(made, tmp_path / "made.geojson")
    write_ais(made, tmp_path / "ais.csv")
    return made, tmp_path / "made.geojson", tmp_path / "ais.csv"
