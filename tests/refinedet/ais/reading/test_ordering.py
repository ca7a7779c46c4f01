"""Tracks of one number: a ship's own track stays whole, and two ships are told apart."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from refinedet.ais.reading import reasons
from refinedet.ais.reading.ordering import ordered, take
from refinedet.ais.tables import SHARED, Fixes


def track(seed: int, lon: float, lat: float, speed_kn: float, mmsi: int = 219000001) -> Fixes:
    """Fixes of a ship that sails straight on, at uneven times."""
    rng = np.random.default_rng(seed)
    seconds = np.sort(rng.choice(7200, 30, replace=False))
    way_deg = speed_kn * 1852 / 3600 * seconds / 111_200
    course = rng.uniform(0, 360)
    count = len(seconds)
    return Fixes(
        mmsi=np.full(count, mmsi),
        time=np.datetime64("2024-06-05", "ms") + (1000 * seconds).astype("timedelta64[ms]"),
        longitude_deg=lon + way_deg * np.sin(np.radians(course)) / np.cos(np.radians(lat)) + rng.normal(0, 1e-5, count),
        latitude_deg=lat + way_deg * np.cos(np.radians(course)) + rng.normal(0, 1e-5, count),
        speed_kn=np.full(count, speed_kn, np.float32),
        course_deg=np.full(count, course, np.float32),
        heading_deg=np.full(count, np.nan, np.float32),
        uncertainty_m=np.full(count, 10, np.float32),
    )


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.floats(-179.9, 179.9), st.floats(-70, 70), st.floats(0, 60))
def test_the_track_of_one_ship_stays_whole(seed: int, lon: float, lat: float, speed_kn: float) -> None:
    fixes = track(seed, lon, lat, speed_kn)
    shuffled = take(fixes, np.random.default_rng(seed).permutation(len(fixes)))
    counts: Counter[str] = Counter()
    found = ordered([shuffled, fixes], counts)
    assert np.array_equal(found.time, fixes.time)
    assert np.array_equal(found.longitude_deg, fixes.longitude_deg)
    assert set(found.mmsi) == {219000001}
    assert counts[reasons.DOUBLED] == len(fixes)
    assert counts[reasons.TWO_SHIPS] == counts[reasons.JUMPED] == 0


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.floats(0, 20), st.floats(0, 20))
def test_two_ships_far_from_each_other_are_told_apart(seed: int, one_kn: float, other_kn: float) -> None:
    one, other = track(seed, 4.0, 54.0, one_kn), take(track(seed + 1, 9.0, 57.0, other_kn), np.arange(20))
    counts: Counter[str] = Counter()
    found = ordered([one, other], counts)
    first, second = (take(found, found.mmsi == 219000001 + extra) for extra in (0, SHARED))
    assert np.array_equal(first.longitude_deg, one.longitude_deg)
    assert np.array_equal(second.longitude_deg, other.longitude_deg)
    assert counts[reasons.TWO_SHIPS] == 1
    assert counts[reasons.JUMPED] == 0


def test_nothing_gives_empty_tables() -> None:
    found = ordered([], Counter())
    assert len(found) == 0
    assert found.time.dtype == np.dtype("datetime64[ms]")
    assert found.mmsi.dtype == np.int64
