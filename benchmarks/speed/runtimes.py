"""Time of a chip and memory of one checkpoint in torch, ONNX Runtime and OpenVINO, side by side.

    python benchmarks/speed/runtimes.py [--weights FILE] [--int8 FILE.xml] [--rounds 5] [--batches 1 8]

Each runtime works in a process of its own, which holds nothing of the others. So its peak memory is its own. The parent
has them take turns, one call of `predict` each, so that a busy moment hits all of them alike. Times are medians over
`--rounds` after one that warms up, from uint8 chips to detections: letterbox, network, decode, suppression. The chips
are windows of a simulated scene. `px` is the largest distance of a detection's side to that of torch in fp32, among
detections with a score of at least `--score-min`. `lost` and `new` count those without a partner within two pixels.
`--int8` names a file of `refinedet export --int8`, which adds a row.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

RUNTIMES = ("torch fp32", "torch bf16", "onnx fp32", "openvino fp32", "openvino bf16")
_NEAR_PX = 2.0


@dataclass
class Worker:
    """One runtime in a process of its own."""

    name: str
    process: subprocess.Popen[str]
    seconds: dict[int, list[float]] = field(default_factory=dict)
    last: dict[str, Any] = field(default_factory=dict)

    def ask(self, batch: int) -> float:
        """Have it predict once; returns the seconds that it took."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{batch}\n")
        self.process.stdin.flush()
        self.last = json.loads(self.process.stdout.readline())
        return float(self.last["seconds"])


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, help="default: those of the package")
    parser.add_argument("--int8", type=Path, help="INT8 file of the same weights; default: none, and no such row")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--chips", type=int, default=8, help="number of chips of one round, for any batch size")
    parser.add_argument("--score-min", type=float, default=0.3)
    parser.add_argument("--runtimes", nargs="+", choices=RUNTIMES, help="default: all that the processor can do")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        work(arguments)
    else:
        compare(arguments)


def work(arguments: argparse.Namespace) -> None:
    """Predict all chips for each batch size on stdin, in the child, and print time, memory and detections."""
    name, path = arguments.work.split("|")
    chips = list(np.load(path))
    predictor = load(name, arguments)
    for line in sys.stdin:
        predictor.batch_size = int(line)
        start = time.perf_counter()
        found = predictor.predict(chips)
        seconds = time.perf_counter() - start
        strong = [one.above(arguments.score_min) for one in found]
        told = {
            "seconds": seconds / len(chips),
            "peak_mb": peak_mb(),
            "torch": "torch" in sys.modules,
            "boxes": [one.boxes_xyxy.tolist() for one in strong],
        }
        print(json.dumps(told), flush=True)


def peak_mb() -> float:
    """Peak memory of this process in megabytes (Linux); getrusage would count the parent that it was forked from."""
    (line,) = [one for one in Path("/proc/self/status").read_text().splitlines() if one.startswith("VmHWM:")]
    return int(line.split()[1]) / 1024


def load(name: str, arguments: argparse.Namespace) -> Any:
    """Load the predictor of a runtime and precision, as `refinedet detect` does."""
    from refinedet.runtimes.cache import cached_export
    from refinedet.runtimes.predictor import ExportedPredictor
    from refinedet.weights import shipped_weights

    runtime, precision = name.split()
    if precision == "int8":
        return ExportedPredictor.load(arguments.int8)
    weights = arguments.weights or shipped_weights()
    if runtime != "torch":
        return ExportedPredictor.load(cached_export(weights, runtime), precision=precision)  # type: ignore[arg-type]  # names above
    from refinedet.predictors.predictor import TorchPredictor
    from refinedet.workarounds.malloc import keep_freed_memory

    keep_freed_memory()
    return TorchPredictor.load(weights, device="cpu", precision=precision)  # type: ignore[arg-type]  # ditto


def compare(arguments: argparse.Namespace) -> None:
    """Start all children, have them take turns, and print the table."""
    import tempfile

    from refinedet.runtimes.cache import cached_export
    from refinedet.weights import shipped_weights

    for runtime in ("onnx", "openvino"):  # before any process whose memory is measured
        cached_export(arguments.weights or shipped_weights(), runtime)  # type: ignore[arg-type]  # both are formats
    with tempfile.NamedTemporaryFile(suffix=".npy") as stream:
        np.save(stream, windows(arguments.chips))
        stream.flush()
        workers = [start(name, stream.name, arguments) for name in rows(arguments)]
        for worker in workers:
            worker.ask(max(arguments.batches))
        for _ in range(arguments.rounds):
            for batch in arguments.batches:
                for worker in workers:
                    worker.seconds.setdefault(batch, []).append(worker.ask(batch))
        print_table(workers, arguments)
        for worker in workers:
            worker.process.communicate()


