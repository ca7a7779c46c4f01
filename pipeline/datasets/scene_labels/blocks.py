"""Blocks of scenes: disjoint squares, each an 8-bit image as in detection, with its labels and its split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture

from pipeline.datasets.scene_labels.places import LabelledScene
from pipeline.datasets.splits import stable_draw
from pipeline.stage import SPLITS
from refinedet.config import PixelSizes, Radiometry, TileConfig
from refinedet.config.options.detect import SceneSettings
from refinedet.data.coco import Annotated
from refinedet.errors import InputError
from refinedet.geo.position import Position, locate
from refinedet.radiometry import valid_mask
from refinedet.raster import Reader, write_scene
from refinedet.scene.search.notes import pixel_notes, position_notes
from refinedet.scene.source import open_source
from refinedet.scene.windows.pixel_size import has_pixel_size, pixel_size_m, resample_reader
from refinedet.stretch.stretch_limits import scene_limits
from refinedet.stretch.stretching import Stretch
from refinedet.tiling import Window, boxes_in_window

_SIDES = (4.0, 2.0, 1.0, 0.5)
"""Sides of blocks in tiles, the first preferred: the larger a block, the fewer ships are cut by its border."""
_ENOUGH = 12
"""Number of blocks with ships from which a side is accepted; with fewer, blocks get smaller."""
_KEY_DIGITS = 3
"""Digits of degrees in the key of a block: two polarisations of one scene give blocks of equal keys."""
_PNG_LEVEL = 3


@dataclass(frozen=True, slots=True)
class View:
    """Reading of scenes, as in detection with the initial weights of the training."""

    settings: SceneSettings
    radiometry: Radiometry
    windows: TileConfig
    known_gsd: PixelSizes | None


@dataclass(frozen=True, slots=True)
class Block:
    """Square of a scene, in the pixels in which detection reads the scene."""

    scene: int
    place: Window
    homes: tuple[int, ...]
    """Indices of the labels whose middle lies in the block."""
    key: str
    """Digest that decides the split; equal for equal places on the ground."""


@dataclass(frozen=True, slots=True)
class SeenScene:
    """One scene as detection reads it."""

    labelled: LabelledScene
    name: str
    """Beginning of the names of its images."""
    width: int
    height: int
    boxes: NDArray[np.float64]
    """(N, 4) boxes of all labels in its pixels; NaN for a label without a box here."""
    gsd_m: tuple[float, float] | None
    notes: tuple[str, ...]


def look_at(scene: LabelledScene, name: str, view: View) -> SeenScene:
    """Open a scene as detection does, and convert the labels to its pixels.

    Raises:
        FileError, InputError: the scene cannot be read, or a setting does not fit.
    """
    with open_source(scene.path, view.settings) as reader:
        sample = reader.sample()
        seen, factors = resample_reader(reader, view.settings, sample, view.known_gsd)
        asked = view.settings.gsd_m is not None or view.settings.scale is not None
        pixel = pixel_notes(reader.info, factors, view.known_gsd, asked=asked)
        notes = (*reader.notes, *position_notes(reader.info), *pixel)
        gsd_m = None
        if has_pixel_size(reader.info):
            wide, high = pixel_size_m(reader.info)
            gsd_m = wide / factors[0], high / factors[1]
        size = seen.info.width, seen.info.height
    return SeenScene(scene, name, *size, scene.boxes * np.array(factors * 2), gsd_m, notes)


def cut_blocks(scenes: Sequence[SeenScene], windows: TileConfig) -> tuple[list[Block], int]:
    """Blocks of all scenes, and their side in pixels: the largest side for which enough blocks have labels.

    Raises:
        InputError: labels lie in too few blocks to train, validate and test on.
    """
    for share in _SIDES:
        side = round(share * windows.tile_px)
        blocks = [block for i, scene in enumerate(scenes) for block in _blocks(i, scene, side)]
        keys = {block.key for block in blocks if block.homes}
        if len(keys) >= (_ENOUGH if share > 1 else len(SPLITS)):
            return blocks, side
    raise InputError(
        f"expected labels in at least {len(SPLITS)} squares of {side} x {side} pixels, one each to train, validate and "
        f"test on, found them in {len(keys)}; label more of the scene, or add a scene"
    )


def split_blocks(blocks: Sequence[Block], val_fraction: float, test_fraction: float) -> list[str]:
    """Split of each block, by place only: shares of the labels go to validation and test, at least one place each."""
    counts: Counter[str] = Counter()
    for block in blocks:
        counts[block.key] += len(block.homes)
    splits = {key: "train" for key, count in counts.items() if count}
    whole = sum(counts.values())
    for split, fraction, leave in (("test", test_fraction, 2), ("val", val_fraction, 1)):
        draws = {key: stable_draw(f"{split} {key}") for key, held in splits.items() if held == "train"}
        free = sorted(draws, key=draws.__getitem__)
        taken = 0
        for key in free[:-leave]:
            if taken >= fraction * whole:
                break
            if taken and taken + counts[key] / 2 > fraction * whole:  # too many: another place comes closer
                continue
            splits[key] = split
            taken += counts[key]
    for key in counts.keys() - splits.keys():
        draw = stable_draw(f"sea {key}")
        splits[key] = "test" if draw < test_fraction else "val" if draw < test_fraction + val_fraction else "train"
    return [splits[block.key] for block in blocks]


class BlockWriter:
    """Writer of the blocks of one scene to a folder, with the truth of each.

    Args:
        scene: the scene.
        side: side of its blocks in pixels.
        view: its view.
        folder: folder of the images.
    """

    def __init__(self, scene: SeenScene, side: int, view: View, folder: Path) -> None:
        self._scene, self._side, self._view, self._folder = scene, max(side, view.windows.tile_px), view, folder
        self.on_nodata: set[int] = set()
        """Labels in the scene on pixels without a measurement."""

    def write(
        self, blocks: Sequence[tuple[Block, NDArray[np.bool_]]], labels: NDArray[np.int64]
    ) -> Iterator[tuple[Block, Annotated]]:
        """Write blocks in order, each with (N,) true for labels to ignore there; yield the blocks with valid pixels.

        `labels` are the (N,) classes of all labels.
        """
        with open_source(self._scene.labelled.path, self._view.settings) as reader:
            sample = reader.sample()
            seen, factors = resample_reader(reader, self._view.settings, sample, self._view.known_gsd)
            info = seen.info
            sample = sample if factors == (1.0, 1.0) else seen.sample()
            choice = self._view.settings.stretch.mapped(reader.amplitude)
            limits = scene_limits(sample, info.dtype, info.nodata, self._view.radiometry, choice)
            stretch = Stretch(info, limits)
            for block, ignored in blocks:
                found = self._one(seen, stretch, block, (labels, ignored))
                if found is not None:
                    yield block, found

    def _one(
        self, seen: Reader, stretch: Stretch, block: Block, truth: tuple[NDArray[np.int64], NDArray[np.bool_]]
    ) -> Annotated | None:
        place = block.place
        pixels = seen.read(place)
        valid = valid_mask(pixels, seen.info.nodata)
        if not valid.any():
            self.on_nodata.update(block.homes)
            return None
        known = np.flatnonzero(np.isfinite(self._scene.boxes).all(axis=1) & ~self._scene.labelled.too_long)
        boxes, cut, index = boxes_in_window(
            self._scene.boxes[known].astype(np.float32), place, self._view.windows.min_visible
        )
        rows = known[index]
        measured = np.array([_any_valid(valid, box) for box in boxes], bool)
        self.on_nodata.update(set(rows[~measured].tolist()) & set(block.homes))
        _, first = np.unique(np.c_[boxes, truth[0][rows]], axis=0, return_index=True)
        keep = np.intersect1d(first, np.flatnonzero(measured))
        name = f"{self._scene.name}_y{place.y:05d}_x{place.x:05d}"
        shown = _padded(stretch(pixels, place), self._side)
        if shown.ndim == 2:
            name += ".tif"
            write_scene(self._folder / name, shown, nodata=0)
        else:
            name += ".png"
            Picture.fromarray(shown).save(self._folder / name, compress_level=_PNG_LEVEL)
        extra = {
            "scene": self._scene.labelled.path.name,
            "window": [place.x, place.y, place.width, place.height],
        }
        doubted = cut[keep] | truth[1][rows[keep]]
        return Annotated(name, self._side, self._side, boxes[keep], truth[0][rows[keep]], doubted, extra)


def _blocks(number: int, scene: SeenScene, side: int) -> Iterator[Block]:
    """Blocks of one scene with a side of `side` pixels, smaller at its right and lower border."""
    middle = (scene.boxes[:, :2] + scene.boxes[:, 2:]) / 2
    usable = scene.labelled.inside & ~scene.labelled.too_long
    homes: dict[tuple[int, int], list[int]] = {}
    for i in np.flatnonzero(usable):
        x, y = (middle[i] // side).astype(int).tolist()
        homes.setdefault((min(y, (scene.height - 1) // side), min(x, (scene.width - 1) // side)), []).append(int(i))
    position = locate(scene.labelled.info)
    for row, y in enumerate(range(0, scene.height, side)):
        for column, x in enumerate(range(0, scene.width, side)):
            place = Window(y, x, min(side, scene.height - y), min(side, scene.width - x))
            key = sha256(_place_of(place, scene, position).encode()).hexdigest()
            yield Block(number, place, tuple(homes.get((row, column), ())), key)


def _place_of(place: Window, scene: SeenScene, position: Position | None) -> str:
    """Text for a place: degrees, or the scene and the pixel if it has no position."""
    at = np.array([[place.x + place.width / 2, place.y + place.height / 2]])
    if position is not None:
        own = (scene.labelled.info.width / scene.width, scene.labelled.info.height / scene.height)
        lon, lat = position.lonlat(at * own)[0].tolist()
        if np.isfinite(lon) and np.isfinite(lat):
            return f"{lon:.{_KEY_DIGITS}f} {lat:.{_KEY_DIGITS}f}"
    return f"{scene.name} {place.y} {place.x}"


def _any_valid(valid: NDArray[np.bool_], box: NDArray[np.float32]) -> bool:
    x1, y1 = np.floor(box[:2]).astype(int)
    x2, y2 = np.ceil(box[2:]).astype(int)
    return bool(valid[y1:y2, x1:x2].any())


def _padded(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Pixels at the top left of a black square, in one channel if all three are equal."""
    if pixels.ndim == 3 and (pixels == pixels[..., :1]).all():
        pixels = pixels[..., 0]
    canvas = np.zeros((side, side, *pixels.shape[2:]), np.uint8)
    canvas[: pixels.shape[0], : pixels.shape[1]] = pixels
    return canvas
