"""Annotation of a Sentinel-1 raster: time, orbit and geometry of the acquisition.

Names follow the Sentinel-1 Product Specification (S1-RS-MDA-52-7441), level-1 product annotation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn, TypeVar
from xml.etree.ElementTree import Element  # made by defusedxml's parser

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer

from refinedet.errors import FileError
from refinedet.raster import GroundControlPoint
from refinedet.scene.sentinel1.ambiguity import Geometry

Array = NDArray[np.float64]
T = TypeVar("T")

SPEED_OF_LIGHT_M_S = 299_792_458.0
"""Speed of light in vacuum, exact by the definition of the metre."""
_LARGEST = 1e15
"""Upper limit of valid numbers in an annotation; it still fits any type."""


@dataclass(frozen=True, slots=True)
class Orbit:
    """State vectors of the satellite, earth-fixed."""

    seconds: Array
    """(M,) seconds since the first line of the raster, ascending."""
    positions_m: Array
    """(M, 3)."""
    velocities_m_s: Array
    """(M, 3)."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Points of the geolocation grid, (G,) each; `line` and `pixel` count pixel centres from 0."""

    line: Array
    pixel: Array
    longitude: Array
    latitude: Array
    height: Array
    seconds: Array
    """Zero-Doppler time since the first line."""
    slant_range_s: Array
    """Two-way travel time to the point."""
    incidence_deg: Array

    def line_seconds(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Ascending lines of the grid, and the mean zero-Doppler time of each; it varies below 1 ms along a line."""
        lines, rows = np.unique(self.line, return_inverse=True)
        means = np.bincount(rows, self.seconds) / np.bincount(rows)
        return tuple(lines.tolist()), tuple(means.tolist())

    def control_points(self) -> tuple[GroundControlPoint, ...]:
        """Convert to ground control points on WGS 84 that count from pixel centres (`gcp_zero` "centre")."""
        rows = zip(self.pixel, self.line, self.longitude, self.latitude, self.height, strict=True)
        return tuple(GroundControlPoint(*(float(value) for value in row)) for row in rows)


@dataclass(frozen=True, slots=True)
class Swath:
    """Part of the raster that was taken with one pulse repetition frequency."""

    name: str
    prf_hz: float
    bounds: tuple[tuple[int, int, int, int], ...]
    """First line, first sample, last line, last sample of its pieces, inclusive; empty: the whole raster."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """Annotation of one raster."""

    mission: str
    product_type: str
    mode: str
    """IW, EW or S1 to S6."""
    polarisation: str
    orbit_pass: str
    """Ascending or Descending."""
    heading_deg: float
    first_line: datetime
    """Zero-Doppler time of the first line, UTC without a zone."""
    lines: int
    samples: int
    wavelength_m: float
    range_sampling_hz: float
    near_range_s: float
    """Two-way travel time to the first sample."""
    line_s: float
    """Zero-Doppler time from one line to the next."""
    azimuth_spacing_m: float
    range_spacing_m: float
    incidence_mid_deg: float
    steered: bool
    """True if the beam was steered in azimuth (TOPS: IW and EW)."""
    orbit: Orbit
    grid: Grid
    swaths: tuple[Swath, ...]
    """Swaths; empty if the product does not state its pulse repetition frequencies."""

    def geometry(self, points_xy: Array) -> Geometry:
        """Geometry that fixes the azimuth ambiguities of targets at pixels (N, 2), half-open convention.

        The effective velocity is that of the exact geometry: V^2 = |v|^2 - (x - p) . a. Here p, v and a are position,
        velocity and acceleration of the satellite in the earth-fixed frame, at the zero-Doppler time of the target x;
        the range to x is differentiated twice. The product of orbital and ground speed, which is often used instead,
        has an error of 1.6 % on the sample product: 8 pixels in a shift of 500.
        """
        from scipy.interpolate import CubicHermiteSpline, LinearNDInterpolator  # only here: it takes 0.2 s to import

        grid = self.grid
        spline = CubicHermiteSpline(self.orbit.seconds, self.orbit.positions_m, self.orbit.velocities_m_s)
        place, velocity, acceleration = (spline(grid.seconds, derivative) for derivative in (0, 1, 2))
        to_earth_fixed = Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)
        target = np.stack(to_earth_fixed.transform(grid.longitude, grid.latitude, grid.height), axis=1)
        squared = np.sum(velocity**2 - (target - place) * acceleration, axis=1)
        nodes = np.stack([grid.pixel, grid.line], axis=1) + 0.5
        inside = np.clip(points_xy, nodes.min(axis=0), nodes.max(axis=0))
        values = np.stack([squared, grid.slant_range_s, grid.incidence_deg], axis=1)
        squared_at, range_at, incidence_at = LinearNDInterpolator(nodes, values)(inside).T
        return Geometry(
            wavelength_m=self.wavelength_m,
            prf_hz=self._prf(points_xy),
            velocity_m_s=np.sqrt(squared_at),
            slant_range_m=range_at * (SPEED_OF_LIGHT_M_S / 2),
            incidence_rad=np.radians(incidence_at),
            line_s=self.line_s,
            row_m=self.azimuth_spacing_m,
            column_m=self.range_spacing_m,
            steered=self.steered,
        )

    def _prf(self, points_xy: Array) -> Array:
        """(N,) hertz; between and outside of swaths, the value of the nearest in range. NaN if there are no swaths."""
        if not self.swaths:
            return np.full(len(points_xy), np.nan)
        column, row = np.floor(points_xy).T
        distance = np.full((len(self.swaths), len(points_xy)), np.inf)
        for number, swath in enumerate(self.swaths):
            for top, left, bottom, right in swath.bounds or ((0, 0, self.lines - 1, self.samples - 1),):
                away = [
                    np.maximum(np.maximum(first - at, at - last), 0)
                    for first, at, last in ((left, column, right), (top, row, bottom))
                ]
                # a low weight for lines: a target above the first line of its swath still belongs to it
                distance[number] = np.minimum(distance[number], away[0] + 1e-3 * away[1])
        return np.asarray(np.array([swath.prf_hz for swath in self.swaths])[distance.argmin(axis=0)])


def read_annotation(root: Element, where: str) -> Annotation:
    """Read the annotation with this root; errors name `where`.

    Raises:
        FileError: a value that every annotation has is missing or wrong.
    """
    fields = _Fields(root, where)
    image = "imageAnnotation/imageInformation/"
    general = "generalAnnotation/productInformation/"
    first_line = fields.time(image + "productFirstLineUtcTime")
    return Annotation(
        mission=fields.text("adsHeader/missionId"),
        product_type=fields.text("adsHeader/productType"),
        mode=fields.text("adsHeader/mode"),
        polarisation=fields.text("adsHeader/polarisation").lower(),
        orbit_pass=fields.text(general + "pass"),
        heading_deg=fields.number(general + "platformHeading"),
        first_line=first_line,
        lines=int(fields.positive(image + "numberOfLines")),
        samples=int(fields.positive(image + "numberOfSamples")),
        wavelength_m=SPEED_OF_LIGHT_M_S / fields.positive(general + "radarFrequency"),
        range_sampling_hz=fields.positive(general + "rangeSamplingRate"),
        near_range_s=fields.positive(image + "slantRangeTime"),
        line_s=fields.positive(image + "azimuthTimeInterval"),
        azimuth_spacing_m=fields.positive(image + "azimuthPixelSpacing"),
        range_spacing_m=fields.positive(image + "rangePixelSpacing"),
        incidence_mid_deg=fields.positive(image + "incidenceAngleMidSwath"),
        steered=fields.number(general + "azimuthSteeringRate") > 0,
        orbit=_orbit(fields, first_line),
        grid=_grid(fields, first_line),
        swaths=_swaths(fields),
    )


class _Fields:
    """Values below one element; a missing or broken one raises a FileError that names the file."""

    def __init__(self, root: Element, where: str) -> None:
        self._root, self._where = root, where

    def text(self, path: str) -> str:
        return self._value(path, str.strip)

    def number(self, path: str) -> float:
        value = self._value(path, float)
        return value if abs(value) < _LARGEST else self.fail(path, str(value))

    def positive(self, path: str) -> float:
        value = self.number(path)
        return value if value > 0 else self.fail(path, str(value))

    def time(self, path: str) -> datetime:
        return self._value(path, datetime.fromisoformat).replace(tzinfo=None)  # all are UTC; some files state it

    def each(self, path: str, at_least: int = 1) -> list[_Fields]:
        found = [_Fields(element, self._where) for element in self._root.iterfind(path)]
        return found if len(found) >= at_least else self.fail(path, f"{len(found)} of them")

    def any(self, path: str) -> list[_Fields]:
        return [_Fields(element, self._where) for element in self._root.iterfind(path)]

    def fail(self, path: str, found: str) -> NoReturn:
        raise FileError(
            f"expected the annotation of a Sentinel-1 raster at {self._where}, found {found} at '{path}'; "
            "the file is damaged, fetch the product again"
        )

    def _value(self, path: str, parse: Callable[[str], T]) -> T:
        text = self._root.findtext(path)
        if not text:
            return self.fail(path, "nothing")
        try:
            return parse(text)
        except ValueError:
            return self.fail(path, repr(text[:40]))


def _seconds(fields: _Fields, path: str, first_line: datetime) -> float:
    return (fields.time(path) - first_line).total_seconds()


def _orbit(fields: _Fields, first_line: datetime) -> Orbit:
    states = fields.each("generalAnnotation/orbitList/orbit", at_least=4)
    seconds = np.array([_seconds(state, "time", first_line) for state in states])
    if not (np.diff(seconds) > 0).all():
        fields.fail("generalAnnotation/orbitList", "times that do not ascend")
    vectors = [
        np.array([[s.number(f"{kind}/{axis}") for axis in "xyz"] for s in states]) for kind in ("position", "velocity")
    ]
    return Orbit(seconds, *vectors)


def _grid(fields: _Fields, first_line: datetime) -> Grid:
    path = "geolocationGrid/geolocationGridPointList/geolocationGridPoint"
    points = fields.each(path, at_least=4)
    columns = ("line", "pixel", "longitude", "latitude", "height", "slantRangeTime", "incidenceAngle")
    line, pixel, lon, lat, height, slant, incidence = (np.array([p.number(name) for p in points]) for name in columns)
    nodes = np.stack([pixel - pixel.mean(), line - line.mean()])
    if np.linalg.matrix_rank(nodes) < 2 or (np.abs(lat) > 90).any():
        fields.fail(path, "points that do not span the raster")
    seconds = np.array([_seconds(p, "azimuthTime", first_line) for p in points])
    return Grid(line, pixel, lon, lat, height, seconds, slant, incidence)


def _swaths(fields: _Fields) -> tuple[Swath, ...]:
    pieces: dict[str, list[tuple[int, int, int, int]]] = {}
    edges = ("firstAzimuthLine", "firstRangeSample", "lastAzimuthLine", "lastRangeSample")
    for merge in fields.any("swathMerging/swathMergeList/swathMerge"):
        found = merge.each("swathBoundsList/swathBounds")
        pieces[merge.text("swath")] = [tuple(int(b.number(edge)) for edge in edges) for b in found]  # type: ignore[misc]
    prf: dict[str, float] = {}
    for downlink in fields.each("generalAnnotation/downlinkInformationList/downlinkInformation"):
        prf.setdefault(downlink.text("swath"), downlink.positive("prf"))
    return tuple(Swath(name, value, tuple(pieces.get(name, ()))) for name, value in prf.items())
