"""Score of the weights of the package on simulated scenes whose seeds no training has used.

    python benchmarks/accuracy/shipped.py --out demo/shipped --empty-px 10000
    python benchmarks/accuracy/shipped.py --out demo/shipped --empty-px 0 --kind sentinel1

It prints precision, recall and F1 on each of several scenes, with plain CFAR at its best threshold beside it, and the
false alarms per 1,000 km2 of a large scene without any ship. Scenes are searched as by `refinedet detect` with its
defaults, and matched as by `refinedet score`. --weights names another checkpoint.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import get_args

from cfar import score_thresholds

import refinedet
from refinedet.config.scene_kind import SceneKind
from refinedet.data.simulation.files import read_truth
from refinedet.data.simulation.scene import write_simulated
from refinedet.data.simulation.spec import SceneSpec
from refinedet.evaluation.score import Score, score_files
from refinedet.files import write_json

SEEDS = (20261123, 9101, 9102, 9103, 9104)
SIDE_PX, SHIPS, PIXEL_M = 2048, 60, 10.0
EMPTY_SEED = 777


def main() -> None:
    """Simulate, detect, score and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, help="default: those of the package")
    parser.add_argument("--out", type=Path, default=Path("demo/shipped"))
    parser.add_argument("--seeds", type=int, nargs="*", default=list(SEEDS))
    parser.add_argument("--kind", choices=get_args(SceneKind), default="plain", help="kind of the scenes with ships")
    parser.add_argument("--empty-px", type=int, default=10_000, help="side of the scene without ships; 0: none")
    arguments = parser.parse_args()
    with refinedet.Detector.load(arguments.weights) as detector:
        scores = [on_ships(detector, seed, arguments.kind, arguments.out) for seed in arguments.seeds]
        if scores:
            total = Score(sum(s.tp for s in scores), sum(s.fp for s in scores), sum(s.fn for s in scores))
            print(f"all: precision {total.precision:.3f}, recall {total.recall:.3f}, F1 {total.f1:.3f}", flush=True)
        if arguments.empty_px:
            on_nothing(detector, arguments.empty_px, arguments.out)


def on_ships(detector: refinedet.Detector, seed: int, kind: SceneKind, out: Path) -> Score:
    """Score one scene with ships: ours, and CFAR at its best threshold."""
    spec = SceneSpec(width_px=SIDE_PX, height_px=SIDE_PX, ships=SHIPS, seed=seed, kind=kind)
    scene = out / f"{kind}_{seed}.tif"
    truth = write_simulated(spec, scene)
    score = score_files(search(detector, scene, out).files["geojson"], truth)
    cfar = max(s.f1 for s in score_thresholds(scene, read_truth(truth)).values())
    figures = f"precision {score.precision:.3f}, recall {score.recall:.3f}, F1 {score.f1:.3f}; best CFAR {cfar:.3f}"
    print(f"seed {seed}: {figures}", flush=True)
    return score


def on_nothing(detector: refinedet.Detector, side_px: int, out: Path) -> None:
    """Detect in a scene without ships, where every detection is a false alarm."""
    scene = out / f"empty_{side_px}.tif"
    write_simulated(SceneSpec(width_px=side_px, height_px=side_px, ships=0, seed=EMPTY_SEED), scene)
    found = search(detector, scene, out)
    area_km2 = (side_px * PIXEL_M / 1000) ** 2
    windows = found.record["counts"]["windows"]
    write_json(out / "empty.json", {"false_alarms": found.ships, "area_km2": area_km2, "windows": windows})
    print(
        f"no ships, {side_px} x {side_px} px, {area_km2:.0f} km2: {found.ships} false alarms, "
        f"{1000 * found.ships / area_km2:.2f} per 1,000 km2; {windows} windows in {found.seconds:.0f} s"
    )


def search(detector: refinedet.Detector, scene: Path, out: Path) -> refinedet.DetectionRun:
    """Detect in a scene with the defaults of the command, without pictures."""
    return refinedet.find_ships(
        scene, out, detector=detector, format=["geojson"], quicklook=False, map=False, overwrite=True
    )


if __name__ == "__main__":
    main()
