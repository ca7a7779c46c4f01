"""Scaling of a scene to another pixel size for the network, and of its detections back to scene pixels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinedet.config import PixelSizes
from refinedet.config.options.detect import SceneSettings
from refinedet.detections import Detections
from refinedet.errors import InputError
from refinedet.geo.position import LACKS_SYSTEM, distances_m, locate, why_nowhere
from refinedet.raster import RasterInfo, Reader
from refinedet.raster.checks.tiff import check_pixels
from refinedet.raster.resample import ResampledReader
from refinedet.scene.windows.merge import Merged

Factors = tuple[float, float]
"""Pixels of the scaled scene per pixel of the scene, along x and y."""

SAME: Factors = (1.0, 1.0)
_TOLERANCE = 1.01
"""Factor by which a size may exceed the range: pixels of a projection differ slightly from their nominal size."""
_REACH_PX = 10.0
"""Largest distance from the middle of the scene, in pixels, over which the pixel size is measured."""


def resample_reader(
    reader: Reader, settings: SceneSettings, sample: NDArray[Any], known: PixelSizes | None = None
) -> tuple[Reader, Factors]:
    """Resample a scene as the settings say; return a reader and its factors, or the same reader at the same size.

    Args:
        reader: the scene.
        settings: settings with a factor, a pixel size in metres, or neither.
        sample: result of `reader.sample`.
        known: pixel sizes that the weights know. If the settings name no size, a scene with other pixels along either
            axis is resampled to the best of them; None: no resampling.

    Raises:
        InputError: the result would have too many or too large pixels, or the scene has no position from which the
            pixel size in metres follows.
    """
    asked = _asked_factors(reader.info, settings)
    if asked is not None:
        return _resampled(reader, asked, sample, settings.max_pixels)
    if known is None or known.best_m is None or not is_unknown(reader.info, known):
        return reader, SAME
    wide, high = pixel_size_m(reader.info)
    try:
        return _resampled(reader, (wide / known.best_m, high / known.best_m), sample, settings.max_pixels)
    except InputError:  # the user did not ask for this size: a note says that the scene is not resampled
        return reader, SAME


def _resampled(reader: Reader, factors: Factors, sample: NDArray[Any], max_pixels: int) -> tuple[Reader, Factors]:
    width, height = reader.info.width, reader.info.height
    resampled = ResampledReader(reader, *factors, sample)
    if (resampled.info.width, resampled.info.height) == (width, height):
        return reader, SAME
    check_pixels(f"the scaled scene of {width} x {height}", resampled.info.width, resampled.info.height, max_pixels)
    return resampled, resampled.factors


def _asked_factors(info: RasterInfo, settings: SceneSettings) -> Factors | None:
    """Factors from the settings; None if the weights decide."""
    if isinstance(settings.gsd_m, float):
        wide, high = pixel_size_m(info)
        return wide / settings.gsd_m, high / settings.gsd_m
    if settings.scale is not None:
        return settings.scale, settings.scale
    return SAME if settings.gsd_m == "native" else None


def is_unknown(info: RasterInfo, known: PixelSizes) -> bool:
    """True if a scene has a pixel size, and the weights do not know it along at least one axis."""
    low, high = known.min_m / _TOLERANCE, known.max_m * _TOLERANCE
    return has_pixel_size(info) and not all(low <= size <= high for size in pixel_size_m(info))


def has_pixel_size(info: RasterInfo) -> bool:
    """True if the pixel size of a scene on the ground is known."""
    return all(np.isfinite(size) and size > 0 for size in _pixel_size_m(info))


def pixel_size_m(info: RasterInfo) -> tuple[float, float]:
    """Width and height of a pixel in the middle of a scene, in metres along the ellipsoid.

    For a scene without a position, they come from its metadata.

    Raises:
        InputError: the scene has neither a position nor such metadata.
    """
    if not has_pixel_size(info):
        lacks = why_nowhere(info) == LACKS_SYSTEM
        raise InputError(
            "expected a scene with a position, or metadata that state its pixel spacing, for `gsd_m`, found "
            + ("coordinates without a reference system; state it with `crs`, or " if lacks else "neither; ")
            + "set `scale` instead"
        )
    return _pixel_size_m(info)


def _pixel_size_m(info: RasterInfo) -> tuple[float, float]:
    """Width and height of a pixel in metres; NaN where they are unknown."""
    position = locate(info)
    if position is None:
        return info.spacing_m or (np.nan, np.nan)
    middle = np.array([info.width, info.height]) / 2
    reach = np.minimum(middle, _REACH_PX)
    ends = [position.lonlat(np.stack([middle, middle]) + reach * side) for side in (-np.eye(2), np.eye(2))]
    wide, high = (distances_m(*ends) / (2 * reach)).tolist()
    return wide, high


def to_scene_pixels(merged: Merged, factors: Factors) -> Merged:
    """Convert ships found in a scaled scene to pixels of the scene."""
    if factors == SAME:
        return merged
    return replace(merged, detections=detections_to_scene_pixels(merged.detections, factors))


def detections_to_scene_pixels(detections: Detections, factors: Factors) -> Detections:
    """Convert detections in a scaled scene to pixels of the scene, in the same order."""
    boxes = (detections.boxes_xyxy / np.array(factors * 2, np.float64)).astype(np.float32)
    return Detections(boxes, detections.scores, detections.labels)
