"""Flags of ships and of detections that are no ships, before and after the analysis of the pixels around them.

    python benchmarks/accuracy/no_ships.py --data ../shared/data --mirror ../shared/data/mirror

"Before" has only the flags of the coastline, the merge and missing pixels. A detection counts as a ship if it contains
the middle of a marked ship or lies within a few pixels of it; all others are no ships. No detection is dropped, so both
have the same boxes.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
from eight_bits_pictures import ssdd_chips
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage
from sea_scenes import real_ships, simulated, slick_ships

from refinedet.boxes import Boxes, as_boxes
from refinedet.config.options.detect import SceneSettings
from refinedet.detection.detector import Detector
from refinedet.detection.search import Search
from refinedet.raster import write_scene
from refinedet.raster.resample import ResampledReader
from refinedet.scene.detect import detect_scene
from refinedet.scene.ships import describe
from refinedet.scene.source import open_source

Flags = tuple[tuple[str, ...], ...]

SEEDS, PORT_M, COARSE_M, EVERY = (11, 12, 13), 30, (20, 40, 60), 3
"""Seeds of simulated scenes, pixel sizes of the port, and the interval of the SSDD chips in use."""
OCEAN_CRS, OCEAN = "EPSG:32625", (10.0, 0.0, 380_000.0, 0.0, -10.0, 5_000_000.0)
"""Place in the Atlantic, where no coast is near."""
NEAR_M, NEAR_PX, ISLAND_M = 120.0, 6.0, 240.0
BAY_COLUMNS = (900, 1850)
"""Columns of the bay in which everything is water."""


@dataclass(frozen=True, slots=True)
class Case:
    """Scene with its ships: boxes (N, 4) or middles (N, 2); None: all detections are ships."""

    group: str
    path: Path
    ships: NDArray[np.floating[Any]] | None
    near_px: float = NEAR_PX
    islands: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 2)))
    settings: SceneSettings | None = None
    kind: tuple[str, str] = ("ships", "others")


class Tally(Counter[str]):
    """Counts of one kind of detection: `boxes`, `before` and `after` without a flag, and each new flag."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the sample data, with real/ in it")
    parser.add_argument("--mirror", type=Path, help="folder with the archive of SSDD; without it SSDD is left out")
    asked = parser.parse_args()
    counts: dict[tuple[str, str], Tally] = {}
    seconds = boxes = 0.0
    with Detector.load() as detector, tempfile.TemporaryDirectory() as folder:
        search = detector.search()
        print(f"weights {detector.weights.name}, {detector.runtime}, score at least {search.score_min}\n")
        for case in cases(asked.data / "real", asked.mirror, Path(folder)):
            kinds, before, found, spent = look(case, search)
            seconds, boxes = seconds + spent, boxes + len(kinds)
            for kind, old, new in zip(kinds, before, found, strict=True):
                tally = counts.setdefault((case.group, kind), Tally())
                tally.update(["boxes", *(["before"] * (not old)), *(["after"] * (not (old or new))), *new])
    print("| scenes | detections | boxes | without a flag before | after | shore | clutter | islet | implausible |")
    print("|---|---|---|---|---|---|---|---|---|")
    for (group, kind), tally in counts.items():
        names = ("boxes", "before", "after", "shore", "clutter", "islet", "implausible")
        print(f"| {group} | {kind} | {' | '.join(str(tally[name]) for name in names)} |")
    print(f"\n{boxes:.0f} boxes, {1e3 * seconds / boxes:.1f} ms each for the new flags")


def look(case: Case, search: Search) -> tuple[list[str], Flags, Flags, float]:
    """Kind of each detection by default, its flags without and with the analysis, and the seconds of the analysis."""
    new: list[Flags] = []
    spent: list[float] = []
    real = describe.suspects

    def recorded(*args: Any) -> Flags:
        began = time.thread_time()
        new.append(real(*args))
        spent.append(time.thread_time() - began)
        return ((),) * len(new[0])

    describe.suspects = recorded
    try:
        result = detect_scene(
            case.path,
            search.predictors,
            scene=case.settings,
            tile=search.tile,
            score_min=search.score_min,
            prescreen=search.prescreen,
            ship_m=search.ship_m,
            known_gsd=search.known_gsd,
        )
    finally:
        describe.suspects = real
    boxes = result.detections.boxes_xyxy.astype(np.float64)
    hit = np.ones(len(boxes), bool) if case.ships is None else hits(boxes, case.ships, case.near_px)
    island = hits(boxes, case.islands, case.near_px * ISLAND_M / NEAR_M)
    kinds = ["islands" if land else case.kind[not ship] for land, ship in zip(island, hit, strict=True)]
    return kinds, result.flags, new[0], spent[0]


