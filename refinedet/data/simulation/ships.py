"""Ships of a simulated scene: drawn, placed on free water, and rendered as clusters of point scatterers.

Positions are (x, y) in scene pixels, half-open convention: the centre of pixel i is i + 0.5.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from refinedet.data.simulation.fields import Field, Mask, point_response
from refinedet.data.simulation.spec import SceneSpec
from refinedet.errors import InputError

Points = NDArray[np.float64]
"""(N, 2) positions [x, y]."""

_GAP_PX = 4.0
"""Width of the free water around a ship's box."""
_LOBES_PX = 40
"""Distance from a bright scatterer up to which side lobes are drawn."""
_TRIES = 400


@dataclass(frozen=True, slots=True)
class Ship:
    """Truth of one simulated ship."""

    x: float
    """Centre of the hull."""
    y: float
    length_px: float
    width_px: float
    heading_deg: float
    """Direction of the bow, clockwise from the top of the scene, in [0, 360)."""
    peak_to_clutter_db: float
    """Peak of the ship's signal intensity over the local mean sea intensity."""

    def hull(self) -> Points:
        """Outline (5, 2): bow, shoulder, stern, stern, shoulder."""
        along = np.array([0.5, 0.25, -0.5, -0.5, 0.25]) * self.length_px
        across = np.array([0.0, 0.5, 0.5, -0.5, -0.5]) * self.width_px
        return self.place(along, across)

    def box(self) -> tuple[float, float, float, float]:
        """Smallest axis-aligned box [x1, y1, x2, y2] around the hull."""
        hull = self.hull()
        return (*hull.min(axis=0), *hull.max(axis=0))

    def place(self, along: NDArray[np.float64], across: NDArray[np.float64]) -> Points:
        """Positions of points given along the ship (to the bow) and across it (to starboard), from its centre."""
        sine, cosine = np.sin(np.radians(self.heading_deg)), np.cos(np.radians(self.heading_deg))
        return np.stack([self.x + along * sine + across * cosine, self.y - along * cosine + across * sine], axis=1)

    def scatterers(self, rng: np.random.Generator, evenness: float) -> tuple[Points, NDArray[np.float64]]:
        """Draw point scatterers within the hull: positions (N, 2) and powers (N,), to be scaled.

        A dense grid fills the hull. Superstructures are brighter, and more so with lower `evenness` (0 to 1).
        """
        pitch = 0.7
        along = np.arange(-self.length_px / 2 + pitch / 2, self.length_px / 2, pitch)
        across = _centred_steps(self.width_px - pitch, pitch)
        grid = np.stack(np.meshgrid(along, across, indexing="ij"), axis=-1).reshape(-1, 2)
        taper = np.clip((self.length_px / 2 - grid[:, 0]) / (self.length_px / 4), 0, 1)
        grid[:, 1] *= taper
        grid += rng.uniform(-0.2, 0.2, grid.shape)
        power = rng.gamma(0.8 + 9 * evenness**2, size=len(grid))
        for centre in rng.choice((-0.4, -0.3, 0.0, 0.25, 0.42), int(rng.integers(1, 4)), replace=False):
            near = np.abs(grid[:, 0] - centre * self.length_px) < max(0.06 * self.length_px, 0.6)
            power[near] *= 1 + (1 - evenness) * rng.uniform(3, 15)
        return self.place(grid[:, 0], grid[:, 1]), power


def draw_ships(
    spec: SceneSpec, sea_shape: float, blocked: Mask, land: Mask, rng: np.random.Generator
) -> tuple[Ship, ...]:
    """Draw the ships of a scene, largest first, on water that is neither `blocked` (land or nodata, (H, W)) nor taken.

    Some of them lie in groups (anchorages), some near the coast. `sea_shape` is the shape of the sea's texture.

    Raises:
        InputError: there is not enough room for the ships.
    """
    return place_ships(draw_shapes(spec, sea_shape, rng), blocked, land, rng)


