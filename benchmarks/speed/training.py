"""Images per second in training, and the time of each part of a step, by workers and precision.

    python benchmarks/speed/training.py [--device cuda] [--batch 16]

The real epoch of refinedet/training/fit.py runs on chips of a simulated scene, with the network of the shipped weights
and default augmentation and losses; clocks sit around what it calls. `load` is the time that a step waits for its
batch. Without workers that is all of augmenting; with workers it is the part that they do not keep up with. Chips are
decoded by then, as in any epoch after the first. `backward` includes the clipping of gradients; `update` is the
optimiser and the moving average (EMA) of the weights. A GPU also computes the network as one CUDA graph. The ways take
turns, after an epoch each that warms up; figures are medians over `--rounds` epochs of `--steps`. Matching also runs
one image at a time, which must give equal answers.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import numpy as np
import torch
from measuring import median, print_table

from refinedet.config import ModelConfig, Precision, TrainConfig
from refinedet.data.dataset import ChipDataset, EpochSampler, collate
from refinedet.model.anchors import anchors, level_sizes
from refinedet.model.box_coder import to_xyxy
from refinedet.model.checkpoint import read_header
from refinedet.model.losses.matching import match_atss, match_iou
from refinedet.model.network import RefineDet
from refinedet.runtimes.graphs import usable_cores
from refinedet.training import fit as training
from refinedet.training.forward import EagerForward, Forward, GraphedForward
from refinedet.training.optimization import autocast_dtype, build_optimizer
from refinedet.weights import shipped_weights
from refinedet.workarounds.malloc import keep_freed_memory

if TYPE_CHECKING:
    from torch import Tensor

    from refinedet.data.coco import Record

CHIP_PX, SHIPS_ON_A_CHIP, SEED = 512, 4, 20261128
PARTS = ("load", "forward", "losses", "backward", "update")

Seconds = dict[str, float]


class Clocks:
    """Clocks that add up the seconds of each part of one epoch."""

    def __init__(self, device: str) -> None:
        self.device = device
        self.seconds: Seconds = {}

    def around(self, name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap `work` so that its time counts as the part `name`."""

        def timed(*arguments: Any, **settings: Any) -> Any:
            began = now(self.device)
            result = work(*arguments, **settings)
            self.seconds[name] = self.seconds.get(name, 0.0) + now(self.device) - began
            return result

        return timed


class Way:
    """One training, an epoch at a time."""

    def __init__(self, chips: tuple[Record, Path], config: TrainConfig, model: ModelConfig, device: str) -> None:
        torch.manual_seed(0)
        self.config, self.device = config, device
        network = RefineDet(model).to(device).to(memory_format=torch.channels_last)
        mean = RefineDet(model).to(device).to(memory_format=torch.channels_last).requires_grad_(requires_grad=False)
        self.state = training.TrainState(network, mean, build_optimizer(network, config), 0, [], Path())
        self.forward: Forward = (GraphedForward if config.cuda_graph else EagerForward)(network, config)
        dataset = ChipDataset(*chips, config, model.input_px)
        self.loader: torch.utils.data.DataLoader[Any] = torch.utils.data.DataLoader(
            dataset,
            batch_sampler=EpochSampler(len(dataset), config.batch_size, config.seed),
            collate_fn=collate,
            num_workers=config.workers,
            persistent_workers=config.workers > 0,
            pin_memory=device != "cpu" and not config.cuda_graph,
        )
        self.epochs: list[Seconds] = []
        if config.workers:
            iter(self.loader)  # forks now: later forks would double the memory that an epoch leaves, and exhaust it

    def epoch(self) -> None:
        """Train once over all chips, and keep the seconds of each part."""
        clocks = Clocks(self.device)
        with watched(clocks, self.state.optimizer):
            began = now(self.device)
            training._train_epoch(self.state, self.forward, self.loader, self.config)  # noqa: SLF001 - it is what we measure
            whole = now(self.device) - began
        told = clocks.seconds
        told["backward"] = told.pop("step") - told["optimizer"]
        told["update"] = told.pop("optimizer") + told.pop("ema")
        told["load"] = whole - sum(told.values())
        self.epochs.append(told)

    @property
    def median_s(self) -> Seconds:
        """Seconds of each part in an epoch, without the first one."""
        return {part: median(one[part] for one in self.epochs[1:]) for part in PARTS}


