"""Ships found in vv, in vh, and in both fused (`--pol vv+vh`), on real ships of Sentinel-1, by length.

    python benchmarks/accuracy/dual_polarisation.py --ships shared/data/real/opensarship

Takes about a minute on two cores. OpenSARShip has patches of 125 ships of three IW GRD products in vv and vh.
dual_polarisation_scene.py lays those of a product into one sea, whose level around each ship is that of its patch in
the same polarisation, and whose speckle in vv and vh is independent. A ship counts as found if the centre of a box lies
within half of its length, or 50 m, of the middle of its patch. Lengths are those registered.

A box in the simulated sea is a false alarm. A box within a patch beside its ship is counted separately: most are
unmarked neighbours. Methods to fuse two scores are compared at the default threshold. Each product is judged with the
method that is best on the other two: most found ships minus false alarms; of equal ones, the first.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from dual_polarisation_scene import POLARISATIONS, RealShips, scenes
from numpy.typing import NDArray

from refinedet.config.options.detect import FRAGMENT_SHARE, PolarisationChoice, SceneSettings, WindowSettings
from refinedet.config.options.land import LandSettings
from refinedet.detection.detector import Detector
from refinedet.detection.search import Search
from refinedet.scene.detect import detect_scene
from refinedet.scene.result import SceneResult
from refinedet.scene.windows.polarisations import fused_score
from refinedet.tiling import WINDOWS_TOGETHER

THRESHOLD = 0.5
"""Default of `score_min`."""
FLOOR = FRAGMENT_SHARE * THRESHOLD
"""Least score in one polarisation that takes part."""
CLASSES = (("below 60 m", 0, 60), ("60 to 100 m", 60, 100), ("above 100 m", 100, 1e9))
NEAR_M = 50.0

Scores = NDArray[np.float64]


def _logit(scores: Scores) -> Scores:
    inside = np.clip(scores, 1e-4, 1 - 1e-4)
    return np.asarray(np.log(inside / (1 - inside)))


def _mean_of_logits(scores: Scores) -> Scores:
    mean = _logit(np.where(np.isnan(scores), FLOOR / 2, scores)).mean(axis=1)
    return np.asarray(1 / (1 + np.exp(-mean)))


def _sum_of_logits(scores: Scores) -> Scores:
    total = (_logit(np.where(np.isnan(scores), FLOOR, scores)) - _logit(np.array(FLOOR))).sum(axis=1)
    return np.asarray(1 / (1 + np.exp(-total - _logit(np.array(FLOOR)))))


WAYS: dict[str, Callable[[Scores], Scores]] = {
    "noisy or (the program's)": lambda scores: fused_score(scores.astype(np.float32)).astype(np.float64),
    "highest": lambda scores: np.nan_to_num(scores).max(axis=1),
    "mean": lambda scores: np.nan_to_num(scores).mean(axis=1),
    "mean of logits": _mean_of_logits,
    "sum of logits": _sum_of_logits,
}
"""Fused score of ships from their scores (N, 2), NaN where a polarisation shows none."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts of one run."""

    found: tuple[int, ...]
    """Ships found, by length."""
    in_sea: int
    """Boxes in the simulated sea."""
    in_patches: int
    """Boxes in a patch beside its ship."""

    def __add__(self, other: Counts) -> Counts:
        found = tuple(a + b for a, b in zip(self.found, other.found, strict=True))
        return Counts(found, self.in_sea + other.in_sea, self.in_patches + other.in_patches)

    def merit(self, *, strict: bool) -> int:
        """Ships found minus false alarms; `strict` counts boxes beside a ship as false alarms."""
        return sum(self.found) - self.in_sea - (self.in_patches if strict else 0)

    def row(self, name: str) -> str:
        """Row of a table in Markdown."""
        cells = [*self.found, sum(self.found), self.in_sea, self.in_patches]
        return f"| {name} | " + " | ".join(map(str, cells)) + " |"


