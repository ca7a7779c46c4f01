"""Series of simulated scenes: passes over one place, days apart, as an archive has them.

Platforms and turbines stand in every pass. Ships at anchor lie in one anchorage, which is never empty: most leave
between two passes, others stay on their anchor and swing around it with the wind. Other ships pass by or drift. Every
second pass views from the other side, so that layover moves high structures. All scenes are of kind `sentinel1`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from refinedet.data.simulation.fields import Mask
from refinedet.data.simulation.sentinel1.canvas import Canvas
from refinedet.data.simulation.sentinel1.conditions import Sentinel1Conditions
from refinedet.data.simulation.sentinel1.motion import STILL, draw_motion
from refinedet.data.simulation.sentinel1.non_ships import NonShip
from refinedet.data.simulation.sentinel1.offshore import add_structure, platform_scatterers, turbine_scatterers
from refinedet.data.simulation.sentinel1.ranges import Sentinel1Ranges
from refinedet.data.simulation.sentinel1.scene import add_traffic, blocked, scene_of, seen_amplitude
from refinedet.data.simulation.sentinel1.sea import sea_level
from refinedet.data.simulation.sentinel1.ships import draw_shapes
from refinedet.data.simulation.ships import Points, Ship, place_ships
from refinedet.data.simulation.simulated import SimulatedScene
from refinedet.data.simulation.spec import SceneSpec
from refinedet.errors import InputError

_FIRST_DAY = datetime(2024, 1, 3, tzinfo=UTC)
_HOURS = {True: 17.0, False: 5.8}
"""Hour of the day of passes that fly up and down, as of Sentinel-1."""
_SPACING_PX = 60.0
"""Distance between turbines of the farm."""
_HUB_M = 90.0
_EDGE_PX, _APART_PX = 40.0, 60.0
"""Least distance of structures from the edge, and from one another."""
_ANCHORS_APART_PX = 30.0
_STAYS = 0.25
"""Share of the ships at anchor that are still there in the next pass."""
_SWING_M = (120.0, 300.0)
"""Distance from an anchor to the middle of its ship: the chain, and half of the hull."""
_WIND_DEG, _YAW_DEG = 60.0, 12.0
"""Standard deviations of the wind between passes, and of headings at anchor around it."""
_TRIES = 2000


@dataclass(frozen=True, slots=True)
class SeriesSpec:
    """Specification of a series.

    Raises:
        InputError: a value is out of its range.
    """

    width_px: int
    height_px: int
    passes: int
    ships: int
    """Ships of each pass."""
    seed: int
    platforms: int = 8
    turbines: int = 12
    anchored_share: float = 0.4
    """Share of the ships that lie at anchor."""
    days: float = 6.0
    """Days between passes."""
    pixel_m: float = 10.0

    def __post_init__(self) -> None:
        self.scene()
        limits = {"width_px": (512, 60_000), "height_px": (512, 60_000), "passes": (1, 999)}
        for name, (low, high) in (limits | dict.fromkeys(("platforms", "turbines"), (0, 1000))).items():
            if not low <= getattr(self, name) <= high:
                found = getattr(self, name)
                raise InputError(f"setting `{name}` of a simulated series: expected {low} to {high}, found {found}")

    def scene(self) -> SceneSpec:
        """Specification of one pass: open sea without borders."""
        return SceneSpec(
            self.width_px,
            self.height_px,
            self.ships,
            self.seed,
            self.pixel_m,
            land_probability=0.0,
            nodata_probability=0.0,
            kind="sentinel1",
        )

    def settings(self) -> dict[str, Any]:
        """Settings for the truth of each pass."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__} | {"kind": "sentinel1"}


