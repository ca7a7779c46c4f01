"""Detections of a scene that its pixels give reasons to doubt, with the reasons as flags; none is dropped."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import shapely
from numpy.typing import NDArray

from refinedet.boxes import Boxes
from refinedet.config.options.land import LandSettings
from refinedet.errors import InputError
from refinedet.raster import Reader, SceneReader
from refinedet.raster.resample import ResampledReader
from refinedet.scene.land.survey import SHORE
from refinedet.scene.ships.doubts.clutter import CLUTTER, amid_clutter
from refinedet.scene.ships.doubts.plausible import NOMINAL_M, doubts, judged, resolution_m, surroundings
from refinedet.scene.ships.doubts.side_lobes import SIDELOBE, is_side_lobe
from refinedet.scene.ships.measuring.blocks import read_blocks
from refinedet.scene.ships.measuring.crop import Box, Crop
from refinedet.scene.windows.pixel_size import has_pixel_size, pixel_size_m
from refinedet.tiling import Window

_COARSEST_M = 45.0
"""Pixels larger than this show no ship's shape, so nothing is doubted."""
_TOGETHER = 32
"""Detections that are looked at together, for the memory."""
_EIGHT_BITS = "uint8"
"""Type of pictures, which are cut off or squeezed: a bright patch looks larger in them than it is."""
_UNKNOWN = (np.nan, np.nan)


def suspects(reader: Reader, seen: Reader, boxes_xyxy: Boxes, land: LandSettings) -> tuple[tuple[str, ...], ...]:
    """Flags of N detections by the pixels around each: CLUTTER, IMPLAUSIBLE, ISLET, SHORE, SIDELOBE.

    Args:
        reader: the scene.
        seen: the scene in the pixel size that the network saw.
        boxes_xyxy: (N, 4) in pixels of the scene.
        land: distance from land that is shore; no land is looked for if its mask is off.

    Raises:
        FileError: pixels cannot be read.
    """
    none: tuple[tuple[str, ...], ...] = ((),) * len(boxes_xyxy)
    own_m = pixel_size_m(reader.info) if has_pixel_size(reader.info) else _UNKNOWN
    if max(own_m) > _COARSEST_M:
        return none
    looked_at = _looked_at(reader, seen, own_m)
    if looked_at is None:
        return none
    info, factors = looked_at.info, _factors(reader, looked_at)
    pixel_m = float(np.mean(np.divide(own_m, factors)))
    size_m = np.nan if isinstance(reader, SceneReader) and reader.stored_dtype == _EIGHT_BITS else pixel_m
    shore_px = land.land_buffer_m / (pixel_m if np.isfinite(pixel_m) else NOMINAL_M)
    within_px = None if land.mask == "off" else shore_px
    sensor_m = resolution_m(own_m)
    sensor_px = (sensor_m / (pixel_m if np.isfinite(pixel_m) else NOMINAL_M),) * 2
    boxes = boxes_xyxy.astype(np.float64) * (factors * 2)
    tree = shapely.STRtree(shapely.box(*boxes.T))
    windows = [surroundings(_box(box), info.width, info.height) for box in boxes]
    found = list(none)
    for block, members in read_blocks(looked_at, windows):
        whole = Crop.of(block.power, block.valid)
        for some in (members[first : first + _TOGETHER] for first in range(0, len(members), _TOGETHER)):
            crops = [whole.part(block.span(windows[k])) for k in some]
            places = [_box(boxes[k] - _corner(windows[k])) for k in some]
            amid = amid_clutter(crops, places)
            for index, crop, place, cluttered in zip(some, crops, places, amid, strict=True):
                flags, land_px = doubts(crop, place, size_m, sensor_m, land_within_px=within_px)
                flags |= {CLUTTER} if cluttered else set()
                flags |= {SHORE} if land_px <= shore_px else set()
                others = _others(tree, boxes, index, windows[index])
                flags |= {SIDELOBE} if is_side_lobe(crop.power, crop.valid, place, others, sensor_px) else set()
                found[index] = tuple(sorted(flags))
    return tuple(found)


def _others(tree: shapely.STRtree, boxes: NDArray[np.float64], index: int, window: Window) -> Iterator[Box]:
    """Yield the boxes of the other detections in a window, in its pixels; nothing is looked up before the first."""
    near = tree.query(shapely.box(window.x, window.y, window.x + window.width, window.y + window.height))
    yield from map(tuple, (boxes[near[near != index]] - _corner(window)).tolist())


def _corner(window: Window) -> NDArray[np.float64]:
    """First pixel of a window, twice."""
    return np.array([window.x, window.y] * 2, np.float64)


def _box(corners: NDArray[np.float64]) -> Box:
    x1, y1, x2, y2 = corners.tolist()
    return x1, y1, x2, y2


def _looked_at(reader: Reader, seen: Reader, own_m: tuple[float, float]) -> Reader | None:
    """Reader of the scene in pixels whose size `doubts` takes; None if there is none."""
    if judged(tuple(np.divide(own_m, _factors(reader, seen)).tolist())):
        return seen
    try:
        return ResampledReader(reader, own_m[0] / NOMINAL_M, own_m[1] / NOMINAL_M, reader.sample())
    except InputError:  # pixels that are far too fine
        return None


def _factors(reader: Reader, scaled: Reader) -> tuple[float, float]:
    """Pixels of a scaled scene per pixel of the scene, along x and y."""
    return scaled.info.width / reader.info.width, scaled.info.height / reader.info.height