@contextmanager
def watched(clocks: Clocks, optimizer: torch.optim.Optimizer) -> Iterator[None]:
    """Put clocks around the functions that an epoch calls."""
    calls = {"_called": "forward", "detection_losses": "losses", "_step": "step", "update_ema": "ema"}
    with ExitStack() as stack:
        for name, part in calls.items():
            stack.enter_context(mock.patch.object(training, name, clocks.around(part, getattr(training, name))))
        stack.enter_context(mock.patch.object(optimizer, "step", clocks.around("optimizer", optimizer.step)))
        yield


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--canvas-px", type=int, default=CHIP_PX)
    parser.add_argument("--steps", type=int, default=4, help="steps of an epoch")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, nargs="+", default=sorted({0, max(1, usable_cores() // 2)}))
    parser.add_argument("--quick", action="store_true", help="small chips, one round")
    asked = parser.parse_args()
    if asked.quick:
        asked.batch, asked.canvas_px, asked.steps, asked.rounds = 2, 128, 2, 1
    keep_freed_memory()
    model = replace(read_header(shipped_weights()).model, backbone_weights="none", input_px=asked.canvas_px)
    config = TrainConfig(
        batch_size=asked.batch, canvas_width=asked.canvas_px, canvas_height=asked.canvas_px, warmup_epochs=0
    )
    with tempfile.TemporaryDirectory() as folder:
        chips = simulated_chips(Path(folder), asked.batch * asked.steps, asked.canvas_px)
        reason = no_bf16(config, asked.device)
        precisions: list[Precision] = ["fp32"] if reason else ["fp32", "bf16"]
        graphs = [False] if asked.device == "cpu" else [False, True]
        ways = {
            (own.workers, own.precision, own.cuda_graph is True): Way(chips, own, model, asked.device)
            for workers, precision, graph in product(asked.workers, precisions, graphs)
            for own in [replace(config, workers=workers, precision=precision, cuda_graph=graph)]
        }
        for _ in range(asked.rounds + 1):
            for way in ways.values():
                way.epoch()
        print_ways(ways, asked)
        print(f"\n{reason}" if reason else "", end="\n\n")
        print_matching(next(iter(ways.values())), asked)


def no_bf16(config: TrainConfig, device: str) -> str | None:
    """Reason to leave bf16 out; None if it is measured."""
    if autocast_dtype(replace(config, precision="auto"), device) is torch.bfloat16:
        return None
    return f"bf16 is left out: this {'processor' if device == 'cpu' else 'GPU'} has no instructions for it."


def simulated_chips(folder: Path, count: int, side_px: int) -> tuple[Record, Path]:
    """Chips cut from one simulated scene, as the tile stage writes them, and their truth."""
    from PIL import Image

    from refinedet.config import Radiometry
    from refinedet.data.coco import Annotated, build_record
    from refinedet.data.simulation.scene import simulate
    from refinedet.data.simulation.spec import SceneSpec
    from refinedet.stretch.stretching import stretch_whole
    from refinedet.tiling import Window, boxes_in_window

    columns = int(np.ceil(np.sqrt(count)))
    ships = max(1, SHIPS_ON_A_CHIP * count * side_px**2 // CHIP_PX**2)
    scene = simulate(SceneSpec(columns * side_px, columns * side_px, ships=ships, seed=SEED))
    pixels = stretch_whole(scene.pixels, 0, Radiometry())
    made = []
    for index in range(count):
        window = Window(index // columns * side_px, index % columns * side_px, side_px, side_px)
        name = f"{index:05d}.png"
        chip = pixels[window.y : window.y + side_px, window.x : window.x + side_px]
        Image.fromarray(chip).save(folder / name)
        boxes, ignored, _ = boxes_in_window(scene.boxes_xyxy, window, min_visible=0.5)
        made.append(Annotated(name, side_px, side_px, boxes, np.zeros(len(boxes), np.int64), ignored))
    return build_record(made, ("ship",)), folder


def print_ways(ways: dict[tuple[int, Precision, bool], Way], asked: argparse.Namespace) -> None:
    """Print one row for each way: images a second, and milliseconds an image of each part."""
    images = asked.batch * asked.steps
    rates = [images / sum(way.median_s.values()) for way in ways.values()]
    rows = [
        [workers, precision, "yes" if graph else "no", f"{rate:.2f}", f"{rate / rates[0]:.2f}"]
        + [f"{1000 * way.median_s[part] / images:.1f}" for part in PARTS]
        for ((workers, precision, graph), way), rate in zip(ways.items(), rates, strict=True)
    ]
    print_table(
        ("workers", "precision", "CUDA graph", "images a second", "times the first", *(f"{p}, ms" for p in PARTS)), rows
    )
    print(
        f"\n{asked.device}, {torch.get_num_threads()} threads, torch {torch.__version__}, EfficientNet-Lite0 at "
        f"{asked.canvas_px} x {asked.canvas_px}, batches of {asked.batch}, {asked.steps} steps an epoch, medians of "
        f"{asked.rounds}; milliseconds are of one image."
    )


def print_matching(way: Way, asked: argparse.Namespace) -> None:
    """Time the matching of a batch at once, and of one image after another."""
    _, targets = next(training._on_device(way.loader, torch.device(asked.device)))  # noqa: SLF001 - as an epoch has them
    boxes = [target.boxes_xyxy for target in targets]
    ways = {
        "a batch at once": lambda: matched(way, torch.nn.utils.rnn.pad_sequence(boxes, batch_first=True)),
        "one image at a time": lambda: torch.stack([matched(way, truth) for truth in boxes]),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    answers: dict[str, Tensor] = {}
    for _ in range(asked.rounds + 1):
        for name, work in ways.items():
            began = now(asked.device)
            answers[name] = work()
            seconds[name].append(now(asked.device) - began)
    assert torch.equal(*answers.values())
    medians = {name: median(own[1:]) for name, own in seconds.items()}
    base = medians["a batch at once"]
    rows = [(name, f"{1000 * own:.2f}", f"{own / base:.2f}") for name, own in medians.items()]
    print_table((f"matching, {len(boxes)} images", "ms", "times the first"), rows)
    print(f"\nBoth give the same answers; {sum(map(len, boxes))} ships.")


def matched(way: Way, truth_xyxy: Tensor) -> Tensor:
    """Targets (..., 2, N) of the anchors of ARM and ODM for truth (..., M, 4), before any refinement."""
    network, config = way.state.model.config, way.config
    canvas = config.canvas_height, config.canvas_width
    cells, loss = anchors(*canvas, network).to(truth_xyxy.device), config.loss
    arm = match_atss(cells, level_sizes(*canvas, network), truth_xyxy, loss.arm_candidates)
    odm = match_iou(to_xyxy(cells), truth_xyxy, loss.odm_positive_iou, loss.odm_negative_iou)
    return torch.stack([arm, odm], dim=-2)


def now(device: str) -> float:
    """Clock in seconds, read after a GPU has finished its work."""
    if device != "cpu":
        torch.cuda.synchronize()
    return time.perf_counter()


if __name__ == "__main__":
    main()
