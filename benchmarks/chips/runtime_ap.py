"""AP and milliseconds per chip of each runtime on annotated chips, side by side.

    python benchmarks/chips/runtime_ap.py --record outputs/tile/test.json [--int8 FILE.xml] [--rounds 3]

The chips lie beside their COCO record. Each runtime works in a process of its own, one after the other, `--rounds`
times. Time is the median over rounds, from uint8 chips in memory to detections (letterbox, network, decode,
suppression), after a call that warms up. A runtime that cannot run here is a row with the reason. `--int8` names a file
of `refinedet export --int8`; `--weights` names a checkpoint.

`--runtimes "torch emulated-bf16"` measures the AP of bfloat16 on a processor without it. Autocast runs unchanged, but
convolutions compute in float32 and round their inputs and outputs to bfloat16. Its time is meaningless.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from refinedet.detections import Detections
    from refinedet.predictors.predictor import Chip, Predictor

RUNTIMES = ("torch fp32", "torch bf16", "onnx fp32", "openvino fp32", "openvino bf16", "openvino int8")
EMULATED = "torch emulated-bf16"
_CHIPS_PER_CALL = 8
_MEASURES = ("AP", "AP50", "AP75")


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--record", type=Path, required=True, help="COCO file of 8-bit chips")
    parser.add_argument("--weights", type=Path, help="default: those of the package")
    parser.add_argument("--int8", type=Path, help="INT8 file of the same weights; default: none, and no such row")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--chips", type=int, help="number of chips to take, the first ones; default: all")
    parser.add_argument("--runtimes", nargs="+", choices=(*RUNTIMES, EMULATED), default=list(RUNTIMES))
    parser.add_argument("--work", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        print(json.dumps(measure(arguments.work, arguments)))
    else:
        compare(arguments)


def compare(arguments: argparse.Namespace) -> None:
    """Run each runtime in turn, and print the table."""
    names = [name for name in arguments.runtimes if name != "openvino int8" or arguments.int8]
    told = [{name: in_child(name) for name in names} for _ in range(arguments.rounds)]
    print(f"| runtime | {' | '.join(_MEASURES)} | ms a chip |")
    print("|---" * (2 + len(_MEASURES)) + "|")
    for name in names:
        first = told[0][name]
        if "refused" in first:
            print(f"| {name} | not here: {first['refused']} |{' |' * len(_MEASURES)}")
            continue
        cells = [f"{first[key]:.2f}" for key in _MEASURES]
        print(f"| {name} | {' | '.join(cells)} | {statistics.median(one[name]['ms'] for one in told):.1f} |")
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "onnxruntime", "openvino"))
    print(f"\n{arguments.record.name}, medians of {arguments.rounds} rounds; {platform.machine()}, {packages}")


def in_child(name: str) -> dict[str, Any]:
    """Run `measure` in a process that holds no other runtime."""
    done = subprocess.run(
        [sys.executable, __file__, "--work", name, *sys.argv[1:]], stdout=subprocess.PIPE, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(name: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """AP and time of one runtime; or `refused` with the reason if it cannot run here."""
    from refinedet.data.coco import read_record
    from refinedet.data.shards import read_chip
    from refinedet.errors import RefineDetError
    from refinedet.evaluation.metrics import coco_metrics

    truth = read_record(arguments.record)
    images = truth.images[: arguments.chips]
    try:
        predictor = load(name, arguments)
    except RefineDetError as error:
        return {"refused": str(error)}
    found, seconds = {}, 0.0
    for index in range(0, len(images), _CHIPS_PER_CALL):
        part = images[index : index + _CHIPS_PER_CALL]
        chips = [read_chip(arguments.record.parent / image.file_name) for image in part]
        if not found:
            predictor.predict(chips)
        start = time.perf_counter()
        detections = predictor.predict(chips)
        seconds += time.perf_counter() - start
        found |= {image.id: one for image, one in zip(part, detections, strict=True)}
    metrics = coco_metrics(truth.select(found), found)
    return {key: metrics[key] or 0.0 for key in _MEASURES} | {"ms": 1000 * seconds / len(images)}


def load(name: str, arguments: argparse.Namespace) -> Any:
    """Load the predictor of a runtime and precision, as `refinedet detect` does."""
    from refinedet.runtimes.cache import cached_export
    from refinedet.runtimes.predictor import ExportedPredictor
    from refinedet.weights import shipped_weights

    runtime, precision = name.split()
    weights = arguments.weights or shipped_weights()
    if precision == "int8":
        return ExportedPredictor.load(arguments.int8)
    if runtime != "torch":
        return ExportedPredictor.load(cached_export(weights, runtime), precision=precision)  # type: ignore[arg-type]  # names above
    from refinedet.predictors.predictor import TorchPredictor
    from refinedet.workarounds.malloc import keep_freed_memory

    keep_freed_memory()
    if name == EMULATED:
        return _Emulated(TorchPredictor.load(weights, device="cpu", precision="bf16"))
    return TorchPredictor.load(weights, device="cpu", precision=precision)  # type: ignore[arg-type]  # ditto


class _Emulated:
    """A predictor in bfloat16 with emulated convolutions."""

    def __init__(self, predictor: Predictor) -> None:
        self.predictor = predictor

    def predict(self, chips: Sequence[Chip]) -> list[Detections]:
        """Detections of the predictor in emulated bfloat16."""
        with emulated_bf16():
            return self.predictor.predict(chips)


@contextmanager
def emulated_bf16() -> Iterator[None]:
    """Within autocast, have convolutions compute in float32, with inputs and outputs rounded to bfloat16."""
    import torch
    from torch.overrides import TorchFunctionMode

    emulated = (torch.conv2d, torch.conv_transpose2d)

    def rounded(value: Any) -> Any:
        return value.bfloat16().float() if isinstance(value, torch.Tensor) else value

    class Mode(TorchFunctionMode):
        def __torch_function__(self, function: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
            kwargs = kwargs or {}
            if function not in emulated or not torch.is_autocast_enabled("cpu"):
                return function(*args, **kwargs)
            with torch.autocast("cpu", enabled=False):
                return function(*map(rounded, args), **{k: rounded(v) for k, v in kwargs.items()}).bfloat16()

    with Mode():
        yield


if __name__ == "__main__":
    main()