def place_ships(shapes: list[Ship], blocked: Mask, land: Mask, rng: np.random.Generator) -> tuple[Ship, ...]:
    """Place ships, largest first, on water that is neither `blocked` ((H, W)) nor taken; `shapes` are at (0, 0).

    Raises:
        InputError: there is not enough room for the ships.
    """
    obstacles, shore = _integral(blocked), _integral(land)
    placed: list[Ship] = []
    for shape in sorted(shapes, key=lambda ship: -ship.length_px):
        for attempt in range(_TRIES):
            ship = _propose(shape, placed, shore, rng)
            if _is_free(ship, placed, obstacles):
                placed.append(ship)
                break
            if attempt == _TRIES - 1:
                height, width = blocked.shape
                raise InputError(
                    f"expected room for {len(shapes)} ships in {width} x {height} pixels, found it for "
                    f"{len(placed)}; ask for fewer ships or a larger scene"
                )
    return tuple(placed)


def ship_patch(ship: Ship, rng: np.random.Generator, spec: SceneSpec, aperture_weight: float) -> tuple[int, int, Field]:
    """Draw a ship: first row, first column and signal intensity, scaled to a peak of 1.

    The patch may reach beyond the scene. Scatterers add up in intensity, because their phases differ from look to look.
    """
    # Weak ships are even: a weak ship with a few strong points would show only those points.
    strength = np.clip((ship.peak_to_clutter_db - spec.weak_db) / 10, 0, 1)
    points, power = ship.scatterers(rng, evenness=float(1 - strength * rng.uniform(0.4, 1)))
    row, column, patch = render(points, power, aperture_weight)
    return row, column, patch / patch.max()


def render(points: Points, power: NDArray[np.float64], aperture_weight: float) -> tuple[int, int, Field]:
    """Render point scatterers through the imaging system: first row, first column and intensity."""
    first = np.floor(points.min(axis=0)).astype(int) - _LOBES_PX
    last = np.ceil(points.max(axis=0)).astype(int) + _LOBES_PX
    response = [
        point_response(np.arange(first[k], last[k])[None, :] + 0.5 - points[:, k, None], aperture_weight) ** 2
        for k in (0, 1)
    ]
    patch = (response[1] * power[:, None].astype(np.float32)).T @ response[0]
    return int(first[1]), int(first[0]), np.asarray(patch, np.float32)


def add_patch(scene: Field, row: int, column: int, patch: Field) -> None:
    """Add the part of `patch` within `scene` to it, in place."""
    y1, x1 = max(row, 0), max(column, 0)
    y2, x2 = min(row + patch.shape[0], scene.shape[0]), min(column + patch.shape[1], scene.shape[1])
    if y1 < y2 and x1 < x2:
        scene[y1:y2, x1:x2] += patch[y1 - row : y2 - row, x1 - column : x2 - column]


def ghost(patch: Field, rng: np.random.Generator, below_db: tuple[float, float] = (14, 20)) -> Field:
    """Make an azimuth ambiguity of a patch: weaker, and blurred in azimuth (rows) and a little in range (columns)."""
    weaker = patch * np.float32(10 ** (-rng.uniform(*below_db) / 10))
    blurred = ndimage.uniform_filter1d(weaker, int(rng.integers(12, 22)), axis=0, mode="constant")
    return np.asarray(ndimage.convolve1d(blurred, (0.25, 0.5, 0.25), axis=1, mode="constant"), np.float32)


def draw_shapes(spec: SceneSpec, sea_shape: float, rng: np.random.Generator) -> list[Ship]:
    """Draw length, width, heading and brightness of the ships of a scene; all are at (0, 0)."""
    weak = int(np.ceil(spec.weak_share * spec.ships))
    ships = []
    for i in range(spec.ships):
        shortest, (faintest, brightest) = spec.length_px[0], (spec.weak_db, spec.peak_db[1])
        if i < weak:
            shortest, (faintest, brightest) = spec.weak_length_px, (spec.peak_db[0], spec.weak_db)
        longest = spec.length_px[1]
        length = float(rng.triangular(shortest, shortest + (longest - shortest) / 3, longest))
        width = max(length * rng.uniform(0.15, 0.25), 1.5)
        faintest = min(max(faintest, spec.peak_db[0] + _visible_above_db(length, sea_shape)), brightest - 0.5)
        # random() is below 1: a weak ship is below weak_db, never at it.
        peak_db = faintest + (brightest - faintest) * rng.random()
        ships.append(Ship(0.0, 0.0, length, float(width), float(rng.uniform(0, 360)), float(peak_db)))
    return ships


