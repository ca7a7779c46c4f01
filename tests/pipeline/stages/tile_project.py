"""Folders of the stages around tile, and scenes to be cut."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.params import TileParams
from pipeline.stage import SPLITS
from pipeline.stages.tile import tile
from refinedet.boxes import as_boxes
from refinedet.config import Radiometry, TileConfig
from refinedet.data.coco import Annotated, Record, build_record, read_record, write_record
from refinedet.raster import write_scene

WINDOWS = TileConfig(tile_px=64, overlap_px=24)

RADIOMETRY = Radiometry()


class Project:
    """Folders of the stages around `tile`, and the scenes to be cut."""

    def __init__(self, root: Path) -> None:
        self.source, self.records, self.out = root / "download", root / "convert", root / "tile"
        self._images: dict[str, list[Annotated]] = {split: [] for split in SPLITS}

    def add(self, split: str, name: str, pixels: NDArray[Any], boxes: list[list[float]], **values: Any) -> None:
        """A scene of `split`: a GeoTIFF, or a PNG by its name."""
        path = self.source / name
        if path.suffix == ".tif":
            write_scene(path, pixels, nodata=values.pop("nodata", None))
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
        count = len(boxes)
        truth = {"labels": np.zeros(count, np.int64), "ignored": np.zeros(count, np.bool_), **values}
        self._images[split].append(Annotated(name, pixels.shape[1], pixels.shape[0], as_boxes(boxes), **truth))

    def cut(self, keep_empty: float = 1.0) -> None:
        """Run the stage."""
        for split, images in self._images.items():
            write_record(self.records / f"{split}.json", build_record(images, ("ship",)))
        tile(TileParams(WINDOWS, keep_empty), RADIOMETRY, self.source, self.records, self.out)

    def record(self, split: str) -> Record:
        """Truth of the chips."""
        return read_record(self.out / f"{split}.json")

    def chip(self, name: str) -> NDArray[np.uint8]:
        """Pixels of a chip."""
        with Image.open(self.out / name) as image:
            return np.asarray(image)
