"""Length, width and axis of real ships against AIS: four Sentinel-1 products of OpenSARShip.

    python benchmarks/accuracy/real_sizes.py --detected

It takes about two minutes on one core. The patches of a product are laid into one scene, each in sea that continues its
own corners, and go through `detect_scene`. Boxes are the bounds of the marked ship, enlarged by a pixel and a half like
the boxes of a detector; with --detected also the boxes that the weights of the package find. The truth:

- length and width: from AIS, or from the ship register if AIS has none.
- axis: from the marked stern to the marked bow. Marks are whole pixels, so the axis of a ship of 60 m is accurate to
about ten degrees.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from known_boxes import KnownBoxes
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from refinedet.boxes import Boxes, as_boxes, iou
from refinedet.config import TileConfig
from refinedet.predictors.predictor import Predictor, TorchPredictor
from refinedet.raster import write_scene
from refinedet.scene.detect import detect_scene
from refinedet.weights import shipped_weights

CELL_PX, CELLS_X = 224, 8
GROW_PX = 1.5
GRD_M = (10.0, 10.0)
SLC_RANGE_M, SLC_AZIMUTH_M = 2.3296, 13.95
IOU_MIN = 0.2
CLASSES_M = ((0, 60), (60, 100), (0, 100), (100, 150), (150, 500))

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ships:
    """Marked ships of one product, laid into one scene."""

    pixels: NDArray[np.uint16]
    pixel_m: tuple[float, float]
    boxes_xyxy: Boxes
    length_m: Values
    width_m: Values
    axis_deg: Values
    """Axis clockwise from the top of the scene, in [0, 180), on the ground."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Measures (N,) of N ships beside the truth."""

    length_m: Values
    low_m: Values
    high_m: Values
    width_m: Values
    axis_deg: Values
    true_length_m: Values
    true_width_m: Values
    true_axis_deg: Values


