"""Scene of two polarisations for tests, and what a simple detector finds in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray

from refinedet.config import StretchChoice, TileConfig
from refinedet.config.options.detect import SceneSettings
from refinedet.config.options.land import LandSettings
from refinedet.detections import Detections
from refinedet.predictors.predictor import Chip
from refinedet.scene.detect import detect_scene
from refinedet.scene.output.result_paths import SUFFIXES, result_paths
from refinedet.scene.output.writers import write_results
from refinedet.scene.result import SceneResult
from tests.conftest import BrightBlobs

BOTH = SceneSettings(pol="vv+vh", stretch=StretchChoice.parse("fixed:0:1020"))
"""A stretch in which the score of a ship is its amplitude over 1020."""
TILE = TileConfig(tile_px=128, overlap_px=48)
TWO, VV, VH, WEAK, LOST = (
    (20, 30, 40, 38),
    (150, 100, 162, 130),
    (240, 150, 280, 160),
    (100, 60, 120, 64),
    (84, 190, 100, 202),
)
"""Boxes in a scene of 300 x 220 pixels: a ship in both polarisations, in one of them, weak in both, weak in one."""
FOUND = sorted([TWO, VV, VH, WEAK])
STRONG, FAINT = 1000, 400
"""Amplitudes of ships with a score of 1.0 and of 0.4, in tenths."""


class Graded(BrightBlobs):
    """Sees blobs, each with the score of its brightness."""

    def __init__(self, lives: int | None = None) -> None:
        super().__init__(threshold=60)
        self.lives = lives

    def predict(self, chips: Sequence[Chip]) -> list[Detections]:
        """Boxes of the bright blobs, until its lives are spent."""
        if self.lives is not None and len(self.chips) >= self.lives:
            raise KeyboardInterrupt
        return super().predict(chips)

    def _blobs(self, chip: Chip) -> Detections:
        found = super()._blobs(chip)
        corners = found.boxes_xyxy.astype(int)
        scores = [float(np.median(chip[y1:y2, x1:x2])) / 255 for x1, y1, x2, y2 in corners.tolist()]
        return Detections.of(found.boxes_xyxy, scores, found.labels)


def band(level: float, *ships: tuple[tuple[int, int, int, int], float], seed: int) -> NDArray[np.uint16]:
    """Sea with ships (box, amplitude), so many times as bright."""
    pixels = np.random.default_rng(seed).integers(90, 110, (220, 300)).astype(np.float64)
    for (x1, y1, x2, y2), value in ships:
        pixels[y1:y2, x1:x2] = value
    return np.rint(pixels * level).astype(np.uint16)


def bands(level: float = 1) -> dict[str, NDArray[np.uint16]]:
    """Both bands; VV is so many times as bright. The ship in both is a pixel shorter in VH."""
    shorter = (TWO[0] + 1, *TWO[1:])
    return {
        "VV": band(level, (TWO, STRONG), (VV, STRONG), (WEAK, FAINT), (LOST, FAINT), seed=1),
        "VH": band(1, (shorter, 700), (VH, STRONG), (WEAK, FAINT), seed=2),
    }


def write(path: Path, images: dict[str, NDArray[Any]]) -> Path:
    """Write images by their names as bands of one file."""
    height, width = next(iter(images.values())).shape
    profile = {"driver": "GTiff", "height": height, "width": width, "count": len(images), "dtype": "uint16"}
    place = {"crs": "EPSG:32633", "transform": rasterio.Affine(10, 0, 5e5, 0, -10, 5.3e6)}
    with rasterio.open(path, "w", **profile, **place) as file:
        file.write(np.stack(list(images.values())))
        file.descriptions = tuple(images)
    return path


def looked_at(path: Path, predictor: Any = None, **more: Any) -> SceneResult:
    """Result of a search in both polarisations, unless told otherwise."""
    settings = {"scene": BOTH, "tile": TILE, "land": LandSettings(land_mask="off"), "batch_size": 3} | more
    return detect_scene(path, predictor or Graded(), **settings)


def scores(result: SceneResult) -> dict[tuple[int, ...], list[float | None]]:
    """Box of each ship -> its fused score, and its score in vv and vh, in tenths."""
    both = np.stack([result.detections.scores, *(seen.scores for seen in result.polarisations)], axis=1)
    boxes = [tuple(map(int, box)) for box in result.detections.boxes_xyxy.tolist()]
    rounded = [[None if np.isnan(one) else round(float(one), 1) for one in row] for row in both]
    return dict(zip(boxes, rounded, strict=True))


def outputs(result: SceneResult, folder: Path) -> dict[str, Path]:
    """Write the result in all formats; their paths by format."""
    paths = result_paths(result.scene, folder, SUFFIXES, quicklook=False)
    write_results(result, paths)
    return paths
