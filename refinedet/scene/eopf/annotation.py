"""Annotation of a stored picture, from the tables and attributes of the store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from refinedet.raster import RasterInfo
from refinedet.scene.eopf.facts import number, positive, table, tables, text
from refinedet.scene.eopf.picture import Picture
from refinedet.scene.eopf.points import read_points
from refinedet.scene.eopf.scale import Scale, read_scale
from refinedet.scene.sentinel1.annotation import SPEED_OF_LIGHT_M_S, Annotation, Grid, Orbit, Swath

_RADAR_HZ = 5.40500045433435e9
"""Radar frequency of all Sentinel-1 satellites, from their annotations, because newer stores do not state it."""
_STEERED = ("IW", "EW")
"""Modes whose beam is steered in azimuth."""
_STATES = 4
"""Least number of state vectors of an orbit."""


def read_stored_annotation(picture: Picture, info: RasterInfo) -> tuple[Annotation, tuple[str, ...]]:
    """Read the annotation of a picture, whose size is in `info`, and notes on values that had to be derived.

    Unused values that the store lacks are NaN.

    Raises:
        FileError: time, orbit or control points are missing or damaged, or belong to another raster.
        InputError: a table is of a kind that is not read.
    """
    points = read_points(picture)
    scale = read_scale(picture, info.height, points.spacing_m)
    grid = points.grid(picture, scale)
    general, image, mode = _parts(picture, info)
    steering = number(general, "azimuth_steering_rate")
    annotation = Annotation(
        mission=text(picture.properties, "platform").lower().replace("sentinel-", "s").upper(),
        product_type="GRD",
        mode=mode,
        polarisation=picture.polarisation,
        orbit_pass=text(picture.properties, "sat:orbit_state").capitalize(),
        heading_deg=_or_nan(number(general, "platform_heading")),
        first_line=scale.first_line,
        lines=info.height,
        samples=info.width,
        wavelength_m=SPEED_OF_LIGHT_M_S / (positive(general, "radar_frequency") or _RADAR_HZ),
        range_sampling_hz=_or_nan(positive(general, "range_sampling_rate")),
        near_range_s=positive(image, "slant_range_time") or float(grid.slant_range_s.min()),
        line_s=scale.line_s,
        azimuth_spacing_m=scale.azimuth_m,
        range_spacing_m=scale.range_m,
        incidence_mid_deg=positive(image, "incidence_angle_mid_swath") or _middle(grid),
        steered=mode in _STEERED if steering is None else steering > 0,
        orbit=_orbit(picture, scale),
        grid=grid,
        swaths=_swaths(picture.annotated),
    )
    return annotation, scale.notes


def _parts(picture: Picture, info: RasterInfo) -> tuple[Mapping[str, Any], Mapping[str, Any], str]:
    """Tables on the product and the image, and the mode."""
    general = table(picture.annotated, "general_annotation", "product_information")
    image = table(picture.annotated, "image_annotation", "image_information")
    stated = number(image, "number_of_samples"), number(image, "number_of_lines")
    if all(stated) and stated != (info.width, info.height):
        raise picture.broken("image_information", f"a size of {stated[0]:.0f} x {stated[1]:.0f} pixels")
    names = ("sar:instrument_mode", "eopf:instrument_mode")
    return general, image, next((mode for name in names if (mode := text(picture.properties, name))), "")


def _middle(grid: Grid) -> float:
    """Incidence angle in the middle of the swath, in degrees."""
    return float((grid.incidence_deg.min() + grid.incidence_deg.max()) / 2)


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value


def _orbit(picture: Picture, scale: Scale) -> Orbit:
    where = "conditions/orbit"
    times = picture.times(f"{where}/azimuth_time")
    vectors = [picture.numbers(f"{where}/{name}") for name in ("position", "velocity")]
    if times is None or times.ndim != 1 or len(times) < _STATES:
        raise picture.broken(where, f"fewer than {_STATES} times of state vectors")
    seconds = (times - np.datetime64(scale.first_line, "ns")).astype("timedelta64[ns]").astype(np.int64) / 1e9
    found = [one for one in vectors if one is not None and one.shape == (len(times), 3) and np.isfinite(one).all()]
    if len(found) < len(vectors) or not (np.diff(seconds) > 0).all():
        raise picture.broken(where, "state vectors that are not whole")
    return Orbit(seconds, *found)


def _swaths(annotated: Mapping[str, Any]) -> tuple[Swath, ...]:
    """Swaths with their pulse repetition frequencies; empty if the frequency of a pixel is not known."""
    prf: dict[str, float] = {}
    for downlink in tables(annotated, "general_annotation", "downlink_information_list"):
        if (value := positive(downlink, "prf")) is not None:
            prf.setdefault(text(downlink, "swath"), value)
    pieces: dict[str, list[tuple[int, int, int, int]]] = {}
    edges = ("first_azimuth_line", "first_range_sample", "last_azimuth_line", "last_range_sample")
    for merge in tables(annotated, "swath_merging", "swath_merge_list"):
        for bounds in tables(merge, "swath_bounds_list"):
            found = [number(bounds, edge) for edge in edges]
            if None not in found:
                piece = tuple(int(edge) for edge in found if edge is not None)
                pieces.setdefault(text(merge, "swath"), []).append(piece)  # type: ignore[arg-type]  # four by `edges`
    if len(prf) > 1:  # a swath without bounds lies outside; without any bounds, no pixel has a known frequency
        prf = {name: value for name, value in prf.items() if name in pieces}
    return tuple(Swath(name, value, tuple(pieces.get(name, ()))) for name, value in prf.items())
