"""Values of training images: read as detection reads them, and a report of how many were read as what."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from refinedet.config import ValueKind
from refinedet.config.options.detect import SceneSettings
from refinedet.raster import SceneReader, open_scene
from refinedet.scene.input.pixels.eight_bit import looks_like_decibels
from refinedet.scene.input.pixels.reading import apply_reading
from refinedet.scene.input.pixels.values import NAMES

_COLOURS = 3
_LOOKED_AT, _MANY = 100, 0.05
"""Number of pictures of 8 bits that are examined, and share of decibels among them that is a warning."""


@contextmanager
def open_image(path: Path, settings: SceneSettings) -> Iterator[SceneReader]:
    """Open an image to cut chips from; images of more than 8 bits give amplitudes, as in detection.

    An image of 8 bits with one band, or in colours, is read as it is, unless `settings` state its values or its band.

    Raises:
        FileError: the image is missing or damaged.
        InputError: it has no such band, or its values cannot be those that the settings state or detection takes.
    """
    with open_scene(path, band=settings.band) as reader:
        if not _is_plain(reader, settings):
            apply_reading(reader, path, settings)
        yield reader


def _is_plain(reader: SceneReader, settings: SceneSettings) -> bool:
    """True for a picture of 8 bits of which nothing is stated: nothing about it is guessed."""
    picture = len(reader.band_names) == 1 or len(reader.bands) == _COLOURS
    return reader.stored_dtype == "uint8" and picture and settings == SceneSettings()


class ValueReport:
    """Report on the kinds of values that images were read as."""

    def __init__(self) -> None:
        self._names: dict[ValueKind, list[str]] = defaultdict(list)
        self._decibels: list[bool] = []

    def add(self, name: str, reader: SceneReader) -> None:
        """Count an image that `open_image` opened."""
        values: Any = reader.read_as.get("values")
        if values is not None:
            self._names[values["kind"]].append(name)
        elif len(self._decibels) < _LOOKED_AT:
            self._decibels.append(looks_like_decibels(reader))

    @property
    def counts(self) -> dict[ValueKind, int]:
        """Kind of values -> number of images; images of 8 bits that are read as they are do not count."""
        return {kind: len(names) for kind, names in sorted(self._names.items())}

    def tell(self, log: logging.Logger) -> None:
        """Log which images are no amplitudes; it is a warning if they are of several kinds, or read otherwise there."""
        count = sum(self._decibels)
        if count > _MANY * len(self._decibels):
            log.warning(
                "%d of %d pictures of 8 bits look like decibels: training uses them as they are, detection converts "
                "such scenes to amplitudes; set `values` to db here, or to amplitude in detection",
                *(count, len(self._decibels)),
            )
        if set(self._names) <= {"amplitude"}:
            return
        told = [f"{len(names)} as {NAMES[kind]} (such as {names[0]})" for kind, names in sorted(self._names.items())]
        sentence = f"images are read as in detection: {', '.join(told)}; set `values` to change this"
        if len(told) == 1:
            log.info("%s", sentence)
        else:
            log.warning("%s, as images of one data set are usually of one kind", sentence)
