"""Files of every layout give one table, and what is wrong in them is told."""

from __future__ import annotations

import gzip
import zipfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from refinedet.ais.reading import reasons
from refinedet.ais.reading.read import read_ais
from refinedet.ais.tables import SHARED, sent_number
from refinedet.errors import InputError
from tests.refinedet.ais.reading.layouts import START, WRITERS, Report, write
from tests.refinedet.ais.reading.messages import AREA, REPORTS, balanced, line, rows

WITH_SIDES = {"spire", "exactearth", "sentinel1_receiver", "nmea_tags", "nmea_zst", "nmea_times", "nmea_times_after"}


@pytest.mark.parametrize("layout", WRITERS)
def test_every_layout_gives_the_same_tables(layout: str, tmp_path: Path) -> None:
    # 05/06/2024 is the fifth of June for the Danish Maritime Authority
    path = write(tmp_path / f"any_{layout}", layout, REPORTS)
    found = read_ais([path], area=AREA, time=(START, START + timedelta(hours=1)))
    fixes, statics = found.fixes, found.statics
    assert fixes.mmsi.tolist() == [219000001] * 3 + [219000002]
    seconds = (fixes.time - np.datetime64(START, "ms")) / np.timedelta64(1, "s")
    assert seconds.tolist() == [0, 60, 120, 0]
    assert np.allclose(fixes.longitude_deg, [10.5, 10.505, 10.51, 10.5], atol=2e-6)
    assert np.allclose(fixes.latitude_deg, 55.25, atol=2e-6)
    assert np.allclose(fixes.speed_kn, 12.5)
    assert np.allclose(fixes.course_deg, 90.5)
    assert np.allclose(fixes.heading_deg, 91)
    assert np.allclose(fixes.uncertainty_m, 10)
    assert statics.mmsi.tolist() == [219000001, 219000002]
    assert statics.name.tolist() == ["NORDIC TEST", "SECOND"]
    assert statics.ship_type.tolist() == ["tanker"] * 2
    assert np.allclose(statics.length_m, 100)
    assert np.allclose(statics.width_m, 20)
    sides = np.stack([statics.bow_m, statics.stern_m, statics.port_m, statics.starboard_m], axis=1)
    if layout in WITH_SIDES:
        assert np.allclose(sides, (80, 20, 12, 8))
    elif layout.startswith("danish"):  # port and starboard are described the other way round than in the standard
        assert np.allclose(sides[:, :2], (80, 20))
        assert np.isnan(sides[:, 2:]).all()
    else:
        assert np.isnan(sides).all()
    assert balanced(found.counts)
    assert found.counts[reasons.KEPT] == 4
    assert found.files == (str(path),)


@pytest.mark.parametrize("layout", ["marinecadastre", "parquet", "nmea_tags"])
def test_place_and_time_choose(layout: str, tmp_path: Path) -> None:
    moved = [Report(after_s=60 * i, lon=lon) for i, lon in enumerate((9.9, 9.95, 10.05, 10.1, 10.15))]
    path = write(tmp_path / "ships", layout, moved)
    found = read_ais([path], area=AREA, time=(START + timedelta(seconds=150), START + timedelta(seconds=200)))
    assert np.allclose(found.fixes.longitude_deg, [10.1])
    assert found.counts.get(reasons.OUTSIDE_AREA, 0) + found.counts[reasons.OUTSIDE_TIME] == 4
    assert balanced(found.counts)


def test_an_area_may_cross_the_antimeridian(tmp_path: Path) -> None:
    path = rows(tmp_path / "a.csv", line(0, 1), line(0, 2, "179.9,55.2"), line(0, 3, "-179.9,55.2"))
    assert read_ais([path], area=(179.0, 55.0, -179.0, 56.0), time=None).fixes.mmsi.tolist() == [2, 3]


