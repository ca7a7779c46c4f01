"""Training scenes from real samples: patches laid out, ships pasted into real seas, and scenes without ships.

It reads only samples that split.py allows for training or validation. Equal samples, use and seed give equal bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from pipeline.datasets.real_scenes import signatures
from pipeline.datasets.real_scenes.laying import GRD, SLC, Laid, Speckle, lay, sea
from pipeline.datasets.real_scenes.patches import Ship, bands, read_ships
from pipeline.datasets.real_scenes.pictures import half_of, mask_boxes, read_boat, read_chip, slick_truth
from pipeline.datasets.real_scenes.split import Use, use_of
from refinedet.boxes import Boxes, as_boxes
from refinedet.raster import open_scene

_GAP_PX = 30
_SEA_PX, _GRID_PX = 1024, 72
"""Side of a simulated sea, and of the cells that hold one pasted ship each."""
_SEAS, _CHIP_SCENES, _PICTURES_EVERY = 2, 3, 3
"""Numbers of simulated seas and of scenes of chips per training arrangement, and the interval of arrangements with the
large pictures of the sea. They keep one kind from outweighing the others by its pixels."""
_TIMES = {"boats": 3.0, "windmills": 0.25, "beach": 2.0, "land": 1.5, "ocean": 1.0}
"""Times that a chip of each class is in a training scene of chips, on average. There are five times as many wind
turbines as boats, and a network that mostly sees turbines takes short bright ships for them."""
_LEVEL_DB = 3.0
"""Standard deviation of the level of a simulated sea, over about 1 km."""
_BRIGHTEST = 110.0
"""Highest 8-bit value of a sea on which a ship can still stand out."""
_NONE = as_boxes([])


@dataclass(frozen=True, slots=True)
class RealScene:
    """Scene for training: counts or 8-bit values (H, W), its ships, and boxes that count neither as ship nor as sea."""

    name: str
    pixels: NDArray[Any]
    boxes_xyxy: Boxes = field(default_factory=lambda: _NONE)
    ignored_xyxy: Boxes = field(default_factory=lambda: _NONE)


def real_scenes(samples: Path, use: Use, copies: int, seed: int) -> Iterator[RealScene]:
    """Make the scenes of one use; `copies` is the number of random arrangements of each sample.

    Raises:
        FileError, InputError: a sample is missing or damaged.
    """
    ships = [(path, band) for path in sorted((samples / "opensarship").glob("*.json")) for band in bands(path)]
    own = [one for one in ships if use_of("opensarship", one[0].stem) == use]
    patches = {f"{path.stem[17:25]}_{band.replace(' ', '_')}": read_ships(path, band) for path, band in own}
    cut = [signatures.cut_out(ship) for some in patches.values() for ship in some]
    for copy in range(copies):
        for index, (name, some) in enumerate(patches.items()):
            rng = np.random.default_rng([seed, copy, 0, index])
            yield _laid_ships(f"laid_{name}_{copy}", some, SLC if "slc" in name else GRD, rng)
        for index in range(_SEAS if use == "train" else 1):
            yield _made_sea(f"pasted_{copy}_{index}", cut, np.random.default_rng([seed, copy, 1, index]))
        for index in range(_CHIP_SCENES if use == "train" else 1):
            rng = np.random.default_rng([seed, copy, 2, index])
            yield _laid_chips(f"chips_{copy}_{index}", samples / "chips", use, rng)
        for index, scene in enumerate(_seas(samples, use) if copy % _PICTURES_EVERY == 0 else ()):
            rng = np.random.default_rng([seed, copy, 3, index])
            yield _with_ships(scene, f"{scene.name}_{copy}", cut, rng)
    yield from _seas(samples, use)
    yield from _others(samples, use)


def _laid_ships(name: str, ships: list[Ship], speckle: Speckle, rng: Generator) -> RealScene:
    """Unchanged patches, mirrored at random."""
    turned = [_mirrored(ship, *rng.integers(0, 2, 2).astype(bool).tolist()) for ship in ships]
    laid = lay([ship.patch for ship in turned], speckle=speckle, seed=int(rng.integers(1 << 31)), gap_px=_GAP_PX)
    corners = laid.rectangles[:, :2]
    boxes = as_boxes([np.add(signatures.hull_box(s), (*c, *c)) for s, c in zip(turned, corners, strict=True)])
    ignored = [signatures.others(s) + np.tile(c, 2) for s, c in zip(turned, corners, strict=True)]
    return RealScene(name, laid.pixels, boxes, _joined(ignored))


def _mirrored(ship: Ship, across: bool, down: bool) -> Ship:
    patch, sign = ship.patch, np.array([-1 if across else 1, -1 if down else 1])
    size = np.array(patch.shape[::-1])
    patch = patch[:: sign[1], :: sign[0]]
    middle = np.where(sign < 0, size - ship.middle_xy, ship.middle_xy)
    return Ship(patch, middle, ship.along_xy * sign, ship.length_m, ship.width_m, ship.by_hand_m)


def _made_sea(name: str, cut: list[signatures.Signature], rng: Generator) -> RealScene:
    """Varied ships on a sea of speckle with random texture and level."""
    shape = (_SEA_PX, _SEA_PX)
    speckle = (GRD, SLC)[int(rng.integers(2))]
    grain = sea(shape, speckle, float(rng.uniform(0, 0.15)), rng)
    wind = ndimage.gaussian_filter(rng.standard_normal(shape, np.float32), 60, mode="wrap")
    level = 10 ** (np.float32(_LEVEL_DB / 10) * wind / max(float(wind.std()), 1e-12))
    mean = float(np.mean(np.square(grain)))
    power = np.square(grain) * level
    boxes = _paste(power, mean * level, np.zeros(shape, bool), cut, rng, share=0.7)
    amplitude = np.sqrt(power) * rng.uniform(40, 200)
    return RealScene(name, np.rint(amplitude).clip(1, 65535).astype(np.uint16), boxes)


def _paste(
    power: NDArray[np.float32],
    level: NDArray[np.float32],
    taken: NDArray[np.bool_],
    cut: list[signatures.Signature],
    rng: Generator,
    *,
    share: float,
) -> Boxes:
    """Paste varied ships into a share of the cells of a grid, where nothing is `taken`; returns their boxes."""
    boxes = []
    height, width = power.shape
    for top in range(0, height - _GRID_PX, _GRID_PX):
        for left in range(0, width - _GRID_PX, _GRID_PX):
            if rng.random() >= share:
                continue
            ship = signatures.varied(cut[int(rng.integers(len(cut)))], rng)
            h, w = ship.power.shape
            x = left + int(rng.integers(max(_GRID_PX - w, 1)))
            y = top + int(rng.integers(max(_GRID_PX - h, 1)))
            if x + w > width or y + h > height or taken[y : y + h, x : x + w].any():
                continue
            taken[y : y + h, x : x + w] = True
            boxes.append(signatures.add(power, ship, (x, y), float(np.median(level[y : y + h, x : x + w]))))
    return as_boxes(boxes)


def _laid_chips(name: str, folder: Path, use: Use, rng: Generator) -> RealScene:
    """Chips of all classes in one sea, in random order; only boats are ships."""
    chips, truths = [], []
    for kind, times in _TIMES.items():
        paths = sorted((folder / kind).glob("*.png"))
        own = [path for path in paths if use_of("chips", path.name.split("_")[0]) == use]
        shown = own if use == "val" else [path for path in own for _ in range(int(times + rng.random()))]
        for path in shown:
            chip = read_chip(path, dark=float(rng.uniform(0.15, 0.5)))
            flips = rng.integers(0, 2, 2) * -2 + 1
            chips.append(chip[:: flips[0], :: flips[1]])
            truths.append(read_boat(chips[-1]) if kind == "boats" else (_NONE, _NONE))
    order = rng.permutation(len(chips))
    seed, level = int(rng.integers(1 << 31)), 100.0
    laid = lay([chips[i] for i in order], speckle=GRD, seed=seed, gap_px=_GAP_PX, level=level)
    return RealScene(name, laid.pixels, *_moved(laid, [truths[i] for i in order]))


def _moved(laid: Laid, truths: list[tuple[Boxes, Boxes]]) -> tuple[Boxes, Boxes]:
    corners = [np.tile(corner, 2) for corner in laid.rectangles[:, :2]]
    ships = [boxes + corner for (boxes, _), corner in zip(truths, corners, strict=True)]
    ignored = [boxes + corner for (_, boxes), corner in zip(truths, corners, strict=True)]
    return _joined(ships), _joined(ignored)


def _seas(samples: Path, use: Use) -> Iterator[RealScene]:
    """Unchanged pictures of the sea: open sea, and slicks with their marked ships."""
    for path in sorted((samples / "sea").glob("*.jpg")):
        if use_of("sea", path.stem) == use:
            yield RealScene(f"sea_{path.stem}", np.asarray(half_of(path, "left")))
    for path in sorted((samples / "slicks").glob("*.jpg")):
        if use_of("slicks", path.stem) == use:
            mask = np.asarray(Image.open(path.with_suffix(".png")).convert("RGB"))
            yield RealScene(f"slicks_{path.stem}", _grey(path), slick_truth(mask, grow_px=1)[0])


def _others(samples: Path, use: Use) -> Iterator[RealScene]:
    """Unchanged chips with marked ships, and land without ships."""
    for path in sorted((samples / "hrsid").glob("*.jpg")):
        if use_of("hrsid", path.stem.split("_")[0]) == use:
            mask = np.asarray(Image.open(path.with_suffix(".png")).convert("L"))
            yield RealScene(f"hrsid_{path.stem}", _grey(path), mask_boxes(mask > 0))
    if use_of("city", "left") == use:
        yield RealScene("city", np.asarray(half_of(samples / "city" / "original_crop.png", "left")))
    for path in sorted((samples / "dualpol_land").glob("*.tif")):
        if use_of("dualpol_land", "dualpol_land") == use:
            yield RealScene(f"land_{path.stem}", _counts(path))


def _with_ships(scene: RealScene, name: str, cut: list[signatures.Signature], rng: Generator) -> RealScene:
    """Copy of an 8-bit picture of the sea with ships pasted where it is neither rough nor too bright."""
    power = np.square(scene.pixels.astype(np.float32))
    level = ndimage.gaussian_filter(power, 12)
    rough = ndimage.gaussian_filter(np.square(power - level), 12) > 4 * np.square(level)
    taken = rough | (level < 3**2) | (level > _BRIGHTEST**2)
    for x1, y1, x2, y2 in np.rint(scene.boxes_xyxy).astype(int):
        taken[max(y1 - 4, 0) : y2 + 4, max(x1 - 4, 0) : x2 + 4] = True
    boxes = _paste(power, level, taken, cut, rng, share=0.15)
    pixels = np.rint(np.sqrt(power)).clip(0, 255).astype(np.uint8)
    return RealScene(name, pixels, _joined([scene.boxes_xyxy, boxes]))


def _joined(parts: list[Boxes]) -> Boxes:
    return as_boxes(np.concatenate([_NONE, *parts]))


def _grey(path: Path) -> NDArray[np.uint8]:
    return np.asarray(Image.open(path).convert("L"))


def _counts(path: Path) -> NDArray[np.uint16]:
    """Amplitude in counts of a raster in dB, 100 counts at its median."""
    with open_scene(path) as reader:
        decibels = reader.read_whole().astype(np.float64)
    amplitude = 10 ** ((decibels - np.nanmedian(decibels)) / 20) * 100
    return np.asarray(np.rint(np.nan_to_num(amplitude)).clip(1, 65535), np.uint16)
