"""Assignment of ships to detections."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinedet.ais.assignment import Pairs, assign, distance_squared, log_place, marginals


def random_pairs(seed: int, detections: int, ships: int, share: float = 0.6) -> Pairs:
    rng = np.random.default_rng(seed)
    d, s = np.nonzero(rng.random((detections, ships)) < share)
    return Pairs(d, s, rng.normal(0, 3, len(d)))


def all_assignments(pairs: Pairs, detections: int, ships: int) -> list[tuple[tuple[int, ...], float]]:
    """Every one-to-one assignment, as the ship of each detection or -1, with its logarithmic weight."""
    ratio = {(int(d), int(s)): float(r) for d, s, r in zip(pairs.detection, pairs.ship, pairs.log_ratio, strict=True)}
    found = {}
    for order in permutations([*range(ships), *[-1] * detections], detections):
        pairs_of = [(d, s) for d, s in enumerate(order) if s >= 0]
        if all(pair in ratio for pair in pairs_of):
            found[order] = sum(ratio[pair] for pair in pairs_of)
    return list(found.items())


@given(st.integers(0, 10_000), st.integers(1, 3), st.integers(0, 4))
def test_no_other_assignment_is_likelier(seed: int, detections: int, ships: int) -> None:
    pairs = random_pairs(seed, detections, ships)
    found = assign(pairs, detections, ships)
    weights = dict(all_assignments(pairs, detections, ships))
    assert weights[tuple(found.ship.tolist())] == pytest.approx(max(weights.values()))


@given(st.integers(0, 10_000))
def test_no_ship_is_assigned_twice(seed: int) -> None:
    pairs = random_pairs(seed, 30, 25, 0.3)
    found = assign(pairs, 30, 25)
    taken = found.ship[found.ship >= 0]
    assert len(set(taken.tolist())) == len(taken)
    matched = found.pair >= 0
    assert (pairs.ship[found.pair[matched]] == found.ship[matched]).all()
    assert (pairs.log_ratio[found.pair[matched]] > 0).all()


@given(st.integers(0, 10_000))
def test_probabilities_are_exact_where_pairs_form_no_ring(seed: int) -> None:
    rng = np.random.default_rng(seed)
    chain = np.array([(0, 0), (1, 0), (1, 1), (2, 1), (2, 2)])
    pairs = Pairs(chain[:, 0], chain[:, 1], rng.normal(0, 2, len(chain)))
    weights = all_assignments(pairs, 3, 3)
    total = sum(np.exp(weight) for _, weight in weights)
    probability, alone = marginals(pairs, 3, 3)
    for (d, s), found in zip(chain, probability, strict=True):
        assert found == pytest.approx(sum(np.exp(w) for order, w in weights if order[d] == s) / total, abs=1e-4)
    for d in range(3):
        assert alone[d] == pytest.approx(sum(np.exp(w) for order, w in weights if order[d] == -1) / total, abs=1e-4)


@given(st.integers(0, 10_000))
def test_probabilities_of_a_detection_sum_to_one(seed: int) -> None:
    pairs = random_pairs(seed, 12, 9)
    probability, alone = marginals(pairs, 12, 9)
    assert np.bincount(pairs.detection, probability, 12) + alone == pytest.approx(1)
    assert ((probability >= 0) & (probability <= 1)).all()


def test_the_next_likely_ship_is_told() -> None:
    pairs = Pairs(np.array([0, 0, 0]), np.array([0, 1, 2]), np.log([8.0, 4.0, 2.0]))
    found = assign(pairs, 1, 3)
    assert (found.ship[0], found.other[0]) == (0, 1)
    assert found.probability == pytest.approx([8 / 15, 4 / 15, 2 / 15])
    assert (found.other_probability[0], found.alone[0]) == (pytest.approx(4 / 15), pytest.approx(1 / 15))


def test_nothing_is_assigned_where_there_is_no_pair() -> None:
    none = Pairs(np.zeros(0, int), np.zeros(0, int), np.zeros(0))
    found = assign(none, 2, 3)
    assert (found.ship.tolist(), found.alone.tolist()) == ([-1, -1], [1, 1])
    assert assign(none, 0, 0).ship.tolist() == []


def test_the_density_of_places_sums_to_one() -> None:
    covariance = np.array([[900.0, 200.0], [200.0, 400.0]])
    side = np.arange(-600.0, 600.0, 4.0)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    density = np.exp(log_place(grid, np.broadcast_to(covariance, (len(grid), 2, 2))))
    assert density.sum() * 16 == pytest.approx(1, abs=0.01)


def test_distance_is_counted_in_its_spread() -> None:
    covariance = np.array([np.diag([100.0, 400.0])] * 2)
    assert distance_squared(np.array([[10.0, 0], [0, 40.0]]), covariance) == pytest.approx([1, 4])
