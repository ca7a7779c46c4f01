"""Sample opensarship: ships with AIS truth, laid into one scene for each product and polarisation, or both of them.

The speckle between the patches is independent in the two bands of a scene with both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from figures import Figure, Row, mean, rate, share, typical
from finding import DEFAULT_SCORE, LOW_SCORE, Bench, Found
from numpy.typing import NDArray
from scipy import ndimage

from pipeline.datasets.real_scenes.laying import GRD, SLC, Laid, lay
from pipeline.datasets.real_scenes.patches import PIXEL_M, Ship, bands, read_ships
from pipeline.datasets.real_scenes.signatures import sea_power
from pipeline.datasets.real_scenes.split import PARTS, part_of

SEED = 21
CLASSES = (("below 60 m", 0, 60), ("60 to 100 m", 60, 100), ("above 100 m", 100, np.inf), ("length unknown", 0, 0))
AXIS_DEG, SHORT_M, NEAR_PX = 10.0, 100.0, 4.0
_SPOT_PX, _STANDS_OUT = 0.8, 4.0
"""Smoothing of power in pixels, and the least power of a ship that stands out, relative to the mean of its sea."""
TURNED_DEG = 20.0
"""Angle between the marked axis and the heading in AIS from which on the ship has turned between image and message, or
its compass is wrong."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Outcome of one ship of a scene; NaN where it was not found or not measured."""

    part: str
    product: str
    band: str
    length_m: float
    width_m: float
    by_hand_m: float
    stands_out: bool
    """True if `stands_out` says so of the ship in one of its polarisations."""
    found: bool
    found_low: bool
    """True if found from the lower score on."""
    got_length_m: float
    got_low_m: float
    got_high_m: float
    """Ends of the interval of the length."""
    got_width_m: float
    axis_error_deg: float
    """Angle to the marked axis."""
    heading_error_deg: float
    """Angle to the axis by AIS; NaN without a heading, and where it lies more than `TURNED_DEG` off the marked axis."""
    hand_error_deg: float
    """Angle of the marked axis to the axis by AIS; NaN for the same ships."""


def rows(bench: Bench) -> Iterator[Row]:
    """Look at all products and polarisations, and yield the rows of three tables."""
    ships: list[Measured] = []
    alarms: list[Row] = []
    for path in sorted((bench.data / "opensarship").glob("*.json")):
        single = bands(path)
        for band in (*single, *(("+".join(single),) if len(single) > 1 else ())):
            some, row = look(bench, path, band)
            ships += some
            alarms.append(row)
    for part in PARTS:
        of_part = [ship for ship in ships if ship.part == part]
        names = list(dict.fromkeys((ship.product, ship.band) for ship in of_part))
        for band in dict.fromkeys(band for _, band in names):
            some = [ship for ship in of_part if ship.band == band]
            yield from _rows_of(part, f"all, {band}", some)
            products = [product for product, own in names if own == band]
            for product in products if len(products) > 1 else ():
                yield from _rows_of(part, f"{product}, {band}", [ship for ship in some if ship.product == product])
    yield from sorted(alarms, key=lambda row: PARTS.index(row.part))  # type: ignore[arg-type]  # one of them


def look(bench: Bench, path: Path, band: str) -> tuple[list[Measured], Row]:
    """Look at one scene of a product at both scores; its ships, and a row of its false alarms.

    Args:
        bench: the bench.
        path: JSON file of the product.
        band: a polarisation of it, or two with a plus between them, which are searched together.
    """
    ships, *others = (read_ships(path, one) for one in band.split("+"))
    speckle = SLC if "_SLC_" in path.stem else GRD
    laid, *more = (
        lay([ship.patch for ship in some], speckle=speckle, seed=SEED + k) for k, some in enumerate([ships, *others])
    )
    names = band.split("+") if more else [""]
    name = f"{path.stem[:25]}_{band.replace(' ', '_')}"
    scene = bench.lay(name, dict(zip(names, [one.pixels for one in (laid, *more)], strict=True)))
    both = {"pol": band} if more else {}
    found, low = (bench.find(scene, score_min=score, **both) for score in (DEFAULT_SCORE, LOW_SCORE))
    part, product = part_of("opensarship", path.stem), path.stem.split("_")[-5][:8]
    hits, low_hits = matched(found, laid, ships), matched(low, laid, ships)
    measured = [
        Measured(
            part,
            product,
            band,
            ship.length_m,
            ship.width_m,
            ship.by_hand_m,
            any(stands_out(one) for one in looks),
            bool(hit >= 0),
            bool(low_hit >= 0),
            *measures(found, hit, ship),
        )
        for ship, looks, hit, low_hit in zip(ships, zip(ships, *others, strict=True), hits, low_hits, strict=True)
    ]
    km2 = laid.open_sea_px * PIXEL_M**2 / 1e6
    figures = {"sea between the patches, km2": Figure(km2, None, None, laid.open_sea_px)}
    for score, one, own in ((DEFAULT_SCORE, found, hits), (LOW_SCORE, low, low_hits)):
        outside = int((laid.patch_of(one.centres) < 0).sum())
        figures[f"false per 1,000 km2 at {score}"] = rate(outside, km2 / 1000)
        beside = len(one.boxes) - outside - int((own >= 0).sum())
        figures[f"other boxes per patch at {score}"] = rate(beside, len(ships))
    return measured, Row("opensarship: other boxes", part, f"{product}, {band}", figures)