def test_groups_of_rows_of_a_parquet_file_outside_the_area_are_not_read(tmp_path: Path) -> None:
    reports = [Report(mmsi=219000000 + i, lon=10.5 if i < 2 else -70.0) for i in range(6)]
    found = read_ais([write(tmp_path / "a", "parquet", reports)], area=AREA, time=None)
    assert found.fixes.mmsi.tolist() == [219000000, 219000001]
    assert found.counts[reasons.OUTSIDE_AREA] == 4
    assert balanced(found.counts)


def test_oddities_of_real_feeds_are_handled_and_counted(tmp_path: Path) -> None:
    path = rows(
        tmp_path / "a.csv",
        line(0, 219000001, rest="102.3,360.0,511.0,"),
        line(0, 219000002, rest="102.2,400,360,A@@@"),
        line(0, 219000003, "181.0,91.0"),
        line(0, 219000004, "10.5,95"),
        line(0, 219000005, "0,0"),
        line(0, 219000006, ",", rest=",,,"),
        line(0, 2190000),  # a base station
        line(0, 992190001),
        line(0, 111219001),
        line(0, 970000001),
        line(0, 0),
        "219000007,,10.5,55.25,5,90,91,X",
        "219000008,1970-01-01 00:00:00,10.5,55.25,5,90,91,X",
        "219000009,2107-01-01 00:00:00,10.5,55.25,5,90,91,X",
        "219000010,2024-06-05 12:00",
    )
    found = read_ais([path], area=None, time=None)
    assert found.fixes.mmsi.tolist() == [219000001, 219000002]
    assert np.isnan(found.fixes.speed_kn).all()
    assert np.isnan(found.fixes.course_deg).all()
    assert np.isnan(found.fixes.heading_deg[0])
    assert found.fixes.heading_deg[1] == 0
    assert found.statics.name.tolist() == ["", "A"]
    expected = {
        reasons.MESSAGES: 15,
        reasons.KEPT: 2,
        reasons.STATIC: 0,
        reasons.DAMAGED: 1,
        reasons.NO_NUMBER: 1,
        reasons.NO_POSITION: 1,
        reasons.POSITION_UNAVAILABLE: 1,
        reasons.POSITION_IMPOSSIBLE: 2,
        reasons.NO_TIME: 1,
        reasons.CLOCK_OFF: 2,
        reasons.BASE_STATION: 1,
        reasons.AID: 1,
        reasons.AIRCRAFT: 1,
        reasons.BEACON: 1,
        reasons.SPEED_UNAVAILABLE: 1,
        reasons.SPEED_IMPOSSIBLE: 1,
        reasons.COURSE_UNAVAILABLE: 1,
        reasons.COURSE_IMPOSSIBLE: 1,
        reasons.HEADING_UNAVAILABLE: 1,
    }
    assert found.counts == expected
    assert balanced(found.counts)


def test_stations_are_told_by_message_type_and_by_words(tmp_path: Path) -> None:
    by_type = rows(
        tmp_path / "a.csv",
        *(f"21900000{i},2024-06-05T12:00:00Z,10.5,55.25,{kind}" for i, kind in enumerate((1, 4, 9, 21, 18))),
        head="mmsi,timestamp,lon,lat,msg_type\n",
    )
    by_words = rows(
        tmp_path / "b.csv",
        *(f"05/06/2024 12:00:00,{w},21910000{i},55.2,10.5" for i, w in enumerate(("Base Station", "AtoN", "Class B"))),
        head="# Timestamp,Type of mobile,MMSI,Latitude,Longitude\n",
    )
    found = read_ais([by_type, by_words], area=None, time=None)
    assert found.fixes.mmsi.tolist() == [219000000, 219000004, 219100002]
    assert [found.counts[key] for key in (reasons.BASE_STATION, reasons.AID, reasons.AIRCRAFT)] == [2, 2, 1]


