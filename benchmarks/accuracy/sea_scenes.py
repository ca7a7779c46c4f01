"""Simulated scenes, real ships laid into simulated sea, and ships beside slicks, for the scripts of this folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from refinedet.boxes import Boxes, as_boxes
from refinedet.data.simulation.scene import simulate
from refinedet.data.simulation.simulated import SimulatedScene
from refinedet.data.simulation.spec import SceneSpec

Picture = NDArray[Any]

SIDE_PX = 1536
"""Side of a simulated scene."""
GRID_PX, LONGEST_PATCH_PX, COLUMNS, FEATHER = 128, 121, 13, 0.15


def simulated(seed: int) -> SimulatedScene:
    """Plain simulated scene."""
    return simulate(SceneSpec(width_px=SIDE_PX, height_px=SIDE_PX, ships=40, seed=seed))


def real_ships(folder: Path) -> tuple[Picture, Boxes]:
    """Real ships laid into simulated sea of their mean, feathered; float32 amplitude, and a box around each."""
    found = list(patches(folder))
    side = GRID_PX * (COLUMNS + 1)
    rows = -(-len(found) // COLUMNS)
    spec = SceneSpec(width_px=side, height_px=GRID_PX * (rows + 1), ships=0, seed=5, looks=(4, 5), shape=(6, 10))
    sea = simulate(spec).pixels.astype(np.float32)
    boxes = []
    for index, (patch, half) in enumerate(found):
        y, x = (GRID_PX * (1 + place) - patch.shape[0] // 2 for place in divmod(index, COLUMNS))
        under = sea[y : y + patch.shape[0], x : x + patch.shape[1]]
        weight = feather(patch.shape)
        rim = weight < 1
        scaled = patch * (np.median(under) / np.median(patch[rim]))
        under[...] = np.sqrt(weight * scaled**2 + (1 - weight) * under**2)
        middle = np.array([x, y]) + np.array(patch.shape[::-1]) / 2
        boxes.append((*(middle - half), *(middle + half)))
    return sea, as_boxes(boxes)


def patches(folder: Path) -> Iterator[tuple[Picture, NDArray[np.float64]]]:
    """VV amplitudes of each ship alone in its patch, and half its width and height in the picture."""
    for path in sorted(folder.glob("*GRDH*.json")):
        pixels = np.load(path.with_suffix(".npz"))
        for ship in json.loads(path.read_text(encoding="utf-8"))["ships"]:
            patch = pixels[ship["patch"]][ship["bands"].index("vv")]
            if max(patch.shape) > LONGEST_PATCH_PX or ship["near_port"] or ship["several_ships"]:
                continue
            along = np.abs(np.subtract(ship["head_px"], ship["tail_px"]))
            yield patch, along / 2 + 2


def feather(shape: tuple[int, ...]) -> NDArray[np.float32]:
    """(H, W) weights: 1 in the middle, falling to 0 at the border."""
    sides = [np.minimum(1, (np.minimum(np.arange(n), np.arange(n)[::-1]) + 0.5) / (FEATHER * n)) for n in shape]
    return np.minimum.outer(*sides).astype(np.float32)


def slick_ships(path: Path) -> Boxes:
    """Boxes around the ships that a mask of the slicks marks."""
    from scipy import ndimage

    marked = (np.asarray(Image.open(path).convert("RGB")) == (153, 76, 0)).all(axis=2)
    places = ndimage.find_objects(ndimage.label(ndimage.binary_dilation(marked, iterations=2))[0])
    return as_boxes([(c.start, r.start, c.stop, r.stop) for r, c in places])
