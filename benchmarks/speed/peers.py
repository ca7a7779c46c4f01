"""Detection in a scene with one network by refinedet, SAHI (twice) and a plain loop, and the machine's limits.

    python benchmarks/speed/peers.py --size 4096
    python benchmarks/speed/peers.py --scene scene.tif --truth scene.truth.geojson

- refinedet: `detect_scene` with the predictor, windows and score of `refinedet detect` and its defaults, without land.
- SAHI: its `get_sliced_prediction` around the same predictor, with windows of the same size and overlap, and its own
  default merging (GREEDYNMM by IoS 0.5): a window at a time, which is its default, and as many at once as we take. Its
  extra pass over the whole scene, shrunk to one window, is off: no ship is visible there.
- plain loop: the same windows one at a time over the scene in memory, and torchvision's NMS over all detections.

All methods get the same 8 bits: peers get them by a table, so stretching costs them almost nothing. Each run is a
separate process; the methods take turns, and figures are medians over `--repeats`. `seconds` runs from the closed file
to the ships, with the network loaded and warm; `process` adds imports, loading and warming up. Memory is the sum over
the process and its children. F1 is that of refinedet/evaluation/score.py, in pixels.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from peers_ways import WAYS

if TYPE_CHECKING:
    from measuring import Run

    from refinedet.boxes import Boxes
    from refinedet.detection.search import Search

SEED = 20261127
"""Seed of the simulated scene; nothing was developed on it."""
PIXELS_FOR_A_SHIP = 70_000


def main() -> None:
    """Detect once as a child, or compare all ways as the parent."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=4096, help="side of a simulated scene, in pixels")
    parser.add_argument("--scene", type=Path, help="detect in this GeoTIFF of uint16 instead")
    parser.add_argument("--truth", type=Path, help="its ships: GeoJSON with bbox_px, as `refinedet simulate` writes it")
    parser.add_argument("--weights", type=Path, help="default: those of the package")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="a small scene, once")
    parser.add_argument("--work", choices=WAYS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        print(json.dumps(look(arguments)))
        return
    if (arguments.scene is None) != (arguments.truth is None):
        parser.error("--scene and --truth go together")
    if arguments.quick:
        arguments.size, arguments.repeats = 1536, 1
    with tempfile.TemporaryDirectory() as folder:
        if arguments.scene is None:
            arguments.scene = Path(folder) / "scene.tif"
            arguments.truth = simulated(arguments.scene, arguments.size)
        compare(arguments)


def simulated(path: Path, side_px: int) -> Path:
    """Write a scene; returns its truth."""
    from refinedet.data.simulation.scene import write_simulated
    from refinedet.data.simulation.spec import SceneSpec

    return write_simulated(SceneSpec(side_px, side_px, ships=side_px**2 // PIXELS_FOR_A_SHIP, seed=SEED), path)


def look(arguments: argparse.Namespace) -> dict[str, Any]:
    """Load the network and detect once in one way, in the child; returns seconds and ships."""
    search = asked(arguments)
    search.predictors[0].predict(
        [np.zeros((search.tile.tile_px, search.tile.tile_px), np.uint8)]
    )  # the first one compiles
    began = time.perf_counter()
    found = WAYS[arguments.work](arguments.scene, search)
    seconds = time.perf_counter() - began
    told = {"seconds": seconds, "torch": "torch" in sys.modules, "tile": asdict(search.tile)}
    return told | {"boxes": found.boxes_xyxy.tolist(), "scores": found.scores.tolist()}


def asked(arguments: argparse.Namespace) -> Search:
    """The search that `refinedet detect SCENE` makes by its own defaults."""
    from refinedet.detection.detector import Detector

    return Detector.load(arguments.weights).search()


def compare(arguments: argparse.Namespace) -> None:
    """Measure the limits, run all ways in turns, and print the tables."""
    from limits import limits, print_limits
    from measuring import NO_SAHI, has_sahi, itself, run_watched

    from refinedet.weights import shipped_weights

    weights = arguments.weights or shipped_weights()
    export_first(weights)
    found = limits(arguments.scene, max(3, arguments.repeats))
    ways = [name for name in WAYS if has_sahi() or "SAHI" not in name]
    runs: dict[str, list[Run]] = {name: [] for name in ways}
    words = ["--scene", arguments.scene.resolve()]
    words += ["--weights", arguments.weights.resolve()] if arguments.weights else []
    for _ in range(arguments.repeats):
        for name in ways:
            run = run_watched(itself(__file__, "--work", name, *words))
            assert run is not None  # without a limit
            runs[name].append(run)
    print_ways(runs, arguments)
    if not has_sahi():
        print(f"\n{NO_SAHI}")
    print()
    print_limits(found)
    print_least(arguments.scene, weights, found, runs["refinedet"])


def export_first(weights: Path) -> None:
    """Export the network where that is needed, before any process is measured."""
    from refinedet.runtimes.cache import cached_export
    from refinedet.runtimes.choice import resolve_runtime
    from refinedet.weights import shipped_graph

    if shipped_graph(weights) is not None:
        return
    runtime = resolve_runtime("auto", "auto", has_graph=False)
    if runtime != "torch":
        cached_export(weights, runtime)


def print_ways(runs: dict[str, list[Run]], arguments: argparse.Namespace) -> None:
    """Print one row for each way, with its ratio to ours."""
    from measuring import median, print_table

    from refinedet.data.simulation.files import read_truth

    truth = read_truth(arguments.truth)
    figures = {
        name: (
            median(run.told["seconds"] for run in own),
            median(run.wall_s for run in own),
            median(run.peak_mb for run in own),
        )
        for name, own in runs.items()
    }
    base = figures["refinedet"]
    rows = []
    for name, own in figures.items():
        told = runs[name][-1].told
        times, loaded = [value / ours for value, ours in zip(own, base, strict=True)], told["torch"]
        cells = [f"{own[0]:.2f}", f"{times[0]:.2f}", f"{own[1]:.2f}", f"{own[2]:.0f}", f"{times[2]:.2f}"]
        rows.append([name, *cells, "yes" if loaded else "no", len(told["boxes"]), f"{f1(told, truth):.3f}"])
    head = (
        "way",
        "seconds",
        "times ours",
        "process, s",
        "peak memory, MB",
        "times ours",
        "torch loaded",
        "found",
        "F1",
    )
    print_table(head, rows)
    repeats = f"medians of {arguments.repeats} runs each, in turns"
    print(f"\n{arguments.scene.name}, {len(truth)} ships; {repeats}.")


def f1(told: dict[str, Any], truth: Boxes) -> float:
    """F1 of a child's detections."""
    from refinedet.detections import Detections
    from refinedet.evaluation.score import match_boxes

    found = Detections.of(told["boxes"], told["scores"], np.zeros(len(told["scores"])))
    return match_boxes(found, truth).f1


def print_least(scene: Path, weights: Path, found: Any, runs: list[Run]) -> None:
    """Print our time beside the least time of reading and multiplying."""
    from detector import offline, size_of
    from measuring import median

    from refinedet.config import TileConfig
    from refinedet.model.checkpoint import read_header
    from refinedet.raster import open_scene
    from refinedet.tiling import windows

    header = read_header(weights)
    config = offline(header.model)
    tile = TileConfig(**runs[0].told["tile"])
    with open_scene(scene) as reader:
        count = len(windows(reader.info.width, reader.info.height, tile))
    trained = header.trained_on.windows
    side, largest = tile.tile_px * config.input_px / trained.tile_px, config.strides[-1]
    macs = count * size_of(config, math.ceil(side / largest) * largest)[1]
    seconds, multiply_s = median(run.told["seconds"] for run in runs), 2e-9 * macs / found.gflops
    least = found.read_and_stretch_s
    print(
        f"The network's {macs / 1e9:.0f} GMACs in all {count} windows take {multiply_s:.2f} s at that rate, reading "
        f"and stretching {least:.2f} s; refinedet takes {seconds:.2f} s, {seconds / multiply_s:.1f} and "
        f"{seconds / least:.0f} times as long."
    )


if __name__ == "__main__":
    main()
