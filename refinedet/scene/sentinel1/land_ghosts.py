"""Azimuth ambiguities of bright land: weak detections that repeat a pattern of the land along the flight track.

A town or a harbour causes ghosts as a ship does, but many at once, and is itself no detection of known contrast. So
this test compares pixels: a detection is a ghost if the sea around it shows, far weaker, the pattern of the land from
which the ghost would come. It compares a pattern because every place in a town has some bright point nearby. The land
must be known.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from refinedet.boxes import Boxes
from refinedet.radiometry import valid_mask
from refinedet.raster import Reader
from refinedet.scene.sentinel1.ambiguity import TOLERANCE_M, Array, Geometry, displacement
from refinedet.tiling import Window

OnLand = Callable[[Array], NDArray[np.bool_] | None]
"""Function that returns (N,) true for pixels (N, 2) of the scene on land; None if the land is unknown."""

_WEAK_DB = 18.0
"""Largest contrast of a ghost of land, in dB."""
_FAINTER_DB = 20.0
"""Least difference between the brightest point of the land and that of its ghost."""
_ALIKE = 0.7
"""Least correlation between the predicted ghosts of the land and the pixels of the sea."""
_REACH_M = (180.0, 300.0)
"""Half of the sides of the patch of sea that is compared, across and along the track."""
_SMEAR_M = 150.0
"""Length along the track over which ghosts are smeared, because they are focused with the wrong Doppler rate."""
_SMOOTH_PX = 3


def find_land_ghosts(
    reader: Reader, boxes_xyxy: Boxes, contrast_db: Array, geometry: Geometry, on_land: OnLand
) -> NDArray[np.bool_]:
    """(N,) true for detections at sea that repeat the pattern of bright land, like its ghosts of first order.

    Args:
        reader: scene in the geometry of its acquisition: lines along the track.
        boxes_xyxy: (N, 4) in pixels of the scene.
        contrast_db: (N,) contrast of each detection; NaN: unknown, and no ghost.
        geometry: geometry at the middle of each box.
        on_land: function that tells land from sea.

    Raises:
        FileError: pixels cannot be read.
    """
    found = np.zeros(len(boxes_xyxy), np.bool_)
    boxes = np.asarray(boxes_xyxy, np.float64)
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    at_sea = on_land(middles)
    if at_sea is None:
        return found
    weak = ~at_sea & (contrast_db <= _WEAK_DB)  # false for NaN
    for order in (-1, 1):
        rows, columns, tolerance_px = displacement(geometry, order)
        sources = middles - np.stack([columns, rows], axis=1)
        sides = [on_land(sources + np.stack([k * tolerance_px, 0 * rows], axis=1)) for k in (-1, 0, 1)]
        landward = weak & ~found & np.any([side for side in sides if side is not None], axis=0)
        for index in np.flatnonzero(landward).tolist():
            slack = (tolerance_px[index] + TOLERANCE_M / geometry.column_m, TOLERANCE_M / geometry.row_m)
            found[index] = _repeats(reader, middles[index], sources[index], slack, geometry)
    return found


def _repeats(reader: Reader, ghost: Array, source: Array, slack: tuple[float, float], geometry: Geometry) -> bool:
    """True if the sea around one place shows the pattern of the land at another place, within `slack` pixels."""
    reach = np.array(_REACH_M) / (geometry.column_m, geometry.row_m)
    sea, land = (_power(reader, place, half) for place, half in ((ghost, reach), (source, reach + slack)))
    if sea is None or land is None or any(a < b for a, b in zip(land.shape, sea.shape, strict=True)):
        return False
    water = float(np.median(sea))
    sea = ndimage.uniform_filter(sea, _SMOOTH_PX) - water
    middle = tuple(slice(round(n / 2 - n / 6), round(n / 2 + n / 6) + 1) for n in sea.shape)
    peak = float(sea[middle].max())
    if not peak > 0 or ndimage.uniform_filter(land, _SMOOTH_PX).max() < peak * 10 ** (_FAINTER_DB / 10):
        return False
    smeared = ndimage.uniform_filter(land, (max(1, round(_SMEAR_M / geometry.row_m)), _SMOOTH_PX))
    return _likeness(np.sqrt(np.clip(sea, 0, None)), np.sqrt(smeared)) >= _ALIKE


def _likeness(template: Array, image: Array) -> float:
    """Largest correlation of a template with the parts of an image of the same size."""
    ours = template - template.mean()
    total, squares = (_slid(values, np.ones_like(template)) for values in (image, image**2))
    spread = np.sqrt(np.maximum(squares - total**2 / template.size, 0) * float((ours**2).sum()))
    return float(np.max(_slid(image, ours) / np.maximum(spread, 1e-9 * float(spread.max()) + np.finfo(float).tiny)))


def _slid(image: Array, template: Array) -> Array:
    """Sum of the products of a template with each part of an image of the same size."""
    shape = image.shape
    products = np.fft.irfft2(np.fft.rfft2(image) * np.conj(np.fft.rfft2(template, shape)), shape)
    return products[: shape[0] - template.shape[0] + 1, : shape[1] - template.shape[1] + 1]


def _power(reader: Reader, middle: Array, half: Array) -> Array | None:
    """Intensity around a place within the scene, 0 where nothing was measured; None outside of the scene."""
    info = reader.info
    size = np.array([info.width, info.height])
    first = np.clip(np.floor(middle - half).astype(int), 0, size)
    last = np.clip(np.ceil(middle + half).astype(int), 0, size)
    if (last <= first).any():
        return None
    pixels = reader.read(Window(int(first[1]), int(first[0]), *(int(n) for n in (last - first)[::-1])))
    values = pixels.astype(np.float64)
    values = values.mean(axis=2) if values.ndim == 3 else values
    return np.where(valid_mask(pixels, info.nodata), values**2, 0.0)
