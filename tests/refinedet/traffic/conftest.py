"""Fixtures of the tests of traffic: an archive in memory, of passes over one place."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
import shapely
from numpy.typing import NDArray

from refinedet.geo.steps import moved
from refinedet.traffic.tables import Scenes, Ships

Array = NDArray[np.float64]
MakeArchive = Callable[[Sequence[Array]], tuple[Ships, Scenes]]
MIDDLE = (7.0, 54.5)


@pytest.fixture
def make_archive() -> MakeArchive:
    """Ships and scenes of passes six days apart, from steps [east, north] in metres of the ships of each pass."""

    def make(passes: Sequence[Array]) -> tuple[Ships, Scenes]:
        steps = np.concatenate([np.zeros((0, 2)), *passes])
        lonlat = moved(np.broadcast_to(MIDDLE, steps.shape), steps)
        scene = np.repeat(np.arange(len(passes)), [len(one) for one in passes])
        start = np.datetime64("2024-01-03T17:00:00", "ms") + np.arange(len(passes)) * np.timedelta64(6, "D")
        area = shapely.box(MIDDLE[0] - 0.3, MIDDLE[1] - 0.2, MIDDLE[0] + 0.3, MIDDLE[1] + 0.2)
        areas = np.array([area] * len(passes), object)
        ships = Ships(lonlat, scene, np.full(len(steps), 80.0), np.full(len(steps), 0.9))
        return ships, Scenes(tuple(f"scene{i}" for i in range(len(passes))), start, areas)

    return make
