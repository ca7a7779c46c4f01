"""Whole lines of missing pixels are told from single ones and from areas."""

from __future__ import annotations

import numpy as np
import pytest

from refinedet.scene.input.pixels.lines import note_on_lines

SIDE = 16


def sea() -> np.ndarray:
    return np.sqrt(np.random.default_rng(0).gamma(4.4, 1 / 4.4, (256, 256))).astype(np.float32)


@pytest.mark.parametrize("value", [0.0, -9999.0, np.nan])
def test_missing_lines_are_told(value: float) -> None:
    for lines in (np.s_[::16], np.s_[:, ::2]):
        values = sea()
        values[lines] = value
        values[:40] = value
        note = note_on_lines(values, value, SIDE) or ""
        assert note.startswith(f"whole {'rows' if isinstance(lines, slice) else 'columns'} of pixels are missing")
        assert "gdal_fillnodata" in note


def test_areas_and_single_pixels_are_no_lines() -> None:
    values = sea()
    values[:40] = 0
    assert note_on_lines(values, 0.0, SIDE) is None
    values[np.random.default_rng(1).random(values.shape) < 0.4] = 0
    assert note_on_lines(values, 0.0, SIDE) is None
