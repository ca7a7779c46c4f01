"""Missing lines are interpolated, whatever the window."""

from __future__ import annotations

import numpy as np
import pytest

from refinedet.raster.decoding.lines import Lines
from refinedet.tiling import Window


@pytest.mark.parametrize("are_rows", [True, False])
@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_gaps_of_up_to_two_lines_are_linear_between_their_neighbours(are_rows: bool, dtype: str) -> None:
    plain = (np.arange(12.0) * 30 + 10).astype(dtype)[:, None].repeat(5, 1)
    valid = np.ones((12, 5), np.bool_)
    valid[[1, 4, 5, 8, 9, 10]] = False  # one line, two, and three
    pixels = np.where(valid, plain, 0).astype(dtype)
    if not are_rows:
        plain, valid, pixels = plain.T, valid.T, pixels.T
    filled = Lines(are_rows).filled(pixels, valid)
    assert filled.dtype == dtype
    filled, plain = (filled, plain) if are_rows else (filled.T, plain.T)
    np.testing.assert_allclose(filled[:8], plain[:8])
    assert (filled[8:11] == 0).all()


def test_lines_at_the_border_stay_missing() -> None:
    pixels = np.array([[0.0], [2.0], [0.0]])
    assert Lines(are_rows=True).filled(pixels, pixels > 0).ravel().tolist() == [0, 2, 0]
    assert Lines(are_rows=True).filled(pixels[:1], pixels[:1] > 0).shape == (1, 1)


def test_the_wider_window_stays_in_the_scene() -> None:
    assert Lines(are_rows=True).around(Window(1, 0, 4, 8), 6, 8) == Window(0, 0, 6, 8)
    assert Lines(are_rows=False).around(Window(1, 3, 4, 2), 6, 8) == Window(1, 1, 4, 6)
