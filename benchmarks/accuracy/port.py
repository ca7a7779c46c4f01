"""Ships of a real port, found in several pixel sizes, kinds of values, bit depths, and with or without its nodata.

    python benchmarks/accuracy/port.py --data ../shared/data

The port is a GeoTIFF of Sentinel-1 in dB with pixels of 30 m (real/port_la). 35 plain ships and 3 oil islands are
marked by eye; harbour and land are not. A mark counts as found if a box contains it, or has its centre within 4
pixels of 30 m. Detections without a flag, other than ships and islands, are listed with their kind; in the harbour it
is unknown whether they are ships.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.transform import Affine
from scipy import ndimage

import refinedet

_REACH_PX = 4.0
"""Largest distance of a mark from the centre of its box, in pixels of 30 m."""


@dataclass(frozen=True, slots=True)
class Port:
    """Content of the file of the port."""

    decibel: NDArray[np.float64]
    measured: NDArray[np.bool_]
    transform: Affine
    crs: Any
    ships: NDArray[np.float64]
    islands: NDArray[np.float64]

    @property
    def power(self) -> NDArray[np.float64]:
        """Power, NaN where nothing was measured."""
        return np.where(self.measured, 10 ** (self.decibel / 10), np.nan)


def read_port(folder: Path) -> Port:
    """Read the scene and its marks."""
    with rasterio.open(folder / "2021-01-05.tif") as file:
        decibel, transform, crs = file.read(1), file.transform, file.crs
        measured = decibel != file.nodata
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    marks = (np.array(truth[name], np.float64).reshape(-1, 2) for name in ("ships", "islands"))
    return Port(decibel, measured, transform, crs, *marks)


def cases(port: Port) -> Iterator[tuple[str, NDArray[Any], float, dict[str, Any]]]:
    """Name, pixels, pixel size over 30 m, and further entries of the file."""
    filled = np.where(port.measured, port.decibel, 0)
    amplitude = np.sqrt(np.nan_to_num(port.power)).astype(np.float32)
    yield "30 m, dB as given, nodata 0 declared", filled, 1, {"nodata": 0}
    yield "30 m, dB, nothing declared", filled, 1, {}
    yield "30 m, power, nodata 0 declared", np.nan_to_num(port.power).astype(np.float32), 1, {"nodata": 0}
    yield "30 m, power, nothing declared", np.nan_to_num(port.power).astype(np.float32), 1, {}
    yield "30 m, amplitude, nodata 0 declared", amplitude, 1, {"nodata": 0}
    yield "30 m, amplitude, nothing declared", amplitude, 1, {}
    yield "30 m, dB in hundredths, int16", np.rint(100 * filled).astype(np.int16), 1, {}
    low, high = np.percentile(port.decibel[port.measured], (2, 98))
    for name, bottom, top in (("-25 to 5", -25, 5), ("-35 to 10", -35, 10), ("from 2 to 98 %", low, high)):
        grey = np.rint(255 * (np.clip(filled, bottom, top) - bottom) / (top - bottom)).astype(np.uint8)
        yield f"30 m, 8 bits, dB {name}", np.where(port.measured, grey, 0).astype(np.uint8), 1, {}
    for metres in (15, 20, 40, 60):
        power = resampled(port.power, 30 / metres)
        yield f"{metres} m, dB", (10 * np.log10(power)).astype(np.float32), metres / 30, {"nodata": np.nan}


def resampled(power: NDArray[np.float64], factor: float) -> NDArray[np.float64]:
    """Power in `factor` times as many pixels along each side: means over a pixel, linear between pixels."""
    known = np.isfinite(power)
    blur = 0.0 if factor >= 1 else 0.5 / factor
    sums = [ndimage.gaussian_filter(np.where(known, part, 0), blur) for part in (power, known.astype(np.float64))]
    smooth = sums[0] / np.maximum(sums[1], 1e-9)
    shape = [round(side * factor) for side in power.shape]
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    places = [(grid + 0.5) / factor - 0.5 for grid in (rows, columns)]
    values = ndimage.map_coordinates(smooth, places, order=1, mode="nearest")
    inside = ndimage.map_coordinates(known.astype(np.float64), places, order=1, mode="nearest") > 0.5
    return np.where(inside, np.maximum(values, 1e-9), np.nan)


def run(port: Port, name: str, pixels: NDArray[Any], size: float, more: dict[str, Any], detector: Any) -> str:
    """Row of a case."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "port.tif"
        height, width = pixels.shape
        transform = port.transform * Affine.scale(port.decibel.shape[1] / width, port.decibel.shape[0] / height)
        profile = {"driver": "GTiff", "count": 1, "height": height, "width": width, "dtype": pixels.dtype.name}
        with rasterio.open(path, "w", crs=port.crs, transform=transform, **profile, **more) as file:
            file.write(pixels, 1)
        result = refinedet.find_ships(path, Path(folder) / "ships", detector=detector).result
    boxes = result.detections.boxes_xyxy.astype(np.float64) * size
    plain = np.array([not names for names in result.flags], np.bool_)
    ships, islands = (found(boxes, marks) for marks in (port.ships, port.islands))
    marked = ships.any(axis=1) | islands.any(axis=1)
    unflagged = f"{int((islands.any(axis=1) & plain).sum())}"
    cells = (name, f"{ships.any(axis=0).sum()}", f"{islands.any(axis=0).sum()}", unflagged)
    rest = (str(int((~marked & plain).sum())), str(int((ships.any(axis=1) & ~plain).sum())), str(len(boxes)))
    told = "; ".join(note for note in result.notes if "values" in note or "bits" in note or "no data" in note)
    return " | ".join((*cells, *rest, told))


def found(boxes: NDArray[np.float64], marks: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(N, M) true where a box belongs to a mark."""
    inside = (boxes[:, None, :2] <= marks).all(axis=2) & (marks <= boxes[:, None, 2:]).all(axis=2)
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    near = np.linalg.norm(centres[:, None] - marks, axis=2) <= _REACH_PX
    return np.asarray(inside | near, np.bool_)


def main() -> int:
    """Print a row for each case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the data, with real/port_la")
    port = read_port(parser.parse_args().data / "real" / "port_la")
    head = (
        "case",
        "ships of 35",
        "islands of 3",
        "islands without a flag",
        "others without a flag",
        "ships with a flag",
    )
    print(" | ".join((*head, "detections", "told")))
    with refinedet.Detector.load() as detector:
        for name, pixels, size, more in cases(port):
            print(run(port, name, pixels, size, more, detector), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
