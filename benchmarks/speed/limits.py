"""Limits that no detector can beat on this machine: reading a scene, one pass of the stretch, multiplications.

    python benchmarks/speed/limits.py scene.tif

Files are read once before anything is measured, so that they come from memory. Figures are medians of `--repeats`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from measuring import median, print_table
from numpy.typing import NDArray

_BAND_ROWS, _BLOCK_BYTES, _MATRIX = 512, 16 << 20, 2048


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a machine for one scene; times are in seconds."""

    bytes_s: float
    """Time to read all bytes of the file, without unpacking."""
    bands_s: float
    """Time to read all pixels, by rasterio in bands of whole rows."""
    stretch_s: float
    """Time to map each pixel through a table, 16 to 8 bits."""
    gflops: float
    """Multiplications and additions of a float32 matrix product, 10^9 in a second."""
    megapixels: float

    @property
    def read_and_stretch_s(self) -> float:
        """Least time before a network has seen the whole scene once."""
        return self.bands_s + self.stretch_s


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scene", type=Path, help="a GeoTIFF of uint16")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    print_limits(limits(arguments.scene, arguments.repeats))


def limits(scene: Path, repeats: int) -> Limits:
    """Measure the limits for a GeoTIFF whose first band is uint16."""
    import rasterio
    import torch

    read_bytes(scene)
    with rasterio.open(scene) as dataset:
        table = np.minimum(np.arange(1 << 16) >> 2, 255).astype(np.uint8)
        bands = [read_bands(dataset, table) for _ in range(repeats)]
        size = dataset.width * dataset.height
    a, b = torch.rand(2, _MATRIX, _MATRIX)
    torch.mm(a, b)
    return Limits(
        bytes_s=median(_timed(lambda: read_bytes(scene)) for _ in range(repeats)),
        bands_s=median(read for read, _ in bands),
        stretch_s=median(stretch for _, stretch in bands),
        gflops=2e-9 * _MATRIX**3 / median(_timed(lambda: torch.mm(a, b)) for _ in range(3 * repeats)),
        megapixels=size / 1e6,
    )


def print_limits(found: Limits) -> None:
    """Print the limits as a table."""
    rows = [
        ("the bytes of the file, read", found.bytes_s),
        ("its pixels, by rasterio in bands of whole rows", found.bands_s),
        ("one pass of the stretch over them, by a table", found.stretch_s),
    ]
    print_table(
        ("limit", "seconds", "megapixels a second"),
        [(name, f"{seconds:.3f}", f"{found.megapixels / seconds:.0f}") for name, seconds in rows],
    )
    print(f"\nfp32 matrix product of {_MATRIX} x {_MATRIX}: {found.gflops:.0f} GFLOP/s.")


def read_bytes(path: Path) -> None:
    """Read a file to its end, in blocks."""
    block = bytearray(_BLOCK_BYTES)
    with path.open("rb", buffering=0) as stream:
        while stream.readinto(block):
            pass


def read_bands(dataset: Any, table: NDArray[np.uint8]) -> tuple[float, float]:
    """Seconds of reading all rows, and of stretching them."""
    from rasterio.windows import Window

    read = stretch = 0.0
    out = np.empty((_BAND_ROWS, dataset.width), np.uint8)
    for row in range(0, dataset.height, _BAND_ROWS):
        began = time.perf_counter()
        pixels = dataset.read(1, window=Window(0, row, dataset.width, min(_BAND_ROWS, dataset.height - row)))
        middle = time.perf_counter()
        np.take(table, pixels, out=out[: len(pixels)], mode="clip")  # clip saves a second pass that checks
        read, stretch = read + middle - began, stretch + time.perf_counter() - middle
    return read, stretch


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
