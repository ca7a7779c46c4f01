"""Turn a trained checkpoint into the files of the package: `python -m pipeline.package_weights CHECKPOINT`.

Convolutions are stored as float16, which halves the file; norms and biases stay as they are. The graph beside it takes
its weights from that file, and detects without torch. A second graph in 8 bits is made if chips to calibrate on are
given. To measure the loss of accuracy, evaluate the shipped file like any other.
"""

from __future__ import annotations

import argparse
import logging
from dataclasses import replace
from pathlib import Path

from safetensors.torch import load_file

from pipeline.stage import run_stage
from refinedet.config import PixelSizes
from refinedet.data.simulation.chips import simulated_chips
from refinedet.errors import InputError
from refinedet.exporting import export_in_8_bits
from refinedet.files import sha256_file
from refinedet.model.checkpoint import read_header, save_checkpoint
from refinedet.predictors.predictor import TorchPredictor
from refinedet.runtimes.beside import export_beside
from refinedet.runtimes.exported import weights_of
from refinedet.runtimes.graphs import open_graph
from refinedet.runtimes.int8 import Limits
from refinedet.runtimes.parity import parity
from refinedet.runtimes.predictor import ExportedPredictor

_LOG = logging.getLogger(__name__)
_LARGEST_MB = 10.0
_LARGEST_TOGETHER_MB = 25.0
_PARITY_PX, _PARITY_SCORE = 0.01, 1e-4
"""Largest distances of boxes and scores of the float graph from torch."""
_LIMITS = Limits(ap=0.3, recall=0.005, moved_px=0.5)
"""Largest loss on val by 8 bits."""


def ship(checkpoint: Path, target: Path, gsd_m: PixelSizes | None = None) -> None:
    """Write `checkpoint` with float16 convolutions to `target`, and the pixel sizes that it knows (None: as it says).

    Raises:
        FileError, InputError: as `read_header`; or the result would be larger than 10 MB.
    """
    header, weights = read_header(checkpoint), load_file(checkpoint)
    halved = {name: tensor.half() if tensor.ndim > 1 else tensor for name, tensor in weights.items()}
    size = sum(tensor.nbytes for tensor in halved.values()) / 1e6
    if size > _LARGEST_MB:
        raise InputError(f"expected at most {_LARGEST_MB:.0f} MB of weights to ship, found {size:.1f} in {checkpoint}")
    provenance = header.provenance | {"float32_sha256": sha256_file(checkpoint)}
    trained_on = header.trained_on if gsd_m is None else replace(header.trained_on, gsd_m=gsd_m)
    save_checkpoint(target, halved, replace(header, provenance=provenance, trained_on=trained_on))
    _LOG.info("%s: %.1f MB, SHA-256 %s", target, target.stat().st_size / 1e6, sha256_file(target))


def ship_graphs(target: Path, calibration: Path | None = None) -> list[Path]:
    """Write the graphs of a shipped checkpoint beside it; a graph in 8 bits of an earlier checkpoint is removed.

    Args:
        target: the checkpoint.
        calibration: folder of train.json, val.json and their chips, for the graph in 8 bits; None: there is none.

    Returns:
        Paths of the files.

    Raises:
        FileError, InputError: as `export_beside` and `export_in_8_bits`; or the graph does not compute what torch
            does, or the files are larger than 25 MB together.
    """
    small = target.with_name(f"{target.stem}_int8.xml")
    for old in (small, weights_of(small)):
        old.unlink(missing_ok=True)
    graph = export_beside(target)
    found = parity(
        TorchPredictor.load(target, device="cpu"),
        ExportedPredictor(open_graph(graph, runtime="openvino")),
        simulated_chips(),
    )
    if found["px_max"] > _PARITY_PX or found["score_max"] > _PARITY_SCORE:
        graph.unlink()
        raise InputError(f"expected the graph {graph} to compute what torch does, found differences: {found}")
    _LOG.info("%s: %.3g pixels and %.2g of score from torch", graph, found["px_max"], found["score_max"])
    files = [target, graph]
    if calibration is not None:
        told = export_in_8_bits(target, small, calibration, _LIMITS)
        _LOG.info("%s: %s", small, told)
        files += [small, weights_of(small)]
    together = sum(path.stat().st_size for path in files) / 1e6
    if together > _LARGEST_TOGETHER_MB:
        raise InputError(f"expected at most {_LARGEST_TOGETHER_MB:.0f} MB of files to ship, found {together:.1f}")
    _LOG.info("%d files: %.1f MB", len(files), together)
    return files


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--out", type=Path, default=Path("refinedet/weights/refinedet_lite0_512.safetensors"))
    parser.add_argument("--gsd-m", type=float, nargs=3, metavar=("LEAST", "MOST", "BEST"), help="pixel sizes it knows")
    parser.add_argument("--calibration", type=Path, help="chips of stage tile; with them, a graph in 8 bits is made")
    parser.add_argument("--graphs-only", action="store_true", help="take a checkpoint that is shipped already")
    arguments = parser.parse_args()
    target = arguments.checkpoint if arguments.graphs_only else arguments.out
    if not arguments.graphs_only:
        ship(arguments.checkpoint, target, PixelSizes(*arguments.gsd_m) if arguments.gsd_m else None)
    ship_graphs(target, arguments.calibration)


if __name__ == "__main__":
    run_stage(main)
