"""Guess of the content of 8 bits (amplitude or decibels) on real pictures, and ships found in both.

    python benchmarks/accuracy/eight_bits.py --data shared/data --mirror shared/data/mirror

The first table counts the pictures that are read as decibels. The thresholds of the guess were chosen on all pictures
marked "seen"; the guess was not tried on the others before. The port and the ships of OpenSARShip showed the required
accuracy of the slope. The second table has the ships found in 8-bit decibels: with unchanged 8 bits
(`--values amplitude`), by default, and in the amplitude itself. `data` is a folder with `real/`, `mirror` a folder with
the archive of SSDD.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from eight_bits_pictures import (
    CUTS,
    RASTERS,
    Amplitude,
    Grey,
    jpeg,
    linear,
    pictures,
    port,
    rasters,
    real_ships,
    simulated,
    squeezed,
    ssdd_chips,
)
from numpy.typing import NDArray

from refinedet.boxes import Boxes
from refinedet.config.options.detect import SceneSettings
from refinedet.config.options.land import LandSettings
from refinedet.detection.detector import Detector
from refinedet.evaluation.score import match_boxes
from refinedet.raster import open_scene, write_scene
from refinedet.scene.detect import detect_scene
from refinedet.scene.input.pixels.eight_bit import EightBit, guess_eight_bit
from refinedet.scene.result import SceneResult

SEEN, UNSEEN = range(1, 5), range(11, 15)
"""Seeds of the simulated scenes on which thresholds were chosen, and of others."""
QUALITIES = (90, 75)
POWERS = (0.5, 0.7, 2.0)
UTM, MATRIX = "EPSG:32611", (10.0, 0.0, 370_000.0, 0.0, -10.0, 3_740_000.0)
PORT_PX, SHIPS_PX = 4.0, 8.0
"""Largest distance of a box's centre from the mark of a ship outside the box."""
AS_STORED = SceneSettings(values="amplitude")

Guesses = list[tuple[EightBit, float | None]]
"""Guesses of several pictures, each with its true span in decibels."""


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with real/")
    parser.add_argument("--mirror", type=Path, required=True, help="folder with the archive of SSDD")
    asked = parser.parse_args()
    print("pictures | number | taken for decibels | too few even cells | span found over true: least, median, most")
    for name, guesses in confusion(asked.data, asked.mirror):
        print(row(name, guesses), flush=True)
    print("\nscene | cut | span | ships, others: 8 bits as they are | by default | taken for | in amplitude")
    with tempfile.TemporaryDirectory() as folder, Detector.load() as detector:
        finder = Finder(Path(folder) / "scene.tif", detector, asked.data / "real" / next(iter(RASTERS)))
        for line in finder.scenes(asked.data):
            print(line, flush=True)
        print(finder.chips(ssdd_chips(asked.mirror, "test")))


def confusion(data: Path, mirror: Path) -> Iterator[tuple[str, Guesses]]:
    """Yield the guesses of each set of pictures."""
    real = data / "real"
    chips = {part: [(name, chip) for name, chip, _ in ssdd_chips(mirror, part)] for part in ("train", "test")}
    sets: dict[str, Iterable[tuple[str, Grey]]] = {
        **{f"SSDD, {part} (seen)": found for part, found in chips.items()},
        "hrsid (seen)": pictures(real / "hrsid"),
        "sar_ship (seen)": pictures(real / "sar_ship"),
        "slicks (seen)": pictures(real / "slicks"),
        "sea, left halves (seen)": pictures(real / "sea", left_half=True),
        "city (seen)": pictures(real / "city", "*.png"),
        "screens (seen)": pictures(real / "screens", "*.png"),
    }
    for name, one in sets.items():
        yield name, [(guess_eight_bit([grey]), None) for _, grey in one]
    for part, found in chips.items():
        yield f"SSDD, {part}, squeezed (seen)", squeezed_in_turn(found)
    yield "hrsid, squeezed (seen)", squeezed_in_turn(pictures(real / "hrsid"))
    sources = {"9 rasters (seen)": rasters(data), "simulated (seen)": simulated(SEEN)}
    sources |= {"simulated (unseen)": simulated(UNSEEN), "opensarship (unseen)": iter([("", real_ships(data)[0])])}
    for name, source in sources.items():
        yield from both_kinds(name, [amplitude for _, amplitude in source])


def both_kinds(name: str, scenes: list[Amplitude]) -> Iterator[tuple[str, Guesses]]:
    """Yield guesses of scenes as 8-bit amplitude, as powers of it, and as 8-bit decibels by each cut."""
    plain = [linear(scene, cut) for scene in scenes for cut in CUTS[2:]]
    yield f"{name}, amplitude", [(guess_eight_bit([one]), None) for one in plain]
    yield f"{name}, amplitude, JPEG 75", [(guess_eight_bit([jpeg(one, 75)]), None) for one in plain]
    powers = [linear(scene, cut, power) for scene in scenes for cut in CUTS[2:] for power in POWERS]
    yield f"{name}, amplitude to the power 0.5, 0.7 and 2", [(guess_eight_bit([one]), None) for one in powers]
    for cut in CUTS:
        found = [squeezed(scene, cut) for scene in scenes]
        yield f"{name}, decibels {cut}", [(guess_eight_bit([grey]), span) for grey, span in found]
        for quality in QUALITIES:
            guesses = [(guess_eight_bit([jpeg(grey, quality)]), span) for grey, span in found]
            yield f"{name}, decibels {cut}, JPEG {quality}", guesses