def _visible_above_db(length_px: float, sea_shape: float) -> float:
    """Decibels by which the faintest ship of a length is raised: more for short ships and in a spiky sea.

    An annotator would not mark a ship that looks like a spike of the sea.
    """
    spiky = float(np.clip(-np.log10(sea_shape / 10), 0, 1))
    short = float(np.clip((14 - length_px) / 10, 0, 1))
    return 2.5 * spiky + short * (7 + 4 * spiky)


def _propose(shape: Ship, placed: list[Ship], shore: NDArray[np.int64], rng: np.random.Generator) -> Ship:
    height, width = shore.shape[0] - 1, shore.shape[1] - 1
    kind = rng.random()
    if placed and kind < 0.25:
        mate = placed[int(rng.integers(len(placed)))]
        offset = rng.normal(0, 35, 2)
        heading = (mate.heading_deg + rng.normal(0, 8)) % 360
        return replace(shape, x=mate.x + offset[0], y=mate.y + offset[1], heading_deg=float(heading))
    place = rng.uniform(0, (width, height), (40 if kind < 0.5 else 1, 2))
    near = np.array([0 < _share(shore, x - 30, y - 30, x + 30, y + 30) < 0.6 for x, y in place])
    x, y = place[int(np.argmax(near))]
    return replace(shape, x=float(x), y=float(y))


def _is_free(ship: Ship, placed: list[Ship], obstacles: NDArray[np.int64]) -> bool:
    x1, y1, x2, y2 = ship.box()
    height, width = obstacles.shape[0] - 1, obstacles.shape[1] - 1
    if x1 < _GAP_PX or y1 < _GAP_PX or x2 > width - _GAP_PX or y2 > height - _GAP_PX:
        return False
    if _share(obstacles, x1 - _GAP_PX, y1 - _GAP_PX, x2 + _GAP_PX, y2 + _GAP_PX) > 0:
        return False
    for other in placed:
        a1, b1, a2, b2 = other.box()
        if x1 < a2 + _GAP_PX and a1 < x2 + _GAP_PX and y1 < b2 + _GAP_PX and b1 < y2 + _GAP_PX:
            return False
    return True


def _integral(mask: Mask) -> NDArray[np.int64]:
    """Summed-area table (H + 1, W + 1) of a mask."""
    table = np.zeros((mask.shape[0] + 1, mask.shape[1] + 1), np.int64)
    np.cumsum(mask, axis=0, dtype=np.int64, out=table[1:, 1:])
    np.cumsum(table[1:, 1:], axis=1, out=table[1:, 1:])
    return table


def _share(table: NDArray[np.int64], x1: float, y1: float, x2: float, y2: float) -> float:
    """Share of true pixels that the rectangle touches, clipped to the scene."""
    height, width = table.shape[0] - 1, table.shape[1] - 1
    left, top = max(int(np.floor(x1)), 0), max(int(np.floor(y1)), 0)
    right, bottom = min(int(np.ceil(x2)), width), min(int(np.ceil(y2)), height)
    total = int(table[bottom, right] - table[top, right] - table[bottom, left] + table[top, left])
    return float(total / max((bottom - top) * (right - left), 1))


def _centred_steps(span: float, pitch: float) -> NDArray[np.float64]:
    count = max(int(np.ceil(span / pitch)), 0) + 1
    return np.linspace(-max(span, 0) / 2, max(span, 0) / 2, count)
