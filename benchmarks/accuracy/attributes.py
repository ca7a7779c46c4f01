"""Errors of the attributes of ships: length, heading and contrast against the truth of simulated scenes.

    python benchmarks/accuracy/attributes.py --detected

It takes about a minute on two cores. It measures ships of at least 8 pixels through `detect_scene`. The seeds of these
scenes were not used in development. Boxes are the true ones; with --detected also those that the weights of the
package find. The truth:

- length: from bow to stern of the simulated hull, in metres. The error is |measured - true| / true.
- heading: the axis of the hull from true north; bow and stern look alike, so errors are modulo 180 degrees.
- contrast: mean power at the ship's brightest point over the mean power of the water at its centre, free of speckle.
  The simulator states S/C, the ship's own signal over the water. An image shows ship and water, (S + C) / C, so the
  truth is 10 log10(1 + S/C). The table also has the errors against S/C itself.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from known_boxes import KnownBoxes
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from refinedet.boxes import as_boxes, iou
from refinedet.config import TileConfig
from refinedet.data.simulation.scene import write_simulated
from refinedet.data.simulation.spec import SceneSpec
from refinedet.files import read_json
from refinedet.geo.position import azimuths_deg, locate
from refinedet.predictors.predictor import Predictor, TorchPredictor
from refinedet.scene.detect import detect_scene
from refinedet.scene.result import SceneResult
from refinedet.weights import shipped_weights

SEEDS = (8101, 8102, 8103, 8104, 8105, 8106, 8107, 8108)
SIDE_PX, SHIPS = 1500, 60
SHORTEST_PX = 8.0
IOU_MIN = 0.3
"""A detection matches a ship from this IoU of their boxes on."""
LENGTH_MAX, HEADING_SHARE, HEADING_DEG, CONTRAST_MAX_DB = 0.15, 0.8, 10.0, 2.0
"""Goals: median length error, share of known headings within HEADING_DEG degrees, median contrast error in dB."""

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Errors:
    """Errors (N,) of N ships, with their size, peak and looks; NaN: the attribute is unknown."""

    length_px: Values
    peak_db: Values
    """Peak of the ship's signal over the water, S/C."""
    looks: Values
    length: Values
    """Relative error of the length, signed."""
    width: Values
    heading_deg: Values
    """Error of the heading, in [0, 90]."""
    contrast_db: Values
    """Error of the contrast against (S + C) / C, signed."""
    contrast_signal_db: Values
    """Error of the contrast against S/C, signed."""


