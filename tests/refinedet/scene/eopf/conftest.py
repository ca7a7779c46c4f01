"""A product in both formats: SAFE with two polarisations, and stores made of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from eopf_store import Layout, write_store
from numpy.typing import NDArray

from refinedet.raster import RasterInfo, write_blocks
from refinedet.tiling import Window

LINES, SAMPLES = 900, 640
CHUNKS = (256, 200)
Store = Callable[[Layout], Path]


def sea(level: float) -> NDArray[np.uint16]:
    """Speckle with three ships and a border without data."""
    power = np.random.default_rng(1).gamma(4.4, level**2 / 4.4, (LINES, SAMPLES))
    pixels = np.clip(np.sqrt(power), 1, 3 * level).astype(np.uint16)
    for y, x in ((250, 190), (500, 400), (700, 90)):
        pixels[y : y + 9, x : x + 26] = 60 * level
    pixels[:, -9:] = 0
    return pixels


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of what several tests read and none changes."""
    return tmp_path_factory.mktemp("eopf")


@pytest.fixture
def safe(kept: Path, made_up_product: Callable[..., Path]) -> Path:
    """A made-up product in SAFE format, in vv and vh."""
    product = kept / "S1A_IW_GRDH_MADE_UP.SAFE"
    if product.exists():
        return product
    shutil.move(made_up_product(LINES, SAMPLES), product)
    for path in list(product.rglob("*-vv-*.xml")):
        path.with_name(_in_vh(path.name)).write_text(path.read_text().replace(">VV<", ">VH<"))
    manifest = product / "manifest.safe"
    entry = manifest.read_text()
    manifest.write_text(entry.replace("</XFDU>", _in_vh(entry[entry.index("<dataObject") :])))
    stem = next(product.glob("annotation/*-vv-*.xml")).stem
    (product / "measurement").mkdir()
    for level, name in ((80.0, stem), (40.0, _in_vh(f"{stem}.")[:-1])):
        info = RasterInfo(SAMPLES, LINES, 1, "uint16")
        write_blocks(product / "measurement" / f"{name}.tiff", info, [(Window(0, 0, LINES, SAMPLES), sea(level))])
    return product


def _in_vh(text: str) -> str:
    return text.replace("-vv-", "-vh-").replace("-001.", "-002.")


@pytest.fixture
def store(kept: Path, safe: Path) -> Store:
    """Path of a store of the product in one of the layouts; tests that change it copy it."""

    def made(layout: Layout) -> Path:
        out = kept / f"{layout}.zarr"
        return out if out.exists() else write_store(safe, out, layout, CHUNKS)

    return made
