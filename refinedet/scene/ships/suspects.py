"""Detections of a scene that its pixels give reasons to doubt, with the reasons as flags; none is dropped."""

from __future__ import annotations

import numpy as np

from refinedet.boxes import Boxes
from refinedet.config.detect_options import LandSettings
from refinedet.errors import InputError
from refinedet.radiometry import valid_mask
from refinedet.raster import Reader, SceneReader
from refinedet.raster.resample import ResampledReader
from refinedet.scene.land.survey import SHORE
from refinedet.scene.ships.plausible import NOMINAL_M, doubts, judged, resolution_m, surroundings
from refinedet.scene.ships.shape import to_intensity
from refinedet.scene.windows.pixel_size import has_pixel_size, pixel_size_m

_COARSEST_M = 45.0
"""Pixels larger than this show no ship's shape, so nothing is doubted."""
_EIGHT_BITS = "uint8"
"""Type of pictures, which are cut off or squeezed: a bright patch looks larger in them than it is."""
_UNKNOWN = (np.nan, np.nan)


def suspects(reader: Reader, seen: Reader, boxes_xyxy: Boxes, land: LandSettings) -> tuple[tuple[str, ...], ...]:
    """Flags of N detections by the pixels around each: plausible.CLUTTER, IMPLAUSIBLE, ISLET, and survey.SHORE.

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
    found = list(none)
    for index in np.argsort(boxes_xyxy[:, 1], kind="stable").tolist():
        x1, y1, x2, y2 = (boxes_xyxy[index].astype(np.float64) * (factors * 2)).tolist()
        window = surroundings((x1, y1, x2, y2), info.width, info.height)
        pixels = looked_at.read(window)
        valid = valid_mask(pixels, info.nodata)
        place = (x1 - window.x, y1 - window.y, x2 - window.x, y2 - window.y)
        power = np.where(valid, to_intensity(pixels), 0.0)
        flags, land_px = doubts(power, valid, place, size_m, resolution_m(own_m))
        at_shore = land.mask != "off" and land_px <= shore_px
        found[index] = tuple(sorted(flags | ({SHORE} if at_shore else set())))
    return tuple(found)


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