def test_long_range_and_low_accuracy_are_uncertainty(tmp_path: Path) -> None:
    path = rows(
        tmp_path / "a.csv",
        *(f"21900000{i},2024-06-05T12:00:00Z,10.5,55.25,{cells}" for i, cells in enumerate(("1,1", "27,1", "1,0"))),
        "219000003,2024-06-05T12:00:00Z,10.5,55.25,27,0,63,511",
        head="mmsi,timestamp,lon,lat,msg_type,accuracy,speed,course\n",
    )
    content = (
        path.read_text().replace(",1,1\n", ",1,1,,\n").replace(",27,1\n", ",27,1,,\n").replace(",1,0\n", ",1,0,,\n")
    )
    path.write_text(content)
    found = read_ais([path], area=None, time=None)
    assert found.fixes.uncertainty_m.tolist() == [10, 185, 100, 185]
    assert np.isnan(found.fixes.speed_kn).all()
    assert found.counts[reasons.LONG_RANGE] == 2
    assert found.counts[reasons.LOW_ACCURACY] == 1


def test_lines_that_make_no_row_are_counted(tmp_path: Path) -> None:
    """A quote at the start of a name joins lines until the next quote."""
    path = rows(
        tmp_path / "a.csv",
        line(0),
        line(60, place="10.501,55.25", rest='5,90,91,"X'),
        line(120, place="10.502,55.25", rest='5,90,91,X"'),
        line(180, place="10.503,55.25") + ",too,many",
        "",
        line(240, place="10.504,55.25"),
    )
    found = read_ais([path], area=None, time=None)
    assert found.counts[reasons.MESSAGES] == 5
    assert found.counts[reasons.DAMAGED] == 2
    assert balanced(found.counts)
    assert found.statics.name.tolist() == ["X"]


def test_static_data_come_from_any_file(tmp_path: Path) -> None:
    ships = rows(tmp_path / "b.csv", "219000001,REGISTERED,70,120,20", head="mmsi,shipname,ship_type,length,width\n")
    for order in ([0, 1], [1, 0]):
        files = [write(tmp_path / "a", "nmea_tags", [replace(REPORTS[0], name="")]), ships]
        found = read_ais([files[i] for i in order], area=None, time=None)
        assert found.statics.name.tolist() == ["REGISTERED"]
        assert found.statics.length_m.tolist() == [120]
        assert found.statics.bow_m.tolist() == [80]
    with pytest.raises(InputError, match="static data alone"):
        read_ais([ships], area=None, time=None)


def test_two_ships_with_one_number_become_two(tmp_path: Path) -> None:
    """Both go on; a single fix that nothing can have reached is an error instead."""
    reports = [Report(after_s=10 * i, lon=10.1 + 0.0008 * i) for i in range(20)]
    reports += [Report(after_s=10 * i + 5, lon=10.9, lat=55.8, speed=0.1) for i in range(10)]
    reports += [
        Report(mmsi=219000002, after_s=10 * i, lon=10.3 + 0.0008 * i + (0.4 if i == 3 else 0)) for i in range(8)
    ]
    found = read_ais([write(tmp_path / "a", "marinecadastre", reports)], area=AREA, time=None)
    first, second = 219000001, 219000001 + SHARED
    assert np.unique(found.fixes.mmsi, return_counts=True)[1].tolist() == [20, 7, 10]
    assert np.unique(found.fixes.mmsi).tolist() == [first, 219000002, second]
    assert np.allclose(found.fixes.longitude_deg[found.fixes.mmsi == second], 10.9)
    assert found.counts[reasons.TWO_SHIPS] == 1
    assert found.counts[reasons.JUMPED] == 1
    assert found.statics.mmsi.tolist() == [first, 219000002, second]
    assert np.isnan(found.statics.length_m[[0, 2]]).all()  # nobody knows whose it is
    assert found.statics.length_m[1] == 100
    assert sent_number(found.statics.mmsi).tolist() == [first, 219000002, first]


def test_doubled_and_late_messages(tmp_path: Path) -> None:
    moving = [Report(after_s=10 * i, lon=10.1 + 0.0008 * i) for i in range(6)]
    late = replace(moving[1], after_s=90)  # what was said before, heard again
    anchored = [Report(mmsi=219000002, after_s=180 * i, speed=0) for i in range(3)]
    order = [*moving[:2], moving[1], *moving[4:], *moving[2:4], late, *anchored, anchored[0]]
    found = read_ais([write(tmp_path / "a", "spire", order)], area=AREA, time=None)
    assert found.fixes.mmsi.tolist() == [219000001] * 6 + [219000002] * 3
    assert (np.diff(found.fixes.time[:6]) == np.timedelta64(10, "s")).all()
    assert found.counts[reasons.DOUBLED] == 3
    assert found.counts[reasons.OUT_OF_ORDER] == 2
    assert balanced(found.counts)