def squeezed_in_turn(found: Iterable[tuple[str, Grey]]) -> Guesses:
    """Guesses of amplitude pictures as 8-bit decibels, by each cut in turn."""
    guesses: Guesses = []
    for i, (_, grey) in enumerate(found):
        picture, span = squeezed(grey.astype(np.float64), CUTS[i % len(CUTS)])
        guesses.append((guess_eight_bit([picture]), span))
    return guesses


def row(name: str, guesses: Guesses) -> str:
    """Row of the first table."""
    taken = [(guess, span) for guess, span in guesses if guess.kind == "db"]
    few = sum(np.isinf(guess.evidence) for guess, _ in guesses)
    ratios = [255 * guess.db_per_step / span for guess, span in taken if span]
    spans = ", ".join(f"{value:.2f}" for value in np.percentile(ratios, (0, 50, 100))) if ratios else "-"
    return f"{name} | {len(guesses)} | {len(taken)} | {few} | {spans}"


class Finder:
    """Detection in scenes with known ships, by default settings except for land."""

    def __init__(self, path: Path, detector: Detector, port_path: Path) -> None:
        """Take a path for scenes, a detector, and the real port, whose position is used."""
        self._path, self._search = path, detector.search()
        with open_scene(port_path) as reader:
            self._port = reader.info

    def scenes(self, data: Path) -> Iterator[str]:
        """Yield the rows of the port and of the sea of real ships."""
        for name, (amplitude, places) in {"port_la": port(data), "opensarship": real_ships(data)}.items():
            is_port = name == "port_la"
            whole = self._counted(self._found(amplitude.astype(np.float32), is_port), places, is_port)
            for cut in CUTS:
                grey, span = squeezed(amplitude, cut)
                before = self._counted(self._found(grey, is_port, AS_STORED), places, is_port)
                found = self._found(grey, is_port)
                after = self._counted(found, places, is_port)
                kind = found.read_as["values"]["kind"]
                yield f"{name} | {cut} | {span:.0f} dB | {before} | {after} | {kind} | {whole} of {len(places)}"

    def chips(self, chips: Iterable[tuple[str, Grey, Boxes]]) -> str:
        """Precision and recall on unchanged SSDD chips, and on 8-bit decibels, unconverted and by default."""
        sums = np.zeros((3, 3), np.int64)
        for _, chip, truth in chips:
            grey, _ = squeezed(chip.astype(np.float64), CUTS[0])
            for i, (pixels, settings) in enumerate(((chip, None), (grey, AS_STORED), (grey, None))):
                score = match_boxes(self._found(pixels, None, settings).detections, truth)
                sums[i] += score.tp, score.fp, score.fn
        names = ("as they are", f"squeezed {CUTS[0]}, 8 bits as they are", f"squeezed {CUTS[0]}, by default")
        return "\n".join(
            f"SSDD test chips {name}: precision {tp / (tp + fp):.3f}, recall {tp / (tp + fn):.3f}"
            for name, (tp, fp, fn) in zip(names, sums.tolist(), strict=True)
        )

    def _found(
        self, pixels: NDArray[np.generic], is_port: bool | None, settings: SceneSettings | None = None
    ) -> SceneResult:
        if is_port is None:
            write_scene(self._path, pixels)
        elif is_port:
            write_scene(self._path, pixels, crs=self._port.crs, transform=self._port.transform)
        else:
            write_scene(self._path, pixels, crs=UTM, transform=MATRIX)
        search = self._search
        return detect_scene(
            self._path,
            search.predictors,
            scene=settings,
            land=LandSettings(land_mask="off"),
            tile=search.tile,
            score_min=search.score_min,
            prescreen=search.prescreen,
            ship_m=search.ship_m,
            known_gsd=search.known_gsd,
        )

    def _counted(self, found: SceneResult, places: NDArray[np.float64], is_port: bool) -> str:
        """Numbers of ships in a box or near its centre, and of boxes without a ship."""
        boxes = found.detections.boxes_xyxy
        apart = np.hypot(*((boxes[None, :, :2] + boxes[None, :, 2:]) / 2 - places[:, None]).transpose(2, 0, 1))
        held = ((boxes[None, :, :2] <= places[:, None]) & (places[:, None] <= boxes[None, :, 2:])).all(axis=2)
        hits = held | (apart <= (PORT_PX if is_port else SHIPS_PX))
        return f"{hits.any(axis=1).sum()}, {(~hits.any(axis=0)).sum()}"


if __name__ == "__main__":
    main()