def main() -> None:
    """Make the scenes, detect in them, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ships", type=Path, required=True, help="folder of OpenSARShip: .json and .npz by product")
    parser.add_argument("--weights", type=Path, help="weights; default: those of the package")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Detector.load(asked.weights) as detector:
        laid = list(scenes(asked.ships, Path(folder)))
        print(f"Weights {detector.weights_sha256[:8]}..., {detector.runtime} {detector.precision}, score {THRESHOLD}")
        _print_runs(laid, detector)
        _print_ways(laid, detector.search(WindowSettings(score_min=FLOOR)))


def look(ships: RealShips, pol: PolarisationChoice, search: Search) -> SceneResult:
    """Result of detection on one scene."""
    return detect_scene(
        ships.path,
        search.predictors,
        scene=SceneSettings(pol=pol),
        land=LandSettings(land_mask="off"),
        tile=search.tile,
        score_min=search.score_min,
        prescreen=search.prescreen,
        ship_m=search.ship_m,
        known_gsd=search.known_gsd,
        batch_size=search.batch_size or WINDOWS_TOGETHER,
    )


def count(ships: RealShips, boxes_xyxy: NDArray[np.float32]) -> Counts:
    """Count the ships found by boxes, and the boxes beyond."""
    centres = (boxes_xyxy[:, :2] + boxes_xyxy[:, 2:]).astype(np.float64) / 2
    away_m = ships.pixel_m * np.hypot(*np.moveaxis(centres[:, None] - ships.places_xy, 2, 0))
    hits = away_m <= np.maximum(NEAR_M, ships.length_m / 2)
    corners = ships.patches_xyxy
    inside = ((centres[:, None] >= corners[:, :2]) & (centres[:, None] <= corners[:, 2:])).all(axis=2).any(axis=1)
    found, beyond = hits.any(axis=0), ~hits.any(axis=1)
    return Counts(
        tuple(int(found[of_class(ships, low, high)].sum()) for _, low, high in CLASSES),
        int((beyond & ~inside).sum()),
        int((beyond & inside).sum()),
    )


def of_class(ships: RealShips, low: float, high: float) -> NDArray[np.bool_]:
    """(N,) true for ships of a class of lengths, from `low` on, below `high`; 100 m is still the middle class."""
    return (ships.length_m >= low + (low == 100)) & (ships.length_m < high + (high == 100))


def _print_runs(laid: Sequence[RealShips], detector: Detector) -> None:
    search = detector.search(WindowSettings(score_min=THRESHOLD))
    _print_head("looked at", laid)
    for pol in (*POLARISATIONS, "vv+vh"):
        began = time.perf_counter()
        counts = [count(ships, look(ships, pol, search).detections.boxes_xyxy) for ships in laid]
        seconds = time.perf_counter() - began
        for ships, one in zip(laid, counts, strict=True):
            print(one.row(f"{pol}, {ships.day}"))
        print(sum(counts[1:], counts[0]).row(f"**{pol}**, {seconds:.0f} s"), flush=True)


def _print_ways(laid: Sequence[RealShips], search: Search) -> None:
    """Compare methods to fuse scores, on the ships of one run with a low threshold."""
    results = [look(ships, "vv+vh", search) for ships in laid]
    counts = {name: [_fused(*pair, way) for pair in zip(laid, results, strict=True)] for name, way in WAYS.items()}
    print()
    _print_head("fused score", laid)
    for name, by_product in counts.items():
        print(sum(by_product[1:], by_product[0]).row(name))
    for strict, words in ((False, "are left out"), (True, "count as false alarms")):
        print(f"\nEach product, by the way that is best on the other two; boxes beside a ship {words}:\n")
        _print_head("product", laid)
        for own, ships in enumerate(laid):
            merits = {name: [one.merit(strict=strict) for one in counted] for name, counted in counts.items()}
            best = max(merits, key=lambda name: sum(merits[name]) - merits[name][own])
            print(counts[best][own].row(f"{ships.day}: {best}"))


def _fused(ships: RealShips, result: SceneResult, way: Callable[[Scores], Scores]) -> Counts:
    scores = np.stack([seen.scores for seen in result.polarisations], axis=1).astype(np.float64)
    scores[~(scores >= FLOOR)] = np.nan
    return count(ships, result.detections.boxes_xyxy[way(scores) >= THRESHOLD])


def _print_head(first: str, laid: Sequence[RealShips]) -> None:
    sizes = [sum(int(of_class(ships, low, high).sum()) for ships in laid) for _, low, high in CLASSES]
    columns = [f"{name} ({size})" for (name, _, _), size in zip(CLASSES, sizes, strict=True)]
    print("| " + " | ".join([first, *columns, f"all ({sum(sizes)})", "false, in the sea", "beside a ship"]) + " |")
    print("|---" * (len(columns) + 4) + "|")


if __name__ == "__main__":
    main()
