"""Matches of a whole scene: which is which, which is dark, and what is not claimed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import shapely

from refinedet.ais.evidence import Detected
from refinedet.ais.matching import Match, MatchSettings, match
from refinedet.ais.tables import Ais, Fixes, Statics

MakeScene = Callable[..., Any]


def numbers(found: Match) -> np.ndarray:
    """Number of the ship of each detection; -1 for none."""
    if not len(found.ships):
        return np.full(len(found.assigned.ship), -1)
    return np.where(found.assigned.ship >= 0, found.ships.mmsi[found.assigned.ship], -1)


def only_ships(ais: Ais, mmsi: np.ndarray) -> Ais:
    """AIS of some ships."""
    fixes, statics = np.isin(ais.fixes.mmsi, mmsi), np.isin(ais.statics.mmsi, mmsi)
    few = Fixes(*(getattr(ais.fixes, name)[fixes] for name in Fixes.__slots__))
    return Ais(few, Statics(*(getattr(ais.statics, name)[statics] for name in Statics.__slots__)), {}, ())


@pytest.mark.parametrize("seed", range(4))
def test_ships_that_report_are_matched_and_silent_ones_are_dark(make_scene: MakeScene, seed: int) -> None:
    made = make_scene(seed, 40)
    found = match(made.scene, made.truth.ais)
    right = np.where(made.truth.reporting, made.truth.mmsi, -1)
    assert (numbers(found) == right).mean() >= 0.95
    status = np.array(found.verdicts.status)
    assert (status[~made.truth.reporting] == "dark").mean() >= 0.9
    assert (status[made.truth.reporting] == "dark").mean() <= 0.05


def test_the_order_of_the_detections_means_nothing(make_scene: MakeScene) -> None:
    made = make_scene(1)
    order = np.random.default_rng(0).permutation(30)
    before, after = match(made.scene, made.truth.ais), match(made.only(order).scene, made.truth.ais)
    assert (numbers(before)[order] == numbers(after)).all()
    assert [before.verdicts.status[i] for i in order] == list(after.verdicts.status)


def test_moving_ships_are_lost_without_their_displacement(make_scene: MakeScene) -> None:
    made = make_scene(2)
    with_it, without = (
        match(made.scene, made.truth.ais, MatchSettings(displaced=one, correct_offset=False)) for one in (True, False)
    )
    assert (numbers(without) >= 0).sum() < 0.7 * (numbers(with_it) >= 0).sum()


def test_the_offset_of_a_scene_is_found_and_taken_off(make_scene: MakeScene) -> None:
    made = make_scene(3, offset_m=(230.0, -120.0))
    found = match(made.scene, made.truth.ais)
    assert (found.offset.east_m, found.offset.north_m) == pytest.approx((230, -120), abs=20)
    assert (numbers(found)[made.truth.reporting] == made.truth.mmsi[made.truth.reporting]).mean() >= 0.9
    assert np.nanmedian(found.distance_m) < 60
    assert found.length_bias_m == pytest.approx(20, abs=6)


def test_nothing_is_claimed_where_few_ships_were_heard(make_scene: MakeScene) -> None:
    made = make_scene(4)
    heard = made.truth.mmsi[np.flatnonzero(made.truth.reporting)[:2]]
    status = match(made.scene, only_ships(made.truth.ais, heard)).verdicts.status
    assert "dark" not in status
    assert status.count("matched") <= 2


def test_without_any_report_everything_is_unknown(make_scene: MakeScene) -> None:
    made = make_scene(5, 5)
    found = match(made.scene, only_ships(made.truth.ais, np.array([0])))
    assert found.verdicts.status == ("unknown",) * 5
    assert found.verdicts.reason[0] == "0 ships heard within 20 km"
    assert len(found.ships) == 0


def test_a_scene_without_detections_has_unseen_ships_alone(make_scene: MakeScene) -> None:
    made = make_scene(6)
    inside = shapely.box(6.0, 54.2, 7.0, 54.8)
    none = made.only(np.zeros(0, int)).with_scene(footprint=inside)
    found = match(none.scene, made.truth.ais)
    assert len(found.ships) == made.truth.reporting.sum()
    assert set(found.seen.reason) <= {"not found", "outside"}
    assert match(made.only(np.zeros(0, int)).scene, made.truth.ais).verdicts.status == ()


def test_no_claim_is_made_of_what_may_be_no_ship(make_scene: MakeScene) -> None:
    made = make_scene(7)
    plain = match(made.scene, made.truth.ais).verdicts.status
    flags = [("ambiguity",) if i % 2 else ("edge",) for i in range(30)]
    found = match(made.with_scene(flags=flags).scene, made.truth.ais).verdicts
    for i in range(30):
        expected = "unknown" if plain[i] == "dark" and i % 2 else plain[i]
        assert found.status[i] == expected
    assert "flag ambiguity" in found.reason


def test_a_weak_detection_tells_why_a_ship_was_not_seen(make_scene: MakeScene) -> None:
    made = make_scene(8)
    ship = int(np.flatnonzero(made.truth.reporting)[0])
    score = np.ones(30)
    score[ship] = 0.2
    found = match(made.with_scene(score=score, score_min=0.5).scene, made.truth.ais)
    row = int(np.flatnonzero(found.ships.mmsi == made.truth.mmsi[ship])[0])
    assert (found.seen.detection[row], found.seen.reason[row]) == (-1, "score below the lowest")


def test_a_ship_that_the_scene_does_not_show_is_outside(make_scene: MakeScene) -> None:
    made = make_scene(9)
    west = shapely.box(5.0, 54.0, 6.5, 55.0)
    rows = np.flatnonzero(made.scene.detected.lonlat[:, 0] < 6.5)
    found = match(made.only(rows).with_scene(footprint=west).scene, made.truth.ais)
    outside = np.array([reason == "outside" for reason in found.seen.reason])
    assert (found.ships.shown_lonlat[outside, 0] > 6.5).all()
    assert outside.sum() >= 5


def test_a_small_or_fast_ship_that_was_not_seen_has_its_reason(make_scene: MakeScene) -> None:
    made = make_scene(10)
    ais = made.truth.ais
    small, fast = made.truth.mmsi[made.truth.reporting][:2]
    length = np.where(ais.statics.mmsi == small, 12, ais.statics.length_m).astype(np.float32)
    speed = np.where(ais.fixes.mmsi == fast, 33, ais.fixes.speed_kn).astype(np.float32)
    statics = Statics(*(length if n == "length_m" else getattr(ais.statics, n) for n in Statics.__slots__))
    fixes = Fixes(*(speed if n == "speed_kn" else getattr(ais.fixes, n) for n in Fixes.__slots__))
    rows = np.flatnonzero(~np.isin(made.truth.mmsi, [small, fast]))
    found = match(made.only(rows).scene, Ais(fixes, statics, {}, ()))
    reason = dict(zip(found.ships.mmsi.tolist(), found.seen.reason, strict=True))
    assert reason[int(small)] in {"too small", "not found"}  # it may report no size
    assert (small in ais.statics.mmsi) == (reason[int(small)] == "too small")
    assert reason[int(fast)] in {"moving too fast", "not found"}


def test_a_detection_without_a_place_is_unknown(make_scene: MakeScene) -> None:
    made = make_scene(11)
    lonlat = made.scene.detected.lonlat.copy()
    lonlat[3] = np.nan
    one = made.scene.detected
    found = match(made.with_scene(detected=Detected(lonlat, one.length_m, one.heading_deg)).scene, made.truth.ais)
    assert (found.verdicts.status[3], found.verdicts.reason[3]) == ("unknown", "no position")


def test_a_ship_heard_long_ago_may_be_what_no_other_is(make_scene: MakeScene) -> None:
    made = make_scene(12)
    ais = made.truth.ais
    late = int(made.truth.mmsi[made.truth.reporting][0])
    ship = int(np.flatnonzero(made.truth.mmsi == late)[0])
    first = np.flatnonzero(ais.fixes.mmsi == late)[:1]  # ten minutes before the image
    keep = ais.fixes.mmsi != late
    keep[first] = True
    few = Fixes(*(getattr(ais.fixes, name)[keep] for name in Fixes.__slots__))
    found = match(made.scene, Ais(few, ais.statics, {}, ()), MatchSettings(gap_s=420.0))
    assert late not in found.ships.mmsi
    assert found.verdicts.status[ship] != "dark"
    assert str(late) in found.verdicts.reason[ship]
