"""Fusion of the ships of two polarisations: one ship, one box, two scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinedet.detections import Detections
from refinedet.scene.windows.merge import Merged
from refinedet.scene.windows.polarisations import fuse_polarisations, fused_score

Ship = tuple[float, float, float, float, float]
"""x1, y1, x2, y2 and score."""


def merged(*ships: Ship, joined: Sequence[bool] = (), cut: Sequence[bool] = (), labels: Sequence[int] = ()) -> Merged:
    """Ships in the order that Detections have; flags are given in that order."""
    none = np.zeros(len(ships), np.bool_)
    found = Detections.of([ship[:4] for ship in ships], [ship[4] for ship in ships], labels or none.astype(int))
    return Merged(found, np.array(joined or none, np.bool_), np.array(cut or none, np.bool_))


def rows(found: Merged) -> list[tuple[list[float], float, list[float | None]]]:
    """Box, fused score and both scores of each ship; None for a polarisation that does not show it."""
    assert found.by_polarisation is not None
    scores = [[None if np.isnan(one) else round(float(one), 3) for one in two] for two in found.by_polarisation]
    boxes, fused = found.detections.boxes_xyxy.tolist(), found.detections.scores.astype(float).round(3).tolist()
    return list(zip(boxes, fused, scores, strict=True))


def test_a_ship_of_both_is_one_with_the_box_of_the_stronger() -> None:
    found = fuse_polarisations(merged((10, 10, 30, 20, 0.5)), merged((12, 10, 32, 21, 0.8)))
    assert rows(found) == [([12, 10, 32, 21], 0.9, [0.5, 0.8])]
    assert found.stronger.tolist() == [1]


def test_ships_of_one_polarisation_keep_their_scores() -> None:
    found = fuse_polarisations(merged((10, 10, 30, 20, 0.5)), merged((60, 60, 70, 64, 0.8)))
    assert rows(found) == [([60, 60, 70, 64], 0.8, [None, 0.8]), ([10, 10, 30, 20], 0.5, [0.5, None])]
    assert found.stronger.tolist() == [1, 0]


def test_small_ships_match_by_their_centres_and_moored_ones_stay_two() -> None:
    small = fuse_polarisations(merged((10, 10, 13, 13, 0.5)), merged((13, 10, 16, 13, 0.6)))
    assert len(small) == 1
    moored = fuse_polarisations(
        merged((10, 10, 40, 20, 0.9), (10, 20, 40, 30, 0.8)), merged((11, 20, 41, 30, 0.7), (10, 11, 40, 20, 0.6))
    )
    assert [scores for _, _, scores in rows(moored)] == [[0.9, 0.6], [0.8, 0.7]]


def test_a_part_of_a_stronger_ship_is_no_ship_but_a_ship_within_a_weak_box_is() -> None:
    hull, masts = (10, 10, 60, 24, 0.9), ((12, 12, 30, 22, 0.6), (40, 12, 58, 22, 0.5))
    assert [scores for _, _, scores in rows(fuse_polarisations(merged(hull), merged(*masts)))] == [[0.9, 0.6]]
    weak, ships = (0, 0, 80, 60, 0.3), ((2, 2, 22, 10, 0.9), (50, 40, 70, 48, 0.8))
    found = rows(fuse_polarisations(merged(*ships), merged(weak)))
    assert [box for box, _, _ in found] == [[2, 2, 22, 10], [50, 40, 70, 48]]


def test_flags_are_those_of_both_and_classes_stay_apart() -> None:
    found = fuse_polarisations(merged((10, 10, 30, 20, 0.5), joined=[True]), merged((10, 10, 30, 20, 0.8), cut=[True]))
    assert (found.joined.tolist(), found.cut.tolist()) == ([True], [True])
    apart = fuse_polarisations(merged((10, 10, 30, 20, 0.5), labels=[1]), merged((10, 10, 30, 20, 0.8), labels=[0]))
    assert apart.detections.labels.tolist() == [0, 1]


def test_nothing_in_one_or_in_both() -> None:
    assert len(fuse_polarisations(merged(), merged())) == 0
    for one, two, stronger in ((merged((1, 2, 9, 8, 0.7)), merged(), 0), (merged(), merged((1, 2, 9, 8, 0.7)), 1)):
        found = fuse_polarisations(one, two)
        assert found.stronger.tolist() == [stronger]
        assert found.only(np.array([False])).by_polarisation.shape == (0, 2)  # type: ignore[union-attr]


def test_two_weak_scores_make_a_stronger_one() -> None:
    scores = np.array([[0.4, 0.4], [0.4, np.nan], [1, 0.3], [np.nan, 0.7]], np.float32)
    assert fused_score(scores).tolist() == pytest.approx([0.64, 0.4, 1, 0.7])


_SHIPS = st.lists(
    st.tuples(*(st.integers(0, 60),) * 2, *(st.integers(2, 30),) * 2, st.integers(1, 100)).map(
        lambda v: (v[0], v[1], v[0] + v[2], v[1] + v[3], v[4] / 100)
    ),
    max_size=8,
)


@given(_SHIPS, _SHIPS)
def test_both_orders_give_the_same_ships_and_no_score_is_lost(one: list[Ship], two: list[Ship]) -> None:
    first, second = merged(*one), merged(*two)
    found, turned = fuse_polarisations(first, second), fuse_polarisations(second, first)
    fused = found.detections.scores
    assert sorted(fused.tolist()) == pytest.approx(sorted(turned.detections.scores.tolist()))
    strongest = max([0.0, *(score for *_, score in (*one, *two))])
    assert max([0.0, *fused.tolist()]) >= strongest - 1e-6
    assert found.by_polarisation is not None
    assert (fused >= np.nan_to_num(found.by_polarisation).max(axis=1, initial=0) - 1e-6).all()
    assert (np.diff(fused) <= 0).all()
