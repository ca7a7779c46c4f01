"""8-bit pictures of known kind, for eight_bits.py: amplitude, and decibels scaled to 8 bits as in viewers."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from refinedet.boxes import Boxes, as_boxes
from refinedet.data.simulation.scene import simulate
from refinedet.data.simulation.spec import SceneSpec
from refinedet.raster import open_scene

Amplitude = NDArray[np.float64]
"""(H, W), 0 where nothing was measured."""
Grey = NDArray[np.uint8]

CUTS = ("-15:25", "-25:25", "1..99 %", "2..98 %", "least..most")
"""Ends of a stretch: decibels around the median, or percentiles. 2..98 % is the default of QGIS."""
RASTERS = {
    "port_la/2021-01-05.tif": "db",
    "rtc_coast/282D_485L_3_3.tif": "db",
    "dualpol_land/VV.tif": "db",
    "dualpol_land/VH.tif": "db",
    "mumbai/Input.tif": "amplitude",
    "wakes/boat1_VV.tif": "amplitude",
    "wakes/boat2_VV.tif": "amplitude",
    "asar/ASA_WSM_1PNDPA20050331_075939_000000552036_00035_16121_0775.tiff": "amplitude",
    "slc_coast/s1a-iw3-slc-vv_subset_hight9800_10400_width11000_11000.tiff": "amplitude",
}
SSDD = "SSDD_coco-master"
CELL_PX = 224
"""Side of the square of sea around a ship of OpenSARShip."""


def rasters(data: Path) -> Iterator[tuple[str, Amplitude]]:
    """Yield name and amplitude of each raster of the real sets with more than 8 bits."""
    for name, kind in RASTERS.items():
        with open_scene(data / "real" / name) as reader:
            pixels = reader.read_whole().astype(np.float64)
        if kind == "db":
            pixels = np.where(np.isfinite(pixels) & (pixels != 0), 10 ** (pixels / 20), 0)
        yield name, np.nan_to_num(pixels)


def simulated(seeds: range) -> Iterator[tuple[str, Amplitude]]:
    """Yield name and amplitude of simulated scenes."""
    for seed in seeds:
        yield f"seed {seed}", simulate(SceneSpec(1024, 1024, 20, seed)).pixels.astype(np.float64)


def pictures(folder: Path, pattern: str = "*.jpg", left_half: bool = False) -> Iterator[tuple[str, Grey]]:
    """Yield name and grey values of the pictures in a folder."""
    for path in sorted(folder.glob(pattern)):
        grey = np.asarray(Image.open(path).convert("L"))
        yield path.name, grey[:, : grey.shape[1] // 2] if left_half else grey


def ssdd_chips(mirror: Path, part: str) -> Iterator[tuple[str, Grey, Boxes]]:
    """Yield name, grey values and boxes of the ships of the SSDD chips of a part: train or test."""
    with zipfile.ZipFile(mirror / f"{SSDD}.zip") as archive:
        record = json.loads(archive.read(f"{SSDD}/annotations/instances_sarship_{part}.json"))
        for image in sorted(record["images"], key=lambda one: str(one["file_name"])):
            found = [one["bbox"] for one in record["annotations"] if one["image_id"] == image["id"]]
            boxes = as_boxes([(x, y, x + w, y + h) for x, y, w, h in found])
            chip = Image.open(BytesIO(archive.read(f"{SSDD}/{part}/{image['file_name']}"))).convert("L")
            yield image["file_name"], np.asarray(chip), boxes


def port(data: Path) -> tuple[Amplitude, NDArray[np.float64]]:
    """Amplitude of the real port, and the places (n, 2) of its plain ships."""
    name = "port_la/2021-01-05.tif"
    amplitude = next(pixels for found, pixels in rasters(data) if found == name)
    truth = json.loads((data / "real" / "port_la" / "truth.json").read_text())
    return amplitude, np.array(truth["ships"])


def real_ships(data: Path) -> tuple[Amplitude, NDArray[np.float64]]:
    """Real ships of OpenSARShip (VV, ground range) in one sea of 4.4 looks, and their places (n, 2)."""
    ships: list[Amplitude] = []
    for path in sorted((data / "real" / "opensarship").glob("*GRD*.json")):
        patches = np.load(path.with_suffix(".npz"))
        for ship in json.loads(path.read_text())["ships"]:
            patch = patches[ship["patch"]][ship["bands"].index("vv")].astype(np.float64)
            ships.append(patch * (96 / np.median(patch[patch > 0])))
    across = int(np.ceil(np.sqrt(len(ships))))
    size = (-(-len(ships) // across) * CELL_PX, across * CELL_PX)
    sea = 100 * np.sqrt(np.random.default_rng(0).gamma(4.4, 1 / 4.4, size))
    places = []
    for i, patch in enumerate(ships):
        row, column = divmod(i, across)
        height, width = patch.shape
        top, left = row * CELL_PX + (CELL_PX - height) // 2, column * CELL_PX + (CELL_PX - width) // 2
        here = sea[top : top + height, left : left + width]
        here[patch > 0] = patch[patch > 0]
        places.append((left + width / 2, top + height / 2))
    return sea, np.array(places)


def squeezed(amplitude: Amplitude, cut: str) -> tuple[Grey, float]:
    """Amplitude as 8-bit decibels, 0 where nothing was measured; and the span in decibels."""
    measured = amplitude > 0
    db = 20 * np.log10(np.where(measured, amplitude, 1))
    low, high = _ends(db[measured], cut)
    grey = np.clip(np.rint((db - low) * (255 / (high - low))), 0, 255)
    return np.where(measured, grey, 0).astype(np.uint8), high - low


def linear(amplitude: Amplitude, cut: str, power: float = 1.0) -> Grey:
    """Amplitude, or a power of it, as 8 bits."""
    values = amplitude**power
    low, high = _ends(values[amplitude > 0], cut)
    return np.clip(np.rint((values - low) * (255 / (high - low))), 0, 255).astype(np.uint8)


def jpeg(picture: Grey, quality: int) -> Grey:
    """Picture after a JPEG file."""
    Image.fromarray(picture).save(file := BytesIO(), "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def _ends(values: NDArray[Any], cut: str) -> tuple[float, float]:
    if cut == "least..most":
        return float(values.min()), float(values.max())
    if cut.endswith("%"):
        low, high = np.percentile(values, [float(end) for end in cut.removesuffix(" %").split("..")])
        return float(low), float(high)
    below, above = (abs(float(end)) for end in cut.split(":"))
    middle = float(np.median(values))
    return middle - below, middle + above
