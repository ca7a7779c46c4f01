"""Metadata of a scene besides its pixels: annotation, times of lines, outline, viewing geometry of the radar."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from refinedet.cloud.scene import Scene, scene_of
from refinedet.config.options.detect import SceneSettings
from refinedet.geo.position import Position, locate
from refinedet.raster import RasterInfo, RasterReader
from refinedet.raster.checks.tiff import SNAP_XML
from refinedet.scene.input.acquisition import Acquisition, LineTimes, choose_acquisition
from refinedet.scene.input.file_metadata import file_metadata
from refinedet.scene.input.origin import tell_origin
from refinedet.scene.naming import scene_stem
from refinedet.scene.products import measurement_of
from refinedet.scene.sentinel1.annotation import Annotation
from refinedet.scene.sentinel1.looking import radar_of, view_of
from refinedet.scene.sentinel1.snap import SnapMetadata, read_snap_metadata, snap_annotation
from refinedet.stated_acquisition import StatedAcquisition

_LINES = 2
"""Fewest lines that have times of their own."""
_OUTLINE_POINTS, _OUTLINE_DIGITS = 5, 6
"""Points along each side of the outline that the record keeps, and their decimals."""


def read_metadata(
    path: str | Scene, settings: SceneSettings, reader: RasterReader
) -> tuple[Annotation | None, Acquisition]:
    """Read the metadata of the scene `path`, and report the source of its time to the reader.

    Returns:
        annotation: annotation of a Sentinel-1 raster; None for other scenes;
        acquired: time at which the scene was taken.

    Raises:
        FileError: the annotation is damaged, or belongs to another raster.
        InputError: the setting `time` does not apply.
    """
    path = scene_of(path)
    found = measurement_of(path, settings.pol)
    annotation = None if found is None else found.annotation(reader.info)
    ours = StatedAcquisition.of(reader.tags()) if found is None else None
    stated: LineTimes | datetime | None = file_metadata(reader.tags()).acquired
    if ours is not None:
        stated = _stated_times(ours, reader.info)
    if annotation is None and found is not None:
        reader.tell(
            f"the product has no annotation at {found.where('annotation')}: neither the time of a line nor azimuth "
            "ambiguities can be told"
        )
    elif annotation is not None and not annotation.swaths:
        reader.tell("the product does not tell its pulse repetition frequency: azimuth ambiguities cannot be told")
    elif found is None and reader.is_tiff and (snap := read_snap_metadata(reader.path)) is not None:
        annotation = snap_annotation(snap, reader.info, f"tag {SNAP_XML} of {path}")
        stated = _snap_times(snap, reader.info) or stated
    acquired, notes = choose_acquisition(
        scene_stem(path),
        annotated=None if annotation is None else _line_times(annotation),
        stated=stated,
        asked=settings.time,
    )
    reader.tell(*notes, time=acquired.to_dict(reader.info.height))
    if (position := locate(reader.info)) is not None:
        reader.tell(footprint=_footprint(position, reader.info))
    if annotation is not None:
        reader.tell(view=view_of(annotation), radar=radar_of(annotation))
    elif ours is not None:
        reader.tell(view=ours.view())
    tell_origin(reader, path)
    return annotation, acquired


def _footprint(position: Position, info: RasterInfo) -> list[list[float]]:
    """Outline of a scene in degrees, ready for JSON, without points that are not on the earth."""
    along = np.linspace(0, 1, _OUTLINE_POINTS)[:-1]
    sides = (along, 0 * along), (0 * along + 1, along), (1 - along, 0 * along + 1), (0 * along, 1 - along)
    ring = np.concatenate([np.stack(side, axis=1) for side in sides]) * (info.width, info.height)
    lonlat = position.lonlat(ring)
    rounded: list[list[float]] = lonlat[np.isfinite(lonlat).all(axis=1)].round(_OUTLINE_DIGITS).tolist()
    return rounded


def _line_times(annotation: Annotation) -> LineTimes:
    lines, seconds = annotation.grid.line_seconds()
    return LineTimes(annotation.first_line.replace(tzinfo=UTC), lines, seconds)


def _stated_times(ours: StatedAcquisition, info: RasterInfo) -> LineTimes | datetime:
    """Times of the lines by our own tag; only the first time for a resized copy, whose rows are no lines."""
    if ours.size_px != (info.width, info.height) or info.height < _LINES:
        return ours.start
    return LineTimes(ours.start, (0.0, info.height - 1.0), ours.line_seconds)


def _snap_times(snap: SnapMetadata, info: RasterInfo) -> LineTimes | datetime | None:
    """Times of the lines of an image that SNAP wrote; only the first time for a map, whose rows are no lines."""
    first, last = snap.time("first_line_time"), snap.time("last_line_time")
    if first is None or last is None or info.transform is not None or info.height < _LINES:
        return first
    if snap.number("num_output_lines") != info.height:
        return first
    return LineTimes(first, (0.0, info.height - 1.0), (0.0, (last - first).total_seconds()))
