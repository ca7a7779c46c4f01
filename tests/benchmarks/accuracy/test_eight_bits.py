"""Pictures of benchmarks/accuracy/eight_bits.py: squeezed by the ends that they name."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pytest

CUTS = ("-15:25", "-25:25", "1..99 %", "2..98 %", "least..most")
AMPLITUDE = np.sqrt(np.random.default_rng(0).gamma(4.4, 1 / 4.4, (256, 256)))


@pytest.fixture
def script(beside_the_scripts: object) -> Any:
    """Script under test."""
    del beside_the_scripts
    return import_module("eight_bits")


@pytest.mark.parametrize("cut", CUTS)
def test_squeezed_pictures_hold_decibels_between_their_ends(script: Any, cut: str) -> None:
    amplitude = AMPLITUDE.copy()
    amplitude[0, :10] = 0
    grey, span_db = script.squeezed(amplitude, cut)
    inside = (grey > 0) & (grey < 255)
    db = 20 * np.log10(np.where(inside, amplitude, 1))
    slope = np.polyfit(grey[inside], db[inside], 1)[0]
    assert slope * 255 == pytest.approx(span_db, rel=0.01)
    assert (grey[0, :10] == 0).all()


def test_linear_pictures_are_cut_at_percentiles(script: Any) -> None:
    grey = script.linear(AMPLITUDE, "2..98 %")
    assert (grey == 0).mean() == pytest.approx(0.02, abs=0.01)
    assert (grey == 255).mean() == pytest.approx(0.02, abs=0.01)


def test_a_row_counts_what_is_taken_for_decibels(script: Any) -> None:
    guesses = script.squeezed_in_turn([("sea", np.rint(AMPLITUDE * 80).astype(np.uint8))])
    name, number, taken, few, _ = script.row("sea", guesses).split(" | ")
    assert (name, number, taken, few) == ("sea", "1", "1", "0")