def rows(arguments: argparse.Namespace) -> list[str]:
    """Runtimes of the table."""
    from refinedet.runtimes.graphs import openvino

    named = arguments.runtimes
    if named is None:
        has_bf16 = "BF16" in openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        named = [name for name in RUNTIMES if has_bf16 or "bf16" not in name]
        if not has_bf16:
            print("bf16 is left out: this processor has no instructions for it.\n")
    return [*named, *(["openvino int8"] if arguments.int8 else [])]


def start(name: str, chips: str, arguments: argparse.Namespace) -> Worker:
    """Start a child."""
    command = [sys.executable, __file__, "--work", f"{name}|{chips}", "--score-min", str(arguments.score_min)]
    for option, given in (("--weights", arguments.weights), ("--int8", arguments.int8)):
        command += [option, str(given)] if given else []
    return Worker(name, subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))


def windows(count: int) -> np.ndarray[Any, Any]:
    """Windows (N, 512, 512) of a simulated scene as 8 bits."""
    from refinedet.config import Radiometry
    from refinedet.data.simulation.scene import simulate
    from refinedet.data.simulation.spec import SceneSpec
    from refinedet.stretch.stretching import stretch_whole

    columns = -(-count // 2)
    spec = SceneSpec(width_px=512 * columns, height_px=1024, ships=20 * count, seed=20261125)
    pixels = simulate(spec).pixels
    whole = stretch_whole(pixels, None, Radiometry())
    cut = [whole[y : y + 512, x : x + 512] for x in range(0, 512 * columns, 512) for y in (0, 512)]
    return np.stack(cut[:count])


def print_table(workers: list[Worker], arguments: argparse.Namespace) -> None:
    """Print one Markdown row for each runtime."""
    heads = [f"batch {batch}: ms a chip | times torch fp32" for batch in arguments.batches]
    print(f"| runtime | {' | '.join(heads)} | peak memory, MB | torch loaded | px | lost | new |")
    print("|---" * (6 + 2 * len(heads)) + "|")
    medians = [[statistics.median(worker.seconds[batch]) for batch in arguments.batches] for worker in workers]
    for worker, row in zip(workers, medians, strict=True):
        times = [f"{1000 * own:.1f} | {base / own:.2f}" for own, base in zip(row, medians[0], strict=True)]
        px, lost, new = difference(workers[0].last["boxes"], worker.last["boxes"])
        loaded = "yes" if worker.last["torch"] else "no"
        cells = [worker.name, *times, f"{worker.last['peak_mb']:.0f}", loaded, f"{px:.4f}", str(lost), str(new)]
        print(f"| {' | '.join(cells)} |")
    ships = sum(map(len, workers[0].last["boxes"]))
    print(
        f"\n{arguments.chips} chips of 512 px, {ships} detections of torch fp32 from score {arguments.score_min} on; "
        f"medians of {arguments.rounds} interleaved rounds; {platform.machine()}, "
        + ", ".join(f"{name} {version(name)}" for name in ("torch", "onnxruntime", "openvino"))
    )


def difference(ours: list[Any], theirs: list[Any]) -> tuple[float, int, int]:
    """Largest distance of matched boxes, boxes of `ours` without a partner, and of `theirs`."""
    px, lost, new = 0.0, 0, 0
    for one, other in zip(ours, theirs, strict=True):
        a, b = (np.reshape(boxes, (-1, 4)) for boxes in (one, other))
        apart = np.abs(a[:, None] - b[None]).max(axis=2)
        from_ours, from_theirs = apart.min(axis=1, initial=np.inf), apart.min(axis=0, initial=np.inf)
        lost, new = lost + int((from_ours >= _NEAR_PX).sum()), new + int((from_theirs >= _NEAR_PX).sum())
        px = max(px, float(from_ours[from_ours < _NEAR_PX].max(initial=0)))
    return px, lost, new


if __name__ == "__main__":
    main()
