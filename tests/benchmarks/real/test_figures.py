"""Figures with intervals, their tables, and two runs side by side."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pytest


@pytest.fixture
def figures() -> Any:
    return import_module("figures")


def test_share_of_few_ships_stays_uncertain(figures: Any) -> None:
    one = figures.share([True] * 15)
    assert (one.value, one.high, one.count) == (1, 1, 15)
    assert one.low == pytest.approx(0.796, abs=0.001)
    assert figures.share([]).value is None


def test_median_has_an_interval_and_leaves_unknown_out(figures: Any) -> None:
    values = [*np.random.default_rng(0).normal(10, 2, 200), float("nan")]
    one = figures.typical(values)
    assert one.count == 200
    assert one.low < one.value < one.high
    assert one.high - one.low == pytest.approx(2 * 1.96 * 1.2533 * 2 / np.sqrt(200), rel=0.4)
    assert figures.typical(values) == one
    assert figures.mean([float("nan")]).value is None


def test_rate_has_the_interval_of_a_poisson_count(figures: Any) -> None:
    none, ten = figures.rate(0, 2.0), figures.rate(10, 2.0)
    assert (none.value, none.low, none.high) == (0, 0, pytest.approx(3.689 / 2, abs=0.001))
    assert (ten.value, ten.low, ten.high) == (5, pytest.approx(4.795 / 2, abs=1e-3), pytest.approx(18.39 / 2, abs=1e-2))


def test_rows_come_back_from_json(figures: Any) -> None:
    row = figures.Row("chips", "train", "boats", {"taken": figures.share([True, False]), "n": figures.number(3)})
    assert figures.from_json(figures.as_json(row)) == row


def test_tables_and_comparison(figures: Any) -> None:
    tables = import_module("tables")
    before = [figures.Row("a", "train", "x", {"recall": figures.Figure(0.5, 0.4, 0.6, 20)})]
    after = [
        figures.Row("a", "train", "x", {"recall": figures.Figure(0.75, 0.6, 0.85, 20), "boxes": figures.number(7)}),
        figures.Row("b", "decide", "y", {"other": figures.share([])}),
    ]
    text = tables.markdown(after)
    assert "| train | x | 0.75 (0.60 to 0.85), n = 20 | 7 |" in text
    assert "### b\n\n| part | subset | other |\n|---|---|---|\n| decide | y | - |" in text
    both = tables.compared(before, after)
    assert "| train | x | recall | 0.50 (0.40 to 0.60), n = 20 | 0.75 (0.60 to 0.85), n = 20 | +0.25 |" in both
    assert "| train | x | boxes | - | 7 | - |" in both
