"""Control points of a stored picture: a grid in rows and columns, or a list of points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from refinedet.geo.position import distances_m
from refinedet.scene.eopf.picture import Picture
from refinedet.scene.eopf.scale import Scale
from refinedet.scene.sentinel1.annotation import Grid

Array = NDArray[np.float64]

_GCP = "conditions/gcp"
_SLANT = (f"{_GCP}/slant_range_time_gcp", f"{_GCP}/slant_range_time")
_NEAR_S = 0.1
"""Largest difference in seconds between the time of a point and that of its line, which varies below 1 ms."""
_TURNED = 2.0
"""Least difference, in lines, between a line and the time of its points if the sign of the line was lost."""


@dataclass(frozen=True, slots=True)
class Points:
    """Control points as stored, (G,) each."""

    longitude: Array
    latitude: Array
    height: Array
    incidence_deg: Array
    slant_range_s: Array
    line: Array | None
    """Line of each point; None: lines follow from `of_line`."""
    pixel: Array | None
    """Pixel of each point; None: pixels follow from `range_m`."""
    of_line: NDArray[np.datetime64] | None
    """Time of the line of each point."""
    range_m: Array | None
    """Distance from the first pixel on the ground."""
    own_time: NDArray[np.datetime64] | None
    """Zero-Doppler time of each point."""

    def grid(self, picture: Picture, scale: Scale) -> Grid:
        """Geolocation grid of the points with a valid position; lines and pixels count centres from 0.

        Raises:
            FileError: the points do not span the picture.
        """
        line, pixel = self._lines(scale), self._pixels(scale)
        if line is None or pixel is None:
            raise picture.broken(_GCP, "control points without lines and pixels")
        seconds = line * scale.line_s
        own = _seconds(self.own_time, scale)
        if own is not None and (np.abs(own - seconds) < _NEAR_S).all():
            seconds = own
        height = np.where(np.isfinite(self.height), self.height, 0.0)
        columns = (line, pixel, self.longitude, self.latitude, height, seconds, self.slant_range_s, self.incidence_deg)
        known = np.isfinite(np.stack(columns)).all(axis=0) & (np.abs(self.latitude) <= 90)
        known &= (self.slant_range_s > 0) & (np.abs(self.longitude) <= 360)
        grid = Grid(*(column[known] for column in columns))
        if known.sum() < 4 or np.ptp(grid.line) <= 0 or np.ptp(grid.pixel) <= 0 or not _spread(grid):
            raise picture.broken(_GCP, f"{int(known.sum())} control points that do not span the raster")
        return grid

    def spacing_m(self) -> float | None:
        """Pixel size across the track in metres, the median between neighbours; None if the points do not give it."""
        if self.line is None or self.pixel is None:
            return None
        apart = np.diff(self.pixel)
        next_to = (np.diff(self.line) == 0) & (apart > 0)
        places = np.stack([self.longitude, self.latitude], axis=1)
        sizes = distances_m(places[:-1], places[1:])[next_to] / apart[next_to]
        return float(np.nanmedian(sizes)) if np.isfinite(sizes).any() else None

    def _lines(self, scale: Scale) -> Array | None:
        if self.line is not None:
            return self.line
        of_line = _seconds(self.of_line, scale)
        if of_line is None:
            return None
        lines = np.round(of_line / scale.line_s)
        own = _seconds(self.own_time, scale)
        if own is None:
            return lines
        expected = own / scale.line_s  # some stores drop the sign of the time of a negative line
        lost = (np.abs(lines - expected) > _TURNED) & (np.abs(-lines - expected) <= _TURNED)
        return np.where(lost, -lines, lines)

    def _pixels(self, scale: Scale) -> Array | None:
        if self.pixel is not None:
            return self.pixel
        return None if self.range_m is None else np.round(self.range_m / scale.range_m)


def read_points(picture: Picture) -> Points:
    """Read the control points of a picture.

    Raises:
        FileError: there are none, or their tables do not fit one another.
        InputError: as `Picture.values`.
    """
    latitude = picture.numbers(f"{_GCP}/latitude")
    if latitude is None or latitude.ndim not in (1, 2):
        raise picture.broken(f"{_GCP}/latitude", "no control points")
    shape = latitude.shape

    def laid(values: NDArray[np.generic] | None, axis: int) -> NDArray[np.generic] | None:
        """Repeat values along one axis over the whole grid."""
        if values is None or values.shape == shape:
            return values
        if latitude.ndim != 2 or values.shape != (shape[axis],):
            raise picture.broken(_GCP, f"tables of {shape} and {values.shape}")
        return np.broadcast_to(values[:, None] if axis == 0 else values, shape)

    def each(*names: str) -> Array:
        found = next((one for one in map(picture.numbers, names) if one is not None), None)
        if found is None or found.shape != shape:
            raise picture.broken(names[0], "no table for each control point")
        return found.ravel()

    def flat(values: NDArray[np.generic] | None) -> NDArray[np.generic] | None:
        return None if values is None else values.ravel()

    times = picture.times(f"{_GCP}/azimuth_time") if latitude.ndim == 2 else None
    own = picture.times(f"{_GCP}/azimuth_time_gcp")
    found = [
        laid(picture.numbers(f"{_GCP}/line"), 0),
        laid(picture.numbers(f"{_GCP}/pixel"), 1),
        laid(times, 0),
        laid(picture.numbers(f"{_GCP}/ground_range") if latitude.ndim == 2 else None, 1),
        own if own is None or own.shape == shape else None,
    ]
    return Points(
        each(f"{_GCP}/longitude"),
        latitude.ravel(),
        each(f"{_GCP}/height"),
        each(f"{_GCP}/incidence_angle"),
        each(*_SLANT),
        *map(flat, found),  # type: ignore[arg-type]  # numbers and times, as they were put in
    )


def _seconds(times: NDArray[np.datetime64] | None, scale: Scale) -> Array | None:
    """Seconds after the first line; None without times."""
    if times is None:
        return None
    after = times - np.datetime64(scale.first_line, "ns")
    return np.asarray(after.astype("timedelta64[ns]").astype(np.int64) / 1e9)


def _spread(grid: Grid) -> bool:
    """True if the points do not lie on one line."""
    nodes = np.stack([grid.pixel - grid.pixel.mean(), grid.line - grid.line.mean()])
    return bool(np.linalg.matrix_rank(nodes) == 2)
