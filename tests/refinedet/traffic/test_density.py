"""Densities on a grid: counts of ships over counts of passes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely

from refinedet.errors import InputError
from refinedet.traffic.density import Grid, density, months
from tests.refinedet.traffic.conftest import MIDDLE, MakeArchive


def test_a_grid_covers_the_areas_and_keeps_to_its_lines() -> None:
    grid = Grid.around(np.array([shapely.box(6.97, 54.41, 7.12, 54.6)], object), 0.1)
    assert (round(grid.west, 6), round(grid.north, 6), grid.width, grid.height) == (6.9, 54.6, 3, 2)
    rows, columns = grid.cells(np.array([[6.95, 54.55], [7.15, 54.45], [7.2, 54.4]]))
    assert rows.tolist() == [0, 1, 1]
    assert columns.tolist() == [0, 2, 2]
    with pytest.raises(InputError, match="use a larger `cell_deg`"):
        Grid.around(np.array([shapely.box(-180, -80, 180, 80)], object), 0.001)


def test_ships_per_pass_are_the_same_wherever_it_was_looked_more_often(make_archive: MakeArchive) -> None:
    rng = np.random.default_rng(1)
    ships, scenes = make_archive([rng.uniform(-9000, 9000, (200, 2)) for _ in range(10)])
    west = shapely.box(MIDDLE[0] - 0.3, MIDDLE[1] - 0.2, MIDDLE[0], MIDDLE[1] + 0.2)
    areas = np.array([area if i < 4 else west for i, area in enumerate(scenes.areas)], object)
    scenes = replace(scenes, areas=areas)
    ships = ships.only([areas[s].intersects(shapely.Point(p)) for s, p in zip(ships.scene, ships.lonlat, strict=True)])
    grid = Grid.around(areas, 0.1)
    found = density(ships, scenes, grid, np.ones(10, bool))
    assert set(np.unique(found.passes).tolist()) <= {0, 4, 10}
    halves = [np.nansum(found.per_pass[:, : grid.width // 2]), np.nansum(found.per_pass[:, grid.width // 2 :])]
    assert halves[0] == pytest.approx(100, abs=10)
    assert halves[1] == pytest.approx(100, abs=15)


def test_cells_that_nobody_saw_are_nan_and_those_without_ships_zero(make_archive: MakeArchive) -> None:
    ships, scenes = make_archive([np.zeros((1, 2))])
    triangle = shapely.Polygon([(6.5, 54.0), (7.5, 54.0), (7.5, 55.0)])
    grid = Grid.around(np.array([triangle], object), 0.1)
    found = density(ships, replace(scenes, areas=np.array([triangle], object)), grid, np.ones(1, bool)).per_pass
    assert np.isnan(found[0, 0])
    assert found[-1, -1] == 0
    assert np.nansum(found) in {0, 1}  # its cell lies on the edge of the triangle


def test_months_are_those_in_which_something_was_seen(make_archive: MakeArchive) -> None:
    _, scenes = make_archive([np.zeros((0, 2))] * 7)
    start = scenes.start.copy()
    start[2] = np.datetime64("NaT")
    found = months(replace(scenes, start=start))
    assert [name for name, _ in found] == ["2024-01", "2024-02"]
    assert found[0][1].tolist() == [True, True, False, True, True, False, False]
