"""Sample chips: small chips by class, laid into one sea for each class and part; the share taken for ships.

Each chip is scaled by its own maximum, so its level means nothing. It is scaled again until the dark fifth of its rim
ends where that of the sea does. So the water of a beach is level with the sea, and its land stands out. A chip of land
alone keeps its contrast, but not its level above the sea.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from figures import Row, rate, share
from finding import Bench, Found
from numpy.typing import NDArray

from pipeline.datasets.real_scenes.laying import GRD, Laid, lay
from pipeline.datasets.real_scenes.patches import PIXEL_M
from pipeline.datasets.real_scenes.pictures import LEVEL, read_chip
from pipeline.datasets.real_scenes.split import PARTS, Part, part_of
from refinedet.scene.ships.doubts.lattice import TURBINE

SEED, GAP_PX = 22, 34
CLASSES = {"boats": "boats", "windmills": "wind turbines", "beach": "beach", "land": "land", "ocean": "ocean"}
"""Folders of the sample, and their names in the tables."""


def rows(bench: Bench) -> Iterator[Row]:
    """Look at all chips, and yield a row for each class and part."""
    for part in PARTS:
        for folder, name in CLASSES.items():
            paths = [path for path in sorted((bench.data / "chips" / folder).glob("*.png")) if of_part(path, part)]
            if not paths:
                continue
            laid = lay([read_chip(path) for path in paths], speckle=GRD, seed=SEED, gap_px=GAP_PX, level=LEVEL)
            found = bench.find(bench.lay(f"chips_{part}_{folder}", {"": laid.pixels}))
            km2 = laid.open_sea_px * PIXEL_M**2 / 1e6
            figures = {
                "taken for ships": share(taken(laid, found.centres)),
                "without a flag": share(taken(laid, found.centres[plain_of(found)])),
                "false per 1,000 km2 between the chips": rate(
                    int((laid.patch_of(found.centres) < 0).sum()), km2 / 1000
                ),
            }
            yield Row("chips", part, name, figures)


def plain_of(found: Found) -> NDArray[np.bool_]:
    """True (N,) for a ship without any flag but that of a regular grid: the chips are laid in one."""
    return np.array([set(names) <= {TURBINE} for names in found.flags], bool)


def of_part(path: Path, part: Part) -> bool:
    """Assert whether a chip belongs to the part, by the degree of longitude that its name begins with."""
    return part_of("chips", path.name.split("_")[0]) == part


def taken(laid: Laid, centres: NDArray[np.float64]) -> NDArray[np.bool_]:
    """True (N,) for each chip with the centre of a box inside."""
    hit = np.zeros(len(laid.rectangles), bool)
    inside = laid.patch_of(centres)
    hit[inside[inside >= 0]] = True
    return hit
