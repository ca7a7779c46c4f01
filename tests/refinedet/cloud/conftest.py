"""A small scene in two layouts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.transform import Affine

NAME = "sea_vv.tif"


@pytest.fixture(scope="session")
def pixels() -> Any:
    """Sea with six ships, (700, 900) uint16."""
    rng = np.random.default_rng(5)
    sea = rng.gamma(4, 25, (700, 900)).astype(np.uint16)
    for x, y in zip(rng.integers(40, 840, 6), rng.integers(40, 640, 6), strict=True):
        sea[y : y + 8, x : x + 20] = 4000
    return sea


@pytest.fixture(params=["cog", "striped"])
def scene(request: pytest.FixtureRequest, pixels: Any, tmp_path: Path) -> Path:
    """A scene as a COG with overviews, or in strips of one row."""
    path = tmp_path / "local" / NAME
    path.parent.mkdir()
    own = {"driver": "COG", "compress": "deflate", "blocksize": 256} if request.param == "cog" else {"driver": "GTiff"}
    place = {"crs": "EPSG:32633", "transform": Affine(10.0, 0, 5e5, 0, -10.0, 5.3e6)}
    with rasterio.open(path, "w", width=900, height=700, count=1, dtype="uint16", **own, **place) as dataset:
        dataset.write(pixels, 1)
    return path
