"""Time and memory of the land mask of a full-size scene, and of 50,000 detections.

    python benchmarks/speed/land.py

The scene has 25,000 x 17,000 pixels of 10 m off western Norway, one of the most complex coasts on earth. Memory peaks
are of resident memory.
"""

from __future__ import annotations

import resource
import time

import numpy as np

from refinedet.config.options.land import LandSettings
from refinedet.geo.position import locate
from refinedet.raster import RasterInfo
from refinedet.scene.land.survey import survey

WIDTH, HEIGHT, SHIPS = 25_000, 17_000, 50_000
MATRIX = (10.0, 0.0, 200_000.0, 0.0, -10.0, 6_800_000.0)
UTM = "EPSG:32632"


def main() -> None:
    """Print the table."""
    position = locate(RasterInfo(WIDTH, HEIGHT, 1, "uint16", crs=UTM, transform=MATRIX))
    print(f"before: {peak_mb():.0f} MB")
    began = time.perf_counter()
    found = survey(position, WIDTH, HEIGHT, LandSettings(land_mask="flag"))
    report(f"land, with {len(found.coast)} edges of the coast", began)
    centres = np.random.default_rng(1).uniform(0, (WIDTH, HEIGHT), (SHIPS, 2))
    began = time.perf_counter()
    verdict = found.judge(np.concatenate([centres - 5, centres + 5], axis=1).astype(np.float32))
    report(f"{SHIPS} detections", began)
    print(f"on land: {verdict.flags.count(('land',))}, on the shore: {verdict.flags.count(('shore',))}")


def report(what: str, began: float) -> None:
    """Print the time since `began` and the memory peak so far."""
    print(f"{what}: {time.perf_counter() - began:.2f} s, {peak_mb():.0f} MB")


def peak_mb() -> float:
    """Highest resident memory in megabytes (Linux counts kilobytes)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
