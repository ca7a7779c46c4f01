"""Detection on a GPU with every engine: torch eager, as CUDA graphs and compiled, ONNX Runtime, OpenVINO.

    python benchmarks/speed/gpu.py > gpu.md     some ten minutes on a machine with a GPU
    python benchmarks/speed/gpu.py --quick      tries every way in small, on a processor too; the times mean nothing

First a whole scene by the command line: seconds by part, from the call to the written files. It is a simulated
Sentinel-1 product where its metadata are found (REFINEDET_DATA), else a simulated GeoTIFF; `--scene` names another.
Then windows of a simulated scene, 8-bit chips to detections: milliseconds a window by batch, with as many threads
as the command uses. `px` is the largest distance of a detection's side to that of torch in fp32 on the processor, of
those with a score of 0.3 or more; `lost` and `new` have no partner within two pixels. A way that is not there, fails,
or would begin after `--limit-s` says so in its row. Nothing changes the settings of the GPU.
"""

from __future__ import annotations

import argparse
import gc
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from gpu_ways import Way, all_ways
from measuring import ROOT, median, print_table
from peers import simulated
from products import make_product, metadata
from report import machine
from runtimes import difference, windows

from refinedet.detections import Detections
from refinedet.files import read_json
from refinedet.predictors.predictor import Chip, TorchPredictor, resolve_device
from refinedet.system.concurrency import map_unordered
from refinedet.weights import shipped_weights
from refinedet.workarounds.malloc import keep_freed_memory

SCORE_MIN = 0.3
PRECISIONS = ("fp32", "fp16", "bf16")


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    parser.add_argument("--scene", type=Path, help="product or raster for the first table")
    parser.add_argument("--batches", type=int, nargs="+", help="windows in a batch; default: 1 8 32 64")
    parser.add_argument("--windows", type=int, default=256, help="windows of a round")
    parser.add_argument("--rounds", type=int, default=3, help="of which the median is taken")
    parser.add_argument("--precisions", nargs="+", choices=PRECISIONS, default=PRECISIONS)
    parser.add_argument("--limit-s", type=float, default=540.0, help="no row begins after this many seconds")
    parser.add_argument("--quick", action="store_true", help="tiny inputs, once")
    asked = parser.parse_args()
    asked.ends = time.monotonic() + asked.limit_s
    asked.device = resolve_device(asked.device)
    asked.batches = sorted(asked.batches or ([1, 2] if asked.quick else [1, 8, 32, 64]))
    if asked.quick:
        asked.windows, asked.rounds = 2, 1
    keep_freed_memory()
    torch.backends.cudnn.allow_tf32 = False  # as `refinedet detect` has it
    print("\n".join(f"- {line}" for line in [*machine(), *gpu(asked.device)]))
    with tempfile.TemporaryDirectory() as folder:
        print_scene(asked, Path(folder))
    print_windows(asked)


def gpu(device: str) -> list[str]:
    """Facts on the GPU."""
    if device == "cpu":
        return ["no GPU: everything ran on the processor"]
    about = torch.cuda.get_device_properties(device)
    memory = f"{about.total_memory / 2**30:.0f} GiB"
    return [f"{about.name}, {memory}; CUDA {torch.version.cuda}, cuDNN {torch.backends.cudnn.version()}"]


def print_scene(asked: argparse.Namespace, folder: Path) -> None:
    """Print the table of a whole scene by the command line."""
    scene = asked.scene or made_scene(folder, quick=asked.quick)
    print(f"\n## A whole scene: {scene.name}\n")
    on_gpu = asked.device != "cpu"
    words = [("--device", "cpu"), *((*torch_words(asked, one, "eager"),) for one in asked.precisions)]
    words += [torch_words(asked, one, "graph") for one in asked.precisions if on_gpu]
    head = ("options", "wall, s", "seconds by part", "windows", "skipped", "detections")
    print_table(head, scene_rows(asked, scene, folder / "found", words))


def torch_words(asked: argparse.Namespace, precision: str, mode: str) -> tuple[str, ...]:
    """Options of `refinedet detect` for torch."""
    return ("--device", asked.device, "--runtime", "torch", "--precision", precision, "--torch-mode", mode)


def made_scene(folder: Path, *, quick: bool) -> Path:
    """Simulate a product where there are metadata for it, else a GeoTIFF."""
    if metadata() is not None:
        return make_product(folder, 20 if quick else 300, share=0.05 if quick else 1.0)
    path = folder / "simulated.tif"
    simulated(path, 1024 if quick else 12_000)
    return path


