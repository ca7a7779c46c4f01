"""Reasons for which a place of a scene shows no ship."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import shapely

from refinedet.ais.matching import match
from refinedet.ais.verdicts import Shown

MakeScene = Callable[..., Any]
PLACES = np.array([[6.1, 54.5], [6.3, 54.5], [6.6, 54.5], [7.5, 54.5]])


def land_east_of(lon: float) -> Callable[[np.ndarray], np.ndarray]:
    """Land in the east; it must be asked of places that are looked for alone."""
    return lambda lonlat: lonlat[:, 0] > lon


def test_the_first_reason_that_holds_is_told() -> None:
    shown = Shown(shapely.box(6, 54, 7, 55), shapely.box(6, 54, 6.2, 55), land_east_of(6.5))
    every = np.ones(4, np.bool_)
    assert shown.why_not(PLACES, every).tolist() == ["nodata", "", "land", "outside"]
    assert shown.why_not(PLACES, ~every).tolist() == [""] * 4
    assert Shown().why_not(PLACES, every).tolist() == [""] * 4


def test_land_is_asked_of_places_that_nothing_else_explains() -> None:
    asked: list[int] = []

    def on_land(lonlat: np.ndarray) -> np.ndarray:
        asked.append(len(lonlat))
        return np.zeros(len(lonlat), np.bool_)

    Shown(shapely.box(6, 54, 7, 55), None, on_land).why_not(PLACES, np.array([False, True, True, True]))
    Shown(shapely.box(0, 0, 1, 1), None, on_land).why_not(PLACES, np.ones(4, np.bool_))
    assert asked == [2]


def test_unseen_ships_on_land_and_without_data_have_their_reason(make_scene: MakeScene) -> None:
    made = make_scene(6)
    west, middle = shapely.box(6.0, 54.0, 6.4, 55.0), 6.6
    none = made.only(np.zeros(0, int)).with_scene(
        footprint=shapely.box(6.0, 54.0, 7.0, 55.0), missing=west, on_land=land_east_of(middle)
    )
    found = match(none.scene, made.truth.ais)
    lon = found.ships.shown_lonlat[:, 0]
    expected = np.where(lon < 6.4, "nodata", np.where(lon > middle, "land", "not found"))
    assert set(expected) == {"nodata", "land", "not found"}
    assert (np.array(found.seen.reason) == expected).all()


def test_ships_that_were_seen_have_no_reason_wherever_they_are(make_scene: MakeScene) -> None:
    made = make_scene(0)
    everywhere = made.with_scene(missing=shapely.box(5, 53, 8, 56), on_land=land_east_of(0.0))
    seen = match(everywhere.scene, made.truth.ais).seen
    assert (seen.detection >= 0).sum() >= 15
    assert all(not reason for reason, row in zip(seen.reason, seen.detection, strict=True) if row >= 0)
