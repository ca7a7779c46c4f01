"""A shift of the truth that would make most ships match is told."""

from __future__ import annotations

import numpy as np
import shapely

from refinedet.evaluation.score import match_polygons
from refinedet.evaluation.shifted import shift_note
from refinedet.geo.reference import Shapes

PLACES = np.random.default_rng(1).uniform(0, 20_000, (12, 2))


def boxes(places: np.ndarray) -> Shapes:
    return np.asarray(shapely.box(*(places - 20).T, *(places + 20).T), object)


def matches(found: Shapes, there: Shapes) -> int:
    return match_polygons(found, there, 0.3, 40.0).tp


def test_a_shift_is_told_with_its_size() -> None:
    note = shift_note(boxes(PLACES), boxes(np.add(PLACES, (130, -60))), matches, 40.0)
    assert note is not None
    assert note.startswith("12 instead of 0 ships would match if the truth lay -130 m east and +60 m north")


def test_nothing_is_told_of_files_that_match_are_small_or_have_other_ships() -> None:
    assert shift_note(boxes(PLACES), boxes(PLACES + 5), matches, 40.0) is None
    assert shift_note(boxes(PLACES[:4]), boxes(PLACES[:4] + 130), matches, 40.0) is None
    others = np.random.default_rng(2).uniform(0, 20_000, (12, 2))
    assert shift_note(boxes(PLACES), boxes(others), matches, 40.0) is None
    assert shift_note(boxes(PLACES), boxes(PLACES + 5000), matches, 40.0) is None