def test_dates_tell_the_order_of_day_and_month(tmp_path: Path) -> None:
    lines = [f"219000001,0{m}/{d}/2024 12:00:00,10.5,55.25" for m, d in ((6, "05"), (6, "06"), (6, "14"))]
    path = rows(tmp_path / "a.csv", *lines, head="mmsi,time,lon,lat\n")
    found = read_ais([path], area=None, time=None)
    assert found.fixes.time.astype("datetime64[D]").astype(str).tolist() == ["2024-06-05", "2024-06-06", "2024-06-14"]
    assert reasons.DAY_FIRST not in found.counts
    found = read_ais([rows(tmp_path / "b.csv", lines[0], head="mmsi,time,lon,lat\n")], area=None, time=None)
    assert found.fixes.time.astype("datetime64[D]").astype(str).tolist() == ["2024-05-06"]
    assert found.counts[reasons.DAY_FIRST] == 1


def test_the_account_is_sentences(tmp_path: Path) -> None:
    path = rows(tmp_path / "a.csv", line(0), line(0, place="181,91"), line(10, rest="102.3,90,91,X"))
    told = reasons.account(read_ais([path], area=None, time=None).counts)
    assert told == (
        "AIS: 3 messages; 2 positions kept, 0 with static data alone",
        "dropped: 1 position not available (91, 181)",
        "kept with repairs or doubts: 1 speed not available (102.3)",
    )


_TABLE = "mmsi,time,lon,lat\n219000001,2024-06-05 12:00:00,10.5,55.25\n"


def _zipped(path: Path, content: bytes) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/ships.csv", content)
        archive.writestr("__MACOSX/a/._ships.csv", b"\0\5\x16\7Mac OS X")
        archive.writestr("a/README.txt", "Ships of one day.\nLicence: none\n")
        archive.writestr("LICENSE-CC-BY.txt", "Attribution\n")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_tables_are_read_packed_in_either_encoding_and_hidden_files_are_not(encoding: str, tmp_path: Path) -> None:
    content = _TABLE.encode(encoding)
    (tmp_path / "plain.csv").write_bytes(content)
    (tmp_path / "packed.csv.gz").write_bytes(gzip.compress(content))
    _zipped(tmp_path / "packed.zip", content)
    for path in sorted(tmp_path.iterdir()):
        assert read_ais([path], area=None, time=None).fixes.longitude_deg.tolist() == [10.5], path.name


@pytest.mark.parametrize("titles", ["# Exported by a receiver\n# 2024\n", "Ships of June\n\n", "sep=,\n"])
def test_titles_above_the_names_of_the_columns_are_passed_over(titles: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(titles + _TABLE)
    found = read_ais([tmp_path / "a.csv"], area=None, time=None)
    assert found.fixes.latitude_deg.tolist() == [55.25]
    assert found.counts["messages"] == 1


def test_a_number_that_a_spreadsheet_marks_as_text_is_a_number(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(_TABLE.replace("219", "'219", 1))
    assert read_ais([tmp_path / "a.csv"], area=None, time=None).fixes.mmsi.tolist() == [219000001]


def test_rows_may_end_with_a_delimiter_that_the_names_lack(tmp_path: Path) -> None:
    path = write(tmp_path / "a", "marinecadastre", REPORTS)
    names, *lines = path.read_text().splitlines()
    (tmp_path / "b.csv").write_text("\n".join([names, *(f"{line}," for line in lines)]))
    found, same = (read_ais([one], area=AREA, time=None) for one in (tmp_path / "b.csv", path))
    assert found.fixes.mmsi.tolist() == same.fixes.mmsi.tolist()
    assert found.counts == same.counts
