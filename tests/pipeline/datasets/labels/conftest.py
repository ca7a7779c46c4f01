"""Images and a COCO file of them, for the tests of labels."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

WIDTH, HEIGHT, COUNT = 40, 30, 6

Write = Callable[..., Path]


@pytest.fixture
def put_images() -> Callable[..., None]:
    """Function (folder, names) that writes a different image for each name."""

    def put(folder: Path, *names: str, seed: int = 0) -> None:
        for number, name in enumerate(names or [f"c{i}.png" for i in range(COUNT)]):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            pixels = np.random.default_rng(seed + number).integers(0, 255, (HEIGHT, WIDTH)).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name)

    return put


@pytest.fixture
def coco() -> dict[str, Any]:
    """A COCO document: an image each for c0.png to c5.png, and a ship in each."""
    images = [{"id": i, "file_name": f"c{i}.png", "width": WIDTH, "height": HEIGHT} for i in range(COUNT)]
    rows = [{"id": i + 1, "image_id": i, "category_id": 1, "bbox": [2 + i, 3, 10, 5]} for i in range(COUNT)]
    return {"images": images, "annotations": rows, "categories": [{"id": 1, "name": "ship"}]}


@pytest.fixture
def save(tmp_path: Path) -> Write:
    """Function (content, name) that writes JSON and returns its path."""

    def write(content: Any, name: str = "ann.json") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content), encoding="utf-8")
        return path

    return write
