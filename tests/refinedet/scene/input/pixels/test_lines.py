"""Whole lines of missing pixels are found among single ones and areas."""

from __future__ import annotations

import numpy as np
import pytest

from refinedet.scene.input.pixels.lines import find_lines

SIDE = 16


def sea() -> np.ndarray:
    return np.sqrt(np.random.default_rng(0).gamma(4.4, 1 / 4.4, (256, 256))).astype(np.float32)


@pytest.mark.parametrize("value", [0.0, -9999.0, np.nan])
def test_missing_lines_are_found(value: float) -> None:
    for lines, share in ((np.s_[::16], 216 / 256 / 16), (np.s_[:, ::2], 216 / 256 / 2)):
        values = sea()
        values[lines] = value
        values[:40] = value
        found = find_lines(values, value, SIDE)
        assert found is not None
        assert found[0].are_rows is isinstance(lines, slice)
        assert found[1] == pytest.approx(share, rel=0.1)


def test_areas_and_single_pixels_are_no_lines() -> None:
    values = sea()
    values[:40] = 0
    assert find_lines(values, 0.0, SIDE) is None
    values[np.random.default_rng(1).random(values.shape) < 0.4] = 0
    assert find_lines(values, 0.0, SIDE) is None
