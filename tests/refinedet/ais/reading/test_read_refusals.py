"""Files, columns, places and times that cannot be read are errors of one sentence."""

from __future__ import annotations

import gzip
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from refinedet.ais.reading.read import read_ais
from refinedet.errors import FileError, InputError, MissingExtra
from tests.refinedet.ais.reading.layouts import START, write
from tests.refinedet.ais.reading.messages import AREA, REPORTS, rows


def test_columns_overrules(tmp_path: Path) -> None:
    path = rows(
        tmp_path / "a.csv",
        "219000001,2024-06-05 12:00:00,1,2,10.5,55.25,12,8",
        head="ship id,when,lon,lat,true lon,true lat,D,C\n",
    )
    with pytest.raises(InputError, match=r"none for mmsi and time among ship id, when, .* such as mmsi=COLUMN"):
        read_ais([path], area=None, time=None)
    columns = {"mmsi": "ship id", "time": "when", "longitude": "true lon", "latitude": "true lat"}
    found = read_ais([path], area=AREA, time=None, columns=columns)
    assert found.fixes.longitude_deg.tolist() == [10.5]
    with pytest.raises(InputError, match="'nowhere' for name"):
        read_ais([path], area=AREA, time=None, columns=columns | {"name": "nowhere"})
    with pytest.raises(InputError, match="found number"):
        read_ais([path], area=AREA, time=None, columns={"number": "ship id"})


def test_files_that_cannot_be_read_are_one_sentence(tmp_path: Path) -> None:
    good = write(tmp_path / "a", "marinecadastre", REPORTS).read_bytes()
    packed = write(tmp_path / "b", "danish_zip", REPORTS).read_bytes()
    squeezed = gzip.compress(good * 200)
    damaged = {
        "short.gz": (squeezed[:-12], FileError, "a whole file"),
        "short.zip": (packed[:-40], FileError, "damaged"),
        "bad.parquet": (b"PAR1" + bytes(100), FileError, "Parquet"),
        "empty.csv": (b"", InputError, "an empty one"),
        "noise.csv": (bytes(range(256)), InputError, "found no text"),
        "book.xls": (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600), InputError, "an Excel workbook; save its sheet"),
        "base.gpkg": (b"SQLite format 3" + bytes(600), InputError, "found a database or a GeoPackage"),
        "bare.csv": (b"219000001,2024-06-05 12:00:00,10.5,55.25\n", InputError, "add a line such as mmsi,time"),
        "packed.7z": (b"7z\xbc\xaf\x27\x1c" + bytes(99), InputError, "an archive that is not read; unpack it"),
        "packed.csv.xz": (b"\xfd7zXZ\0" + bytes(99), InputError, "an archive that is not read; unpack it"),
        "packed.tar": (b"a.csv".ljust(257, b"\0") + b"ustar", InputError, "an archive that is not read; unpack it"),
        "page.kml": (b"<?xml version='1.0'?><kml/>", InputError, "found XML, such as KML"),
        "ships.shp": (b"\0\0\x27\x0a" + bytes(99), InputError, "a shapefile; export it as GeoJSON or CSV"),
        "grid.csv": (b"date,cell_ll_lat,cell_ll_lon,mmsi\n", InputError, "Global Fishing Watch's grid"),
    }
    for name, (content, kind, words) in damaged.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(kind, match=words) as caught:
            read_ais([tmp_path / name], area=None, time=None)
        assert name in str(caught.value)
    with pytest.raises(FileError, match="No such file"):
        read_ais([tmp_path / "missing.csv"], area=None, time=None)
    with pytest.raises(FileError, match=r"found a folder; name its files, such as '.*\*\.csv'"):
        read_ais([tmp_path], area=None, time=None)
    with pytest.raises(InputError, match="found none"):
        read_ais([], area=None, time=None)


def test_a_table_whose_columns_have_other_names_says_which_are_not_found(tmp_path: Path) -> None:
    path = rows(tmp_path / "a.csv", "219000001,2024-06-05 12:00:00,10.5,55.25", head="mmsi,tid,lengde,bredde,name\n")
    with pytest.raises(InputError, match=r"no columns of time, longitude and latitude among mmsi, tid, lengde") as told:
        read_ais([path], area=None, time=None)
    assert "such as longitude=COLUMN" in str(told.value)


def test_wrong_places_and_times_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a", "marinecadastre", REPORTS)
    with pytest.raises(InputError, match="`area`"):
        read_ais([path], area=(10.0, 56.0, 11.0, 55.0), time=None)
    with pytest.raises(InputError, match="`time`"):
        read_ais([path], area=None, time=(START, START - timedelta(hours=1)))


@pytest.mark.parametrize(("package", "layout"), [("pyarrow", "danish"), ("pyais", "nmea_tags")])
def test_a_missing_package_names_the_extra(
    package: str, layout: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a", layout, REPORTS)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtra, match=r"refinedet\[ais\]"):
        read_ais([path], area=None, time=None)
