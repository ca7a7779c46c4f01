"""Scaling of a scene to another pixel size for the network, and of its detections back to scene pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinedet.config.detection import SceneSettings
from refinedet.detections import Detections
from refinedet.errors import InputError
from refinedet.geo.position import distances_m, locate
from refinedet.raster import RasterInfo, Reader
from refinedet.raster.resample import ResampledReader
from refinedet.raster.tiff import check_pixels
from refinedet.scene.windows.merge import Merged

Factors = tuple[float, float]
"""Pixels of the scaled scene per pixel of the scene, along x and y."""

SAME: Factors = (1.0, 1.0)
_REACH_PX = 10.0
"""Most pixels on either side of the middle of the scene over which a pixel is measured."""


def resample_reader(reader: Reader, settings: SceneSettings, sample: NDArray[Any]) -> tuple[Reader, Factors]:
    """Resample a scene as its settings ask; return a reader and its factors, or the same reader at the same size.

    Args:
        reader: the scene.
        settings: settings with a factor, a pixel size in metres, or neither.
        sample: result of `reader.sample`.

    Raises:
        InputError: the result would have too many or too large pixels, or the scene has no position to take metres
            from.
    """
    if settings.gsd_m is not None:
        wide, high = pixel_size_m(reader.info)
        factors = (wide / settings.gsd_m, high / settings.gsd_m)
    elif settings.scale is not None:
        factors = (settings.scale, settings.scale)
    else:
        return reader, SAME
    width, height = reader.info.width, reader.info.height
    resampled = ResampledReader(reader, *factors, sample)
    if (resampled.info.width, resampled.info.height) == (width, height):
        return reader, SAME
    check_pixels(
        f"the scaled scene of {width} x {height}", resampled.info.width, resampled.info.height, settings.max_pixels
    )
    return resampled, resampled.factors


def pixel_size_m(info: RasterInfo) -> tuple[float, float]:
    """Width and height of a pixel in the middle of a scene, in metres along the ellipsoid.

    Raises:
        InputError: the scene has no position.
    """
    position = locate(info)
    middle = np.array([info.width, info.height]) / 2
    reach = np.minimum(middle, _REACH_PX)
    sizes = (np.nan, np.nan)
    if position is not None:
        ends = [position.lonlat(np.stack([middle, middle]) + reach * side) for side in (-np.eye(2), np.eye(2))]
        sizes = tuple((distances_m(*ends) / (2 * reach)).tolist())
    if not all(np.isfinite(size) and size > 0 for size in sizes):
        raise InputError("expected a scene with a position for `gsd_m`, found one without; set `scale` instead")
    return sizes


def to_scene_pixels(merged: Merged, factors: Factors) -> Merged:
    """Convert ships found in a scaled scene to pixels of the scene."""
    if factors == SAME:
        return merged
    return Merged(detections_to_scene_pixels(merged.detections, factors), merged.joined, merged.cut)


def detections_to_scene_pixels(detections: Detections, factors: Factors) -> Detections:
    """Convert detections in a scaled scene to pixels of the scene; their order stays, since both axes only stretch."""
    boxes = (detections.boxes_xyxy / np.array(factors * 2, np.float64)).astype(np.float32)
    return Detections(boxes, detections.scores, detections.labels)
