"""Real messages of satellites, of a table of others, and of Sentinel-1."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from refinedet.ais.reading import reasons
from refinedet.ais.reading.read import read_ais
from refinedet.errors import InputError
from tests.refinedet.ais.reading.messages import balanced


@pytest.fixture
def real(sample_data: Path) -> Path:
    """Folder of real and simulated messages of others."""
    folder = sample_data / "real" / "ais"
    if not folder.is_dir():
        pytest.skip(f"no messages of AIS in {folder}")
    return folder


def test_a_table_without_number_and_time_says_what_it_has(real: Path) -> None:
    path = real / "north_sea_snapshot.csv"
    with pytest.raises(InputError, match="none for mmsi and time among LAT, LON, SPEED"):
        read_ais([path], area=None, time=None)


def test_real_messages_of_satellites(real: Path) -> None:
    path = real / "messages_20210701.csv"
    found = read_ais([path], area=None, time=None)
    assert found.counts[reasons.MESSAGES] == 2498
    assert found.counts[reasons.POSITION_UNAVAILABLE] == 11
    assert found.counts[reasons.BASE_STATION] == 19
    assert found.counts[reasons.LONG_RANGE] > 900
    assert len(found.fixes) > 2300
    assert balanced(found.counts)
    days = found.fixes.time.astype("datetime64[D]")
    assert set(days.astype(str)) == {"2021-07-01"}
    assert set(found.fixes.uncertainty_m.tolist()) == {10, 185}


def test_real_messages_that_sentinel_1_heard(real: Path) -> None:
    path = real / "S1C_AI_L1_20220531T155630_20220531T155744.txt"
    pass_time = datetime(2022, 5, 31, 15, 56, 30, tzinfo=UTC), datetime(2022, 5, 31, 15, 57, 44, tzinfo=UTC)
    found = read_ais([path], area=(22.0, 59.0, 31.0, 61.0), time=pass_time)
    assert found.counts[reasons.MESSAGES] == 642
    assert len(found.fixes) > 600
    assert found.counts[reasons.LONG_RANGE] > 300
    assert balanced(found.counts)
    assert np.nanmax(found.fixes.course_deg) < 360
    assert (found.fixes.time.astype(np.int64) % 1000 != 0).any()  # milliseconds have a column of their own