def main() -> None:
    """Simulate, measure, compare and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="*", default=list(SEEDS))
    parser.add_argument("--detected", action="store_true", help="measure on the boxes of a network as well")
    parser.add_argument("--weights", type=Path, help="weights of that network; default: those of the package")
    arguments = parser.parse_args()
    network = TorchPredictor.load(arguments.weights or shipped_weights()) if arguments.detected else None
    with tempfile.TemporaryDirectory() as folder:
        scenes = [(Path(folder) / f"seed_{seed}.tif", seed) for seed in arguments.seeds]
        for path, seed in scenes:
            write_simulated(SceneSpec(width_px=SIDE_PX, height_px=SIDE_PX, ships=SHIPS, seed=seed), path)
        print(f"{len(scenes)} scenes of {SIDE_PX} x {SIDE_PX} px, seeds {', '.join(map(str, arguments.seeds))}")
        report("true boxes", pooled([scene_errors(path) for path, _ in scenes]))
        if network is not None:
            report("detected boxes", pooled([scene_errors(path, network) for path, _ in scenes]))


def scene_errors(path: Path, network: Predictor | None = None) -> Errors:
    """Errors of the ships of one scene, on the boxes of `network` or on the true ones."""
    truth = read_json(path.with_name(f"{path.stem}.truth.geojson"))
    ships = [ship["properties"] for ship in truth["features"] if _length_px(ship, truth) >= SHORTEST_PX]
    boxes = as_boxes([ship["bbox_px"] for ship in ships])
    predictor = network or KnownBoxes(boxes)
    tile = None if network else TileConfig(tile_px=SIDE_PX)
    result = detect_scene(path, predictor, tile=tile)
    overlap = iou(result.detections.boxes_xyxy, boxes)
    rows, columns = linear_sum_assignment(-overlap)
    paired = overlap[rows, columns] >= IOU_MIN
    return errors(result, rows[paired], [ships[i] for i in columns[paired]], truth["simulated"])


def errors(result: SceneResult, found: NDArray[np.intp], ships: list[dict[str, Any]], simulated: Any) -> Errors:
    """Errors of the detections with indices `found` (N,); detection i matches `ships[i]`."""
    length, width, heading, peak = (
        np.array([ship[name] for ship in ships], np.float64)
        for name in ("length_m", "width_m", "heading_deg", "peak_to_clutter_db")
    )
    places = result.places
    axis = (heading + _up_deg(result, found) - places.heading_deg[found]) % 180
    contrast = places.contrast_db[found]
    return Errors(
        length_px=length / simulated["spec"]["pixel_m"],
        peak_db=peak,
        looks=np.full(len(ships), float(simulated["conditions"]["looks"])),
        length=places.length_m[found] / length - 1,
        width=places.width_m[found] / width - 1,
        heading_deg=np.minimum(axis, 180 - axis),
        contrast_db=contrast - 10 * np.log10(1 + 10 ** (peak / 10)),
        contrast_signal_db=contrast - peak,
    )


def pooled(parts: list[Errors]) -> Errors:
    """Errors of all scenes, concatenated."""
    return Errors(*(np.concatenate([getattr(part, name) for part in parts]) for name in Errors.__slots__))


def report(title: str, all_ships: Errors) -> None:
    """Print a table of all ships and of the harder ones among them, and whether each goal is reached."""
    print(f"\n{title}: |error| at the median / 90th percentile, (bias at the median)")
    print(
        f"{'':<18}{'ships':>6}  {'length %':<22}{'width %':<22}{'told':>5} {'<= 10 deg':>10}  "
        f"{'contrast dB':<21}dB against S/C"
    )
    rows = {
        "all": np.ones(len(all_ships.length), np.bool_),
        "8 to 16 px": all_ships.length_px < 16,
        "longer": all_ships.length_px >= 16,
        "below 10 dB": all_ships.peak_db < 10,
        "one look": all_ships.looks == 1,
    }
    for name, mask in rows.items():
        if mask.any():
            _print_row(name, Errors(*(getattr(all_ships, field)[mask] for field in Errors.__slots__)))
    reached = {
        f"median length error <= {LENGTH_MAX:.0%}": _median(all_ships.length) <= LENGTH_MAX,
        f"told headings within {HEADING_DEG:.0f} degrees >= {HEADING_SHARE:.0%}": _near(all_ships) >= HEADING_SHARE,
        f"median contrast error <= {CONTRAST_MAX_DB:.0f} dB": _median(all_ships.contrast_db) <= CONTRAST_MAX_DB,
    }
    print("; ".join(f"{what}: {'reached' if yes else 'MISSED'}" for what, yes in reached.items()))


def _print_row(name: str, part: Errors) -> None:
    told = np.isfinite(part.heading_deg).mean()
    cells = (_cell(100 * part.length), _cell(100 * part.width), _cell(part.contrast_db), _cell(part.contrast_signal_db))
    print(
        f"{name:<18}{len(part.length):>6}  {cells[0]:<22}{cells[1]:<22}{told:>5.0%} {_near(part):>10.1%}  "
        f"{cells[2]:<21}{cells[3]}"
    )


def _cell(signed: Values) -> str:
    known = signed[np.isfinite(signed)]
    if not len(known):
        return "-"
    middle, most = np.percentile(np.abs(known), (50, 90))
    return f"{middle:.2f} / {most:.2f} ({np.median(known):+.2f})"


def _median(signed: Values) -> float:
    return float(np.nanmedian(np.abs(signed)))


def _near(part: Errors) -> float:
    known = part.heading_deg[np.isfinite(part.heading_deg)]
    return float((known <= HEADING_DEG).mean()) if len(known) else 0.0


def _up_deg(result: SceneResult, found: NDArray[np.intp]) -> Values:
    """Azimuth (N,) of the upward direction of the picture at each detection, in degrees clockwise from true north."""
    position = locate(result.info)
    assert position is not None
    boxes = result.detections.boxes_xyxy[found].astype(np.float64)
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    return azimuths_deg(position.lonlat(centres), position.lonlat(centres - (0, 1)))


def _length_px(ship: dict[str, Any], truth: dict[str, Any]) -> float:
    return float(ship["properties"]["length_m"] / truth["simulated"]["spec"]["pixel_m"])


if __name__ == "__main__":
    main()
