"""Statistics of simulated ships beside those of real ones: does the simulator look like Sentinel-1?

    python benchmarks/real/simulator.py

It takes half a minute on one core. The real ships are the GRD patches of OpenSARShip. Simulated ones are of kind
`sentinel1`, at the sea levels of the real products, on open sea. The ranges of the simulator were chosen on the part
`train` alone (split.py); the part `decide` is printed beside it.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from signatures import Signature, measure

from pipeline.datasets.real_scenes.patches import read_ships
from pipeline.datasets.real_scenes.split import PARTS, part_of
from refinedet.data.simulation.scene import simulate
from refinedet.data.simulation.sentinel1.ranges import Sentinel1Ranges
from refinedet.data.simulation.spec import SceneSpec

CLASSES = ((15, 60), (60, 100), (100, 150), (150, 200), (200, 350))
"""Lengths in metres."""
BANDS = ("vv", "vh")
SHIPS, SIDE_PX, MARGIN_PX = 16, 620, 20
BRIGHT_DB = 26.0
"""Peak from which side lobes are measured."""
SEED = 9100

Statistic = Callable[[list[Signature]], float]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("REFINEDET_DATA", "shared/data"))
    parser.add_argument("--scenes", type=int, default=2, help="simulated scenes of a class at each sea level")
    args = parser.parse_args()
    found = {(part, band): real(args.data / "real" / "opensarship", part, band) for part in PARTS for band in BANDS}
    print("\n".join(table(found, args.scenes)))


def real(folder: Path, part: str, band: str) -> dict[str, list[Signature]]:
    """Signatures of the real ships of known length of one part and polarisation, by product."""
    found = {}
    for path in sorted(folder.glob("*GRDH*.json")):
        if part_of("opensarship", path.stem) == part:
            ships = [ship for ship in read_ships(path, band) if np.isfinite([ship.length_m, ship.axis_deg]).all()]
            found[path.stem] = [
                measure(ship.patch, (ship.middle_xy[0], ship.middle_xy[1]), ship.length_m, ship.axis_deg)
                for ship in ships
            ]
    return found


def simulated(band: str, sea_amplitude: float, length_m: tuple[float, float], scenes: int) -> list[Signature]:
    """Signatures of simulated ships of a range of lengths, on open sea of one level."""
    ranges = open_sea(band, sea_amplitude, length_m)
    found = []
    for number in range(scenes):
        spec = SceneSpec(
            *(SIDE_PX, SIDE_PX, SHIPS, SEED + number),
            kind="sentinel1",
            land_probability=0,
            nodata_probability=0,
            ranges=ranges,
        )
        scene = simulate(spec)
        for ship in scene.ships:
            patch, middle = _cut(scene.pixels, (ship.x, ship.y), ship.length_px)
            found.append(measure(patch, middle, ship.length_px * spec.pixel_m, ship.heading_deg % 180))
    return found


def open_sea(band: str, sea_amplitude: float, length_m: tuple[float, float]) -> Sentinel1Ranges:
    """Ranges of scenes with ships of some lengths in one polarisation, and nothing else."""
    nothing = dict.fromkeys(
        (
            f"{name}_probability"
            for name in ("slick", "front", "islet", "wind_farm", "single_turbine", "platform", "interference")
        ),
        0.0,
    )
    amplitude = (sea_amplitude, sea_amplitude)
    return replace(
        Sentinel1Ranges(),
        vh_probability=float(band == "vh"),
        amplitude_vv=amplitude,
        amplitude_vh=amplitude,
        contrast_of_scene_db=0.0,
        boat_share=0.0,
        ship_m=length_m,
        **nothing,  # type: ignore[arg-type]  # numbers all of them
    )


def table(found: dict[tuple[str, str], dict[str, list[Signature]]], scenes: int) -> Iterator[str]:
    """Lines of the Markdown tables: signatures by class of length, then the sea."""
    yield (
        "| part | band | length, m | ships, real | "
        + " | ".join(f"{name}: real | simulated" for name in STATISTICS)
        + " |"
    )
    yield "|---" * (4 + 2 * len(STATISTICS)) + "|"
    seas = []
    for (part, band), products in found.items():
        levels = {name: float(np.median([one.sea_amplitude for one in ships])) for name, ships in products.items()}
        like: list[Signature] = []
        for low, high in CLASSES:
            own = [one for ships in products.values() for one in ships if low <= one.length_m < high]
            lengths = [one.length_m for one in own] or [low, high]
            between = (min(lengths), max(lengths))
            made = [one for level in levels.values() for one in simulated(band, level, between, scenes)]
            like += made
            cells = " | ".join(f"{_text(value(own))} | {_text(value(made))}" for value in STATISTICS.values())
            yield f"| {part} | {band} | {low} to {high} | {len(own)} | {cells} |"
        seas.append((part, band, [one for ships in products.values() for one in ships], like))
    yield ""
    yield "| part | band | " + " | ".join(f"{name}: real | simulated" for name in SEA_STATISTICS) + " |"
    yield "|---" * (2 + 2 * len(SEA_STATISTICS)) + "|"
    for part, band, own, made in seas:
        cells = " | ".join(f"{_text(value(own))} | {_text(value(made))}" for value in SEA_STATISTICS.values())
        yield f"| {part} | {band} | {cells} |"


def _median(of: Callable[[Signature], float]) -> Statistic:
    def statistic(ships: list[Signature]) -> float:
        values = np.array([of(ship) for ship in ships])
        values = values[np.isfinite(values)]
        return float(np.median(values)) if values.size else float("nan")

    return statistic


def _spread(ships: list[Signature]) -> float:
    return float(np.subtract(*np.percentile([ship.peak_db for ship in ships], (75, 25)))) if len(ships) > 3 else np.nan


def _lobes(of: Callable[[Signature], float]) -> Statistic:
    """Decibels of the median side lobe of bright ships under their peak."""

    def statistic(ships: list[Signature]) -> float:
        values = np.array([of(ship) for ship in ships if ship.peak_db >= BRIGHT_DB])
        values = values[np.isfinite(values)]
        if values.size < 4:
            return float("nan")
        return float(10 * np.log10(max(float(np.median(values)), 1e-6)))

    return statistic


STATISTICS: dict[str, Statistic] = {
    "peak, dB": _median(lambda one: one.peak_db),
    "spread of peaks, dB": _spread,
    "half-peak length, px": _median(lambda one: one.half_px[0]),
    "half-peak width, px": _median(lambda one: one.half_px[1]),
    "12 dB length, px": _median(lambda one: one.blob_px[0]),
    "12 dB width, px": _median(lambda one: one.blob_px[1]),
    "lobes azimuth, dB": _lobes(lambda one: one.lobe_y),
    "lobes range, dB": _lobes(lambda one: one.lobe_x),
}
SEA_STATISTICS: dict[str, Statistic] = {
    "looks": _median(lambda one: one.looks),
    "correlation azimuth": _median(lambda one: one.correlation_y),
    "correlation range": _median(lambda one: one.correlation_x),
}


def _text(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.3g}"


def _cut(
    pixels: NDArray[np.uint16], middle_xy: tuple[float, float], length_px: float
) -> tuple[NDArray[np.uint16], tuple[float, float]]:
    """Cut the patch around a ship, with sea around as the real patches have it; its middle in the patch."""
    reach = int(length_px / 2 + MARGIN_PX)
    left, top = (max(int(value) - reach, 0) for value in middle_xy)
    patch = pixels[top : int(middle_xy[1]) + reach, left : int(middle_xy[0]) + reach]
    return patch, (middle_xy[0] - left, middle_xy[1] - top)


if __name__ == "__main__":
    main()
