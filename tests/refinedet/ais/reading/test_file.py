"""Files with dates, coordinates, columns and encodings of other programs."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from refinedet.ais.reading import reasons
from refinedet.ais.reading.read import read_ais
from refinedet.errors import InputError
from tests.refinedet.ais.reading.layouts import START, Report, write

AREA = (10.0, 55.0, 11.0, 56.0)
US = "mmsi,time,lon,lat\n"


def table(path: Path, *lines: str, head: str = US) -> Path:
    path.write_text(head + "".join(line + "\n" for line in lines), encoding="utf-8")
    return path


def balanced(counts: dict[str, int]) -> bool:
    """Say if each message counts once."""
    parts = (reasons.KEPT, reasons.STATIC, *reasons.DROPPED)
    return counts[reasons.MESSAGES] == sum(counts.get(key, 0) for key in parts)


def test_a_date_outside_the_area_decides_too(tmp_path: Path) -> None:
    lines = ["219000001,06/05/2024 12:00:00,10.5,55.25", "219000002,06/14/2024 12:00:00,-70,41"]
    found = read_ais([table(tmp_path / "a.csv", *lines, head=US)], area=AREA, time=None)
    assert found.fixes.time.astype(str).tolist() == ["2024-06-05T12:00:00.000"]
    assert reasons.DAY_FIRST not in found.counts


def test_the_time_of_the_scene_decides_where_no_date_does(tmp_path: Path) -> None:
    month_first = table(tmp_path / "a.csv", "219000001,06/05/2024 12:00:00,10.5,55.25", head=US)
    day_first = table(tmp_path / "b.csv", "219000001,05/06/2024 12:00:00,10.5,55.25", head=US)
    near = START - timedelta(hours=1), START + timedelta(hours=1)
    for path, count in ((month_first, reasons.MONTH_FIRST_BY_TIME), (day_first, reasons.DAY_FIRST_BY_TIME)):
        found = read_ais([path], area=AREA, time=near)
        assert found.fixes.time.astype("datetime64[ms]").tolist() == [START]
        assert found.counts[count] == 1
        assert balanced(found.counts)
    with pytest.raises(InputError, match="where `date_order` is set, found none"):
        read_ais([write(tmp_path / "c", "marinecadastre", [Report()])], area=None, time=None, date_order="day-first")
    assert not len(read_ais([month_first], area=AREA, time=near, date_order="day-first").fixes)
    assert len(read_ais([month_first], area=AREA, time=near, date_order="month-first").fixes) == 1


def test_other_files_decide_before_the_time_of_the_scene(tmp_path: Path) -> None:
    near = START - timedelta(hours=1), START + timedelta(hours=1)
    scene_day = table(tmp_path / "a.csv", "219000001,05/06/2024 12:00:00,10.5,55.25")
    other_day = table(tmp_path / "b.csv", "219000002,06/05/2024 12:00:00,10.5,55.25")
    day_first = table(tmp_path / "c.csv", "219000003,13/06/2024 12:00:00,10.5,55.25")
    month_first = table(tmp_path / "d.csv", "219000003,06/13/2024 12:00:00,10.5,55.25")
    for files, number, told in (
        ([scene_day, other_day, day_first], 219000001, 0),
        ([scene_day, other_day, month_first], 219000002, 0),
        ([scene_day, other_day], 219000001, 2),
        ([scene_day, other_day, day_first, month_first], 219000001, 2),
    ):
        found = read_ais(files, area=AREA, time=near)
        assert found.fixes.mmsi.tolist() == [number]
        assert found.counts.get(reasons.DAY_FIRST, 0) == told


def test_longitudes_up_to_360_are_turned(tmp_path: Path) -> None:
    places = ("349.5,55.25", "360,55.25", "181,55.25", "361,55.25")
    path = table(
        tmp_path / "a.csv", *(f"{219000001 + i},2024-06-05 12:00:00,{place}" for i, place in enumerate(places))
    )
    found = read_ais([path], area=(-11.0, 55.0, 1.0, 56.0), time=None)
    assert found.fixes.longitude_deg.tolist() == [-10.5, 0]
    assert found.counts[reasons.BEYOND_180] == 2
    assert found.counts[reasons.POSITION_UNAVAILABLE] == found.counts[reasons.POSITION_IMPOSSIBLE] == 1


@pytest.mark.parametrize(
    ("head", "cells"),
    [
        ("MMSI,BaseDate,BaseTime,LAT,LON", ("219000001,2024-06-05,12:00:00,55.25,10.5",)),
        (
            "MMSI,Date (UTC),Time (UTC),LAT,LON",
            ("219000001,14.06.2024,12:00,1,1", "219000001,05.06.2024,12:00,55.25,10.5"),
        ),
        ("MMSI,TSTAMP,LATITUDE,LONGITUDE", ("219000001,2024-06-05 12:00:00 GMT,55.25,10.5",)),
        ("vessel_mmsi,position_timestamp,pos_lat,pos_lon", ("219000001,2024-06-05T12:00:00.000Z,55.25,10.5",)),
        ("X,Y,mmsi,time", ("10.5,55.25,219000001,2024-06-05T12:00:00Z",)),
        ("sep=,\nMMSI,Time,LAT,LON", ("219000001,2024-06-05 12:00:00,55 15.0 N,010 30.0 E",)),
    ],
)
def test_columns_of_other_providers_are_found(head: str, cells: tuple[str, ...], tmp_path: Path) -> None:
    found = read_ais([table(tmp_path / "a.csv", *cells, head=head + "\n")], area=AREA, time=None)
    assert found.fixes.time.astype("datetime64[ms]").tolist() == [START]
    assert np.allclose((found.fixes.longitude_deg, found.fixes.latitude_deg), ([10.5], [55.25]))
    assert balanced(found.counts)


def test_text_of_spreadsheets_is_read_in_utf_16_and_in_latin_1(tmp_path: Path) -> None:
    text = "MMSI\tTime\tLAT\tLON\n219000001\t2024-06-05 12:00:00\t55\N{DEGREE SIGN}15'0\tE 10\N{DEGREE SIGN}30'\n"
    for encoding in ("utf-16", "latin-1", "utf-8"):
        path = tmp_path / f"{encoding}.txt"
        path.write_text(text, encoding=encoding)
        assert read_ais([path], area=AREA, time=None).fixes.latitude_deg.tolist() == [55.25]


def test_numbers_that_a_spreadsheet_rounded_are_missing(tmp_path: Path) -> None:
    lines = [f"{number},2024-06-05 12:00:00,10.5,55.25" for number in ("2.19E+08", "2.19000001E8", "219000002.0")]
    found = read_ais([table(tmp_path / "a.csv", *lines, head=US)], area=None, time=None)
    assert found.fixes.mmsi.tolist() == [219000001, 219000002]
    assert found.counts[reasons.NO_NUMBER] == 1


@pytest.mark.parametrize(
    ("name", "speed_kn"),
    [
        ("SPEED (KNOTSx10)", 1.25),
        *((name, 12.5) for name in ("sog", "speed (kn)", "sog_knots", "Speed [kts]")),
        *((name, 12.5 * 3600 / 1852) for name in ("speed_ms", "sog_mps", "speed (m/s)", "SpeedOverGround [m/s]")),
        *((name, 12.5 / 1.852) for name in ("speed_kmh", "sog (km/h)")),
    ],
)
def test_a_speed_is_in_the_unit_that_its_name_ends_with(tmp_path: Path, name: str, speed_kn: float) -> None:
    head = f"MMSI,{name},LON,LAT,TIMESTAMP (UTC)\n"
    cells = (f"219000001,{speed},10.5,55.25,2024-06-05 12:00:0{i}" for i, speed in enumerate(("12.5", "")))
    path = table(tmp_path / "a.csv", *cells, head=head)
    for columns in (None, {"speed": name}):
        found = read_ais([path], area=None, time=None, columns=columns)
        assert np.allclose(found.fixes.speed_kn, (speed_kn, np.nan), equal_nan=True)
        assert found.counts.get(reasons.SPEED_CONVERTED, 0) == (speed_kn != 12.5)