def scene_rows(
    asked: argparse.Namespace, scene: Path, out: Path, ways: list[tuple[str, ...]]
) -> Iterator[tuple[object, ...]]:
    """Rows of the first table; medians of two runs, of which the first may still write caches."""
    for words in ways:
        if time.monotonic() > asked.ends:
            yield " ".join(words), f"left out: after {asked.limit_s:g} s", "", "", "", ""
            continue
        command = [sys.executable, "-m", "cli.app", "detect", str(scene.resolve()), "--out", str(out), "--overwrite"]
        seconds, failed = [], ""
        for _ in range(1 if asked.quick else 3):
            began = time.perf_counter()
            done = subprocess.run([*command, *words], cwd=ROOT, capture_output=True, text=True, check=False)
            seconds.append(time.perf_counter() - began)
            failed = done.stderr.strip().splitlines()[-1] if done.returncode else failed
        if failed:
            yield " ".join(words), f"failed: {failed}", "", "", "", ""
            continue
        record = read_json(out / f"{scene.stem}.run.json")
        parts = ", ".join(f"{name} {spent:.1f}" for name, spent in record["time"].items() if name != "seconds")
        counts = record["counts"]
        found = (counts["windows"], counts["windows_skipped"], counts["ships"])
        yield (" ".join(words), f"{median(seconds[1:] or seconds):.2f}", parts, *found)


def print_windows(asked: argparse.Namespace) -> None:
    """Print the table of windows in every way."""
    print("\n## Windows, 8-bit chips to detections\n")
    chips = list(windows(min(64, asked.windows)))
    wanted = TorchPredictor.load(shipped_weights(), device="cpu").predict(chips)
    many = (chips * (1 + asked.windows // len(chips)))[: asked.windows]
    head = [f"{what}, batch {batch}" for batch in asked.batches for what in ("ms a window", "windows a second")]
    heads = ("way", "precision", "device", *head, "px", "lost", "new", "GPU memory, MB", "warm-up, s")
    rows = (row(asked, way, chips, many, wanted) for way in all_ways(asked.device, asked.precisions))
    print_table(heads, ([*cells, *[""] * (len(heads) - len(cells))] for cells in rows))
    ships = sum(len(one.above(SCORE_MIN)) for one in wanted)
    print(f"\n{len(chips)} windows of 512 px, {ships} detections of torch in fp32 on the processor; ", end="")
    print(f"medians of {asked.rounds} rounds of {asked.windows} windows.")
    if asked.quick:
        print("A trial on small inputs: its times mean nothing.")


def row(
    asked: argparse.Namespace, way: Way, chips: list[Chip], many: list[Chip], wanted: list[Detections]
) -> list[object]:
    """Row of one way; it says why it has no figures."""
    names = [way.name, way.precision, way.device]
    if time.monotonic() > asked.ends:
        return [*names, f"left out: after {asked.limit_s:g} s"]
    if asked.quick and way.slow:
        return [*names, "left out: --quick"]
    try:
        began = time.perf_counter()
        predictor = way.load()
        if asked.device != "cpu":
            gc.collect()
            torch.cuda.empty_cache()  # what the way before this one held
            torch.cuda.reset_peak_memory_stats(asked.device)
        cells: dict[int, list[str]] = {}
        warm = 0.0
        for batch in asked.batches[-1:] if way.slow else asked.batches:
            predictor.batch_size = batch
            for _ in range(1 if asked.quick else 2):  # the second pass of a shape records its graph
                once(predictor, many, batch, way.callers)
            warm = warm or time.perf_counter() - began
            each = median(once(predictor, many, batch, way.callers) for _ in range(asked.rounds)) / len(many)
            cells[batch] = [f"{1000 * each:.2f}", f"{1 / each:.0f}"]
        found = predictor.predict(chips)
    except Exception as error:  # noqa: BLE001 - a way that fails must not cost the rows of the others
        return [*names, f"left out: {str(error).strip().splitlines()[0]}"]
    boxes = [[one.above(SCORE_MIN).boxes_xyxy.tolist() for one in some] for some in (wanted, found)]
    px, lost, new = difference(*boxes)
    memory = torch.cuda.max_memory_reserved(asked.device) / 1e6 if asked.device != "cpu" else 0.0
    shown = [cell for batch in asked.batches for cell in cells.get(batch, ["-", "-"])]
    return [*names, *shown, f"{px:.4f}", lost, new, f"{memory:.0f}" if memory else "-", f"{warm:.1f}"]


def once(predictor: Any, many: list[Chip], batch: int, callers: int) -> float:
    """Seconds of one round in batches, from as many threads as the command uses."""
    jobs = [many[start : start + batch] for start in range(0, len(many), batch)]
    began = time.perf_counter()
    for _ in map_unordered(jobs, [predictor.predict] * callers):
        pass
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
