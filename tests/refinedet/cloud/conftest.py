"""A server of files by range, and a small scene in two layouts."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.transform import Affine

from refinedet.cloud import traffic
from refinedet.retrying import RetryPolicy

_SCRIPT = Path(__file__).resolve().parents[3] / "benchmarks" / "hostile" / "range_server.py"
NAME = "sea_vv.tif"
QUICK = RetryPolicy(attempts=3, timeout_s=10.0, backoff_s=0.01, slow_bytes_s=20_000, slow_s=0.2)


@pytest.fixture(scope="session")
def range_server() -> ModuleType:
    """The module of the server that the benchmarks use."""
    spec = importlib.util.spec_from_file_location("range_server", _SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["range_server"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def server(range_server: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """A server on loopback, an own cache, and little patience."""
    monkeypatch.setenv("REFINEDET_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
    monkeypatch.setattr(traffic, "PATIENCE", QUICK)
    with range_server.serving() as running:
        yield running


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
