"""Density of ships on a grid of longitude and latitude: ships per pass in each cell that was seen. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from refinedet.errors import InputError
from refinedet.traffic.passes import PASS_S
from refinedet.traffic.tables import Scenes, Ships

Field = NDArray[np.float64]

_MOST_CELLS = 100_000_000


@dataclass(frozen=True, slots=True)
class Grid:
    """Grid of cells in degrees; rows run from north to south."""

    west: float
    north: float
    cell_deg: float
    width: int
    height: int

    @classmethod
    def around(cls, areas: NDArray[np.object_], cell_deg: float) -> Grid:
        """Grid that covers areas in degrees; its lines lie on whole multiples of the cell.

        Raises:
            InputError: it has too many cells.
        """
        west, south, east, north = shapely.total_bounds(areas).tolist()
        left, top = math.floor(west / cell_deg), math.ceil(north / cell_deg)
        width = max(math.ceil(east / cell_deg) - left, 1)
        height = max(top - math.floor(south / cell_deg), 1)
        if width * height > _MOST_CELLS:
            raise InputError(f"expected at most {_MOST_CELLS} cells, found {width} x {height}; use a larger `cell_deg`")
        return cls(left * cell_deg, top * cell_deg, cell_deg, width, height)

    @property
    def transform(self) -> tuple[float, float, float, float, float, float]:
        """Affine transform of the grid."""
        return (self.cell_deg, 0.0, self.west, 0.0, -self.cell_deg, self.north)

    def cells(self, lonlat: Field) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows and columns (N,) of places (N, 2); those on the outer edge belong to the last cell."""
        column = np.floor((lonlat[:, 0] - self.west) / self.cell_deg).astype(np.int64)
        row = np.floor((self.north - lonlat[:, 1]) / self.cell_deg).astype(np.int64)
        return np.clip(row, 0, self.height - 1), np.clip(column, 0, self.width - 1)

    def seen_in(self, area: shapely.Geometry) -> tuple[slice, slice, NDArray[np.bool_]]:
        """Rows and columns of cells, and the mask of those whose middle lies in the area."""
        west, south, east, north = shapely.bounds(area).tolist()
        (top, bottom), (left, right) = self.cells(np.array([[west, north], [east, south]]))
        rows, columns = slice(int(top), int(bottom) + 1), slice(int(left), int(right) + 1)
        lon = self.west + (np.arange(columns.start, columns.stop) + 0.5) * self.cell_deg
        lat = self.north - (np.arange(rows.start, rows.stop) + 0.5) * self.cell_deg
        shapely.prepare(area)
        return rows, columns, shapely.contains_xy(area, *np.meshgrid(lon, lat))


@dataclass(frozen=True, slots=True)
class Density:
    """Ships and passes of one period on a grid."""

    ships: Field
    """(H, W) number of ships."""
    passes: Field
    """(H, W) number of passes that saw the cell."""

    @property
    def per_pass(self) -> Field:
        """(H, W) ships per pass; NaN where no pass saw the cell."""
        return np.divide(self.ships, self.passes, out=np.full_like(self.ships, np.nan), where=self.passes > 0)


def density(ships: Ships, scenes: Scenes, grid: Grid, chosen: NDArray[np.bool_]) -> Density:
    """Count the ships and the passes of the chosen scenes (S,).

    Overlapping scenes of one pass count once in their overlap. A ship in a cell whose middle its scene did not see
    counts only if the cell has a pass.
    """
    passes, last = np.zeros((grid.height, grid.width)), np.full((grid.height, grid.width), -np.inf)
    known = np.array([area is not None and not area.is_empty for area in scenes.areas], bool) & chosen
    seconds = scenes.start.astype("datetime64[ms]").astype(np.int64) / 1000
    for number in sorted(np.flatnonzero(known).tolist(), key=lambda one: (np.isnat(scenes.start[one]), seconds[one])):
        rows, columns, seen = grid.seen_in(scenes.areas[number])
        at, timed = (rows, columns), not np.isnat(scenes.start[number])
        new = seen & (seconds[number] - last[at] > PASS_S) if timed else seen
        passes[at] += new
        if timed:
            last[at] = np.where(seen, seconds[number], last[at])
    counted = np.zeros_like(passes)
    np.add.at(counted, grid.cells(ships.lonlat[chosen[ships.scene]]), 1)
    return Density(np.where(passes > 0, counted, 0.0), passes)


def months(scenes: Scenes) -> list[tuple[str, NDArray[np.bool_]]]:
    """Months with scenes, in order, each with the mask (S,) of its scenes; scenes of unknown time are left out."""
    of = scenes.start.astype("datetime64[M]")
    return [(str(one), of == one) for one in np.unique(of[~np.isnat(of)])]
