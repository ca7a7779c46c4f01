"""Ships found with the stretch measured on all pixels, and on the sea; and the time and memory of both.

    python benchmarks/accuracy/sea_levels.py --data ../shared/data --pictures demo/sea

"Before" is the earlier stretch by percentiles of all pixels. The cases are a simulated scene whose lower part becomes a
city, real ships (OpenSARShip) laid into simulated sea with and without a trend of incidence, a real port, plain
simulated scenes, and real images without ships or with slicks.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sea_scenes import SIDE_PX, Picture, real_ships, simulated, slick_ships

from refinedet.boxes import Boxes, as_boxes
from refinedet.config import Radiometry
from refinedet.config.options.land import LandSettings
from refinedet.data.simulation.simulated import SimulatedScene
from refinedet.detection.detector import Detector
from refinedet.detection.search import Search
from refinedet.detections import Detections
from refinedet.evaluation.score import match_boxes
from refinedet.raster import RasterInfo, open_scene, write_scene
from refinedet.scene.detect import detect_scene
from refinedet.scene.result import SceneResult
from refinedet.stretch import stretch_limits, stretching
from refinedet.stretch.stretch_limits import scene_limits
from refinedet.stretch.stretching import Stretch
from refinedet.tiling import Window

SEEDS, PORT_SEED = (11, 12, 13), 771
CITY_SHARES = (0.0, 0.3, 0.6, 0.8)
TREND_DB = 6.0
PRODUCT = RasterInfo(25_000, 16_700, 1, "uint16")
BAND_ROWS, REPEATS = 352, 7
CRS, PIXEL_M, CORNER_M = "EPSG:32632", 10.0, (380_000.0, 6_050_000.0)
COAST_PX = 6
"""Least distance of a ship from the edge of the city; closer ships are partly covered."""


@dataclass(frozen=True, slots=True)
class Case:
    """Scene with the ships that it certainly shows."""

    name: str
    pixels: Picture
    truth: Boxes
    count_false: bool = True
    """True if the scene has no other ships, so that false alarms can be counted."""


def main() -> None:
    """Print a table of all cases, and one of time and memory."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the sample data, with real/ in it")
    parser.add_argument("--pictures", type=Path, help="folder for pictures of what the network sees, before and after")
    asked = parser.parse_args()
    with Detector.load() as detector, tempfile.TemporaryDirectory() as folder:
        search = detector.search()
        print(f"weights {detector.weights.name}, {detector.runtime}, score at least {search.score_min}\n")
        print("| scene | ships | found before | after | false before | after | limits before | after | sea, dB |")
        print("|---|---|---|---|---|---|---|---|---|", flush=True)
        for case in cases(asked.data / "real"):
            path = Path(folder) / "scene.tif"
            matrix = (PIXEL_M, 0.0, CORNER_M[0], 0.0, -PIXEL_M, CORNER_M[1])
            write_scene(path, case.pixels, crs=CRS, transform=matrix)
            both = [look(path, search, on_sea=on_sea) for on_sea in (False, True)]
            print(row(case, both), flush=True)
            if asked.pictures:
                save(asked.pictures, case, both)
        port(asked.data / "real" / "port_la", search)
    grey_difference()
    cost()


def look(path: Path, search: Search, *, on_sea: bool) -> SceneResult:
    """Detect as `refinedet detect` does, with the stretch measured on all pixels or on the sea."""
    with nullified(on_sea=on_sea):
        return detect_scene(
            path,
            search.predictors,
            land=LandSettings(land_mask="off"),  # the coastline at the place of simulated scenes is not theirs
            tile=search.tile,
            score_min=search.score_min,
            prescreen=search.prescreen,
            ship_m=search.ship_m,
            known_gsd=search.known_gsd,
        )


@contextmanager
def nullified(*, on_sea: bool) -> Iterator[None]:
    """Make the search for sea find none unless `on_sea`, so that the limits are those of all pixels."""
    measured: Callable[..., Any] = stretch_limits.measure_sea
    if not on_sea:
        stretch_limits.measure_sea = lambda *_: None  # type: ignore[assignment]  # until the end of the block
    try:
        yield
    finally:
        stretch_limits.measure_sea = measured


