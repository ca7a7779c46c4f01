"""Plan of a simulated Sentinel-1 scene before its pixels: weather, land, ships. Used by sentinel1_scene.py."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from refinedet.data.simulation import fields
from refinedet.data.simulation.ships import Ship, draw_shapes
from refinedet.data.simulation.spec import Conditions, SceneSpec
from refinedet.errors import InputError
from refinedet.files import read_json
from refinedet.geo.position import Position
from refinedet.scene.land.coastline import coastline
from refinedet.scene.sentinel1.ambiguity import displacement
from refinedet.scene.sentinel1.annotation import Annotation
from refinedet.scene.sentinel1.radiometric import Table

CELL = 16
"""Side in pixels of a cell of coarse fields."""
GHOSTLY_DB = (36.0, 40.0)
"""Range of the peaks, in dB, of ships that have ghosts."""
GHOSTLY_SHARE, GHOSTLY_LENGTH_PX = 0.1, 14.0
GAP_PX = 6.0
DOPPLER_SHARE = 0.9
"""Share that is used of the range shift which the steering leaves open."""
TRIES = 2000


@dataclass(frozen=True)
class Ghost:
    """An azimuth ambiguity of ship number `ship`."""

    ship: int
    order: int
    x: float
    y: float


@dataclass(frozen=True)
class Plan:
    """Content of a scene before its pixels are made."""

    annotation: Annotation
    spec: SceneSpec
    conditions: Conditions
    level: Table
    """Mean intensity of the sea."""
    relief: Table
    """Height, above 0 on land."""

    def valid(self, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Mask (rows, columns), true within the swaths and between side borders that step as real ones do."""
        inside = np.zeros((len(rows), len(columns)), np.bool_)
        width, height = self.annotation.samples, self.annotation.lines
        for top, left, bottom, right in (b for swath in self.annotation.swaths for b in swath.bounds):
            inside |= ((rows >= top) & (rows <= bottom))[:, None] & (columns >= left) & (columns <= right)
        step = min(30, width // 40)
        along = rows * 5 // height
        return np.asarray(
            inside & (columns >= (along * step)[:, None]) & (columns < (width - (4 - along) * step)[:, None])
        )


def make_plan(annotation: Annotation, asked: argparse.Namespace, position: Position, rng: np.random.Generator) -> Plan:
    """Conditions of one kind of weather: four looks, a sea neither calm nor rough."""
    width, height = annotation.samples, annotation.lines
    ranges = {"looks": (4, 4), "shape": (2.5, 6.0), "mean_amplitude": (50.0, 80.0), "peak_db": (8.0, 40.0)}
    spec = SceneSpec(width, height, asked.ships, asked.seed, land_probability=1, land_share=(0.08, 0.15), **ranges)
    conditions = Conditions.draw(spec, rng)
    cells = -(-height // CELL) + 1, -(-width // CELL) + 1
    level = fields.mean_level(rng, *cells, conditions)
    relief = fields.relief(rng, *cells, conditions.land_share)
    if asked.land is not None:
        relief = given_land(asked.land, cells, position)
    return Plan(annotation, spec, conditions, coarse(level), coarse(relief))


def coarse(values: fields.Field) -> Table:
    """Table of a field with one value every CELL pixels, for interpolation between them."""
    pixels = np.arange(values.shape[1]) * float(CELL)
    return Table(np.arange(len(values)) * CELL, tuple((pixels, row.astype(np.float64)) for row in values))


def given_land(asked: str, cells: tuple[int, int], position: Position) -> fields.Field:
    """Relief that is 1 on the polygons of a GeoJSON file or on the land that detect knows, -1 elsewhere."""
    rows, columns = (np.arange(count) * CELL + 0.5 for count in cells)
    lonlat = position.lonlat(np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2))
    if asked == "coast":
        west, south, east, north = *lonlat.min(axis=0).tolist(), *lonlat.max(axis=0).tolist()
        shapes = list(coastline([(west, south, east, north)]))
    else:
        shapes = [shapely.geometry.shape(f["geometry"]) for f in read_json(Path(asked)).get("features", [])]
    land = shapely.union_all(shapes)
    shapely.prepare(land)
    return np.where(shapely.contains_xy(land, *lonlat.T), 1, -1).astype(np.float32).reshape(cells)


def place(plan: Plan, rng: np.random.Generator) -> tuple[list[Ship], list[Ghost]]:
    """Ships on free water, a quarter of them in groups, and ghosts of the brightest, on water too."""
    calm = replace(plan.spec, peak_db=(plan.spec.peak_db[0], 26.0))
    shapes = draw_shapes(calm, plan.conditions.shape, rng)
    bright = max(1, round(GHOSTLY_SHARE * len(shapes)))
    taken: list[tuple[float, float, float, float]] = []
    ships: list[Ship] = []
    ghosts: list[Ghost] = []
    for number, shape in enumerate(sorted(shapes, key=lambda ship: -ship.length_px)):
        if number < bright and shape.length_px >= GHOSTLY_LENGTH_PX:
            shape = replace(shape, peak_to_clutter_db=float(rng.uniform(*GHOSTLY_DB)))  # noqa: PLW2901 - the same ship
        for _ in range(TRIES):
            ship = propose(plan, shape, ships, rng)
            wanted = ghosts_of(plan, ship, len(ships), rng) if ship.peak_to_clutter_db >= GHOSTLY_DB[0] else []
            boxes = [ship.box(), *(moved(ship, ghost) for ghost in wanted)]
            if all(is_free(plan, box, taken) for box in boxes):
                break
        else:
            raise InputError(f"expected room for {len(shapes)} ships, found it for {len(ships)}; ask for fewer")
        ships.append(ship)
        ghosts += wanted
        taken += boxes
    return ships, ghosts


def propose(plan: Plan, shape: Ship, ships: list[Ship], rng: np.random.Generator) -> Ship:
    """Place a ship at random; one of four lies beside another one."""
    size = np.array([plan.annotation.samples, plan.annotation.lines])
    if ships and rng.random() < 0.25:
        mate = ships[int(rng.integers(len(ships)))]
        x, y = np.array([mate.x, mate.y]) + rng.normal(0, 40, 2)
    else:
        x, y = rng.uniform(0, 1, 2) * size
    return replace(shape, x=float(x), y=float(y))


def ghosts_of(plan: Plan, ship: Ship, number: int, rng: np.random.Generator) -> list[Ghost]:
    """Draw ghosts of a ship: one or both of first order, sometimes one of second, as far as they lie in the raster."""
    orders = [int(order) for order in rng.choice((-1, 1), int(rng.integers(1, 3)), replace=False)]
    if rng.random() < 0.15:
        orders.append(int(rng.choice((-2, 2))))
    found = []
    for order in orders:
        geometry = plan.annotation.geometry(np.array([[ship.x, ship.y]]))
        rows, columns, tolerance_px = (float(value[0]) for value in displacement(geometry, order))
        x, y = ship.x + columns + rng.uniform(-1, 1) * DOPPLER_SHARE * tolerance_px, ship.y + rows
        if 0 <= x < plan.annotation.samples and 0 <= y < plan.annotation.lines:
            found.append(Ghost(number, order, x, y))
    return found


def moved(ship: Ship, ghost: Ghost) -> tuple[float, float, float, float]:
    """Box of a ship moved to its ghost."""
    return replace(ship, x=ghost.x, y=ghost.y).box()


def is_free(plan: Plan, box: tuple[float, float, float, float], taken: list[tuple[float, ...]]) -> bool:
    """Say if a box and GAP_PX around it lie on water that was measured and not taken."""
    x1, y1, x2, y2 = box[0] - GAP_PX, box[1] - GAP_PX, box[2] + GAP_PX, box[3] + GAP_PX
    if x1 < 0 or y1 < 0 or x2 >= plan.annotation.samples or y2 >= plan.annotation.lines:
        return False
    if any(x1 < b[2] and b[0] < x2 and y1 < b[3] and b[1] < y2 for b in taken):
        return False
    rows, columns = (np.linspace(low, high, 5).astype(np.intp) for low, high in ((y1, y2), (x1, x2)))
    return bool(plan.valid(rows, columns).all() and (plan.relief.at(rows, columns) < 0).all())
