"""Time to merge the windows of a scene, and its growth with the number of boxes: ours beside others.

    python benchmarks/speed/merge.py

Boxes of 4 to 30 pixels lie as densely as on the busiest roadsteads (one per 100 x 100 pixels). Every window sees those
in it with an error of up to half a pixel a side. So about half of all boxes come from an overlap.

- refinedet: `merge_windows`, which knows the windows that boxes come from: seams, ships cut in two.
- torchvision: `batched_nms`, IoU 0.5. SAHI NMS: the same rule, so that both must keep the same boxes.
- SAHI GREEDYNMM: its default, IoS 0.5, by which boxes that overlap grow into one.

Each run is a process of its own. It is stopped at `--limit-s`, which includes the making of its input. A way that was
stopped, or that took more than `LONG_S`, is not tried again. `seconds` is the time of merging alone, from boxes in each
way's own form, after a small call that loads late imports. Figures are medians over `--rounds`, in turns. `exponent` is
that of the growth from the previous row of the same way. F1 compares the boxes left with the ships.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from refinedet.boxes import Boxes, as_boxes, clip, shift
from refinedet.config import TileConfig
from refinedet.detections import Detections
from refinedet.tiling import Window, windows

if TYPE_CHECKING:
    from measuring import Run

SIDE_PX = 100
"""Side of the square of sea that each ship has to itself."""
COUNTS = (5_000, 50_000, 500_000)
LEAST_PX2 = 8.0
OVERLAP = 0.5
LONG_S = 20.0

Parts = list[tuple[Window, Detections]]


def main() -> None:
    """Merge once as a child, or compare all ways as the parent."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--boxes", type=int, nargs="+", default=COUNTS, help="number of boxes in all windows together")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit-s", type=float, default=180.0, help="a process that takes longer is stopped")
    parser.add_argument("--quick", action="store_true", help="few boxes, once")
    parser.add_argument("--work", nargs=3, metavar=("WAY", "BOXES", "OUT"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.work:
        way, boxes, out = asked.work
        print(json.dumps(work(way, int(boxes), Path(out))))
        return
    if asked.quick:
        asked.boxes, asked.rounds = (1_000, 4_000), 1
    compare(asked)


def work(way: str, boxes: int, out: Path) -> dict[str, float]:
    """Merge in one way, in the child; the boxes left go to `out`."""
    grid, parts, _ = scene(boxes)
    seconds, kept = WAYS[way](parts, grid)
    with out.open("wb") as stream:
        np.save(stream, kept)
    return {"seconds": seconds}


def by_refinedet(parts: Parts, grid: list[Window]) -> tuple[float, Boxes]:
    """Merge by refinedet; returns seconds and ships."""
    from refinedet.scene.windows.merge import merge_windows

    merge_windows(parts[:1], grid)
    began = time.perf_counter()
    merged = merge_windows(parts, grid)
    return time.perf_counter() - began, merged.detections.boxes_xyxy


def by_torchvision(parts: Parts, grid: list[Window]) -> tuple[float, Boxes]:
    """Merge by torchvision's NMS; returns seconds and the boxes kept."""
    del grid
    import torch
    from torchvision.ops import batched_nms

    found = Detections.concatenate([one for _, one in parts])
    boxes, scores, labels = (torch.from_numpy(part) for part in (found.boxes_xyxy, found.scores, found.labels))
    batched_nms(boxes[:2], scores[:2], labels[:2], OVERLAP)
    began = time.perf_counter()
    kept = batched_nms(boxes, scores, labels, OVERLAP)
    return time.perf_counter() - began, found.boxes_xyxy[kept.numpy()]


def by_sahi_nms(parts: Parts, grid: list[Window]) -> tuple[float, Boxes]:
    """Merge by SAHI's NMS; returns seconds and the boxes kept."""
    del grid
    from sahi.postprocess.combine import NMSPostprocess

    return _by_sahi(NMSPostprocess(OVERLAP, "IOU", class_agnostic=False), parts)


def by_sahi_merging(parts: Parts, grid: list[Window]) -> tuple[float, Boxes]:
    """Merge by SAHI's GREEDYNMM; returns seconds and the boxes that grew together."""
    del grid
    from sahi.postprocess.combine import GreedyNMMPostprocess

    return _by_sahi(GreedyNMMPostprocess(OVERLAP, "IOS", class_agnostic=False), parts)


def _by_sahi(postprocess: Callable[[list[Any]], list[Any]], parts: Parts) -> tuple[float, Boxes]:
    from sahi.prediction import ObjectPrediction

    found = Detections.concatenate([one for _, one in parts])
    pairs = zip(found.boxes_xyxy.tolist(), found.scores.tolist(), strict=True)
    told = [ObjectPrediction(bbox=box, category_id=0, category_name="ship", score=score) for box, score in pairs]
    postprocess(told[:2])
    began = time.perf_counter()
    left = postprocess(told)
    seconds = time.perf_counter() - began
    return seconds, as_boxes([one.bbox.to_xyxy() for one in left])


WAYS: dict[str, Callable[[Parts, list[Window]], tuple[float, Boxes]]] = {
    "refinedet": by_refinedet,
    "torchvision batched_nms": by_torchvision,
    "SAHI NMS": by_sahi_nms,
    "SAHI GREEDYNMM": by_sahi_merging,
}
_SAME = ("torchvision batched_nms", "SAHI NMS")


def compare(asked: argparse.Namespace) -> None:
    """Run all ways in turns at each size, and print the table."""
    from measuring import NO_SAHI, has_sahi

    ways = [name for name in WAYS if has_sahi() or "SAHI" not in name]
    head = ("boxes", "way", "seconds", "us a box", "exponent", "peak memory, MB", "left", "F1", "times ours")
    print(f"| {' | '.join(head)} |\n{'|---' * len(head)}|", flush=True)
    before: dict[str, tuple[int, float]] = {}
    equal: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        for wanted in asked.boxes:
            before = compare_at(wanted, ways, asked, before, Path(folder))
            kept = [Path(folder) / f"{name}.npy" for name in _SAME]
            if all(path.is_file() for path in kept):
                equal.append(f"{wanted:,}: {difference(*(np.load(path) for path in kept))}")
    if not has_sahi():
        print(f"\n{NO_SAHI}")
    if equal:
        print(f"\nBoxes kept by torchvision's and by SAHI's NMS, by number of boxes: {'; '.join(equal)}.")
    once = f"once where that takes more than {LONG_S:g} s"
    print(f"Medians of {asked.rounds} rounds, {once}; a process is stopped after {asked.limit_s:g} s.")


def compare_at(
    wanted: int, ways: list[str], asked: argparse.Namespace, before: dict[str, tuple[int, float]], folder: Path
) -> dict[str, tuple[int, float]]:
    """Measure and print all ways at one size; returns their seconds for the growth, and leaves the boxes as files."""
    from measuring import itself, median, run_watched

    _, parts, ships = scene(wanted)
    boxes = sum(len(found) for _, found in parts)
    runs: dict[str, list[Run | None]] = {name: [] for name in ways}
    for name in ways:
        (folder / f"{name}.npy").unlink(missing_ok=True)
    for _ in range(asked.rounds):
        for name in ways:
            if all(run and run.told["seconds"] < LONG_S for run in runs[name]):
                command = itself(__file__, "--work", name, wanted, folder / f"{name}.npy")
                runs[name].append(run_watched(command, asked.limit_s))
    after, ours = {}, 0.0
    for name in ways:
        finished = [run for run in runs[name] if run]
        if len(finished) < len(runs[name]):
            print(f"| {boxes:,} | {name} | more than {asked.limit_s:g}: stopped | | | | | | |", flush=True)
            continue
        seconds = median(run.told["seconds"] for run in finished)
        ours = ours or seconds
        after[name] = boxes, seconds
        left = np.load(folder / f"{name}.npy")
        growth = exponent(before[name], after[name]) if name in before else ""
        cells = [f"{boxes:,}", name, f"{seconds:.3f}", f"{1e6 * seconds / boxes:.1f}", growth]
        cells += [f"{median(run.peak_mb for run in finished):.0f}", f"{len(left):,}", f"{f1(left, ships):.4f}"]
        print(f"| {' | '.join(cells)} | {seconds / ours:.2f} |", flush=True)
    return after


def exponent(before: tuple[int, float], after: tuple[int, float]) -> str:
    """Exponent of the growth of seconds with the number of boxes: 1 is linear."""
    return f"{np.log(after[1] / before[1]) / np.log(after[0] / before[0]):.2f}"


def f1(left: Boxes, ships: Boxes) -> float:
    """F1 of the boxes left against the ships."""
    from refinedet.evaluation.score import match_boxes

    return match_boxes(Detections.of(left, np.ones(len(left)), np.zeros(len(left))), ships).f1


def difference(ours: NDArray[np.float32], theirs: NDArray[np.float32]) -> str:
    """Say if two sets of boxes are equal, or how many differ."""
    mine, other = ({tuple(box) for box in boxes.tolist()} for boxes in (ours, theirs))
    return f"equal, {len(mine):,}" if mine == other else f"{len(mine ^ other):,} differ of {len(mine | other):,}"


def scene(boxes: int) -> tuple[list[Window], Parts, Boxes]:
    """Windows of a scene, their detections (about `boxes` in all), and the ships."""
    import shapely

    tile = TileConfig()
    seen_by = (tile.tile_px / (tile.tile_px - tile.overlap_px)) ** 2
    side = int(SIDE_PX * np.sqrt(boxes / seen_by))
    grid = windows(side, side, tile)
    rng = np.random.default_rng(1)
    start = rng.uniform(0, side - 30, (int(boxes / seen_by), 2))
    ships = as_boxes(np.hstack([start, start + rng.uniform(4, 30, start.shape)]))
    corners = np.array([(w.x, w.y, w.x + w.width, w.y + w.height) for w in grid])
    window, ship = shapely.STRtree(shapely.box(*ships.T)).query(shapely.box(*corners.T))
    order = np.lexsort((ship, window))
    ends = np.cumsum(np.bincount(window, minlength=len(grid)))[:-1]
    parts = []
    for place, seen in zip(grid, np.split(ship[order], ends), strict=True):
        noisy = as_boxes(ships[seen] + rng.uniform(-0.5, 0.5, (len(seen), 4)))
        local = clip(shift(noisy, -place.x, -place.y), place.width, place.height)
        local = local[np.prod(local[:, 2:] - local[:, :2], axis=1) >= LEAST_PX2]
        found = shift(local, place.x, place.y)
        parts.append((place, Detections.of(found, rng.uniform(0.5, 1, len(found)), np.zeros(len(found)))))
    return grid, parts, ships


if __name__ == "__main__":
    main()
