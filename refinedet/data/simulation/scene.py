"""Simulated SAR scenes: a uint16 amplitude image with its exact truth, from a specification.

Here are the scenes of kind `plain`, and the files of both kinds; those of kind `sentinel1` are made in the folder
sentinel1/. The sea of a plain scene is K-distributed clutter: gamma texture with swell under multi-look speckle. Ships
are clusters of point scatterers in the same imaging system as the speckle, added to it coherently. Other parts can fool
detectors: land with a fractal coast and bright buildings, azimuth ambiguities of bright ships, borders without data. A
plain scene has no wakes, no layover and no moving ships.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
from numpy.typing import NDArray

from refinedet.boxes import Boxes, as_boxes
from refinedet.data.simulation import fields
from refinedet.data.simulation.fields import Field, Mask
from refinedet.data.simulation.sentinel1.ranges import Sentinel1Ranges
from refinedet.data.simulation.sentinel1.scene import simulate_sentinel1
from refinedet.data.simulation.ships import Ship, add_patch, draw_ships, ghost, render, ship_patch
from refinedet.data.simulation.simulated import SimulatedScene
from refinedet.data.simulation.spec import PLAIN_ONLY, Conditions, SceneSpec
from refinedet.errors import FileError, InputError
from refinedet.files import cannot_write, read_json, write_json
from refinedet.raster import write_scene

_CRS = "EPSG:32632"
_CORNER_M = (380_000.0, 6_050_000.0)
"""Upper left corner of every written scene, in _CRS; it lies in the German Bight, but sea and land are invented."""

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

    The truth is RFC 7946: one polygon (the box) in lon/lat per ship, with `bbox_px` [x1, y1, x2, y2] in pixels,
    `length_m`, `width_m`, `heading_deg` and `peak_to_clutter_db`.

    Args:
        spec: what the scene holds.
        path: of the GeoTIFF.
        overwrite: replace a scene or a truth that is there.

    Returns:
        Path of the truth.

    Raises:
        InputError: the ships do not fit, or the name is not that of a GeoTIFF.
        FileError: one of the two exists and `overwrite` is false, or a file cannot be written.
    """
    path = Path(path)
    truth = path.with_name(f"{path.stem}.truth.geojson")
    if path.suffix.lower() not in {".tif", ".tiff"}:
        raise InputError(f"expected a name that ends in .tif for the simulated scene, found {path}")
    taken = next((one for one in (path, truth) if one.exists()), None)
    if taken is not None and not overwrite:
        raise FileError(f"expected no file at {taken} yet, found one; choose another name, or set `overwrite`")
    try:
        _write(spec, path, truth)
    except FileError:
        raise
    except OSError as error:
        raise cannot_write(path, error, path) from error
    return truth


def _write(spec: SceneSpec, path: Path, truth: Path) -> None:
    scene = simulate(spec)
    matrix = (spec.pixel_m, 0.0, _CORNER_M[0], 0.0, -spec.pixel_m, _CORNER_M[1])
    write_scene(path, scene.pixels, crs=_CRS, transform=matrix, nodata=0)
    write_json(truth, _truth(scene, spec))


def read_truth(path: str | Path) -> Boxes:
    """Read the boxes (N, 4) of the ships in a truth file.

    Raises:
        FileError: the file is missing or cannot be read.
        InputError: it is no GeoJSON whose features have the property `bbox_px`.
    """
    content = read_json(path)
    try:
        return as_boxes([feature["properties"]["bbox_px"] for feature in content["features"]])
    except (KeyError, TypeError) as error:
        raise InputError(f"expected GeoJSON features with the property 'bbox_px' in {path}, found none") from error


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


def _truth(scene: SimulatedScene, spec: SceneSpec) -> dict[str, Any]:
    to_lonlat = pyproj.Transformer.from_crs(_CRS, "OGC:CRS84", always_xy=True)
    features = []
    for ship, box in zip(scene.ships, scene.boxes_xyxy.astype(np.float64).tolist(), strict=True):
        x1, y1, x2, y2 = box
        # Counter-clockwise on the ground, closed: RFC 7946.
        columns, rows = np.array([x1, x1, x2, x2, x1]), np.array([y1, y2, y2, y1, y1])
        lon, lat = to_lonlat.transform(_CORNER_M[0] + columns * spec.pixel_m, _CORNER_M[1] - rows * spec.pixel_m)
        ring = np.stack([lon, lat], axis=1).round(9).tolist()
        properties = {
            "bbox_px": box,
            "length_m": ship.length_px * spec.pixel_m,
            "width_m": ship.width_px * spec.pixel_m,
            "heading_deg": ship.heading_deg,
            "peak_to_clutter_db": ship.peak_to_clutter_db,
        }
        features.append(
            {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}, "properties": properties}
        )
    document = {
        "type": "FeatureCollection",
        "features": features,
        "simulated": {"spec": _settings(spec), "conditions": asdict(scene.conditions)},
    }
    if spec.kind != "plain":
        document["non_ships"] = [{"kind": one.kind, "bbox_px": list(one.box)} for one in scene.non_ships]
    return document


def _settings(spec: SceneSpec) -> dict[str, Any]:
    """Settings that apply to the kind of scene; those of a plain one name no kind, as before there were several."""
    settings = asdict(spec)
    if spec.kind == "plain":
        del settings["kind"], settings["ranges"]
        return settings
    for name in PLAIN_ONLY:
        del settings[name]
    return settings | {"ranges": asdict(spec.ranges or Sentinel1Ranges())}