def row(case: Case, both: list[SceneResult]) -> str:
    """One line of the table."""
    scores = [match_boxes(result.detections, case.truth, centre_max_px=6) for result in both]
    limits = [result.stretch_limits for result in both]
    assert all(limits)
    ends = [f"{one.low:.3g} to {one.high:.4g}" for one in limits if one]
    levels = limits[1].levels if limits[1] else None
    span = "all pixels" if levels is None else "{:+.1f} to {:+.1f}".format(*levels.span())
    false = [str(score.fp) if case.count_false else "-" for score in scores]
    cells = [case.name, len(case.truth), *(score.tp for score in scores), *false, *ends, span]
    return f"| {' | '.join(map(str, cells))} |"


def cases(real: Path) -> Iterator[Case]:
    """All cases with their pixels."""
    scene = simulated(PORT_SEED)
    for share in CITY_SHARES:
        yield with_city(scene, share)
    for seed in SEEDS:
        plain = simulated(seed)
        yield Case(f"simulated, seed {seed}", plain.pixels, plain.boxes_xyxy)
    ships, truth = real_ships(real / "opensarship")
    trend = 10 ** (np.linspace(TREND_DB / 2, -TREND_DB / 2, ships.shape[1]) / 20)
    yield Case("real ships", ships, truth)
    yield Case("real ships, 6 dB across", (ships * trend).astype(np.float32), truth)
    yield Case("real ships, 12 dB across", (ships * trend**2).astype(np.float32), truth)
    none = as_boxes([])
    with open_scene(real / "rtc_coast" / "282D_485L_3_3.tif") as reader:
        yield Case("rtc_coast, VV, no ship", (10 ** (reader.read_whole() / 20)).astype(np.float32), none)
    rng = np.random.default_rng(0)
    for path in sorted((real / "slicks").glob("*.jpg")):
        grey = np.asarray(Image.open(path).convert("L"), np.float32)
        yield Case(path.stem, grey + rng.random(grey.shape, np.float32), slick_ships(path.with_suffix(".png")))


def with_city(scene: SimulatedScene, share: float) -> Case:
    """Scene whose last rows are a city; the truth are the ships outside the largest city."""
    rng = np.random.default_rng(4)
    land = 180 * np.sqrt(rng.gamma(4, 0.25, scene.pixels.shape))
    bright = rng.random(land.shape) < 0.06
    land[bright] *= rng.lognormal(2.2, 0.8, int(bright.sum()))
    edge, last = (round(SIDE_PX * (1 - part)) for part in (share, max(CITY_SHARES)))
    pixels = scene.pixels.copy()
    pixels[edge:] = land[edge:].clip(1, 65535)
    truth = scene.boxes_xyxy[scene.boxes_xyxy[:, 3] < edge - COAST_PX]
    always = int((truth[:, 3] < last - COAST_PX).sum())
    return Case(f"city on {share:.0%}, {always} ships above all cities", pixels, truth, count_false=share == 0)


def port(folder: Path, search: Search) -> None:
    """Print the plain ships of a real port that are found in pixels of 30 m, by default and without a coastline."""
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    centres = np.array(truth["ships"])
    print("\n| port | plain ships | found before | after | others before | after |\n|---|---|---|---|---|---|")
    for name, mask in (("with the coastline", None), ("without", "off")):
        cells = []
        for on_sea in (False, True):
            with nullified(on_sea=on_sea):
                result = detect_scene(
                    folder / truth["scene"],
                    search.predictors,
                    land=LandSettings(land_mask=mask),  # type: ignore[arg-type]  # one of its names
                    tile=search.tile,
                    score_min=search.score_min,
                    prescreen=search.prescreen,
                    ship_m=search.ship_m,
                    known_gsd=search.known_gsd,
                )
            cells.append(hits(result.detections, centres))
        (before, others), (after, more) = cells
        print(f"| {name} | {len(centres)} | {before} | {after} | {others} | {more} |", flush=True)