@dataclass(frozen=True, slots=True)
class SeriesPass:
    """One pass of a series."""

    number: int
    """Number of the pass, from 0."""
    time: datetime
    """Time of its first line, UTC."""
    scene: SimulatedScene
    anchored: tuple[bool, ...]
    """True for each ship that lies at anchor."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """Places that all passes share."""

    platforms: Points
    turbines: Points
    anchorage: Points
    """(1, 2) middle."""
    radius_px: float
    incidence_deg: tuple[float, float]
    """Incidence of the two tracks."""
    wind_deg: float


def simulate_series(spec: SeriesSpec) -> Iterator[SeriesPass]:
    """Simulate the passes of a series, one after the other; equal specs give equal bytes.

    Raises:
        InputError: structures or ships do not fit.
    """
    shared, ships, *seeds = np.random.SeedSequence(spec.seed).spawn(2 + spec.passes)
    layout = _layout(spec, np.random.default_rng(shared))
    anchorage = _Anchorage(spec, layout, np.random.default_rng(ships))
    for number, seed in enumerate(seeds):
        scene, anchored = _simulate_pass(spec, layout, anchorage.next_pass(), seed, up=_flies_up(number))
        yield SeriesPass(number, pass_time(spec, number), scene, anchored)


def pass_time(spec: SeriesSpec, number: int) -> datetime:
    """Time of the first line of a pass, UTC; passes count from 0."""
    return _FIRST_DAY + timedelta(days=spec.days * number, hours=_HOURS[_flies_up(number)])


def _flies_up(number: int) -> bool:
    return number % 2 == 0


def _simulate_pass(
    spec: SeriesSpec, layout: _Layout, anchors: Points, seed: np.random.SeedSequence, *, up: bool
) -> tuple[SimulatedScene, tuple[bool, ...]]:
    """Simulate one pass; its result says which ships lie at anchor."""
    *rngs, speckle = seed.spawn(6)
    draw, sea, objects, traffic, faults = (np.random.default_rng(one) for one in rngs)
    ranges = Sentinel1Ranges(moving_probability=0.8)
    conditions = Sentinel1Conditions.draw(spec.scene(), ranges, draw)
    conditions = replace(conditions, incidence_deg=layout.incidence_deg[int(up)], radar_left=up)
    shape = (spec.height_px, spec.width_px)
    level = sea_level(shape, spec.pixel_m, conditions, ranges, sea)
    empty = np.zeros(shape, np.bool_)
    canvas = Canvas(spec.pixel_m, conditions, level, empty, np.ones(shape, np.float32), np.zeros(shape, np.float32))
    structures = _add_structures(canvas, spec, layout, ranges, objects)
    shapes = draw_shapes(spec.ships, spec.pixel_m, conditions, ranges, traffic)
    anchored = _at_anchor(shapes[: len(anchors)], anchors, layout, spec, traffic)
    water = _taken(blocked(canvas, ~empty, structures), anchored)
    sailing = place_ships(shapes[len(anchors) :], water, empty, traffic)
    motions = [STILL for _ in anchored]
    motions += [draw_motion(ship, spec.pixel_m, conditions, ranges, traffic) for ship in sailing]
    ships = (*anchored, *sailing)
    add_traffic(canvas, ships, motions, traffic)
    pixels = seen_amplitude(canvas, ranges, sea, faults, speckle)
    scene = scene_of(pixels, canvas, ~empty, ships, motions, structures)
    return scene, tuple(i < len(anchored) for i in range(len(ships)))


def _layout(spec: SeriesSpec, rng: np.random.Generator) -> _Layout:
    size = np.array([spec.width_px, spec.height_px], np.float64)
    radius = float(min(1500 / spec.pixel_m, 0.2 * size.min()))
    anchorage = rng.uniform(0.3, 0.7, 2) * size
    turbines = _farm(spec.turbines, rng.uniform(0, np.pi / 2))
    farm_px = np.ptp(turbines, axis=0).max() / 2 if len(turbines) else 0.0
    reach = radius + _SWING_M[1] / spec.pixel_m + _APART_PX
    middle = _apart(1, size, anchorage[None], reach + 1.5 * farm_px, farm_px + _EDGE_PX, rng)
    turbines = turbines + middle
    taken = np.concatenate([np.zeros((0, 2)), turbines])
    platforms = np.zeros((0, 2))
    for _ in range(spec.platforms):
        for attempt in range(_TRIES):
            one = _apart(1, size, anchorage[None], reach, _EDGE_PX, rng)
            others = np.concatenate([taken, platforms])
            if (np.hypot(*(others - one).T) > _APART_PX).all():
                break
            if attempt == _TRIES - 1:
                raise _no_room(spec)
        platforms = np.concatenate([platforms, one])
    incidence = (float(rng.uniform(31, 38)), float(rng.uniform(38, 45)))
    return _Layout(platforms, turbines, anchorage[None], radius, incidence, float(rng.uniform(0, 360)))


def _farm(count: int, turn_rad: float) -> Points:
    """Places of turbines on a grid around (0, 0), turned."""
    columns = max(int(np.ceil(np.sqrt(count))), 1)
    grid = np.array([(i % columns, i // columns) for i in range(count)], np.float64).reshape(-1, 2) * _SPACING_PX
    grid -= grid.mean(axis=0) if count else 0.0
    sine, cosine = np.sin(turn_rad), np.cos(turn_rad)
    return np.asarray(grid @ np.array([[cosine, sine], [-sine, cosine]]))


def _apart(
    count: int, size: Points, others: Points, reach_px: float, edge_px: float, rng: np.random.Generator
) -> Points:
    """Draw places (count, 2) far enough from others and from the edge; without room, the last try is used."""
    edge = np.minimum(edge_px, 0.45 * size)
    for _ in range(_TRIES):
        found = rng.uniform(edge, size - edge, (count, 2))
        if (np.hypot(*(found[:, None] - others[None]).reshape(-1, 2).T) > reach_px).all():
            break
    return found


def _no_room(spec: SeriesSpec) -> InputError:
    return InputError(
        f"expected room for {spec.platforms} platforms in {spec.width_px} x {spec.height_px} pixels, found too little; "
        "ask for fewer or a larger scene"
    )


def _add_structures(
    canvas: Canvas, spec: SeriesSpec, layout: _Layout, ranges: Sentinel1Ranges, rng: np.random.Generator
) -> list[NonShip]:
    """Add platforms and turbines to the signal; each has one shape in all passes, and its brightness varies."""
    found = []
    for number, place in enumerate(layout.platforms):
        own = np.random.default_rng([spec.seed, number])
        points, power = platform_scatterers(spec.pixel_m, own)
        peak_db = float(own.uniform(26, ranges.platform_db[1])) + rng.normal(0, 2)
        found.append(add_structure(canvas, "platform", points + place, power, peak_db, rng))
    for place in layout.turbines:
        points, power = turbine_scatterers(_HUB_M / spec.pixel_m, canvas.conditions, rng)
        peak_db = float(rng.normal(np.mean(ranges.turbine_db), 2.5))
        found.append(add_structure(canvas, "turbine", points + place, power, peak_db, rng))
    return found


def _at_anchor(
    shapes: list[Ship], anchors: Points, layout: _Layout, spec: SeriesSpec, rng: np.random.Generator
) -> tuple[Ship, ...]:
    """Place ships downwind of their anchors (N, 2), bow to the wind."""
    wind = layout.wind_deg + rng.normal(0, _WIND_DEG)
    ships = []
    for shape, anchor in zip(shapes, anchors, strict=True):
        heading = float((wind + rng.normal(0, _YAW_DEG)) % 360)
        swing = rng.uniform(*_SWING_M) / spec.pixel_m
        x = float(anchor[0] - swing * np.sin(np.radians(heading)))
        y = float(anchor[1] + swing * np.cos(np.radians(heading)))
        ships.append(replace(shape, x=x, y=y, heading_deg=heading))
    return tuple(ships)


def _taken(water: Mask, ships: tuple[Ship, ...]) -> Mask:
    """Pixels that are blocked, and those of ships placed already."""
    for ship in ships:
        x1, y1, x2, y2 = (int(v) for v in ship.box())
        water[max(y1, 0) : y2 + 1, max(x1, 0) : x2 + 1] = True
    return water


class _Anchorage:
    """Anchors in use from pass to pass."""

    def __init__(self, spec: SeriesSpec, layout: _Layout, rng: np.random.Generator) -> None:
        self._count = round(spec.anchored_share * spec.ships)
        self._layout, self._rng = layout, rng
        self._anchors = np.zeros((0, 2))

    def next_pass(self) -> Points:
        """Anchors (N, 2) of the ships of the next pass; some are those of the pass before."""
        kept = self._anchors[self._rng.random(len(self._anchors)) < _STAYS]
        while len(kept) < self._count:
            kept = np.concatenate([kept, self._free(kept)])
        self._anchors = kept
        return kept

    def _free(self, others: Points) -> Points:
        """Place in the anchorage away from other anchors, if there is room."""
        apart = _ANCHORS_APART_PX
        while True:
            angle, share = self._rng.uniform(0, 2 * np.pi), np.sqrt(self._rng.random())
            one = self._layout.anchorage + share * self._layout.radius_px * np.array([[np.cos(angle), np.sin(angle)]])
            if (np.hypot(*(others - one).T) > apart).all():
                return np.asarray(one)
            apart *= 0.99
