"""Fixtures of the library's tests: a Sentinel-1 product in small, and a result without a scene."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from refinedet.cloud import traffic
from refinedet.detections import Detections
from refinedet.geo.position import locate
from refinedet.raster import GroundControlPoint, RasterInfo, write_blocks
from refinedet.scene.result import SceneResult
from refinedet.scene.ships.attributes import places
from refinedet.scene.ships.measuring.shape import Shape
from refinedet.system.retrying import RetryPolicy
from refinedet.tiling import Window

NAME = "s1a-iw-grd-{pol}-20221002t205126-20221002t205156-045268-056950-00{number}.tiff"
_OBJECT = (
    '<dataObject repID="s1Level1MeasurementSchema"><byteStream><fileLocation locatorType="URL" href="{href}"/>'
    "</byteStream></dataObject>"
)
_RANGE_SERVER = Path(__file__).resolve().parents[2] / "benchmarks" / "hostile" / "range_server.py"
_QUICK = RetryPolicy(attempts=3, timeout_s=10.0, backoff_s=0.01, slow_bytes_s=20_000, slow_s=0.2)
MakeProduct = Callable[..., Path]
MakeResult = Callable[..., SceneResult]


@pytest.fixture
def make_result() -> MakeResult:
    """A result with `ships` ships, with or without a position; `west` is where the scene begins, in degrees."""

    def make(
        ships: int = 2, *, located: bool = True, west: float = 10.0, north: float = 50.0, scene: str = "a scene.tif"
    ) -> SceneResult:
        boxes = [[10 * i, 5, 10 * i + 8, 9] for i in range(1, ships + 1)]
        found = Detections.of(boxes, np.linspace(0.9, 0.6, ships), np.arange(ships) % 2)
        transform = (0.001, 0.0, west, 0.0, -0.001, north) if located else None
        info = RasterInfo(200, 100, 1, "uint16", crs="EPSG:4326" if located else None, transform=transform)
        return SceneResult(
            scene=scene,
            label=None,
            info=info,
            classes=("ship", "iceberg"),
            detections=found,
            places=replace(
                places(found.boxes_xyxy, locate(info), [_filling(*box) for box in boxes]),
                coast_m=np.r_[1234.56, [np.nan] * ships][:ships],
            ),
            flags=tuple(("edge", "joined") if i == 0 else () for i in range(ships)),
            located=located,
            stretch_limits=None,
            preview=np.zeros((9, 9)),
            windows=1,
            windows_skipped=0,
        )

    return make


def _filling(x1: float, y1: float, x2: float, y2: float) -> Shape:
    """Shape as large as its box, too round for an axis, and well resolved; without contrast."""
    middle, along, across = ((x1 + x2) / 2, (y1 + y2) / 2), ((x2 - x1) / 2, 0.0), (0.0, (y2 - y1) / 2)
    return Shape(middle, along, across, blur=(0.1, 0.2), elongated=False, contrast_db=float("nan"))


@pytest.fixture
def make_product(tmp_path: Path) -> MakeProduct:
    """Write `<folder>/S1A_TEST.SAFE` with the polarisations `pols`; each raster has a bright ship and its own level."""

    def make(*pols: str, hrefs: tuple[str, ...] = (), head: str = "") -> Path:
        product = tmp_path / "S1A_TEST.SAFE"
        shutil.rmtree(product, ignore_errors=True)
        (product / "measurement").mkdir(parents=True)
        names = [NAME.format(pol=pol, number=number) for number, pol in enumerate(pols, start=1)]
        for level, name in enumerate(names, start=1):
            write_raster(product / "measurement" / name, 100 * level)
        objects = "".join(_OBJECT.format(href=href) for href in hrefs or [f"./measurement/{name}" for name in names])
        text = f'<?xml version="1.0"?>{head}<xfdu><dataObjectSection>{objects}</dataObjectSection></xfdu>'
        (product / "manifest.safe").write_text(text, encoding="utf-8")
        return product

    return make


def write_raster(path: Path, level: int) -> None:
    """120 x 90 pixels of sea at `level` with one ship, located by a grid of GCPs off the coast of Denmark."""
    pixels = np.full((90, 120), level, np.uint16)
    pixels[40:48, 60:80] = 5000
    gcps = [
        GroundControlPoint(x, y, 8.0 + x * 1.6e-4, 56.0 - y * 9e-5) for y in (0, 30, 60, 89) for x in (0, 40, 80, 119)
    ]
    info = RasterInfo(120, 90, 1, "uint16", gcps=tuple(gcps), gcp_crs="EPSG:4326")
    write_blocks(path, info, [(Window(0, 0, 90, 120), pixels)])


@pytest.fixture(scope="session")
def range_server() -> ModuleType:
    """The module of the server that the benchmarks use."""
    spec = importlib.util.spec_from_file_location("range_server", _RANGE_SERVER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["range_server"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def scene_server(range_server: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """A server on loopback, an own cache, and little patience."""
    monkeypatch.setenv("REFINEDET_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
    monkeypatch.setattr(traffic, "PATIENCE", _QUICK)
    with range_server.serving() as running:
        yield running
