"""Fixed things among ships that come and go."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely
from numpy.typing import NDArray

from refinedet.geo.steps import direction, moved, steps_m
from refinedet.traffic.fixed import FixedLimits, FixedThing, find_fixed
from tests.refinedet.traffic.conftest import MIDDLE, MakeArchive

Array = NDArray[np.float64]
PASSES = 12
PLATFORMS = np.stack(np.meshgrid([-9e3, -5e3, 5e3, 9e3], [-8e3, -4e3, 0.0, 4e3, 8e3]), axis=-1).reshape(-1, 2)


def sea(rng: np.random.Generator, ships: int = 60) -> Array:
    """Ships that pass by."""
    return rng.uniform(-1e4, 1e4, (ships, 2))


def anchorage(rng: np.random.Generator, passes: int = PASSES, ships: int = 40) -> list[Array]:
    """Ships at anchor within 1500 m: a quarter stays from pass to pass, and swings around its anchor with the wind."""
    anchors, found = np.zeros((0, 2)), []
    for _ in range(passes):
        kept = anchors[rng.random(len(anchors)) < 0.25]
        angle, share = rng.uniform(0, 360, ships - len(kept)), np.sqrt(rng.random(ships - len(kept)))
        anchors = np.concatenate([kept, 1500 * share[:, None] * direction(angle)])
        wind = rng.normal(240, 60) + rng.normal(0, 12, ships)
        found.append(anchors - rng.uniform(120, 300, (ships, 1)) * direction(wind))
    return found


def platforms(rng: np.random.Generator, places: Array = PLATFORMS, seen: float = 0.95) -> Array:
    """Detections of platforms in one pass, 15 m off."""
    return (places + rng.normal(0, 15, places.shape))[rng.random(len(places)) < seen]


def steps_of(things: list[FixedThing]) -> Array:
    lonlat = np.array([(one.lon, one.lat) for one in things]).reshape(-1, 2)
    return steps_m(np.broadcast_to(MIDDLE, lonlat.shape), lonlat)


@pytest.mark.parametrize("seed", range(5))
def test_platforms_are_found_and_ships_that_pass_or_lie_at_anchor_are_not(make_archive: MakeArchive, seed: int) -> None:
    rng = np.random.default_rng(seed)
    passes = [np.concatenate([platforms(rng), sea(rng), at_anchor]) for at_anchor in anchorage(rng)]
    ships, scenes = make_archive(passes)
    found = steps_of(find_fixed(ships, scenes, FixedLimits()))
    near = np.hypot(*(found[:, None] - PLATFORMS[None]).transpose(2, 0, 1)).min(axis=1, initial=np.inf) < 25
    assert near.sum() >= 19
    assert (~near).sum() <= 1


def test_a_dense_anchorage_is_not_fixed_though_each_place_is_hit_again(make_archive: MakeArchive) -> None:
    rng = np.random.default_rng(1)
    ships, scenes = make_archive(anchorage(rng, ships=150))
    assert len(find_fixed(ships, scenes, FixedLimits(share_min=0.3, radius_m=100))) == 0
    platform = [np.concatenate([one, rng.normal(0, 15, (1, 2))]) for one in anchorage(rng, ships=40)]
    found = steps_of(find_fixed(*make_archive(platform), FixedLimits()))
    assert len(found) == 1
    assert np.hypot(*found[0]) < 20


def test_persistence_counts_the_passes_that_saw_the_place(make_archive: MakeArchive) -> None:
    rng = np.random.default_rng(2)
    place = np.array([[8000.0, 0.0]])
    hit = (1, 2, 4, 5, 7, 10)
    passes = [
        np.concatenate([sea(rng), platforms(rng, place, 1.0) if i in hit else np.zeros((0, 2))]) for i in range(12)
    ]
    ships, scenes = make_archive(passes)
    (one,) = find_fixed(ships, scenes, FixedLimits())
    assert (one.seen, one.passes, one.persistence) == (6, 12, 0.5)
    assert [one.first, one.last] == [scenes.start[1], scenes.start[10]]
    assert one.length_m == 80
    assert 5 < one.spread_m < 40
    away = shapely.box(0, 0, 1, 1)
    areas = np.array([area if i in hit or i == 0 else away for i, area in enumerate(scenes.areas)], object)
    (narrow,) = find_fixed(ships, replace(scenes, areas=areas), FixedLimits())
    assert (narrow.seen, narrow.passes) == (6, 7)
    assert find_fixed(ships, scenes, FixedLimits(share_min=0.6)) == []
    assert find_fixed(ships, scenes, FixedLimits(passes_min=7)) == []


def test_two_slices_of_one_pass_are_one_pass(make_archive: MakeArchive) -> None:
    ships, scenes = make_archive([np.zeros((1, 2))] * 4)
    start = scenes.start[[0, 0, 1, 1]] + np.array([0, 25, 0, 25]) * np.timedelta64(1, "s")
    assert len(find_fixed(ships, scenes, FixedLimits())) == 1
    assert find_fixed(ships, replace(scenes, start=start), FixedLimits()) == []


def test_a_thing_on_the_antimeridian_is_one_thing(make_archive: MakeArchive) -> None:
    ships, scenes = make_archive([np.array([[(-20.0) ** (i % 2), 0.0]]) for i in range(5)])
    east = moved(np.broadcast_to((180.0, 54.5), (5, 2)), np.array([[20.0 * (-1) ** i, 0.0] for i in range(5)]))
    areas = np.array(
        [shapely.MultiPolygon([shapely.box(179, 54, 180, 55), shapely.box(-180, 54, -179, 55)])] * 5, object
    )
    (one,) = find_fixed(replace(ships, lonlat=east), replace(scenes, areas=areas), FixedLimits())
    assert (one.seen, one.passes) == (5, 5)
    assert abs(abs(one.lon) - 180) < 1e-3


def test_no_ships_are_no_things(make_archive: MakeArchive) -> None:
    assert find_fixed(*make_archive([np.zeros((0, 2))] * 3), FixedLimits()) == []
