"""Turn a trained checkpoint into the one that the package carries: `python -m pipeline.package_weights CHECKPOINT`.

Convolutions are stored as float16, which halves the file; norms and biases stay as they are. To measure the loss of
accuracy, evaluate the shipped file like any other.
"""

from __future__ import annotations

import argparse
import logging
from dataclasses import replace
from pathlib import Path

from safetensors.torch import load_file

from pipeline.stage import run_stage
from refinedet.config import PixelSizes
from refinedet.errors import InputError
from refinedet.files import sha256_file
from refinedet.model.checkpoint import read_header, save_checkpoint

_LOG = logging.getLogger(__name__)
_LARGEST_MB = 10.0


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


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--out", type=Path, default=Path("refinedet/weights/refinedet_lite0_512.safetensors"))
    parser.add_argument("--gsd-m", type=float, nargs=3, metavar=("LEAST", "MOST", "BEST"), help="pixel sizes it knows")
    arguments = parser.parse_args()
    ship(arguments.checkpoint, arguments.out, PixelSizes(*arguments.gsd_m) if arguments.gsd_m else None)


if __name__ == "__main__":
    run_stage(main)
