"""Scene of kind `sentinel1`: the order in which its parts are drawn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from refinedet.boxes import as_boxes
from refinedet.data.simulation import fields
from refinedet.data.simulation.fields import Mask
from refinedet.data.simulation.sentinel1.artefacts import interference, seams
from refinedet.data.simulation.sentinel1.canvas import Canvas
from refinedet.data.simulation.sentinel1.conditions import Sentinel1Conditions
from refinedet.data.simulation.sentinel1.harbour import add_harbours
from refinedet.data.simulation.sentinel1.imaging import detect_amplitude, render_points
from refinedet.data.simulation.sentinel1.islets import add_islets
from refinedet.data.simulation.sentinel1.land import add_towns, draw_land
from refinedet.data.simulation.sentinel1.motion import Motion, add_wake, draw_motion, smeared
from refinedet.data.simulation.sentinel1.non_ships import NonShip
from refinedet.data.simulation.sentinel1.offshore import add_platforms, add_turbines
from refinedet.data.simulation.sentinel1.ranges import Sentinel1Ranges
from refinedet.data.simulation.sentinel1.sea import sea_level
from refinedet.data.simulation.sentinel1.ships import draw_shapes, scatterers, visible_box
from refinedet.data.simulation.ships import Ship, add_patch, ghost, place_ships
from refinedet.data.simulation.simulated import SimulatedScene
from refinedet.data.simulation.spec import SceneSpec

_GHOST_FROM_DB = 30.0
"""Peak from which the azimuth ambiguities of a ship are drawn."""
_GHOST_BELOW_DB = (22.0, 32.0)
"""Decibels by which an ambiguity lies below its ship."""


def simulate_sentinel1(spec: SceneSpec) -> SimulatedScene:
    """Simulate one scene; equal specs give equal bytes.

    Raises:
        InputError: the ships do not fit.
    """
    ranges, shape = spec.ranges or Sentinel1Ranges(), (spec.height_px, spec.width_px)
    *seeds, speckle = np.random.SeedSequence(spec.seed).spawn(7)
    draw, sea, shore, objects, traffic, faults = (np.random.default_rng(seed) for seed in seeds)
    conditions = Sentinel1Conditions.draw(spec, ranges, draw)
    valid = fields.nodata_border(draw, *shape) if conditions.sea.nodata else np.ones(shape, np.bool_)
    level = sea_level(shape, spec.pixel_m, conditions, ranges, sea)
    land, brightness = draw_land(shape, conditions, ranges, shore)
    canvas = Canvas(spec.pixel_m, conditions, level, land, brightness, np.zeros(shape, np.float32))
    non_ships = _add_objects(canvas, ranges, objects)
    shapes = draw_shapes(spec.ships, spec.pixel_m, conditions, ranges, traffic)
    ships = place_ships(shapes, blocked(canvas, valid, non_ships), land, traffic)
    motions = [draw_motion(ship, spec.pixel_m, conditions, ranges, traffic) for ship in ships]
    add_traffic(canvas, ships, motions, traffic)
    pixels = seen_amplitude(canvas, ranges, sea, faults, speckle)
    pixels[~valid] = 0
    return scene_of(pixels, canvas, valid, ships, motions, non_ships)


def add_traffic(canvas: Canvas, ships: Sequence[Ship], motions: Sequence[Motion], rng: np.random.Generator) -> None:
    """Add ships to the signal, and their visible wakes to the sea."""
    for ship, motion in zip(ships, motions, strict=True):
        if motion.wake:
            add_wake(canvas, ship, motion, rng)
    for ship, motion in zip(ships, motions, strict=True):
        _add_ship(canvas, ship, motion, rng)


def seen_amplitude(
    canvas: Canvas,
    ranges: Sentinel1Ranges,
    sea: np.random.Generator,
    faults: np.random.Generator,
    speckle: np.random.SeedSequence,
) -> NDArray[np.uint16]:
    """Amplitude (H, W) of the canvas with texture, speckle and image artefacts."""
    (height, width), conditions = canvas.land.shape, canvas.conditions
    shape = height, width
    clutter = canvas.clutter(fields.sea_texture(sea, *shape, conditions.sea))
    if faults.random() < ranges.seam_probability:
        clutter *= seams(shape, ranges, faults)
    if faults.random() < ranges.interference_probability:
        clutter += interference(shape, ranges, faults) * np.float32(conditions.sea.mean_amplitude**2)
    return detect_amplitude(clutter, canvas.signal, speckle, conditions.looks, canvas.pixel_m)


def scene_of(
    pixels: NDArray[np.uint16],
    canvas: Canvas,
    valid: Mask,
    ships: tuple[Ship, ...],
    motions: Sequence[Motion],
    non_ships: Sequence[NonShip],
) -> SimulatedScene:
    """Build the scene from its pixels and the objects drawn into them."""
    boxes = as_boxes([visible_box(ship, canvas.pixel_m) for ship in ships])
    speeds = tuple(motion.speed_kn for motion in motions)
    return SimulatedScene(pixels, boxes, ships, canvas.land, valid, canvas.conditions, tuple(non_ships), speeds)


def _add_objects(canvas: Canvas, ranges: Sentinel1Ranges, rng: np.random.Generator) -> list[NonShip]:
    found: list[NonShip] = []
    if canvas.land.any():
        add_towns(canvas, rng)
        if rng.random() < ranges.harbour_probability:
            found += add_harbours(canvas, ranges, rng)
    if rng.random() < ranges.islet_probability:
        found += add_islets(canvas, ranges, rng)
    found += add_turbines(canvas, ranges, rng)
    return found + add_platforms(canvas, ranges, rng)


def blocked(canvas: Canvas, valid: Mask, non_ships: Sequence[NonShip]) -> Mask:
    """Pixels where no ship can be: land, borders, and structures at sea."""
    found = canvas.land | ~valid
    for one in non_ships:
        if one.kind in {"rock", "turbine", "platform"}:
            x1, y1, x2, y2 = one.box
            found[max(int(y1), 0) : int(y2) + 1, max(int(x1), 0) : int(x2) + 1] = True
    return found


def _add_ship(canvas: Canvas, ship: Ship, motion: Motion, rng: np.random.Generator) -> None:
    """Add a ship to the signal, scaled to its peak, and the azimuth ambiguities of a bright one."""
    row, column, patch = render_points(*scatterers(ship, canvas.pixel_m, canvas.conditions, rng), canvas.pixel_m, rng)
    patch = smeared(patch, motion.smear_px)
    local = float(canvas.level[int(ship.y), int(ship.x)])
    patch *= np.float32(local * 10 ** (ship.peak_to_clutter_db / 10)) / patch.max()
    add_patch(canvas.signal, row, column, patch)
    for side in (-1, 1) if ship.peak_to_clutter_db > _GHOST_FROM_DB else ():
        add_patch(
            canvas.signal, row + side * canvas.conditions.sea.ambiguity_px, column, ghost(patch, rng, _GHOST_BELOW_DB)
        )
