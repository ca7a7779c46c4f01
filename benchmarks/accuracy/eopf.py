"""Comparison of a Sentinel-1 product in SAFE format and in each layout of EOPF's Zarr format: positions, values, ships.

    python benchmarks/accuracy/eopf.py metadata/S1A_IW_GRDH.SAFE --fraction 0.1

Makes a simulated product around the real metadata (benchmarks/scenes/sentinel1_scene.py), then a store of it in each
layout (eopf_store.py beside it), and prints a table: the largest distance between the positions of corners and of
random pixels, the largest difference of calibrated amplitudes over their mean, and the ships that both find. A tenth of
the lines of a product takes some minutes on two cores and a gigabyte of disk.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from refinedet.config.options.detect import SceneSettings, WindowSettings
from refinedet.config.options.land import LandSettings
from refinedet.detection.detector import Detector
from refinedet.detection.search import Search
from refinedet.errors import InputError
from refinedet.geo.position import distances_m, locate
from refinedet.scene.detect import detect_scene
from refinedet.scene.result import SceneResult
from refinedet.scene.source import open_source
from refinedet.tiling import Window

LAYOUTS = ("cpm2", "cpm2-degraded", "cpm3")

_SCENES = Path(__file__).resolve().parents[1] / "scenes"
_POINTS, _PIECE_PX = 2000, 512
_SAME_PX = 0.01
"""Largest difference of equal boxes; the batch size, which depends on time, changes boxes by less."""


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("metadata", type=Path, help=".SAFE folder with manifest and annotation; it needs no raster")
    parser.add_argument("--fraction", type=float, default=0.1, help="share of the lines, in (0, 1]")
    parser.add_argument("--samples-fraction", type=float, default=1.0, help="share of the samples of a line, in (0, 1]")
    parser.add_argument("--ships", type=int, default=100)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        product = Path(folder) / "product.SAFE"
        part = ("--fraction", asked.fraction, "--samples-fraction", asked.samples_fraction)
        run("sentinel1_scene.py", asked.metadata, product, "--ships", asked.ships, "--land", "coast", *part)
        with Detector.load() as detector:
            search = detector.search(WindowSettings())
            ours = ships(product, search)
            print(f"SAFE: {ours.info.width} x {ours.info.height} pixels, {len(ours.detections)} ships")
            print("layout         positions  sigma0     denoised   ships  same  flags that differ")
            for layout in LAYOUTS:
                store = Path(folder) / f"{layout}.zarr"
                run("eopf_store.py", product, store, "--layout", layout)
                print(row(layout, product, store, ours, ships(store, search)), flush=True)
    return 0


def run(script: str, *arguments: object) -> None:
    """Run a script of benchmarks/scenes."""
    root = str(_SCENES.parents[1])
    words = [sys.executable, str(_SCENES / script), *map(str, arguments)]
    subprocess.run(words, check=True, env=os.environ | {"PYTHONPATH": root}, stdout=subprocess.DEVNULL)


def ships(path: Path, search: Search) -> SceneResult:
    """Ships of a scene, as the command finds them, on open sea."""
    return detect_scene(
        path,
        search.predictors,
        land=LandSettings(land_mask="off"),
        tile=search.tile,
        score_min=search.score_min,
        prescreen=search.prescreen,
        ship_m=search.ship_m,
        known_gsd=search.known_gsd,
    )


def row(layout: str, product: Path, store: Path, ours: SceneResult, found: SceneResult) -> str:
    """Line of the table for one store."""
    boxes = [one.detections.boxes_xyxy for one in (ours, found)]
    same = boxes[0].shape == boxes[1].shape and np.abs(boxes[0] - boxes[1]).max(initial=0) < _SAME_PX
    other = sum(one != two for one, two in zip(ours.flags, found.flags, strict=False)) if same else -1
    figures = [f"{apart(product, store):.1e}", difference(product, store, "sigma0")]
    figures.append(difference(product, store, "sigma0-denoised"))
    columns = " ".join(f"{one:10s}" for one in figures)
    return f"{layout:14s} {columns} {len(found.detections):5d}  {same!s:5s} {other:5d}"


def apart(product: Path, store: Path) -> float:
    """Largest distance in metres between the positions of corners and random pixels in both."""
    with open_source(product) as ours, open_source(store) as other:
        width, height = ours.info.width, ours.info.height
        places = [locate(one.info) for one in (ours, other)]
    corners = [[0, 0], [width, 0], [0, height], [width, height]]
    points = np.concatenate([corners, np.random.default_rng(1).uniform((0, 0), (width, height), (_POINTS, 2))])
    lonlat = [place.lonlat(points) for place in places if place is not None]
    return float(distances_m(*lonlat).max())


def difference(product: Path, store: Path, calibrate: str) -> str:
    """Largest relative difference of calibrated amplitudes in pieces along the diagonal; none if that is refused."""
    settings = SceneSettings(calibrate=calibrate)  # type: ignore[arg-type]  # both are names
    try:
        with open_source(product, settings) as ours, open_source(store, settings) as other:
            pairs = [(ours.read(piece), other.read(piece)) for piece in pieces(ours.info.width, ours.info.height)]
    except InputError:
        return "refused"
    return f"{max(relative(*pair) for pair in pairs):.1e}"


def relative(ours: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Largest difference of valid pixels, as a share of their mean, because pixels of noise alone are near 0."""
    measured = ours > 0
    return float(np.abs(other - ours)[measured].max() / ours[measured].mean()) if measured.any() else 0.0


def pieces(width: int, height: int) -> list[Window]:
    """Windows along the diagonal of a scene."""
    size = min(_PIECE_PX, width, height)
    return [Window(int(k * (height - size)), int(k * (width - size)), size, size) for k in np.linspace(0, 1, 12)]


if __name__ == "__main__":
    sys.exit(main())
