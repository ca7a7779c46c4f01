"""Figures with their 95 % intervals and counts, and rows of them. Pure; equal input gives equal figures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

RESAMPLES, SEED = 2000, 0
LEVEL = 0.95

Statistic = Callable[..., NDArray[np.float64]]
"""Statistic along an axis, such as `np.median`."""


@dataclass(frozen=True, slots=True)
class Figure:
    """Figure with its interval and the count behind it."""

    value: float | None
    """Value; None without data."""
    low: float | None
    high: float | None
    count: int
    """Number of ships, chips, boxes or pictures behind the figure."""


@dataclass(frozen=True, slots=True)
class Row:
    """Row of a table: figures of one subset of one part of a sample."""

    table: str
    part: str
    subset: str
    figures: dict[str, Figure]


def share(hits: ArrayLike) -> Figure:
    """Share of true values, with Wilson's interval, which is valid even if all are true, unlike a bootstrap."""
    found = np.asarray(hits, bool)
    if not found.size:
        return Figure(None, None, None, 0)
    interval = stats.binomtest(int(found.sum()), found.size).proportion_ci(LEVEL, method="wilson")
    return Figure(float(found.mean()), float(interval.low), float(interval.high), found.size)


def typical(values: ArrayLike, statistic: Statistic = np.median) -> Figure:
    """Statistic of the finite values, with the percentile interval of a bootstrap over them."""
    sample = np.asarray(values, np.float64)
    sample = sample[np.isfinite(sample)]
    if not sample.size:
        return Figure(None, None, None, 0)
    drawn = np.random.default_rng(SEED).integers(0, sample.size, (RESAMPLES, sample.size))
    low, high = np.quantile(statistic(sample[drawn], axis=1), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Figure(float(statistic(sample)), float(low), float(high), sample.size)


def mean(values: ArrayLike) -> Figure:
    """Mean of the finite values, with the percentile interval of a bootstrap over them."""
    return typical(values, np.mean)


def rate(events: int, size: float) -> Figure:
    """Number of events per unit of `size`, with the exact interval of a Poisson count."""
    low = 0.0 if events == 0 else float(stats.chi2.ppf((1 - LEVEL) / 2, 2 * events)) / 2
    high = float(stats.chi2.ppf((1 + LEVEL) / 2, 2 * events + 2)) / 2
    return Figure(events / size, low / size, high / size, events)


def number(count: int) -> Figure:
    """Plain count, without an interval."""
    return Figure(float(count), None, None, count)


def as_json(row: Row) -> dict[str, Any]:
    """Row as JSON values."""
    return {
        "table": row.table,
        "part": row.part,
        "subset": row.subset,
        "figures": {
            name: {"value": one.value, "low": one.low, "high": one.high, "count": one.count}
            for name, one in row.figures.items()
        },
    }


def from_json(row: dict[str, Any]) -> Row:
    """Row from JSON values."""
    figures = {name: Figure(**one) for name, one in row["figures"].items()}
    return Row(row["table"], row["part"], row["subset"], figures)
