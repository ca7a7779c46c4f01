"""Whole detectors: ours beside a network of the published design, or a table of the family.

    python benchmarks/speed/detector.py              ours against the published design, and the ratio
    python benchmarks/speed/detector.py --int8       OpenVINO in 8 bits as well: a minute or two to measure ranges first
    python benchmarks/speed/detector.py --family     Markdown: parameters, GMACs and time of each named variant

The published design is VGG16-BN at 512 pixels whose ODM is 24 deformable convolutions: 4 levels, 3 anchor shapes,
offsets and classes apart. They run through torchvision's operator. The network has the weights of ours, so that outputs
can be compared. It runs in torch alone: its operator cannot be exported.

Time in torch is that of one forward pass of one image, channels_last, with batch norms fused into convolutions, without
postprocessing. Time in OpenVINO is that of one call with `--chips` images divided by their number, since each core
works on its own image; decoding is included. Figures are medians of `--repeats` after one that warms up. The rounds
alternate between the ways, so that a busy moment hits all of them. GMACs are half the FLOPs of torch's FlopCounterMode,
which counts convolutions, but no norms, activations and bilinear sampling.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import get_args
from unittest import mock

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode

from refinedet.config import ModelConfig, Radiometry
from refinedet.errors import InputError, MissingExtra
from refinedet.model import align_conv
from refinedet.model.fusion import fuse_conv_bn
from refinedet.model.network import RefineDet
from refinedet.model.variants import VARIANTS
from refinedet.runtimes.graphs import Graph, GraphPrecision, open_graph
from refinedet.workarounds.malloc import keep_freed_memory

DEFORMABLE_CONVOLUTIONS = 24
_OFFSETS = 4

Way = Callable[[], int]
"""Function that runs a network once and returns the number of images."""


class PublishedHead(nn.Module):
    """An ODM head as published: two deformable convolutions for each anchor shape, for offsets and for classes."""

    def __init__(self, ours: align_conv.AlignConv) -> None:
        super().__init__()
        self.ours = ours

    def forward(self, features: Tensor, arm_deltas: Tensor) -> Tensor:
        """Map features (B, C, H, W) and ARM offsets (B, A, 4, H, W) to predictions (B, A, O, H, W) like AlignConv."""
        weight = self.ours.weight.reshape(*self.ours.bias.shape, *self.ours.weight.shape[1:])
        points = align_conv.alignment_points(arm_deltas.detach().float(), self.ours.get_buffer("shapes"))
        parts = (weight[:, :_OFFSETS], weight[:, _OFFSETS:])
        out = torch.cat([align_conv.align_conv_torchvision(features, points, part) for part in parts], dim=2)
        return out + self.ours.bias[None, :, :, None, None]


def published_design(ours: RefineDet) -> RefineDet:
    """A network with the weights of `ours` and the heads as published."""
    network = RefineDet(ours.config)
    network.load_state_dict(ours.state_dict())
    network.odm = nn.ModuleList([PublishedHead(head) for head in network.odm])  # type: ignore[arg-type]  # AlignConv
    return network


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--family", action="store_true", help="the table of all variants")
    parser.add_argument("--only", nargs="+", choices=VARIANTS, metavar="NAME", help="--family: these variants")
    parser.add_argument("--no-time", action="store_true", help="--family: parameters and GMACs alone")
    parser.add_argument("--image-px", type=int, help="side of the square image; default: each network's own input")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32", help="torch alone; bf16: autocast")
    parser.add_argument("--exported", action=argparse.BooleanOptionalAction, default=True, help="OpenVINO as well")
    parser.add_argument("--int8", action="store_true", help="OpenVINO in 8 bits as well, ranges from noise: time alone")
    parser.add_argument("--chips", type=int, default=8, help="number of chips of one call of OpenVINO")
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    keep_freed_memory()
    torch.manual_seed(0)
    if arguments.family:
        print_family(arguments)
    else:
        print_comparison(arguments)
    if arguments.no_time:
        return
    print(
        f"\n{arguments.device}, {arguments.precision}, {torch.get_num_threads()} threads, torch {torch.__version__}, "
        f"channels_last, batch 1 in torch, median of {arguments.repeats}"
    )


def print_family(arguments: argparse.Namespace) -> None:
    """Print one Markdown row for each variant."""
    print("| variant | backbone | input, px | strides | parameters, M | GMACs | time per image, s |")
    print("|---|---|---|---|---|---|---|")
    for name in arguments.only or VARIANTS:
        config = offline(VARIANTS[name])
        side = arguments.image_px or config.input_px
        parameters, macs = size_of(config, side)
        seconds = ""
        if not arguments.no_time:
            seconds = f"{in_turns({name: in_torch(RefineDet(config), side, arguments)}, arguments)[name]:.3f}"
        strides = f"{config.strides[0]} to {config.strides[-1]}"
        row = (name, config.backbone, side, strides, f"{parameters / 1e6:.1f}", f"{macs / 1e9:.1f}", seconds)
        print(f"| {' | '.join(map(str, row))} |", flush=True)


def print_comparison(arguments: argparse.Namespace) -> None:
    """Compare the published design, ours on the same backbone, and ours as it ships."""
    vgg = RefineDet(offline(VARIANTS["refinedetpp512_vgg16_bn"])).eval()
    lite0 = RefineDet(offline(VARIANTS["refinedetpp512_lite0"]))
    published = published_design(vgg).eval()
    side = arguments.image_px or vgg.config.input_px
    image = torch.rand(1, 3, side, side) * 255
    with (
        torch.inference_mode(),
        mock.patch.object(align_conv, "deform_conv2d", wraps=align_conv.deform_conv2d) as operator,
    ):
        theirs, same = published(image), vgg(image)
    assert operator.call_count == DEFORMABLE_CONVOLUTIONS, operator.call_count
    pairs = ((theirs.odm_logits, same.odm_logits), (theirs.odm_deltas, same.odm_deltas))
    difference = max(float((a - b).abs().max()) for a, b in pairs)
    networks = {"published design": published, "ours, VGG16-BN": vgg, "ours, EfficientNet-Lite0": lite0}
    torches = {f"{name}, torch": in_torch(network, side, arguments) for name, network in networks.items()}
    with tempfile.TemporaryDirectory() as folder:
        exports, reasons = exported(dict(list(networks.items())[1:]), side, arguments, Path(folder))
        seconds = in_turns(torches | exports, arguments)
    base = next(iter(seconds.values()))
    print(f"| network | {side} px: time per image, s | times faster than the published design |\n|---|---|---|")
    for name, value in seconds.items():
        print(f"| {name} | {value:.4f} | {base / value:.1f} |")
    for reason in reasons:
        print(f"\n{reason}")
    print(f"\nThe published design ran {operator.call_count} deformable convolutions; ", end="")
    print(f"its outputs and those of ours on VGG16-BN differ by {difference:.1e} at most.")


def offline(config: ModelConfig) -> ModelConfig:
    """Configuration without ImageNet weights, which change no time."""
    return replace(config, backbone_weights="none")


def size_of(config: ModelConfig, side: int) -> tuple[int, int]:
    """Parameters, and multiply-accumulates of one image; nothing is computed or allocated."""
    with FakeTensorMode(), torch.no_grad():
        model = RefineDet(config).eval()
        with FlopCounterMode(display=False) as counter:
            model(torch.zeros(1, 3, side, side))
    return sum(p.numel() for p in model.parameters()), counter.get_total_flops() // 2


def in_torch(model: RefineDet, side: int, arguments: argparse.Namespace) -> Way:
    """Function that runs one forward pass of one image."""
    ready = fuse_conv_bn(model).to(arguments.device).to(memory_format=torch.channels_last)
    image = (torch.rand(1, 3, side, side) * 255).to(arguments.device)

    def look() -> int:
        with torch.inference_mode(), _precision(arguments):
            ready(image)
        return 1

    return look


def exported(
    networks: dict[str, RefineDet], side: int, arguments: argparse.Namespace, folder: Path
) -> tuple[dict[str, Way], list[str]]:
    """Each network in OpenVINO, in each precision that this machine has; and why others are left out."""
    from refinedet.model.checkpoint import Header, save_checkpoint
    from refinedet.runtimes.export import export

    if not arguments.exported:
        return {}, []
    ways: dict[str, Way] = {}
    reasons: dict[str, None] = {}
    canvases = np.random.default_rng(0).integers(0, 256, (arguments.chips, 3, side, side), np.uint8)
    try:
        for number, (name, network) in enumerate(networks.items()):
            checkpoint = folder / f"{number}.safetensors"
            save_checkpoint(checkpoint, network.state_dict(), Header(network.config, ("ship",), Radiometry(), {}))
            path = export(checkpoint, folder / f"{number}.xml", "openvino")
            for precision in get_args(GraphPrecision):
                try:
                    graph = open_graph(path, precision=precision)
                except InputError as error:
                    reasons[f"OpenVINO {precision} is left out: {error}."] = None
                    continue
                ways[f"{name}, OpenVINO {precision}"] = partial(_looked, graph, canvases)
            if arguments.int8:
                try:
                    ways[f"{name}, OpenVINO int8"] = partial(_looked, open_graph(in_8_bits(path, canvases)), canvases)
                except MissingExtra as error:
                    reasons[f"OpenVINO int8 is left out: {error}."] = None
    except MissingExtra as error:
        return {}, [f"OpenVINO is left out: {error}."]
    return ways, list(reasons)


def in_8_bits(path: Path, canvases: NDArray[np.uint8]) -> Path:
    """Quantize an exported file to 8 bits with ranges of these canvases: its time is that of any 8-bit file."""
    from refinedet.runtimes import int8
    from refinedet.runtimes.graphs import openvino

    made = path.with_stem(f"{path.stem}_int8")
    ranges = [partial(canvases.__getitem__, slice(i, i + 1)) for i in range(min(2, len(canvases)))]
    openvino().save_model(int8.in_8_bits(path, ranges), made, compress_to_fp16=False)
    return made


def _looked(graph: Graph, canvases: NDArray[np.uint8]) -> int:
    return len(graph.run(canvases)[1])


def in_turns(ways: dict[str, Way], arguments: argparse.Namespace) -> dict[str, float]:
    """Median seconds of an image of each way, in alternating rounds after one that warms up."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(arguments.repeats + 1):
        for name, look in ways.items():
            start = _now(arguments.device)
            images = look()
            if turn:
                times[name].append((_now(arguments.device) - start) / images)
    return {name: statistics.median(row) for name, row in times.items()}


def _precision(arguments: argparse.Namespace) -> AbstractContextManager[object]:
    return torch.autocast(arguments.device.split(":")[0], dtype=torch.bfloat16, enabled=arguments.precision == "bf16")


def _now(device: str) -> float:
    if device.startswith("cuda"):
        torch.cuda.synchronize()
    return time.perf_counter()


if __name__ == "__main__":
    main()
