"""Metadata of a scene that decide no pixel: its annotation, and the time at which its lines were taken."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

from refinedet.config.detect_options import SceneSettings
from refinedet.raster import SceneReader
from refinedet.scene.input.acquisition import Acquisition, LineTimes, choose_acquisition
from refinedet.scene.input.file_metadata import file_metadata
from refinedet.scene.naming import scene_stem
from refinedet.scene.sentinel1.annotation import Annotation
from refinedet.scene.sentinel1.reader import annotation_of


def read_metadata(
    path: str | Path, settings: SceneSettings, reader: SceneReader
) -> tuple[Annotation | None, Acquisition]:
    """Read the metadata of the scene at `path`, and tell its reader from where the time is.

    Returns:
        annotation: annotation of a Sentinel-1 raster; None for other scenes;
        acquired: time at which the scene was taken.

    Raises:
        FileError: the annotation is damaged, or belongs to another raster.
        InputError: the setting `time` does not apply.
    """
    annotation = annotation_of(path, settings.pol, reader.info)
    acquired, notes = choose_acquisition(
        scene_stem(path),
        annotated=None if annotation is None else _line_times(annotation),
        stated=file_metadata(reader.tags()).acquired,
        asked=settings.time,
    )
    reader.tell(*notes, time=acquired.to_dict(reader.info.height))
    return annotation, acquired


def _line_times(annotation: Annotation) -> LineTimes:
    lines, seconds = annotation.grid.line_seconds()
    return LineTimes(annotation.first_line.replace(tzinfo=UTC), lines, seconds)
