"""Matches of simulated ships with AIS: correct matches, dark ships, and the effect of the displacement.

300 ships within 120 x 90 km, 60 of them at anchor within 3 km. 70 % report, the nearest report up to 15 minutes from
the image. Detections lie 15 m from their ships (standard deviation). 5 % of the ships are missed, and 2 % are false
alarms.

    python benchmarks/ais/ais_match.py > docs/runs/ais_match.txt
"""

from __future__ import annotations

import argparse

import numpy as np
from numpy.typing import NDArray

from refinedet.ais.displacement import range_over_speed
from refinedet.ais.evidence import Detected
from refinedet.ais.geometry import SceneGeometry, Surface
from refinedet.ais.matching import Match, MatchSettings, SceneToMatch, match
from refinedet.data.simulation.ais import AisSpec, ShipsShown, SimulatedAis, simulate_ais
from refinedet.geo.steps import direction, moved

Array = NDArray[np.float64]

MIDDLE = np.array([6.5, 54.5])
SIZE_M = (120_000.0, 90_000.0)
TRACK_DEG = 348.0
SHIPS, AT_ANCHOR, ANCHORAGE_M = 300, 60, 1500.0
_APART_M = 150.0


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    seeds = parser.parse_args().seeds
    variants = {
        "as it is": (MatchSettings(), (0.0, 0.0)),
        "scene 150 m east and 190 m south of its place": (MatchSettings(), (150.0, -190.0)),
        "the same, offset not taken off": (MatchSettings(correct_offset=False), (150.0, -190.0)),
        "without the displacement of moving ships": (MatchSettings(displaced=False), (0.0, 0.0)),
        "geometry of the scene unknown": (None, (0.0, 0.0)),
    }
    print(f"{seeds} scenes of {SHIPS} ships each, {AT_ANCHOR} of them at anchor within {2 * ANCHORAGE_M / 1000:g} km\n")
    print("| variant | reporting ships matched | matches right | dark named | false dark | unknown | offset |")
    print("|---" * 7 + "|")
    for name, (settings, offset) in variants.items():
        print(f"| {name} | " + " | ".join(_figures(seeds, settings, offset)) + " |")


def _figures(seeds: int, settings: MatchSettings | None, offset: tuple[float, float]) -> list[str]:
    rows, offsets = [], []
    for seed in range(seeds):
        rows_of, found = one_scene(seed, settings, offset)
        rows.append(rows_of)
        offsets.append(found)
    total = np.array(rows).sum(axis=0)
    seen, matched, right, dark, named, false_dark, unknown, all_found = total
    east, north = np.median(offsets, axis=0)
    shares = (matched / seen, right / matched, named / dark, false_dark / seen, unknown / all_found)
    return [*(f"{share:.3f}" for share in shares), f"{east:+.0f} m, {north:+.0f} m"]


def one_scene(
    seed: int, settings: MatchSettings | None, offset_m: tuple[float, float]
) -> tuple[list[int], tuple[float, float]]:
    """Match one scene; counts for the table, and the offset that was found. Settings None: unknown geometry."""
    rng = np.random.default_rng(seed)
    geometry = _geometry()
    shown = _traffic(rng)
    truth = simulate_ais(shown, geometry, AisSpec(seed=seed))
    detected, ship = _detections(shown, offset_m, rng)
    if settings is None:
        settings, geometry = MatchSettings(), SceneGeometry(geometry.start, geometry.seconds, None)
    flags = [()] * len(detected)
    found = match(SceneToMatch(detected, geometry, np.ones(len(detected)), flags), truth.ais, settings)
    return _counts(found, truth, ship), (found.offset.east_m, found.offset.north_m)