def main() -> None:
    """Lay out, measure, compare and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="the data set: NAME.json beside NAME.npz for each product")
    parser.add_argument("--detected", action="store_true", help="measure on the boxes of a network as well")
    parser.add_argument("--weights", type=Path, help="weights of that network; default: those of the package")
    arguments = parser.parse_args()
    network = TorchPredictor.load(arguments.weights or shipped_weights()) if arguments.detected else None
    print(f"{'':<34}{'n':>4} {'length':>7}  {'ratio below 60, 60-100, below 100, 100-150, longer':<51}", end="")
    print(f"{'in interval':>11}  {'width':<13} {'axis told, <= 10 deg'}")
    for path in sorted(arguments.folder.glob("*.json")):
        for polarisation in ("vv", "vh"):
            ships = laid_out(path, polarisation)
            if ships is None:
                continue
            name = f"{path.stem[4:8]}{path.stem[17:25]} {polarisation}"
            with tempfile.TemporaryDirectory() as folder:
                report(f"{name}, true boxes", measured(ships, Path(folder) / "scene.tif"))
                if network is not None:
                    report(f"{name}, detected", measured(ships, Path(folder) / "scene.tif", network))


def laid_out(path: Path, polarisation: str) -> Ships | None:
    """Lay the ships of a product into one scene; None if it lacks the polarisation."""
    marks, patches = json.loads(path.read_text())["ships"], np.load(path.with_suffix(".npz"))
    slc = "_SLC_" in path.stem
    if slc and polarisation == "vh":
        return None
    incidence = float(np.median([mark["incidence_deg"] for mark in marks]))
    pixel = (SLC_RANGE_M / float(np.sin(np.radians(incidence))), SLC_AZIMUTH_M) if slc else GRD_M
    scene = np.zeros((-(-len(marks) // CELLS_X) * CELL_PX, CELLS_X * CELL_PX), np.uint16)
    boxes, sizes, axes = [], [], []
    for i, mark in enumerate(marks):
        bands = patches[mark["patch"]].astype(np.float64)
        amplitude = np.hypot(*bands) if slc else bands[mark["bands"].index(polarisation)]
        height, width = amplitude.shape
        ends = np.array([mark["head_px"], mark["tail_px"]]) - mark["centre_px"] + np.array([width, height]) / 2
        length, beam = (_size(mark, key) for key in ("length_m", "width_m"))
        axis = (ends[0] - ends[1]) * pixel
        side = np.array([-axis[1], axis[0]]) / np.hypot(*axis) * (beam if np.isfinite(beam) else 15.0) / 2 / pixel
        hull = np.concatenate([ends + side, ends - side])
        box = np.concatenate([hull.min(axis=0) - GROW_PX, hull.max(axis=0) + GROW_PX])
        corner = np.array([i % CELLS_X, i // CELLS_X]) * CELL_PX
        x, y = corner
        inset = (CELL_PX - np.array([width, height])) // 2
        scene[y : y + CELL_PX, x : x + CELL_PX] = np.rint(continued(amplitude, box, inset))
        boxes.append(box + np.tile(corner + inset, 2))
        sizes.append((length, beam))
        axes.append(np.degrees(np.arctan2(axis[0], -axis[1])) % 180)
    lengths, widths = np.array(sizes, np.float64).T
    return Ships(np.maximum(scene, 1), pixel, as_boxes(boxes), lengths, widths, np.array(axes))


def continued(amplitude: Values, box: Values, inset: NDArray[np.intp]) -> Values:
    """Cell with a patch in its middle, in sea made of the patch's darkest corner, mirrored again and again."""
    height, width = amplitude.shape
    side = int(max(4, min(box[0], box[1], width - box[2], height - box[3]) - 3))
    ends = (slice(side), slice(-side, None))
    corners = [amplitude[rows, columns] for rows in ends for columns in ends]
    dark = min(corners, key=lambda corner: float(np.mean(corner**2)))
    mirrored = np.block([[dark, dark[:, ::-1]], [dark[::-1], dark[::-1, ::-1]]])
    times = -(-CELL_PX // mirrored.shape[0])
    cell = np.tile(mirrored, (times, times))[:CELL_PX, :CELL_PX]
    cell[inset[1] : inset[1] + height, inset[0] : inset[0] + width] = amplitude
    return np.asarray(cell)


def measured(ships: Ships, path: Path, network: Predictor | None = None) -> Measured:
    """Measure the ships of a scene, written to `path`, on the boxes of `network` or on the true ones."""
    wide, high = ships.pixel_m
    write_scene(path, ships.pixels, crs="EPSG:32633", transform=(wide, 0.0, 5e5, 0.0, -high, 1e4))
    tile = None if network else TileConfig(tile_px=max(ships.pixels.shape))
    result = detect_scene(path, network or KnownBoxes(ships.boxes_xyxy), tile=tile)
    overlap = iou(result.detections.boxes_xyxy, ships.boxes_xyxy)
    rows, columns = linear_sum_assignment(-overlap)
    paired = (overlap[rows, columns] >= IOU_MIN) & np.isfinite(ships.length_m[columns])
    found, true, places = rows[paired], columns[paired], result.places
    print(f"  resolution {result.read_as.get('resolution_px')}")
    return Measured(
        *(
            getattr(places, name)[found]
            for name in ("length_m", "length_m_low", "length_m_high", "width_m", "heading_deg")
        ),
        ships.length_m[true],
        ships.width_m[true],
        ships.axis_deg[true],
    )


def report(name: str, m: Measured) -> None:
    """Print one row: errors of length, width and axis."""
    ratio = m.length_m / m.true_length_m
    classes = [ratio[(m.true_length_m >= low) & (m.true_length_m < high)] for low, high in CLASSES_M]
    told = np.isfinite(ratio)
    within = (m.low_m <= m.true_length_m) & (m.true_length_m <= m.high_m)
    turned = np.abs(m.axis_deg - m.true_axis_deg) % 180
    known = np.isfinite(turned)
    near = np.minimum(turned, 180 - turned)[known] <= 10
    ratios = " ".join(f"{_median(part):5.2f} ({len(part):2})" for part in classes)
    width = f"{_median(m.width_m / m.true_width_m):.2f} {np.nanmean(np.abs(m.width_m - m.true_width_m)):5.1f} m"
    print(
        f"{name:<34}{told.sum():>4} {100 * _median(np.abs(ratio - 1)):5.1f} %  {ratios:<51} "
        f"{within[told].mean():>9.0%}  {width}  {known.mean():>5.0%} {near.mean():>6.0%}"
    )


def _size(mark: dict[str, Any], key: str) -> float:
    """Length or width in metres from AIS, else from the register; NaN without both."""
    return float(mark["ais"][key] or (mark.get("register") or {}).get(key) or "nan")


def _median(values: Values) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else float("nan")


if __name__ == "__main__":
    main()