def stands_out(ship: Ship) -> bool:
    """True if the brightest spot of a ship is at least 6 dB above the mean of its sea, in smoothed power.

    Spots of the sea itself reach 3 to 5 dB in the same patches.
    """
    smooth = ndimage.gaussian_filter(np.square(ship.patch), _SPOT_PX) / sea_power(ship)
    reach = max(NEAR_PX, float(np.hypot(*ship.along_xy)) / 2)
    y, x = np.indices(smooth.shape) + 0.5
    near = np.hypot(x - ship.middle_xy[0], y - ship.middle_xy[1]) <= reach
    return bool(smooth[near].max(initial=0) >= _STANDS_OUT)


def matched(found: Found, laid: Laid, ships: list[Ship]) -> NDArray[np.int64]:
    """Index of the detection of each ship, -1 if it was missed: the nearest one within half the marked length."""
    patch = laid.patch_of(found.centres)
    hits = np.full(len(ships), -1, np.int64)
    for index, ship in enumerate(ships):
        near = max(NEAR_PX, float(np.hypot(*ship.along_xy)) / 2)
        apart = np.hypot(*(found.centres - laid.rectangles[index, :2] - ship.middle_xy).T)
        apart = np.where(patch == index, apart, np.inf)
        if len(apart) and apart.min() <= near:
            hits[index] = apart.argmin()
    return hits


def measures(found: Found, hit: int, ship: Ship) -> tuple[float, ...]:
    """Measures of a ship in the order of `Measured`, from `got_length_m` on; NaN for no detection (-1)."""
    if hit < 0:
        return (float("nan"),) * 7
    length, low, high, width, axis = (
        float(values[hit])
        for values in (found.length_m, found.length_m_low, found.length_m_high, found.width_m, found.heading_deg)
    )
    by_hand = turned(ship.heading_axis_deg, ship.axis_deg)
    by_ais = (turned(axis, ship.heading_axis_deg), by_hand) if by_hand <= TURNED_DEG else (float("nan"),) * 2
    return length, low, high, width, turned(axis, ship.axis_deg), *by_ais


def turned(axis_deg: float, other_deg: float) -> float:
    """Angle between two axes, in [0, 90]."""
    return abs((axis_deg - other_deg + 90) % 180 - 90)


def _rows_of(part: str, subset: str, ships: list[Measured]) -> Iterator[Row]:
    lengths = np.array([ship.length_m for ship in ships])
    hit, low = (np.array([getattr(ship, name) for ship in ships]) for name in ("found", "found_low"))
    groups = [("all lengths", np.ones(len(ships), bool))]
    groups += [(name, (lengths >= least) & (lengths < most)) for name, least, most in CLASSES[:-1]]
    groups.append((CLASSES[-1][0], np.isnan(lengths)))
    clear = np.array([ship.stands_out for ship in ships])
    groups += [("6 dB above the sea", clear), ("less above the sea", ~clear)]
    for name, own in groups:
        if own.any():
            scores = {f"recall at {DEFAULT_SCORE}": share(hit[own]), f"recall at {LOW_SCORE}": share(low[own])}
            yield Row("opensarship: recall", part, f"{subset}, {name}", scores)
    yield Row("opensarship: sizes and axis", part, subset, size_figures(ships))


def size_figures(ships: list[Measured]) -> dict[str, Figure]:
    """Figures of length, width and axis of the ships that were found."""
    truth, got, low, high, hand, width, got_width, turn, by_ais, hand_turn = (
        np.array([getattr(ship, name) for ship in ships if ship.found], np.float64)
        for name in (
            *("length_m", "got_length_m", "got_low_m", "got_high_m", "by_hand_m"),
            *("width_m", "got_width_m", "axis_error_deg", "heading_error_deg", "hand_error_deg"),
        )
    )
    short, known = truth < SHORT_M, np.isfinite(truth) & np.isfinite(got)
    return {
        "length, median relative error": typical(np.abs(got / truth - 1)),
        "length, ratio": typical(got / truth),
        "length, ratio below 100 m": typical(got[short] / truth[short]),
        "length in its interval": share(((low <= truth) & (truth <= high))[known]),
        "length marked by hand, median relative error": typical(np.abs(hand / truth - 1)),
        "width, ratio": typical(got_width / width),
        "width, mean error in m": mean(np.abs(got_width - width)),
        "axis within 10 degrees": share(turn[np.isfinite(turn)] <= AXIS_DEG),
        "axis within 10 degrees of AIS": share(by_ais[np.isfinite(by_ais)] <= AXIS_DEG),
        "marked axis within 10 degrees of AIS": share(hand_turn[np.isfinite(by_ais)] <= AXIS_DEG),
        "axis given": share(np.isfinite(turn)),
    }
