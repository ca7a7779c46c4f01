"""Time of three implementations of AlignConv in one run: fused (project, then sample), torchvision and mmcv.

    python benchmarks/speed/align_conv.py

It prints the median time of forward and of forward + backward, the ratio to fused, and the largest difference of the
outputs. The rounds alternate between the implementations, so that a busy moment of the machine affects all of them.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import time
from collections.abc import Callable

import torch
from measuring import print_table
from torch import Tensor

from refinedet.config import ModelConfig
from refinedet.model.align_conv import BACKENDS, alignment_points
from refinedet.model.anchors import anchor_shapes
from refinedet.workarounds.malloc import keep_freed_memory

BATCH, CHANNELS, SHAPES = 2, 256, 3


def main() -> None:
    """Measure each size and number of outputs, and print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sides", type=int, nargs="+", default=[64, 128], help="sides of the feature map, in cells")
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    keep_freed_memory()
    names = [name for name in BACKENDS if name != "mmcv" or importlib.util.find_spec("mmcv") is not None]
    head = ("map", "outputs", "way", "forward, ms", "ratio", "with backward, ms", "ratio", "largest difference")
    rows = (
        (f"{side} x {side}", outputs, *row)
        for side in arguments.sides
        for outputs in (5, 6, 25)
        for row in compare(names, side, outputs, arguments.rounds, arguments.device)
    )
    print_table(head, rows)
    print(f"\nB={BATCH}, C={CHANNELS}, A={SHAPES}, {arguments.device}, {torch.get_num_threads()} threads, ", end="")
    print(f"torch {torch.__version__}, median of {arguments.rounds} rounds")


def compare(names: list[str], side: int, outputs: int, rounds: int, device: str) -> list[tuple[str, ...]]:
    """Rows (way, forward, ratio, with backward, ratio, difference) of one size."""
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(BATCH, CHANNELS, side, side, generator=generator).to(device).requires_grad_()
    deltas = torch.randn(BATCH, SHAPES, 4, side, side, generator=generator).to(device)
    weight = (0.01 * torch.randn(SHAPES, outputs, CHANNELS, 3, 3, generator=generator)).to(device).requires_grad_()
    points = alignment_points(deltas, anchor_shapes(ModelConfig()).to(device))
    forward: dict[str, list[float]] = {name: [] for name in names}
    both: dict[str, list[float]] = {name: [] for name in names}
    results: dict[str, Tensor] = {}
    for turn in range(rounds + 1):
        for name in names:
            times = _time(BACKENDS[name], features, points, weight, results, name)  # type: ignore[index]  # its keys
            if turn:  # the first round warms up
                forward[name].append(times[0])
                both[name].append(sum(times))
    rows = []
    for name in names:
        ahead, whole = statistics.median(forward[name]), statistics.median(both[name])
        ratios = [statistics.median(t[name]) / statistics.median(t["fused"]) for t in (forward, both)]
        difference = float((results[name] - results["fused"]).abs().max())
        rows.append(
            (
                name,
                f"{1e3 * ahead:.1f}",
                f"{ratios[0]:.1f}",
                f"{1e3 * whole:.1f}",
                f"{ratios[1]:.1f}",
                f"{difference:.1e}",
            )
        )
    return rows


def _time(
    way: Callable[[Tensor, Tensor, Tensor], Tensor],
    features: Tensor,
    points: Tensor,
    weight: Tensor,
    results: dict[str, Tensor],
    name: str,
) -> tuple[float, float]:
    """Seconds of forward and of backward; keeps the output."""
    start = _now(features)
    out = way(features, points, weight)
    middle = _now(features)
    torch.autograd.grad(out.sum(), [features, weight])
    results[name] = out.detach()
    return middle - start, _now(features) - middle


def _now(tensor: Tensor) -> float:
    if tensor.is_cuda:
        torch.cuda.synchronize()
    return time.perf_counter()


if __name__ == "__main__":
    main()