def _counts(found: Match, truth: SimulatedAis, ship: NDArray[np.int64]) -> list[int]:
    real = ship >= 0
    reports = real & truth.reporting[ship]
    status = np.array(found.verdicts.status)
    matched = status == "matched"
    told = np.full(len(ship), -1)
    told[matched] = found.ships.mmsi[found.assigned.ship[matched]]
    right = matched & real & (told == truth.mmsi[ship])
    dark = real & ~truth.reporting[ship]
    return [
        int(reports.sum()),
        int((reports & matched).sum()),
        int(right.sum()),
        int(dark.sum()),
        int((dark & (status == "dark")).sum()),
        int((reports & (status == "dark")).sum()),
        int((status == "unknown").sum()),
        len(status),
    ]


def _geometry() -> SceneGeometry:
    """Geometry like that of Sentinel-1 in its mode IW, ascending."""
    across = np.linspace(-0.5, 0.5, 6) * SIZE_M[0]
    along = np.linspace(-0.5, 0.5, 4) * SIZE_M[1]
    away, flight = direction(np.array([TRACK_DEG + 90, TRACK_DEG]))
    nodes = np.array([a * away + b * flight for a in across for b in along])
    lonlat = moved(np.broadcast_to(MIDDLE, nodes.shape), nodes)
    incidence = 38 + 15 * (nodes @ away) / SIZE_M[0]
    values = [range_over_speed(incidence), incidence, *np.broadcast_to(flight, nodes.shape).T]
    seconds = (nodes @ flight / 6800 + 15)[:, None]
    start = np.datetime64("2024-05-01T17:00:00", "ms")
    return SceneGeometry(start, Surface.through(lonlat, seconds), Surface.through(lonlat, np.stack(values, axis=1)))


def _traffic(rng: np.random.Generator) -> ShipsShown:
    steps = rng.uniform(-0.5, 0.5, (SHIPS, 2)) * SIZE_M
    steps[:AT_ANCHOR] = _anchorage(rng)
    length = rng.lognormal(np.log(110), 0.55, SHIPS).clip(18, 380)
    speed = rng.normal(11, 4, SHIPS).clip(2.5, 22)
    speed[:AT_ANCHOR] = 0
    heading = rng.choice([60.0, 240, 20, 200, 330], SHIPS) + rng.normal(0, 25, SHIPS)
    heading[:AT_ANCHOR] = rng.uniform(0, 360) + rng.normal(0, 15, AT_ANCHOR)
    lonlat = moved(np.broadcast_to(MIDDLE, steps.shape), steps)
    return ShipsShown(lonlat, heading % 360, speed, length, length / 6.2)


def _anchorage(rng: np.random.Generator) -> Array:
    """Places of ships at anchor around one place, some room apart."""
    places = np.zeros((0, 2))
    while len(places) < AT_ANCHOR:
        one = rng.uniform(-ANCHORAGE_M, ANCHORAGE_M, 2)
        if np.hypot(*one) <= ANCHORAGE_M and (np.hypot(*(places - one).T) >= _APART_M).all():
            places = np.concatenate([places, one[None]])
    return places + np.array([0.2, -0.1]) * SIZE_M


def _detections(
    shown: ShipsShown, offset_m: tuple[float, float], rng: np.random.Generator
) -> tuple[Detected, NDArray[np.int64]]:
    """Detections, and the ship of each; -1 for a false alarm."""
    ship = np.flatnonzero(rng.random(SHIPS) < 0.95)
    steps = np.array(offset_m) + rng.normal(0, 15, (len(ship), 2))
    lonlat = moved(shown.lonlat[ship], steps)
    length = shown.length_m[ship] * rng.normal(1, 0.15, len(ship)) + 20
    axis = (shown.heading_deg[ship] + rng.normal(0, 6, len(ship))) % 180
    axis[rng.random(len(ship)) < 0.1] = np.nan
    false = round(0.02 * SHIPS)
    wrong = moved(np.broadcast_to(MIDDLE, (false, 2)), rng.uniform(-0.5, 0.5, (false, 2)) * SIZE_M)
    detected = Detected(
        np.concatenate([lonlat, wrong]),
        np.concatenate([length, rng.uniform(20, 80, false)]),
        np.concatenate([axis, np.full(false, np.nan)]),
    )
    return detected, np.concatenate([ship, np.full(false, -1)])


if __name__ == "__main__":
    main()
