"""Preparation of the searches of a scene: windows on land are found once, and only if they count."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from refinedet.config import Radiometry
from refinedet.config.options.land import LandSettings
from refinedet.scene.land.survey import Surroundings
from refinedet.scene.search.window_search import prepare_all


class Search:
    """Search of some windows, which keeps what it is told of them."""

    def __init__(self, windows: int) -> None:
        self.rects = np.arange(4.0 * windows).reshape(windows, 4)
        self.inland: NDArray[np.bool_] | None = None

    def prepare(self, inland: NDArray[np.bool_], *_: object) -> None:
        """Keep which windows lie on land."""
        self.inland = inland


@pytest.mark.parametrize(
    ("mask", "windows", "asked"),
    [("flag", [99, 99], 0), ("flag", [100, 100], 1), ("drop", [4, 4], 1), ("drop", [4, 5], 2)],
)
def test_windows_on_land_are_found_once_for_each_grid(
    mask: Any, windows: list[int], asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []

    def inland(_known: Surroundings, rects: NDArray[np.float64]) -> NDArray[np.bool_]:
        calls.append(len(rects))
        return np.ones(len(rects), np.bool_)

    monkeypatch.setattr(Surroundings, "inland", inland)
    searches = [Search(count) for count in windows]
    known = Surroundings(LandSettings(land_mask=mask))
    prepare_all(searches, known, Radiometry())  # type: ignore[arg-type]  # what it needs of a search
    assert len(calls) == asked
    for search, count in zip(searches, windows, strict=True):
        np.testing.assert_array_equal(search.inland, np.full(count, bool(asked)))
