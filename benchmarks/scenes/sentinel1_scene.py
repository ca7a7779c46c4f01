"""Simulated Sentinel-1 GRD product around the metadata of a real one, and its exact truth.

    python benchmarks/scenes/sentinel1_scene.py metadata/S1A_IW_GRDH.SAFE out/S1A_IW_GRDH.SAFE --ships 300 --seed 1

Manifest, annotation, calibration and noise come from the folder. The raster has the annotation's size, one row per
strip without compression, and the geolocation grid as ground control points, as ESA's have. It shows sea with swell
under speckle, land with buildings, ships, and borders without data. The brightest ships have ghosts where the
annotation puts their azimuth ambiguities. Beside the product lie ships.geojson (for `refinedet score`),
ambiguities.geojson and land.geojson (for `refinedet detect --land`). The raster is made in bands, so memory does not
grow with the height.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import contourpy
import numpy as np
import shapely
from numpy.typing import NDArray
from sentinel1_metadata import copy_metadata
from sentinel1_plan import Ghost, Plan, make_plan, moved, place

from refinedet.data.simulation import fields
from refinedet.data.simulation.scene import add_buildings, amplitude
from refinedet.data.simulation.ships import Ship, add_patch, ghost, ship_patch
from refinedet.errors import FileError, InputError, RefineDetError
from refinedet.files import write_json
from refinedet.geo.footprints import footprint
from refinedet.geo.position import Position, azimuths_deg, distances_m, locate
from refinedet.raster import RasterInfo, write_blocks
from refinedet.tiling import Window

BAND, SEAM = 512, 64
"""Rows made at once, and rows over which two bands of sea fade into one another."""


def main() -> int:
    """Write the product; returns 2 where an input is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("metadata", type=Path, help=".SAFE folder with manifest and annotation; it needs no raster")
    parser.add_argument("out", type=Path, help=".SAFE folder to write")
    parser.add_argument("--pol", default="vv")
    parser.add_argument("--ships", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fraction", type=float, default=1.0, help="share of the lines, in (0, 1]")
    parser.add_argument("--samples-fraction", type=float, default=1.0, help="share of the samples of a line, in (0, 1]")
    parser.add_argument(
        "--land",
        help="GeoJSON polygons to take for land, or 'coast' for the one that detect knows; default: a made-up one",
    )
    asked = parser.parse_args()
    try:
        write_product(asked)
    except RefineDetError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def write_product(asked: argparse.Namespace) -> None:
    """Write the product and its truth, as the command line asks."""
    fraction = (asked.fraction, asked.samples_fraction)
    if not all(0 < share <= 1 for share in fraction):
        raise InputError(f"expected fractions within (0, 1], found {fraction}")
    if asked.out.exists():
        raise FileError(f"expected nothing at {asked.out}, found something; name another folder")
    began = time.perf_counter()
    raster, annotation = copy_metadata(asked.metadata, asked.out, asked.pol, fraction)
    width, height = annotation.samples, annotation.lines
    info = RasterInfo(
        width, height, 1, "uint16", gcps=annotation.grid.control_points(), gcp_crs="EPSG:4326", gcp_zero="centre"
    )
    position = locate(info)
    assert position is not None
    seeds = np.random.SeedSequence(asked.seed).spawn(4)
    plan = make_plan(annotation, asked, position, np.random.default_rng(seeds[0]))
    ships, ghosts = place(plan, np.random.default_rng(seeds[1]))
    patches = render(plan, ships, ghosts, np.random.default_rng(seeds[2]))
    write_blocks(asked.out / raster, info, bands(plan, patches, seeds[3]), as_measurement=True)
    write_truth(asked.out.parent, plan, position, ships, ghosts)
    seconds = time.perf_counter() - began
    print(f"{width} x {height} pixels, {len(ships)} ships, {len(ghosts)} ambiguities in {seconds:.0f} s")


def render(
    plan: Plan, ships: list[Ship], ghosts: list[Ghost], rng: np.random.Generator
) -> list[tuple[int, int, fields.Field]]:
    """Patches that are added to the sea: first row, first column, and intensity."""
    patches = []
    for ship in ships:
        row, column, patch = ship_patch(ship, rng, plan.spec, plan.conditions.aperture_weight)
        level = float(plan.level.at(np.array([int(ship.y)]), np.array([int(ship.x)]))[0, 0])
        patches.append((row, column, patch * np.float32(level * 10 ** (ship.peak_to_clutter_db / 10))))
    for one in ghosts:
        row, column, patch = patches[one.ship]
        ship = ships[one.ship]
        place_y, place_x = row + round(one.y - ship.y), column + round(one.x - ship.x)
        patches.append((place_y, place_x, ghost(patch, rng)))
    return patches


def bands(
    plan: Plan, patches: list[tuple[int, int, fields.Field]], seed: np.random.SeedSequence
) -> Iterator[tuple[Window, NDArray[np.uint16]]]:
    """Bands of pixels from the top of the scene to its bottom."""
    width, height = plan.annotation.samples, plan.annotation.lines
    conditions, columns = plan.conditions, np.arange(width)
    starts = range(0, height, BAND)
    tail: fields.Field | None = None
    fade = (np.arange(SEAM, dtype=np.float32)[:, None] + 0.5) / SEAM
    for top, child in zip(starts, seed.spawn(len(starts)), strict=True):
        count = min(BAND, height - top)
        rng, speckle = np.random.default_rng(child), child.spawn(1)[0]
        field = fields.texture_field(rng, count + SEAM, width, conditions)
        if tail is not None:  # roots of the weights keep the variance at 1
            short = min(SEAM, count)
            field[:short] = field[:short] * np.sqrt(fade[:short]) + tail[:short] * np.sqrt(1 - fade[:short])
        tail = field[count:].copy()
        rows = np.arange(top, top + count)
        level = plan.level.at(rows, columns).astype(np.float32)
        clutter = level * fields.to_gamma(field[:count], conditions)
        signal = np.zeros_like(level)
        for row, column, patch in patches:
            add_patch(signal, row - top, column, patch)
        land = plan.relief.at(rows, columns) > 0
        if land.any():
            level *= fields.land_level(rng, count, width)
            clutter[land] = level[land]
            add_buildings(signal, land, level, conditions, rng)
        pixels = amplitude(clutter, signal, speckle, conditions)
        pixels[~plan.valid(rows, columns)] = 0
        yield Window(top, 0, count, width), pixels


def write_truth(folder: Path, plan: Plan, position: Position, ships: list[Ship], ghosts: list[Ghost]) -> None:
    """Write ships.geojson, ambiguities.geojson and land.geojson beside the product."""
    features = []
    for ship in ships:
        hull = position.lonlat(np.vstack([ship.hull()[:1], ship.hull()[2:4].mean(axis=0)[None], [[ship.x, ship.y]]]))
        features.append(
            feature(position, ship.box())
            | {
                "properties": {
                    "bbox_px": list(ship.box()),
                    "lon": float(hull[2, 0]),
                    "lat": float(hull[2, 1]),
                    "length_m": float(distances_m(hull[1:2], hull[:1])[0]),
                    "width_m": ship.width_px * plan.annotation.range_spacing_m,
                    "heading_deg": float(azimuths_deg(hull[1:2], hull[:1])[0]),
                    "peak_to_clutter_db": ship.peak_to_clutter_db,
                }
            }
        )
    write_json(folder / "ships.geojson", {"type": "FeatureCollection", "features": features})
    shadows = [
        feature(position, moved(ships[one.ship], one))
        | {"properties": {"bbox_px": list(moved(ships[one.ship], one)), "order": one.order, "ship": one.ship}}
        for one in ghosts
    ]
    write_json(folder / "ambiguities.geojson", {"type": "FeatureCollection", "features": shadows})
    write_json(folder / "land.geojson", {"type": "FeatureCollection", "features": land_features(plan, position)})


def feature(position: Position, box: tuple[float, float, float, float]) -> dict[str, Any]:
    """GeoJSON feature of a box on the ground."""
    polygon = footprint(position.corners(np.array([box], np.float32))[0])
    return {"type": "Feature", "geometry": shapely.geometry.mapping(polygon)}


def land_features(plan: Plan, position: Position) -> list[dict[str, Any]]:
    """GeoJSON features of the land, whose coast is where the relief is 0."""
    heights = np.array([row for _, row in plan.relief.vectors])
    pixels, lines = plan.relief.vectors[0][0], plan.relief.lines.astype(np.float64)
    generator = contourpy.contour_generator(pixels, lines, heights, fill_type="OuterOffset")
    polygons = []
    for points, offsets in zip(*generator.filled(0.0, float("inf")), strict=True):
        rings = [position.lonlat(points[a:b] + 0.5) for a, b in pairwise(offsets)]
        polygons.append(shapely.make_valid(shapely.Polygon(rings[0], rings[1:])))
    return [
        {"type": "Feature", "properties": {}, "geometry": shapely.geometry.mapping(part)}
        for part in polygons
        if not part.is_empty
    ]


if __name__ == "__main__":
    sys.exit(main())
