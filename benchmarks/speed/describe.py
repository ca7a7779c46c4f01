"""Time of describing the detections of one scene: size, heading, contrast and flags of each, in milliseconds.

    python benchmarks/speed/describe.py
    python benchmarks/speed/describe.py --detections 1000 --side-px 1832 --beside ../another-checkout

The scene is simulated. A detection lies on the brightest pixel of each cell of a regular grid, so most are noise, as
with a low score, and some are ships. Each round describes all of them in a process of its own, in turns with the other
checkout, if one is named. Both have to describe them alike: the checksum is of all flags and places, to a micrometre.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
import time
from dataclasses import fields
from pathlib import Path

import numpy as np
from measuring import ROOT, itself, median, print_table, run_watched

from refinedet.boxes import Boxes, as_boxes
from refinedet.config.options.detect import SceneSettings
from refinedet.config.options.land import LandSettings
from refinedet.data.simulation.scene import simulate
from refinedet.data.simulation.spec import SceneSpec
from refinedet.detections import Detections
from refinedet.geo.position import locate
from refinedet.raster import Reader, write_scene
from refinedet.scene.land.survey import survey
from refinedet.scene.ships.describe import SceneAsRead, describe_ships
from refinedet.scene.source import open_source
from refinedet.scene.windows.merge import Merged
from refinedet.tiling import Window

_DIGITS = 6
HALF_PX = 7.5
"""Half of the side of a detection."""


def main() -> None:
    """Simulate the scene, describe it in all rounds, and print a row for each checkout."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--detections", type=int, default=5000)
    parser.add_argument("--side-px", type=int, default=4096)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--land", action="store_true", help="look for land as well, as detect does unless told")
    parser.add_argument("--beside", type=Path, help="another checkout of the project")
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.work:
        print(json.dumps(describe(asked.work, asked.detections, land=asked.land)))
        return
    trees = [ROOT, *([asked.beside.resolve()] if asked.beside else [])]
    words = ["--land"] if asked.land else []
    told: list[list[dict[str, float | str]]] = [[] for _ in trees]
    with tempfile.TemporaryDirectory() as folder:
        scene = Path(folder) / "scene.tif"
        make_scene(scene, asked.side_px)
        for _ in range(asked.rounds):
            for tree, of_tree in zip(trees, told, strict=True):
                command = itself(__file__, "--work", scene, "--detections", asked.detections, *words)
                run = run_watched(["env", f"PYTHONPATH={tree}", *command])
                of_tree.extend([run.told] if run else [])
    head = ("checkout", "detections", "ms a detection", "ms of processor", "checksum")
    print_table(head, [row(tree.name, of_tree) for tree, of_tree in zip(trees, told, strict=True)])


def row(name: str, told: list[dict[str, float | str]]) -> list[str]:
    """Row of the table: medians over the rounds of one checkout."""
    wall, processor = (median(float(one[key]) for one in told) for key in ("wall_ms", "processor_ms"))
    return [name, str(told[0]["detections"]), f"{wall:.2f}", f"{processor:.2f}", str(told[0]["checksum"])]


def make_scene(path: Path, side_px: int) -> None:
    """Write a scene of that side with as many ships per pixel as the default one of `refinedet simulate`."""
    made = simulate(SceneSpec(width_px=side_px, height_px=side_px, ships=max(1, 60 * side_px**2 // 2048**2), seed=1))
    write_scene(path, made.pixels, crs="EPSG:32631", transform=(10.0, 0.0, 5e5, 0.0, -10.0, 6e6))


def describe(path: Path, count: int, *, land: bool = False) -> dict[str, float | str]:
    """Describe `count` detections of a scene once; returns milliseconds a detection and a checksum."""
    settings = LandSettings(land_mask="flag" if land else "off")
    with open_source(path, SceneSettings()) as reader:
        boxes = bright_places(reader, count)
        found = Detections.of(boxes, np.linspace(0.9, 0.01, len(boxes)), np.zeros(len(boxes)))
        none = np.zeros(len(boxes), np.bool_)
        known = survey(locate(reader.info), reader.info.width, reader.info.height, settings)
        seen = SceneAsRead([reader], reader, (1.0, 1.0))
        began, used = time.perf_counter(), time.process_time()
        ships = describe_ships(seen, Merged(found, none, none), known, None)
        wall, processor = time.perf_counter() - began, time.process_time() - used
    told = hashlib.sha256(repr(ships.flags).encode())
    for field in fields(ships.places):
        told.update((getattr(ships.places, field.name).round(_DIGITS) + 0.0).tobytes())  # no -0.0
    each = 1e3 / len(boxes)
    return {
        "detections": f"{len(boxes):,}",
        "wall_ms": each * wall,
        "processor_ms": each * processor,
        "checksum": told.hexdigest()[:12],
    }


def bright_places(reader: Reader, count: int) -> Boxes:
    """Boxes (N, 4) around the brightest pixel of each cell of a grid, about `count`, sorted from the brightest."""
    cells = max(1, round(count**0.5))
    rows, columns = (np.linspace(0, side, cells + 1).astype(int) for side in (reader.info.height, reader.info.width))
    found = []
    for top, bottom in zip(rows[:-1].tolist(), rows[1:].tolist(), strict=True):
        line = reader.read(Window(top, 0, bottom - top, reader.info.width))
        for left, right in zip(columns[:-1].tolist(), columns[1:].tolist(), strict=True):
            cell = line[:, left:right]
            y, x = np.unravel_index(int(cell.argmax()), cell.shape)
            found.append((float(cell.max()), left + int(x) + 0.5, top + int(y) + 0.5))
    _, x, y = np.array(sorted(found, key=lambda one: -one[0])).T
    limit = [reader.info.width, reader.info.height] * 2
    return as_boxes(np.clip(np.stack([x - HALF_PX, y - HALF_PX, x + HALF_PX, y + HALF_PX], axis=1), 0, limit))


if __name__ == "__main__":
    sys.exit(main())
