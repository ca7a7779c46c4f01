"""Calibration and noise of a stored picture, as the same tables that a product's files give."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from refinedet.errors import InputError
from refinedet.scene.eopf.picture import Picture
from refinedet.scene.eopf.scale import Scale
from refinedet.scene.sentinel1.radiometric import AzimuthNoise, Noise, Table

Array = NDArray[np.float64]

CALIBRATION, NOISE, NOISE_ALONG = "quality/calibration", "quality/noise_range", "quality/noise_azimuth"

_LEAST_COVER = 0.5
"""Least share of the picture that the factors of the noise along the track must cover: burst edges may lie outside."""


def read_stored_sigma_nought(picture: Picture, scale: Scale) -> Table:
    """Read the factors of sigma nought.

    Raises:
        FileError: there are none, or they are damaged.
        InputError: as `Picture.values`.
    """
    found = _table(picture, scale, CALIBRATION, "sigma_nought")
    if not all((values > 0).all() for _, values in found.vectors):
        raise picture.broken(f"{CALIBRATION}/sigma_nought", "a factor that is not above 0")
    return found


def read_stored_noise(picture: Picture, scale: Scale) -> Noise:
    """Read the thermal noise.

    Raises:
        InputError: the store does not state the noise.
        FileError: its tables are damaged.
    """
    if picture.group.find(f"{NOISE}/noise_range_lut") is None:
        raise InputError(
            f"expected a table of the thermal noise at {picture.where}/{NOISE}, found none: not every store has it; "
            'use `calibrate="sigma0"`, or the product in SAFE format'
        )
    along_range = _table(picture, scale, NOISE, "noise_range_lut")
    factors = picture.numbers(f"{NOISE_ALONG}/noise_azimuth_lut")
    return Noise(along_range, () if factors is None else _blocks(picture, scale, np.atleast_2d(factors)))


def _blocks(picture: Picture, scale: Scale, factors: Array) -> tuple[AzimuthNoise, ...]:
    """Blocks of factors along the track, (blocks, lines). A bound is a line number, even if its name says time."""
    named: tuple[tuple[str, ...], ...] = (
        ("first_azimuth_line", "first_azimuth_time"),
        ("first_range_sample",),
        ("last_azimuth_line", "last_azimuth_time"),
        ("last_range_sample",),
    )
    bounds = [_first(picture, names) for names in named]
    lines = _lines(picture, scale, NOISE_ALONG)
    if lines.shape not in (factors.shape, factors.shape[-1:]) or any(one.shape != factors.shape[:1] for one in bounds):
        raise picture.broken(NOISE_ALONG, f"factors of {factors.shape} for lines of {lines.shape}")
    blocks = []
    for along, values, edges in zip(
        np.broadcast_to(lines, factors.shape), factors, zip(*bounds, strict=True), strict=True
    ):
        known = np.isfinite(along) & np.isfinite(values) & (along >= 0)
        known[1:] &= along[1:] > along[:-1]  # values after the last line of a block are padding
        if known.any() and np.isfinite(edges).all():
            top, left, bottom, right = (int(edge) for edge in edges)
            blocks.append(AzimuthNoise((top, left, bottom, right), along[known], values[known]))
    _check_cover(picture, blocks)
    return tuple(blocks)


def _check_cover(picture: Picture, blocks: list[AzimuthNoise]) -> None:
    height, width = picture.pixels().shape[-2:]
    covered = 0
    for block in blocks:
        top, left, bottom, right = block.bounds
        covered += max(0, min(bottom, height - 1) - max(top, 0) + 1) * max(0, min(right, width - 1) - max(left, 0) + 1)
    if covered < _LEAST_COVER * height * width:
        raise InputError(
            f"expected noise along the track for the whole picture at {picture.where}/{NOISE_ALONG}, found it for "
            f'{covered / (height * width):.0%}; use `calibrate="sigma0"`, or the product in SAFE format'
        )


def _table(picture: Picture, scale: Scale, group: str, name: str) -> Table:
    values = picture.numbers(f"{group}/{name}")
    if values is None or values.ndim != 2:
        raise picture.broken(f"{group}/{name}", "no table in lines and pixels")
    lines, pixels = _lines(picture, scale, group), _pixels(picture, scale, group)
    if lines.shape != values.shape[:1] or pixels.shape not in (values.shape, values.shape[1:]):
        raise picture.broken(f"{group}/{name}", f"values of {values.shape} for {lines.shape} and {pixels.shape}")
    known = np.isfinite(values) & (pixels >= 0) & np.isfinite(lines)[:, None]
    rows = np.flatnonzero(known.any(axis=1))
    at = np.broadcast_to(pixels, values.shape)
    vectors = tuple((at[row][known[row]], values[row][known[row]]) for row in rows)
    ascending = (np.diff(lines[rows]) > 0).all() and all((np.diff(one) > 0).all() for one, _ in vectors)
    if not len(rows) or not ascending:
        raise picture.broken(f"{group}/{name}", f"{len(rows)} lines that do not ascend")
    return Table(lines[rows].astype(np.intp), vectors)


def _lines(picture: Picture, scale: Scale, group: str) -> Array:
    """Lines of a group of tables, as stored or derived from their times."""
    found = picture.numbers(f"{group}/line")
    if found is not None:
        return found
    times = picture.times(f"{group}/azimuth_time")
    if times is None:
        raise picture.broken(group, "neither lines nor their times")
    after = (times - np.datetime64(scale.first_line, "ns")).astype("timedelta64[ns]").astype(np.int64)
    return np.asarray(np.round(after / 1e9 / scale.line_s))


def _pixels(picture: Picture, scale: Scale, group: str) -> Array:
    """Pixels of a group of tables, as stored or derived from the ground range; NaN or below 0 for padding."""
    found = picture.numbers(f"{group}/pixel")
    if found is not None:
        return found
    metres = _first(picture, (f"{group}/ground_range",), "")
    return np.round(np.where(metres >= 0, metres, np.nan) / scale.range_m)


def _first(picture: Picture, names: tuple[str, ...], group: str = f"{NOISE_ALONG}/") -> Array:
    """First of the named tables that the store has."""
    found = next((one for one in (picture.numbers(group + name) for name in names) if one is not None), None)
    if found is None:
        raise picture.broken(group + names[0], "no such table")
    return found
