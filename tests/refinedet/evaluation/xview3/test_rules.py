"""xView3's rules against the same rules written anew: every assignment tried, in plain Python, one object at a time."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinedet.evaluation.xview3.rules import Counts, Parts, Things, score_things

NAN = math.nan


@dataclass
class Thing:
    """A detection or a label."""

    scene: str
    row: float
    column: float
    vessel: float = 1
    fishing: float = NAN
    length: float = NAN
    shore: float = NAN
    confidence: str = "HIGH"
    close: bool = False


def things(rows: list[Thing]) -> Things:
    def column(name: str) -> Any:
        return np.array([getattr(one, name) for one in rows], np.float64)

    places = np.array([(one.row, one.column) for one in rows], np.float64).reshape(-1, 2)
    scene = np.array([one.scene for one in rows], str)
    columns = map(column, ("vessel", "fishing", "length", "shore"))
    return Things(scene, places, *columns, np.full((len(rows), 2), NAN))


def scored(found: list[Thing], labels: list[Thing], *, shore: bool = True) -> Parts:
    confidence = np.array([one.confidence for one in labels], str)
    near = np.array([one.close for one in found], bool) if shore else None
    return score_things(things(found), things(labels), confidence, near)


def assigned(found: list[Thing], labels: list[Thing]) -> list[tuple[Thing, Thing]]:
    """Pairs of the cheapest of all assignments of one scene."""

    def cost(a: Thing, b: Thing) -> float:
        metres = 10 * math.hypot(a.row - b.row, a.column - b.column)
        return metres if metres <= 200 else 99999990

    few, many, swap = (found, labels, False) if len(found) <= len(labels) else (labels, found, True)
    ways = (list(zip(few, order, strict=True)) for order in itertools.permutations(many, len(few)))
    best = min(ways, key=lambda way: sum(cost(a, b) for a, b in way))
    return [(b, a) if swap else (a, b) for a, b in best if cost(a, b) < 200]


def by_scene(found: list[Thing], labels: list[Thing]) -> list[tuple[list[Thing], list[Thing]]]:
    names = sorted({one.scene for one in labels})
    return [([a for a in found if a.scene == name], [b for b in labels if b.scene == name]) for name in names]


def f1(tp: int, fp: int, fn: int) -> float:
    precision = tp / (tp + fp) if tp + fp else 0
    recall = tp / (tp + fn) if tp + fn else 0
    return 2 * precision * recall / (precision + recall) if precision + recall else 0


def answers(pairs: list[tuple[float, float]]) -> float:
    known = [(said, true) for said, true in pairs if not math.isnan(true)]
    tp = sum(said == 1 and true == 1 for said, true in known)
    fp = sum(true == 0 and said != 0 for said, true in known)
    fn = sum(true == 1 and said != 1 for said, true in known)
    return f1(tp, fp, fn)


def expected(found: list[Thing], labels: list[Thing]) -> dict[str, float]:
    submitted = {one.scene for one in found}
    labels = [one for one in labels if one.scene in submitted]
    low = [a for f, t in by_scene(found, labels) for a, b in assigned(f, t) if b.confidence == "LOW"]
    found = [one for one in found if not any(one is other for other in low)]
    labels = [one for one in labels if one.confidence in {"HIGH", "MEDIUM"}]
    pairs, fp, fn = [], 0, 0
    shore = [0, 0, 0]
    for f, t in by_scene(found, labels):
        made = assigned(f, t)
        pairs += made
        fp, fn = fp + len(f) - len(made), fn + len(t) - len(made)
        near_f, near_t = [a for a in f if a.close], [b for b in t if b.shore <= 2]
        if near_f and near_t:
            made = assigned(near_f, near_t)
            shore = [shore[0] + len(made), shore[1] + len(near_f) - len(made), shore[2] + len(near_t) - len(made)]
    lengths = [(min(a.length, 500), min(b.length, 500)) for a, b in pairs if not math.isnan(b.length)]
    wrong = sum(abs(said - true) / true for said, true in lengths) / len(lengths) if lengths else 1
    parts = {
        "detection": f1(len(pairs), fp, fn),
        "shore": f1(*shore),
        "vessel": answers([(a.vessel, b.vessel) for a, b in pairs]),
        "fishing": answers([(a.fishing, b.fishing) for a, b in pairs if b.vessel == 1]),
        "length": 1 - min(wrong, 1),
    }
    parts["aggregate"] = (
        parts["detection"] * (1 + parts["length"] + parts["vessel"] + parts["fishing"] + parts["shore"]) / 5
    )
    return parts


def measured(parts: Parts) -> dict[str, float]:
    counts = {"detection": parts.detection, "vessel": parts.vessel, "fishing": parts.fishing}
    return {
        **{name: one.f1 for name, one in counts.items()},
        "shore": parts.shore_f1,
        "length": parts.length,
        "aggregate": parts.aggregate,
    }


def made_case(seed: int) -> tuple[list[Thing], list[Thing]]:
    """Up to five labels and five detections in each of a few scenes, most of them near one another."""
    rng = np.random.default_rng(seed)

    def answer() -> float:
        return float(rng.choice([0, 1, NAN], p=[0.3, 0.5, 0.2]))

    found, labels = [], []
    for scene in "abc"[: rng.integers(1, 4)]:
        for _ in range(rng.integers(0, 6)):
            length, shore = rng.choice([NAN, rng.uniform(5, 700)]), rng.choice([NAN, 2.0, rng.uniform(0, 5)])
            confidence = str(rng.choice(["HIGH", "MEDIUM", "LOW"]))
            labels.append(Thing(scene, *rng.uniform(0, 40, 2), answer(), answer(), length, shore, confidence))
        for _ in range(rng.integers(0, 6)):
            close = bool(rng.random() < 0.6)
            length = rng.uniform(5, 700)
            found.append(Thing(scene, *rng.uniform(0, 40, 2), answer(), answer(), length, close=close))
    return found, labels


@pytest.mark.parametrize("seed", range(150))
def test_the_parts_are_those_of_the_rules_written_anew(seed: int) -> None:
    found, labels = made_case(seed)
    assert measured(scored(found, labels)) == pytest.approx(expected(found, labels), abs=1e-12)


def test_made_cases_reach_every_part() -> None:
    parts = [expected(*made_case(seed)) for seed in range(150)]
    for name in parts[0]:
        assert sum(0 < one[name] < 1 for one in parts) > 15, name


@given(st.integers(0, 10**6), st.randoms(use_true_random=False))
def test_the_order_of_rows_has_no_effect(seed: int, order: Any) -> None:
    found, labels = made_case(seed)
    before = scored(found, labels)
    order.shuffle(found)
    order.shuffle(labels)
    assert measured(scored(found, labels)) == pytest.approx(measured(before), abs=1e-12)


@given(st.integers(0, 10**6))
def test_labels_submitted_as_they_are_score_one_where_they_say_anything(seed: int) -> None:
    labels = [one for one in made_case(seed)[1] if one.confidence != "LOW"]
    found = [Thing(**{**vars(one), "close": one.shore <= 2}) for one in labels]
    assert set(measured(scored(found, labels)).values()) - {scored(found, labels).aggregate} <= {0, 1}
    assert scored(found, labels).detection == Counts(len(labels), 0, 0)
    assert scored(found, labels).length == (1 if any(not math.isnan(one.length) for one in labels) else 0)


@given(st.integers(0, 10**6))
def test_parts_are_shares_and_another_false_alarm_never_helps(seed: int) -> None:
    found, labels = made_case(seed)
    before = scored(found, labels)
    assert all(0 <= value <= 1 for value in measured(before).values())
    far = [Thing(one.scene, 1e5, 1e5) for one in found[:1]]
    after = scored(found + far, labels)
    assert after.detection.tp == before.detection.tp
    assert after.aggregate <= before.aggregate + 1e-12


def test_a_match_lies_nearer_than_200_m() -> None:
    label = Thing("a", 0, 0)
    assert scored([Thing("a", 20, 0)], [label]).detection == Counts(0, 1, 1)
    assert scored([Thing("a", 19.99, 0)], [label]).detection == Counts(1, 0, 0)


def test_the_assignment_is_the_nearest_in_all_and_not_one_after_the_other() -> None:
    found = [Thing("a", 0, 0), Thing("a", 0, 12)]
    labels = [Thing("a", 0, 10), Thing("a", 0, 25)]
    assert scored(found, labels).detection == Counts(2, 0, 0)


def test_a_detection_of_a_doubtful_label_counts_nowhere() -> None:
    labels = [Thing("a", 0, 0), Thing("a", 100, 0, confidence="LOW")]
    assert scored([Thing("a", 1, 0), Thing("a", 101, 0)], labels).detection == Counts(1, 0, 0)


def test_scenes_of_one_side_alone_are_left_out() -> None:
    labels = [Thing("a", 0, 0), Thing("b", 0, 0), Thing("c", 0, 0, confidence="LOW")]
    found = [Thing("a", 0, 0), Thing("c", 50, 0), Thing("d", 0, 0)]
    assert scored(found, labels).detection == Counts(1, 0, 0)


def test_a_scene_whose_detections_all_were_doubtful_still_misses_its_labels() -> None:
    labels = [Thing("a", 0, 0), Thing("a", 100, 0, confidence="LOW")]
    assert scored([Thing("a", 101, 0)], labels).detection == Counts(0, 0, 1)


def test_close_to_shore_a_scene_without_either_is_skipped() -> None:
    labels = [Thing("a", 0, 0, shore=2.0), Thing("a", 90, 0, shore=1.0), Thing("b", 0, 0, shore=1.0)]
    found = [Thing("a", 0, 0, close=True), Thing("a", 50, 0, close=True), Thing("b", 0, 0, close=False)]
    assert scored(found, labels).shore == Counts(1, 1, 1)
    assert scored(found, labels, shore=False).shore is None
    assert scored(found, labels, shore=False).shore_f1 == 0


def test_lengths_are_cut_at_500_m_and_an_unknown_one_is_wrong_as_a_whole() -> None:
    def length(said: float, true: float) -> float:
        return scored([Thing("a", 0, 0, length=said)], [Thing("a", 0, 0, length=true)]).length

    assert length(900, 600) == 1
    assert length(50, 100) == 0.5
    assert length(300, 100) == 0
    assert length(NAN, 100) == 0
    assert length(100, NAN) == 0


def test_a_fisher_is_judged_among_vessels_alone_and_silence_is_wrong() -> None:
    labels = [Thing("a", 0, 0, vessel=1, fishing=1), Thing("a", 90, 0, vessel=0, fishing=1)]
    said = [Thing("a", 0, 0, fishing=1), Thing("a", 90, 0, fishing=1)]
    assert scored(said, labels).fishing == Counts(1, 0, 0)
    silent = [Thing("a", 0, 0), Thing("a", 90, 0)]
    assert scored(silent, labels).fishing == Counts(0, 0, 1)
    assert scored(silent, [Thing("a", 0, 0, vessel=1, fishing=0)]).fishing == Counts(0, 1, 0)


def test_nothing_is_zero() -> None:
    for found, labels in (([], []), ([Thing("a", 0, 0)], []), ([], [Thing("a", 0, 0)])):
        assert set(measured(scored(found, labels)).values()) == {0}
