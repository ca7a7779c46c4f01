"""Simulated SAR scenes: a uint16 amplitude image with its exact truth, from a specification.

This file makes scenes of kind `plain`; the folder sentinel1/ makes those of kind `sentinel1`. The sea of a plain
scene is K-distributed clutter: gamma texture with swell under multi-look speckle. Ships are clusters of point
scatterers in the same imaging system as the speckle, added to it coherently. Other parts can fool detectors: land with
a fractal coast and bright buildings, azimuth ambiguities of bright ships, borders without data. A plain scene has no
wakes, no layover and no moving ships.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from refinedet.boxes import as_boxes
from refinedet.data.simulation import fields
from refinedet.data.simulation.fields import Field, Mask
from refinedet.data.simulation.files import check_free, scene_files, settings_of, write_scene_files
from refinedet.data.simulation.sentinel1.scene import simulate_sentinel1
from refinedet.data.simulation.ships import Ship, add_patch, draw_ships, ghost, render, ship_patch
from refinedet.data.simulation.simulated import SimulatedScene
from refinedet.data.simulation.spec import Conditions, SceneSpec

_GHOST_FROM_DB = 15.0
"""Peak from which the azimuth ambiguities of a ship are drawn."""


def simulate(spec: SceneSpec) -> SimulatedScene:
    """Simulate one scene; equal specs give equal bytes.

    Raises:
        InputError: the ships do not fit.
    """
    if spec.kind == "sentinel1":
        return simulate_sentinel1(spec)
    height, width = spec.height_px, spec.width_px
    seeds = np.random.SeedSequence(spec.seed).spawn(6)
    draw, sea, shore, ship, town = (np.random.default_rng(seed) for seed in seeds[:5])
    conditions = Conditions.draw(spec, draw)
    valid = fields.nodata_border(draw, height, width) if conditions.nodata else np.ones((height, width), np.bool_)
    land = fields.coast(shore, height, width, conditions.land_share)
    level = fields.mean_level(sea, height, width, conditions)
    ships = draw_ships(spec, conditions.shape, land | ~valid, land, ship)
    signal = _ship_signal(ships, level, spec, conditions, ship)
    clutter = level * fields.sea_texture(sea, height, width, conditions)
    if land.any():
        level *= fields.land_level(shore, height, width)
        clutter[land] = level[land]
        add_buildings(signal, land, level, conditions, town)
    pixels = amplitude(clutter, signal, seeds[5], conditions)
    pixels[~valid] = 0
    return SimulatedScene(pixels, as_boxes([s.box() for s in ships]), ships, land, valid, conditions)


def write_simulated(spec: SceneSpec, path: str | Path, *, overwrite: bool = True) -> Path:
    """Simulate a scene, write it as a GeoTIFF in UTM to `path`, and its truth beside it as `<stem>.truth.geojson`.

    Args:
        spec: specification of the scene.
        path: path of the GeoTIFF.
        overwrite: replace an existing scene or truth.

    Returns:
        Path of the truth, `files.SceneFiles.truth`.

    Raises:
        InputError: the ships do not fit, or the name is not that of a GeoTIFF.
        FileError: one of the two exists and `overwrite` is false, or a file cannot be written.
    """
    files = scene_files(path)
    check_free([files], overwrite=overwrite)
    write_scene_files(simulate(spec), settings_of(spec), files)
    return files.truth


def _ship_signal(
    ships: tuple[Ship, ...], level: Field, spec: SceneSpec, conditions: Conditions, rng: np.random.Generator
) -> Field:
    """Signal intensity (H, W) of ships and of their azimuth ambiguities."""
    signal = np.zeros_like(level)
    for ship in ships:
        row, column, patch = ship_patch(ship, rng, spec, conditions.aperture_weight)
        local = float(level[int(ship.y), int(ship.x)])
        patch *= np.float32(local * 10 ** (ship.peak_to_clutter_db / 10))
        add_patch(signal, row, column, patch)
        for side in (-1, 1) if ship.peak_to_clutter_db > _GHOST_FROM_DB else ():
            add_patch(signal, row + side * conditions.ambiguity_px, column, ghost(patch, rng))
    return signal


def add_buildings(signal: Field, land: Mask, level: Field, conditions: Conditions, rng: np.random.Generator) -> None:
    """Add bright points on land to `signal`, in place: towns and single buildings."""
    height, width = land.shape
    area = int(land.sum())
    centres = rng.uniform(0, (width, height), (rng.poisson(height * width / 60_000), 2))
    towns = [centre + rng.normal(0, rng.uniform(4, 25), (int(rng.integers(10, 60)), 2)) for centre in centres]
    places = np.concatenate([*towns, rng.uniform(0, (width, height), (rng.poisson(area / 3000), 2))])
    peaks_db = rng.uniform(3, 18, len(places))
    for place, peak_db in zip(places, peaks_db, strict=True):
        x, y = int(np.floor(place[0])), int(np.floor(place[1]))
        if not (0 <= x < width and 0 <= y < height and land[y, x]):
            continue
        row, column, patch = render(place[None, :], np.ones(1), conditions.aperture_weight)
        add_patch(signal, row, column, patch * np.float32(level[y, x] * 10 ** (peak_db / 10)))


def amplitude(
    clutter: Field, signal: Field, seed: np.random.SeedSequence, conditions: Conditions
) -> NDArray[np.uint16]:
    """Compute amplitude: root of the mean over the looks of |root(clutter) * speckle + root(signal)|^2, at least 1."""
    height, width = clutter.shape
    pixels = np.empty((height, width), np.uint16)
    for rows, columns, looks in fields.speckle_blocks(seed, height, width, conditions):
        root, target = np.sqrt(clutter[rows, columns]), np.sqrt(signal[rows, columns])
        intensity = np.zeros_like(root)
        for speckle in looks:
            np.multiply(speckle, root, out=speckle)
            intensity += np.square(speckle.real + target) + np.square(speckle.imag)
        amplitude = np.sqrt(intensity / np.float32(conditions.looks))
        pixels[rows, columns] = np.clip(np.rint(amplitude), 1, 65535)
    return pixels
