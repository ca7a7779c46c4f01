"""Scale of a stored picture: the times of its lines and the size of its pixels, as stated or as derived."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from refinedet.scene.eopf.facts import positive, table, time
from refinedet.scene.eopf.picture import Picture

_SPACINGS_M = (3.5, 10.0, 25.0, 40.0)
"""Pixel sizes of Sentinel-1's GRD products: full resolution, high resolution of IW and SM, of EW, and medium."""
_NEAR = 0.05
"""Largest relative difference of a measured pixel size from one of these, which then replaces it."""
_LINES = 2
"""Least number of lines with times of their own."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Time of the lines and size of the pixels."""

    first_line: datetime
    """UTC without a zone."""
    line_s: float
    azimuth_m: float
    range_m: float
    notes: tuple[str, ...] = ()
    """Notes on values that had to be derived."""


def read_scale(picture: Picture, lines: int, measured_m: Callable[[], float | None]) -> Scale:
    """Read the scale of a picture.

    Args:
        picture: the picture.
        lines: number of its lines.
        measured_m: function that returns the pixel size in metres across the track from the control points, or None
            if they do not give it. It is called only if the store does not state the size.

    Raises:
        FileError: neither the time nor the pixel size is stated, and they cannot be derived.
        InputError: as `Picture.values`.
    """
    first, step, notes = _line_times(picture, lines)
    image = table(picture.annotated, "image_annotation", "image_information")
    across, along = positive(image, "range_pixel_spacing"), positive(image, "azimuth_pixel_spacing")
    across = across or _axis_step(picture)
    if across is None:
        across = _nominal(picture, measured_m())
        told = f"the store does not state its pixel size: it is taken for {across:g} m by the control points"
        notes = (*notes, told)
    return Scale(first, step, along or across, across, notes)  # both are equal in every GRD product


def _line_times(picture: Picture, lines: int) -> tuple[datetime, float, tuple[str, ...]]:
    """Time of the first line, seconds between two, and sentences on them."""
    image = table(picture.annotated, "image_annotation", "image_information")
    first, step = time(image, "product_first_line_utc_time"), positive(image, "azimuth_time_interval")
    if first is not None and step is not None:
        return first, step, ()
    axis = picture.times("measurements/azimuth_time")
    if axis is not None and len(axis) == lines >= _LINES and axis[0] < axis[-1]:
        seconds = float((axis[-1] - axis[0]) / np.timedelta64(1, "ns")) / 1e9
        return _datetime(axis[0]), seconds / (lines - 1), ()
    start, end = (time(picture.properties, name) for name in ("start_datetime", "end_datetime"))
    if start is None or end is None or not start < end or lines < _LINES:
        raise picture.broken("measurements/azimuth_time", "no times of lines, nor those of the product")
    note = "the store has no time for each line: they are spread evenly from the start to the end of the product"
    return start, (end - start).total_seconds() / (lines - 1), (note,)


def _datetime(value: np.datetime64) -> datetime:
    found: datetime = value.astype("datetime64[us]").item()
    return found


def _axis_step(picture: Picture) -> float | None:
    """Distance between two pixels in metres, from the axis of the ground range; None if the store has no axis."""
    axis = picture.numbers("measurements/ground_range")
    if axis is None or axis.ndim != 1 or len(axis) < _LINES:
        return None
    step = float(axis[-1] - axis[0]) / (len(axis) - 1)
    return step if 0 < step < np.inf else None


def _nominal(picture: Picture, measured_m: float | None) -> float:
    """Nominal pixel size of GRD products close to the measured size; else the measured size."""
    if measured_m is None or not measured_m > 0:
        raise picture.broken("measurements/ground_range", "no pixel size, nor control points of lines and pixels")
    nearest = min(_SPACINGS_M, key=lambda one: abs(one - measured_m))
    return nearest if abs(nearest - measured_m) <= _NEAR * nearest else measured_m
