"""Places of real ships in Sentinel-1 images, predicted from AIS, against the marked centres of OpenSARShip.

Each ship has one report: time, place, speed, course. The geometry comes from the data set: the incidence of each ship;
direction of flight and place of a line from the pixels and places of all ships; the time of a line from the name of the
product and the interval of its lines. Then all marked ships of a product are matched with all reports as in `refinedet
match`, without using the known pairs.

    python benchmarks/ais/ais_position.py > docs/runs/ais_position.txt
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinedet.ais.displacement import displacement, range_over_speed
from refinedet.ais.evidence import Detected
from refinedet.ais.expected import expected_ships
from refinedet.ais.geometry import SceneGeometry, Surface
from refinedet.ais.matching import SceneToMatch, match
from refinedet.ais.offset import fit
from refinedet.ais.tables import Ais, Fixes, Statics
from refinedet.ais.tracks import KNOT_M_S, whereabouts
from refinedet.geo.steps import moved, steps_m

Array = NDArray[np.float64]

LINE_S = {"GRDH": 1.4977e-3, "SLC": 2.0556e-3}
"""Interval of the lines of IW products, in seconds."""
MOVING_KN = 4.0
FEWEST = 5
STEPS = (
    *("reported", "dead reckoned", "displaced", "displaced the wrong way"),
    *("displaced, offset taken off", "the same, antenna astern"),
)


@dataclass(frozen=True, slots=True)
class Marked:
    """Marked ships of one product, and their reports, row by row."""

    detected: Detected
    geometry: SceneGeometry
    ais: Ais
    speed_kn: Array


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("REFINEDET_DATA", "../shared/data")) / "real")
    files = sorted((parser.parse_args().data / "opensarship").glob("*.json"))
    print("Median distance in metres from the marked centre (largest of the nearest 90 %)\n")
    print("| product | ships | number | " + " | ".join(STEPS) + " |\n" + "|---" * (3 + len(STEPS)) + "|")
    astray = []
    for path in files:
        marked = read(path)
        moving = marked.speed_kn >= MOVING_KN
        distances, along, across = predicted(marked)
        for name, own in (("moving", moving), ("others", ~moving)):
            if own.sum() >= FEWEST:
                cells = [f"{np.median(one[own]):.0f} ({np.quantile(one[own], 0.9):.0f})" for one in distances]
                print(f"| {path.stem[17:32]} | {name} | {own.sum()} | " + " | ".join(cells) + " |")
        if moving.sum() >= FEWEST:
            speed = marked.speed_kn[moving] * KNOT_M_S
            beside, ahead, seconds = (
                np.median(np.abs(one)) for one in (across[moving], along[moving], along[moving] / speed)
            )
            astray.append(
                f"{path.stem[17:32]}: after the last step but one the moving ships lie {beside:.0f} m beside their "
                f"course and {ahead:.0f} m along it at the median; that is {seconds:.0f} s of their way"
            )
    print("\n" + "\n".join(astray))
    print("\nOffset of each product, found by matching without knowing which ship is which\n")
    print("| product | ships | east | north | error | clock | matched | of them right |\n" + "|---" * 8 + "|")
    for path in files:
        print("| " + " | ".join((path.stem[17:32], *blind(read(path)))) + " |")


def predicted(marked: Marked) -> tuple[list[Array], Array, Array]:
    """Distances (N,) of the marked centres from the places after each of STEPS.

    Also distances along and across the course (N,) after the fifth step.
    """
    fixes, centre = marked.ais.fixes, marked.detected.lonlat
    time = marked.geometry.times(centre)
    antenna = whereabouts(fixes, fixes.mmsi, time)  # one report per ship
    velocity = antenna.velocity_m_s
    shift = displacement(marked.geometry.view(centre), velocity)
    ships = expected_ships(marked.ais, marked.geometry, np.median(centre, axis=0))
    residual = steps_m(moved(antenna.lonlat, shift), centre)
    offset, full = (fit(one, ships.covariance_m2, velocity) for one in (residual, steps_m(ships.shown_lonlat, centre)))
    without = moved(moved(antenna.lonlat, shift), offset.moved_by(velocity))
    places = (
        np.stack([fixes.longitude_deg, fixes.latitude_deg], axis=1),
        antenna.lonlat,
        moved(antenna.lonlat, shift),
        moved(antenna.lonlat, -shift),
        without,
        moved(ships.shown_lonlat, full.moved_by(velocity)),
    )
    course = velocity / np.maximum(np.hypot(*velocity.T), 1e-9)[:, None]
    left = steps_m(without, centre)
    across = left[:, 0] * course[:, 1] - left[:, 1] * course[:, 0]
    return [np.hypot(*steps_m(place, centre).T) for place in places], (left * course).sum(axis=1), across


def blind(marked: Marked) -> list[str]:
    """Match a product without using the known pairs; returns cells of the table."""
    count = len(marked.detected)
    found = match(SceneToMatch(marked.detected, marked.geometry, np.ones(count), [()] * count), marked.ais)
    matched = found.assigned.ship >= 0
    right = matched & (found.ships.mmsi[found.assigned.ship] == marked.ais.fixes.mmsi)
    one = found.offset
    clock = f"{one.clock_s:+.0f} s ± {one.clock_error_s:.0f}" if np.isfinite(one.clock_error_s) else "not told"
    shares = str(int(matched.sum())), str(int(right.sum()))
    return [str(count), f"{one.east_m:+.0f} m", f"{one.north_m:+.0f} m", f"{one.error_m:.0f} m", clock, *shares]


def read(path: Path) -> Marked:
    """Read the ships of one product, in the order of their numbers."""
    ships = sorted(json.loads(path.read_text(encoding="utf-8"))["ships"], key=lambda ship: ship["ais"]["mmsi"])
    centre = np.array([ship["sar_lonlat"] for ship in ships])
    kind = path.stem.split("_")[2]
    start = np.datetime64(_iso(path.stem.split("_")[-5]), "ms")
    pixels = np.array([ship["centre_px"] for ship in ships])
    along = Surface.through(centre, pixels[:, 1:] * LINE_S[kind])
    incidence = np.array([ship["incidence_deg"] for ship in ships])
    track = _track(centre, pixels)
    values = np.stack([range_over_speed(incidence), incidence, *np.broadcast_to(track, centre.shape).T], axis=1)
    geometry = SceneGeometry(start, along, Surface.through(centre, values), source="stated")
    length, axis = np.array([float(ship.get("manual_length_m") or np.nan) for ship in ships]), _axes(ships, track)
    return Marked(Detected(centre, length, axis), geometry, _ais(ships), _column(ships, "sog_tenth_kn") / 10)


def _track(centre: Array, pixels: Array) -> Array:
    """Unit vector (2,) of the direction of flight: of a plane through the places by pixel."""
    metres = steps_m(np.broadcast_to(centre[:1], centre.shape), centre)
    flight = np.linalg.lstsq(np.c_[pixels - pixels[:1], np.ones(len(pixels))], metres, rcond=None)[0][1]
    return np.asarray(flight / np.hypot(*flight))


def _axes(ships: list[dict[str, Any]], track: Array) -> Array:
    """Axes (N,) of the ships, clockwise from north; in pixels of a GRD product, x is to the right of the flight."""
    heads = np.array([np.subtract(ship["head_px"], ship["tail_px"]) for ship in ships])
    right = np.array([track[1], -track[0]])
    east, north = (heads[:, :1] * right + heads[:, 1:] * track).T
    return np.degrees(np.arctan2(east, north)) % 180


def _ais(ships: list[dict[str, Any]]) -> Ais:
    mmsi = _column(ships, "mmsi").astype(np.int64)
    lonlat = np.array([ship["ais"]["lonlat"] for ship in ships])
    time = (1000 * _column(ships, "time_unix")).astype("datetime64[ms]")
    heading = _column(ships, "heading_deg")
    few = (_column(ships, "sog_tenth_kn") / 10, _column(ships, "cog_tenth_deg") / 10 % 360)
    few = (*few, np.where(heading < 360, heading, np.nan), np.full(len(ships), 10.0))
    fixes = Fixes(mmsi, time, *lonlat.T, *(one.astype(np.float32) for one in few))
    length, width = (
        np.where(size > 0, size, np.nan) for size in (_column(ships, "length_m"), _column(ships, "width_m"))
    )
    text, unknown = np.full(len(ships), ""), np.full(len(ships), np.nan, np.float32)
    sizes = length.astype(np.float32), width.astype(np.float32)
    return Ais(fixes, Statics(mmsi, text, text, *sizes, *([unknown] * 4)), {"kept": len(ships)}, ())


def _column(ships: list[dict[str, Any]], name: str) -> Array:
    return np.array([np.nan if ship["ais"][name] is None else ship["ais"][name] for ship in ships], np.float64)


def _iso(text: str) -> str:
    """Time such as 20160131T101646 in ISO 8601."""
    return f"{text[:4]}-{text[4:6]}-{text[6:8]}T{text[9:11]}:{text[11:13]}:{text[13:15]}"


if __name__ == "__main__":
    main()
