"""Fixed objects in a simulated series: platforms that are found, and ships that are called fixed.

12 passes of 20 km x 20 km with 20 platforms, 12 turbines and 100 ships each, 40 of them in an anchorage of 1.5 km
radius. The passes view from two sides in turn. The detector runs on every pass; an object without detections cannot be
found.

    python benchmarks/ais/fixed.py FOLDER > docs/runs/fixed.txt
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from refinedet.batch.detecting import detect_archive
from refinedet.batch.settings import ArchiveSettings
from refinedet.config.options.land import LandSettings
from refinedet.config.options.output import OutputSettings
from refinedet.config.options.settings import DetectSettings
from refinedet.data.simulation.place import lonlat
from refinedet.data.simulation.settings import SimulationSettings
from refinedet.data.simulation.simulating import simulate_files
from refinedet.geo.steps import steps_m
from refinedet.traffic.dataset import read_archive
from refinedet.traffic.fixed import FixedLimits, find_fixed

Array = NDArray[np.float64]

PIXEL_M, NEAR_M = 10.0, 60.0
LIMITS = {
    "defaults: 50 m, 3 passes, 0.35 of them": FixedLimits(),
    "radius 25 m": FixedLimits(radius_m=25),
    "radius 100 m": FixedLimits(radius_m=100),
    "in a fifth of the passes": FixedLimits(share_min=0.2),
    "in two thirds of the passes": FixedLimits(share_min=2 / 3),
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="scenes go to FOLDER/series, results to FOLDER/found")
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--judge-only", action="store_true", help="the results are there already")
    arguments = parser.parse_args()
    series, results = arguments.folder / "series", arguments.folder / "found"
    if not arguments.judge_only:
        series.mkdir(parents=True, exist_ok=True)
        asked = SimulationSettings(ships=100, series=12, platforms=20, seed=arguments.seed, ais=True)
        scenes = [one.scene for one in simulate_files(series / "s.tif", asked)]
        settings = DetectSettings(land=LandSettings(land_mask="off"), output=OutputSettings(out=results))
        detect_archive(scenes, settings, ArchiveSettings(archive=True), lambda _done, _all: None)
    archive = read_archive(results)
    platforms, turbines = structures(sorted(series.glob("*.truth.geojson")))
    detected = sum(bool((_distances(one[None], archive.ships.lonlat) < NEAR_M).any()) for one in platforms)
    print(f"{len(archive.ships)} detections in {len(archive.scenes)} passes;", end=" ")
    print(f"{detected} of {len(platforms)} platforms are detected at least once\n")
    print("| limits | platforms found | turbines found | ships called fixed | error of the place |")
    print("|---" * 5 + "|")
    for name, limits in LIMITS.items():
        found = np.array([(one.lon, one.lat) for one in find_fixed(archive.ships, archive.scenes, limits)])
        found = found.reshape(-1, 2)
        off, off_turbine = _distances(found, platforms), _distances(found, turbines.reshape(-1, 2))
        hit = off.min(axis=0, initial=np.inf) < NEAR_M
        standing = (off_turbine < NEAR_M).reshape(len(found), *turbines.shape[:2]).any(axis=(0, 2))
        wrong = (off.min(axis=1) >= NEAR_M) & (off_turbine.min(axis=1) >= NEAR_M)
        error = f"{np.median(off.min(axis=0)[hit]):.0f} m"
        counts = (f"{hit.sum()} of {len(hit)}", f"{standing.sum()} of {len(standing)}", str(wrong.sum()), error)
        print(f"| {name} | " + " | ".join(counts) + " |")


def structures(truths: list[Path]) -> tuple[Array, Array]:
    """Places of the platforms (P, 2), and of the turbines as each pass shows them (T, passes, 2)."""
    seen = [json.loads(path.read_text())["non_ships"] for path in truths]
    kinds = [one["kind"] for one in seen[0]]
    boxes = np.array([[one["bbox_px"] for one in of_pass] for of_pass in seen])
    middles = (boxes[..., :2] + boxes[..., 2:]) / 2
    places = lonlat(middles.reshape(-1, 2), PIXEL_M).reshape(middles.shape)
    platform = np.array([kind == "platform" for kind in kinds])
    return places[0, platform], places[:, ~platform].swapaxes(0, 1)


def _distances(one: Array, other: Array) -> Array:
    """Metres (N, M) between places."""
    steps = steps_m(np.repeat(one, len(other), axis=0), np.tile(other, (len(one), 1)))
    return np.hypot(*steps.T).reshape(len(one), len(other))


if __name__ == "__main__":
    main()
