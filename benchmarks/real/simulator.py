"""Statistics of simulated ships compared with real ones in Sentinel-1 images.

    python benchmarks/real/simulator.py

It takes a minute on one core. The real ships are the GRD patches of OpenSARShip. Simulated ones are of kind
`sentinel1`, as long as the real ones of their class, on open sea of the level of each real product. The ranges of the
simulator were chosen on the part `train` only (docs/results/simulator.md); the part `decide` is printed, too.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from signatures import Signature, measure

from pipeline.datasets.real_scenes.patches import read_ships
from pipeline.datasets.real_scenes.split import PARTS, part_of
from refinedet.data.simulation.scene import simulate
from refinedet.data.simulation.sentinel1.ranges import Sentinel1Ranges
from refinedet.data.simulation.spec import SceneSpec

Range = tuple[float, float]

CLASSES: tuple[Range, ...] = ((15, 60), (60, 100), (100, 150), (150, 200), (200, 350))
"""Lengths in metres."""
BANDS = ("vv", "vh")
SHIPS, SIDE_PX, MARGIN_PX, SEED = 10, 480, 20, 9100
BRIGHT_DB = 26.0
"""Peak from which side lobes are measured."""
_FEWEST = 4
"""Ships below which a spread or a side lobe is not stated."""
_LEFT_OUT = ("slick", "front", "islet", "wind_farm", "single_turbine", "platform", "interference")
"""Objects of a simulated scene that occur in no real patch."""

Statistic = Callable[[list[Signature]], float]


@dataclass(frozen=True, slots=True)
class Pair:
    """Real and simulated ships of one class of length."""

    length_m: Range
    real: list[Signature]
    simulated: list[Signature]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("REFINEDET_DATA", "shared/data"))
    parser.add_argument("--scenes", type=int, default=3, help="simulated scenes of a class at each sea level")
    args = parser.parse_args()
    folder = args.data / "real" / "opensarship"
    found = {(part, band): pairs(folder, part, band, args.scenes) for part in PARTS for band in BANDS}
    print("\n".join(tables(found)))


def pairs(folder: Path, part: str, band: str, scenes: int, classes: Iterable[Range] = CLASSES) -> list[Pair]:
    """Signatures of the real ships of one part and polarisation, and of simulated ones, by class of length."""
    products = list(read_real(folder, part, band))
    levels = [median([one.sea_amplitude for one in ships]) for ships in products]
    found = []
    for low, high in classes:
        real = [one for ships in products for one in ships if low <= one.length_m < high]
        between = (min(one.length_m for one in real), max(one.length_m for one in real)) if real else (low, high)
        like = [one for level in levels for one in simulated(band, level, between, scenes)]
        found.append(Pair((low, high), real, like))
    return found


def read_real(folder: Path, part: str, band: str) -> Iterator[list[Signature]]:
    """Yield the signatures of the real ships of known length and axis, product by product."""
    for path in sorted(folder.glob("*GRDH*.json")):
        if part_of("opensarship", path.stem) == part:
            ships = [ship for ship in read_ships(path, band) if np.isfinite([ship.length_m, ship.axis_deg]).all()]
            yield [measure(ship.patch, ship.middle_xy, ship.length_m, ship.axis_deg) for ship in ships]


def simulated(band: str, sea_amplitude: float, length_m: Range, scenes: int) -> list[Signature]:
    """Signatures of simulated ships of a range of lengths, on open sea of one level."""
    found = []
    for number in range(scenes):
        spec = SceneSpec(
            *(SIDE_PX, SIDE_PX, SHIPS, SEED + number),
            kind="sentinel1",
            land_probability=0,
            nodata_probability=0,
            ranges=open_sea(band, sea_amplitude, length_m),
        )
        scene = simulate(spec)
        for ship in scene.ships:
            patch, middle = _cut(scene.pixels, np.array([ship.x, ship.y]), ship.length_px)
            found.append(measure(patch, middle, ship.length_px * spec.pixel_m, ship.heading_deg % 180))
    return found


def open_sea(band: str, sea_amplitude: float, length_m: Range) -> Sentinel1Ranges:
    """Ranges of scenes with ships of some lengths in one polarisation, and nothing else."""
    changes: dict[str, float] = {f"{name}_probability": 0.0 for name in _LEFT_OUT}
    changes |= {"vh_probability": float(band == "vh"), "contrast_of_scene_db": 0.0, "boat_share": 0.0}
    level = (sea_amplitude, sea_amplitude)
    return replace(Sentinel1Ranges(ship_m=length_m, amplitude_vv=level, amplitude_vh=level), **changes)


def tables(found: dict[tuple[str, str], list[Pair]]) -> Iterator[str]:
    """Lines of two tables in Markdown, real / simulated in each cell: ships by class of length, then the sea."""
    yield f"| part | band | length, m | ships | {' | '.join(STATISTICS)} |"
    yield "|---" * (4 + len(STATISTICS)) + "|"
    for (part, band), some in found.items():
        for pair in some:
            low, high = pair.length_m
            counts = f"{len(pair.real)} / {len(pair.simulated)}"
            yield f"| {part} | {band} | {low} to {high} | {counts} | {_cells(pair, STATISTICS)} |"
    yield ""
    yield f"| part | band | {' | '.join(SEA_STATISTICS)} |"
    yield "|---" * (2 + len(SEA_STATISTICS)) + "|"
    for (part, band), some in found.items():
        yield f"| {part} | {band} | {_cells(together(some), SEA_STATISTICS)} |"


def together(some: list[Pair]) -> Pair:
    """All ships of several classes."""
    real, like = ([one for pair in some for one in getattr(pair, name)] for name in ("real", "simulated"))
    return Pair((some[0].length_m[0], some[-1].length_m[1]), real, like)


def median(values: Iterable[float]) -> float:
    """Median of the finite values; NaN where there is none."""
    sample = np.array(list(values), np.float64)
    sample = sample[np.isfinite(sample)]
    return float(np.median(sample)) if sample.size else float("nan")


def spread(ships: list[Signature]) -> float:
    """Distance of the quartiles of the peaks."""
    if len(ships) < _FEWEST:
        return float("nan")
    low, high = np.percentile([ship.peak_db for ship in ships], (25, 75))
    return float(high - low)


def lobes_db(values: list[float]) -> float:
    """Decibels of the median of side lobes over their peaks."""
    finite = [value for value in values if np.isfinite(value)]
    return float(10 * np.log10(max(median(finite), 1e-6))) if len(finite) >= _FEWEST else float("nan")


def _bright(ships: list[Signature]) -> list[Signature]:
    return [ship for ship in ships if ship.peak_db >= BRIGHT_DB]


STATISTICS: dict[str, Statistic] = {
    "peak, dB": lambda ships: median(one.peak_db for one in ships),
    "its quartiles, dB apart": spread,
    "length at half the peak, px": lambda ships: median(one.half_px[0] for one in ships),
    "width, px": lambda ships: median(one.half_px[1] for one in ships),
    "length 12 dB above the sea, px": lambda ships: median(one.blob_px[0] for one in ships),
    "width 12 dB above, px": lambda ships: median(one.blob_px[1] for one in ships),
    "side lobes along azimuth, dB": lambda ships: lobes_db([one.lobe_y for one in _bright(ships)]),
    "along range, dB": lambda ships: lobes_db([one.lobe_x for one in _bright(ships)]),
}
SEA_STATISTICS: dict[str, Statistic] = {
    "looks": lambda ships: median(one.looks for one in ships),
    "correlation along azimuth": lambda ships: median(one.correlation_y for one in ships),
    "along range": lambda ships: median(one.correlation_x for one in ships),
}


def _cells(pair: Pair, statistics: dict[str, Statistic]) -> str:
    return " | ".join(f"{_text(of(pair.real))} / {_text(of(pair.simulated))}" for of in statistics.values())


def _text(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.3g}"


def _cut(
    pixels: NDArray[np.uint16], middle_xy: NDArray[np.float64], length_px: float
) -> tuple[NDArray[np.uint16], NDArray[np.float64]]:
    """Cut the patch around a ship, with as much sea as the real patches have; its middle in the patch."""
    reach = int(length_px / 2 + MARGIN_PX)
    left, top = np.maximum(middle_xy.astype(int) - reach, 0)
    right, bottom = middle_xy.astype(int) + reach
    return pixels[top:bottom, left:right], middle_xy - (left, top)


if __name__ == "__main__":
    main()
