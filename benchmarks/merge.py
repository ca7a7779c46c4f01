"""How long it takes to merge the windows of a scene, and how that grows with the number of detections.

    python benchmarks/merge.py

Boxes of 4 to 30 pixels lie as densely as on the worst of roadsteads (one per 100 x 100 pixels); every window sees those
in it with an error of up to a pixel, so that about half of all boxes come from an overlap.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from refinedet.boxes import area, as_boxes, clip, shift
from refinedet.config import TileConfig
from refinedet.detections import Detections
from refinedet.scene.merge import merge_windows
from refinedet.tiling import Window, windows

SIDE_PX = 100
"""Side of the square of sea that each ship has to itself."""
COUNTS = (6_250, 12_500, 25_000, 50_000, 100_000)


def main() -> None:
    """Print seconds and their growth for each number of detections."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--boxes", type=int, nargs="+", default=COUNTS, help="detections in all windows together")
    parser.add_argument("--rounds", type=int, default=3, help="the best of so many is shown")
    asked = parser.parse_args()
    print(f"{'boxes':>9} {'windows':>8} {'ships':>8} {'seconds':>8} {'us/box':>7} {'exponent':>9}")
    before: tuple[int, float] | None = None
    for wanted in asked.boxes:
        grid, parts = scene(wanted)
        boxes = sum(len(found) for _, found in parts)
        seconds, ships = min(timed(parts, grid) for _ in range(asked.rounds))
        growth = "" if before is None else f"{np.log(seconds / before[1]) / np.log(boxes / before[0]):.2f}"
        print(f"{boxes:9,} {len(grid):8,} {ships:8,} {seconds:8.2f} {1e6 * seconds / boxes:7.1f} {growth:>9}")
        before = boxes, seconds


def timed(parts: list[tuple[Window, Detections]], grid: list[Window]) -> tuple[float, int]:
    """Seconds, and ships found."""
    began = time.perf_counter()
    merged = merge_windows(parts, grid)
    return time.perf_counter() - began, len(merged.detections)


def scene(boxes: int) -> tuple[list[Window], list[tuple[Window, Detections]]]:
    """Windows of a scene in which they show about so many boxes all together."""
    tile = TileConfig()
    seen_by = (tile.tile_px / (tile.tile_px - tile.overlap_px)) ** 2
    side = int(SIDE_PX * np.sqrt(boxes / seen_by))
    grid = windows(side, side, tile)
    rng = np.random.default_rng(1)
    start = rng.uniform(0, side - 30, (int(boxes / seen_by), 2))
    ships = as_boxes(np.hstack([start, start + rng.uniform(4, 30, start.shape)]))
    parts = []
    for window in grid:
        noisy = as_boxes(ships + rng.uniform(-0.5, 0.5, ships.shape))
        local = clip(shift(noisy, -window.x, -window.y), window.width, window.height)
        found = shift(local[area(local) >= 8], window.x, window.y)
        parts.append((window, Detections.of(found, rng.uniform(0.5, 1, len(found)), np.zeros(len(found)))))
    return grid, parts


if __name__ == "__main__":
    main()
