"""Times in two columns."""

from __future__ import annotations

import pyarrow as pa

from refinedet.ais.reading.parsing.clocks import joined


def test_a_time_of_day_gets_the_date_beside_it() -> None:
    date = pa.array(["2024-06-05", "2024-06-05 00:00:00", "05/06/2024", "2024-06-05", "2024-06-05", None])
    time = pa.array(["12:00:00", "1:00 PM", "120000", "2024-06-07T12:00:00Z", None, "12:00"])
    expected = ["2024-06-05 12:00:00", "2024-06-05 1:00 PM", "05/06/2024 12:00:00", "2024-06-07T12:00:00Z", None, None]
    assert joined(date, time).to_pylist() == expected


def test_columns_with_types_are_joined_too() -> None:
    day = pa.array([19879], pa.date32())
    assert joined(day, pa.array([43200], pa.time32("s"))).to_pylist() == ["2024-06-05 12:00:00"]
    stamp = pa.array([1717588800], pa.timestamp("s"))
    assert joined(day, stamp).equals(stamp)
