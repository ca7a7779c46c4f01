"""Sea of a scene of kind `sentinel1`: its mean level with wind, range, slicks and fronts."""

from __future__ import annotations

import math

import numpy as np

from refinedet.data.simulation.fields import Field, from_db, gaussian_field, gaussian_power
from refinedet.data.simulation.sentinel1.conditions import Sentinel1Conditions
from refinedet.data.simulation.sentinel1.ranges import Sentinel1Ranges


def sea_level(
    shape: tuple[int, int],
    pixel_m: float,
    conditions: Sentinel1Conditions,
    ranges: Sentinel1Ranges,
    rng: np.random.Generator,
) -> Field:
    """Mean sea intensity (H, W)."""
    level_db = wind_db(shape, rng) + incidence_db(shape, pixel_m, conditions, ranges, rng)
    if rng.random() < ranges.slick_probability:
        level_db -= slick_db(shape, rng.uniform(*ranges.slick_db), rng)
    if rng.random() < ranges.front_probability:
        level_db += front_db(shape, rng.uniform(*ranges.front_db), rng)
    return from_db(level_db) * np.float32(conditions.sea.mean_amplitude**2)


def wind_db(shape: tuple[int, int], rng: np.random.Generator) -> Field:
    """Slow changes of the level with the wind, and gusts of a kilometre."""
    slow_px = 0.12 * max(shape)
    field = gaussian_field(rng, *shape, lambda fy, fx: np.sqrt(gaussian_power(fy * fy + fx * fx, slow_px)))
    gusts = gaussian_field(rng, *shape, lambda fy, fx: np.sqrt(gaussian_power(fy * fy + fx * fx, 25)))
    return np.asarray(rng.uniform(0.3, 1.5) * field + rng.uniform(0.02, 0.25) * gusts, np.float32)


def incidence_db(
    shape: tuple[int, int],
    pixel_m: float,
    conditions: Sentinel1Conditions,
    ranges: Sentinel1Ranges,
    rng: np.random.Generator,
) -> Field:
    """Fall of the level from near to far range (columns), of mean 0."""
    span_db = rng.uniform(*ranges.incidence_db_per_100_km) * shape[1] * pixel_m / 100_000
    ramp = np.linspace(span_db / 2, -span_db / 2, shape[1], dtype=np.float32)
    return np.broadcast_to(ramp if conditions.radar_left else ramp[::-1], shape)


def slick_db(shape: tuple[int, int], depth_db: float, rng: np.random.Generator) -> Field:
    """Decibels by which slicks darken the sea: streaks of a film along the wind, or patches."""
    angle, stretch = rng.uniform(0, math.pi), rng.uniform(1.5, 8)
    sine, cosine = math.sin(angle), math.cos(angle)

    def spectrum(fy: Field, fx: Field) -> Field:
        along, across = fx * cosine + fy * sine, fy * cosine - fx * sine
        f2 = (along * np.float32(stretch)) ** 2 + across * across
        return np.asarray((f2 + np.float32(1e-5)) ** np.float32(-0.8), np.float32)

    field = gaussian_field(rng, *shape, spectrum)
    # Near a contour line of the field lie filaments; above a quantile of it lie patches.
    score = 0.12 - np.abs(field) if rng.random() < 0.5 else field - np.float32(rng.uniform(1.2, 2.2))
    return np.asarray(depth_db / (1 + np.exp(np.clip(-score / np.float32(0.05), -30, 30))), np.float32)


def front_db(shape: tuple[int, int], step_db: float, rng: np.random.Generator) -> Field:
    """Step of the level across a winding line, with a bright or dark line along it."""
    y, x = np.ogrid[: shape[0], : shape[1]]
    angle, size = rng.uniform(0, 2 * math.pi), max(shape)
    straight = (x - rng.uniform(0, shape[1])) * math.cos(angle) + (y - rng.uniform(0, shape[0])) * math.sin(angle)
    bends = gaussian_field(rng, *shape, lambda fy, fx: np.sqrt(gaussian_power(fy * fy + fx * fx, 0.06 * size)))
    distance = straight.astype(np.float32) + np.float32(rng.uniform(0.01, 0.04) * size) * bends
    width = np.float32(rng.uniform(2, 12))
    line_db = rng.uniform(-3, 3) * np.exp(-0.5 * (distance / width) ** 2)
    return np.asarray(step_db * (1 / (1 + np.exp(np.clip(-distance / width, -30, 30))) - 0.5) + line_db, np.float32)
