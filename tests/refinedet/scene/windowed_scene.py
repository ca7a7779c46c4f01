"""A scene of many windows, and a predictor whose boxes depend on their batch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from refinedet.config import TileConfig
from refinedet.detections import Detections
from refinedet.predictors.predictor import Chip
from refinedet.raster import write_scene
from refinedet.scene.detect import detect_scene
from refinedet.scene.output.result_paths import result_paths
from refinedet.scene.output.writers import write_results
from refinedet.scene.result import SceneResult
from refinedet.scene.search.journal import Journal

TILE = TileConfig(tile_px=64, overlap_px=24)

COUNT = 77
"""Windows of `scene`; some of them hold no data."""


class Moody:
    """A predictor whose boxes depend, in their last bits, on what shares their batch, as those of real networks do."""

    def __init__(self, inner: Any, lives: float = np.inf) -> None:
        self.inner, self.lives = inner, lives
        self.classes, self.radiometry = inner.classes, inner.radiometry

    def predict(self, chips: Sequence[Chip]) -> list[Detections]:
        """Predict as the inner one, off by 0.001 pixels times the sum of the batch; Ctrl-C after some batches."""
        self.lives -= 1
        if self.lives < 0:
            raise KeyboardInterrupt
        error = np.float32(sum(int(chip.sum()) for chip in chips) % 97 * 1e-3)
        return [Detections.of(d.boxes_xyxy + error, d.scores, d.labels) for d in self.inner.predict(chips)]


def files(result: SceneResult, scene: Path, folder: Path) -> dict[str, bytes]:
    paths = result_paths(scene, folder, ("geojson", "csv", "coco"), quicklook=False)
    write_results(result, paths)
    return {path.name: path.read_bytes() for path in paths.values()}


def resumed(scene: Path, predictor: Any, journal: Journal) -> tuple[SceneResult, list[tuple[int, int]]]:
    """The result of a run that goes on, and its steps."""
    steps: list[tuple[int, int]] = []
    result = detect_scene(
        scene, predictor, tile=TILE, batch_size=4, journal=journal, progress=lambda *step: steps.append(step)
    )
    return result, steps


def write_windowed_scene(path: Path) -> Path:
    """Write 60 bright blobs on noise, with a corner without data."""
    rng = np.random.default_rng(5)
    pixels = rng.integers(90, 110, (300, 460)).astype(np.uint16)
    for x, y in zip(rng.integers(0, 440, 60), rng.integers(0, 290, 60), strict=True):
        pixels[y : y + 5, x : x + 12] = 1000
    pixels[:110, :150] = 0
    write_scene(path, pixels, crs="EPSG:32633", transform=(10.0, 0, 5e5, 0, -10.0, 5.3e6))
    return path