def hits(detections: Detections, centres: NDArray[np.float64]) -> tuple[int, int]:
    """Number of places within 4 px of a detection, and of detections near none of them."""
    boxes = detections.boxes_xyxy
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    near = np.hypot(*np.moveaxis(middles[:, None] - centres, -1, 0)) <= 4
    return int(near.any(axis=0).sum()), int((~near.any(axis=1)).sum())


def grey_difference() -> None:
    """Print how much chips of simulated scenes change."""
    print("\n| plain sea | mean grey before | after | mean absolute difference |\n|---|---|---|---|")
    rng = np.random.default_rng(2)
    flat = (100 * np.sqrt(rng.gamma(4.4, 1 / 4.4, (SIDE_PX, SIDE_PX)))).astype(np.uint16)
    pictures = {"speckle of 4.4 looks alone": flat} | {f"simulated, seed {s}": simulated(s).pixels for s in SEEDS}
    for name, pixels in pictures.items():
        greys = []
        for on_sea in (False, True):
            with nullified(on_sea=on_sea):
                greys.append(stretching.stretch_whole(pixels, 0, Radiometry()).astype(int))
        print(f"| {name} | {greys[0].mean():.1f} | {greys[1].mean():.1f} | {np.abs(greys[0] - greys[1]).mean():.2f} |")


def cost() -> None:
    """Print the time and memory of the stretch of a product of 25,000 x 16,700 pixels, band by band."""
    print("\n| stretch of 25,000 x 16,700 uint16 | measuring, s | all bands, s | total, s | peak memory, MB |")
    print("|---|---|---|---|---|")
    rng = np.random.default_rng(0)
    wide = np.linspace(-4, 4, PRODUCT.width)
    band = 100 * np.sqrt(rng.gamma(4.4, 1 / 4.4, (BAND_ROWS, PRODUCT.width))) * 10 ** (wide / 20)
    pixels, sample = band.astype(np.uint16), np.tile(band[:, ::13], (4, 1))[:1285].astype(np.uint16)
    bands = -(-PRODUCT.height // BAND_ROWS)
    totals = []
    for name, on_sea in (("before", False), ("after", True)):
        with nullified(on_sea=on_sea):
            measuring = least(lambda: scene_limits(sample, "uint16", None, Radiometry()))
            limits = scene_limits(sample, "uint16", None, Radiometry())
            stretch = Stretch(PRODUCT, limits)
            seconds = bands * least(lambda one=stretch: one(pixels, Window(0, 0, *pixels.shape)))
            tracemalloc.start()
            scene_limits(sample, "uint16", None, Radiometry())
            stretch(pixels, Window(0, 0, *pixels.shape))
            peak = tracemalloc.get_traced_memory()[1] / 1e6
            tracemalloc.stop()
        totals.append(measuring + seconds)
        print(f"| {name} | {measuring:.3f} | {seconds:.2f} | {measuring + seconds:.2f} | {peak:.0f} |")
    print(f"\nafter / before: {totals[1] / totals[0]:.2f}; seconds of one thread, the least of {REPEATS}")


def least(work: Callable[[], Any]) -> float:
    """Least processor time of several calls, in seconds: other programs do not count."""
    spent = []
    for _ in range(REPEATS):
        began = time.thread_time()
        work()
        spent.append(time.thread_time() - began)
    return min(spent)


def save(folder: Path, case: Case, both: list[SceneResult]) -> None:
    """Write the input of the network before and after, side by side."""
    folder.mkdir(parents=True, exist_ok=True)
    window = Window(0, 0, *case.pixels.shape)
    seen = [Stretch(result.info, result.stretch_limits)(case.pixels, window) for result in both]
    Image.fromarray(np.concatenate(seen, axis=1)).save(folder / f"{case.name.replace(' ', '_')}.png")


if __name__ == "__main__":
    sys.exit(main())