def hits(boxes: NDArray[np.float64], ships: NDArray[np.floating[Any]], near_px: float) -> NDArray[np.bool_]:
    """(N,) true for boxes that contain or nearly contain the middle of a ship, or have their own middle in its box."""
    if not len(ships) or not len(boxes):
        return np.zeros(len(boxes), bool)
    middle = (boxes[:, None, :2] + boxes[:, None, 2:]) / 2
    place = ships if ships.shape[1] == 2 else (ships[:, :2] + ships[:, 2:]) / 2
    found = np.hypot(*np.moveaxis(middle - place, -1, 0)) <= near_px
    found |= ((boxes[:, None, :2] <= place) & (place <= boxes[:, None, 2:])).all(axis=2)
    if ships.shape[1] > 2:
        found |= ((middle >= ships[:, :2]) & (middle <= ships[:, 2:])).all(axis=2)
    return np.asarray(found.any(axis=1))


def cases(real: Path, mirror: Path | None, folder: Path) -> Iterator[Case]:
    """All cases; scenes that are made here are written to `folder`."""
    yield from port(real / "port_la", folder)
    none = as_boxes([])
    for path in sorted((real / "slicks").glob("*.jpg")):
        yield Case("slicks", path, slick_ships(path.with_suffix(".png")))
    yield Case("city", real / "city" / "original_crop.png", none)
    yield Case("slc_coast", next((real / "slc_coast").glob("*.tiff")), none)
    yield Case("rtc_coast", real / "rtc_coast" / "282D_485L_3_3.tif", none)
    for name in ("VV", "VH"):
        yield Case("dualpol_land", real / "dualpol_land" / f"{name}.tif", none)
    yield Case("asar", next((real / "asar").glob("*.tiff")), none)
    yield Case("mumbai", real / "mumbai" / "Input.tif", None)
    for path in sorted((real / "wakes").glob("*.tif")):
        yield Case("wakes", path, None)
    left, right = BAY_COLUMNS
    water = as_boxes([(left, 0, right, 1e6)])
    yield Case("bay", real / "screens" / "bay.png", water, 0.0, kind=("at anchor", "on land and quays"))
    path = folder / "scene.tif"
    for seed in SEEDS:
        scene = simulated(seed)
        write_scene(path, scene.pixels, crs=OCEAN_CRS, transform=OCEAN)
        yield Case("simulated", path, scene.boxes_xyxy)
    pixels, boxes = real_ships(real / "opensarship")
    write_scene(path, pixels, crs=OCEAN_CRS, transform=OCEAN)
    yield Case("opensarship in a sea", path, boxes)
    for path in sorted((real / "hrsid").glob("*.jpg")):
        marked = np.asarray(Image.open(path.with_suffix(".png")).convert("L")) > 0
        yield Case("hrsid", path, around(marked))
    for path in sorted((real / "sar_ship").glob("*.jpg")):
        root = ET.parse(path.with_suffix(".xml")).getroot()  # noqa: S314 - a file of the sample data
        sides = [
            [float(one.findtext(f"bndbox/{k}", "")) for k in ("xmin", "ymin", "xmax", "ymax")]
            for one in root.iter("object")
        ]
        yield Case("sar_ship", path, as_boxes(sides))
    if mirror is not None:
        yield from ssdd(mirror, real / "ssdd_land_masks", folder)


def port(folder: Path, out: Path) -> Iterator[Case]:
    """The port in its original pixels, and in other sizes."""
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    path, ships, islands = folder / truth["scene"], np.array(truth["ships"]), np.array(truth["islands"])
    yield Case("port_la, 30 m", path, ships, NEAR_M / PORT_M, islands)
    for size in COARSE_M:
        scale = PORT_M / size
        with open_source(path, SceneSettings()) as reader:
            scaled = ResampledReader(reader, scale, scale, reader.sample())
            pixels, (a, _, x, _, e, y) = scaled.read_whole(), reader.info.transform or OCEAN
            crs = reader.info.crs
        made = out / f"port_{size}.tif"
        matrix = (a / scaled.factors[0], 0.0, x, 0.0, e / scaled.factors[1], y)
        write_scene(made, pixels.astype(np.float32), crs=crs, transform=matrix)
        amplitude = SceneSettings(values="amplitude")
        yield Case(f"port_la, {size} m", made, ships * scale, NEAR_M / size + 1, islands * scale, amplitude)


def ssdd(mirror: Path, masks: Path, folder: Path) -> Iterator[Case]:
    """Chips of SSDD's training part, with land and without land separately."""
    path = folder / "chip.png"
    for name, chip, boxes in list(ssdd_chips(mirror, "train"))[::EVERY]:
        found = sorted(masks.rglob(f"{Path(name).stem}.*"))
        land = bool(found) and bool((np.asarray(Image.open(found[0]).convert("L")) < 128).any())
        Image.fromarray(chip).save(path)
        yield Case("SSDD with land" if land else "SSDD, sea alone", path, boxes)


def around(marked: NDArray[np.bool_]) -> Boxes:
    """Boxes around the ships of a mask."""
    places = ndimage.find_objects(ndimage.label(marked)[0])
    return as_boxes([(c.start, r.start, c.stop, r.stop) for r, c in places])


if __name__ == "__main__":
    sys.exit(main())
