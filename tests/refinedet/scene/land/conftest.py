"""A coast through the middle of a scene."""

from __future__ import annotations

from pathlib import Path

import pytest
import shapely

from tests.refinedet.scene.land.around import write


@pytest.fixture
def half(tmp_path: Path) -> Path:
    """Land in the west of a scene at (10, 0): the coast is its middle column."""
    return write(tmp_path / "half.geojson", [shapely.box(0, -5, 10, 5)])
