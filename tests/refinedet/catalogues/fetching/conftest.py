"""A product behind a catalogue, and its manifest."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from refinedet.raster import RasterInfo, write_blocks
from refinedet.tiling import Window
from tests.refinedet.catalogues.fetching.fetching import NAME, SIZE, write
from tests.stac_api import Api, box, flattened, item


@pytest.fixture
def product(api: Api, made_up_product: Callable[..., Path], tmp_path: Path) -> Path:
    """A small product with short names, on the server."""
    made = made_up_product(SIZE, SIZE)
    stem = next((made / "annotation").glob("*.xml")).stem
    pixels = np.arange(1, SIZE * SIZE + 1, dtype=np.uint16).reshape(SIZE, SIZE)
    (made / "measurement").mkdir()
    write_blocks(
        made / "measurement" / "iw-vv.tiff", RasterInfo(SIZE, SIZE, 1, "uint16"), [(Window(0, 0, SIZE, SIZE), pixels)]
    )
    for file in made.rglob("*.xml"):
        file.rename(file.with_name(file.name.replace(stem, "iw-vv")))
    api.files = tmp_path / "served"
    return Path(shutil.move(made, api.files / "product"))


@pytest.fixture
def listed(api: Api, product: Path, tmp_path: Path) -> Path:
    """Its item in a manifest, as a search leaves them."""
    return write(tmp_path, item(NAME[:62], box(1, 50, 4, 52), flattened(f"{api.url}/files/{product.name}")))
