"""Samples with a point for each ship: port_la and mumbai."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
from figures import Row, number, share
from finding import Bench
from numpy.typing import ArrayLike, NDArray

from pipeline.datasets.real_scenes.split import part_of

NEAR_PX = {"port_la": 4.0, "mumbai": 12.0}
"""Largest distance of the middle of a box from its ship, in pixels of 30 and of 10 m."""
MUMBAI = ((34, 41), (59, 262), (351, 315))
"""Middles of the ships, by eye."""


def rows(bench: Bench) -> Iterator[Row]:
    """Yield the rows of both samples."""
    folder = bench.data / "port_la"
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    places = {
        "port_la": (folder / truth["scene"], truth["ships"], truth["islands"]),
        "mumbai": (bench.data / "mumbai" / "Input.tif", MUMBAI, ()),
    }
    for sample, (scene, ships, islands) in places.items():
        found = bench.find(scene)
        hit, on_ship = near(found.centres, ships, NEAR_PX[sample])
        island, on_island = near(found.centres, islands, NEAR_PX[sample])
        other = ~on_ship & ~on_island
        figures = {
            "ships found": share(hit),
            "islands taken for ships": share(island),
            "other boxes": number(int(other.sum())),
            "of them without a flag": number(int((other & found.plain).sum())),
        }
        yield Row("ports and open water", part_of(sample, sample), sample, figures)


def near(
    centres: NDArray[np.float64], places: ArrayLike, limit_px: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """True (M,) for each place near the centre of a box, and (N,) for each box near a place."""
    points = np.asarray(places, np.float64).reshape(-1, 2)
    apart = np.hypot(*np.moveaxis(centres[:, None] - points, -1, 0)) <= limit_px
    return apart.any(axis=0), apart.any(axis=1)
