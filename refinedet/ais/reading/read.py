"""Reading of AIS files of all formats in one call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from refinedet.ais.reading import reasons
from refinedet.ais.reading.cleaning import clean
from refinedet.ais.reading.columns import check_fields
from refinedet.ais.reading.messages import Area, Wanted
from refinedet.ais.reading.nmea import LogFile, is_log
from refinedet.ais.reading.opening import Source, head, is_parquet, sources
from refinedet.ais.reading.ordering import ordered
from refinedet.ais.reading.static_data import StaticData
from refinedet.ais.reading.tabular import CsvFile, ParquetFile
from refinedet.ais.reading.times import DateOrder, MonthFirst
from refinedet.ais.tables import Ais, Fixes
from refinedet.errors import InputError
from refinedet.utc import in_utc

_File = LogFile | CsvFile | ParquetFile


def read_ais(
    paths: Iterable[str | Path],
    *,
    area: Area | None,
    time: tuple[datetime, datetime] | None,
    columns: Mapping[str, str] | None = None,
) -> Ais:
    """Read position reports and static data of ships from AIS files.

    Tables (CSV, also compressed or in a zip; Parquet) and logs of NMEA sentences are read in parts. So memory grows
    with the reports in the area and time, not with the size of the files.

    Args:
        paths: files, in any order.
        area: west, south, east, north in degrees, WGS 84; west is greater than east across the antimeridian.
        time: first and last time; without a zone they are UTC.
        columns: column names by field, such as {"mmsi": "SHIP"}; the fields are those of `columns.NAMES`.

    Raises:
        FileError: a file is missing or damaged.
        InputError: a file has no positions or lacks columns; the area or the time is invalid; a column is in no file.
        MissingExtra: a package is not installed.
    """
    wanted = _wanted(area, time)
    named = [Path(path) for path in paths]
    files = _open_all(named, columns)
    now = np.datetime64(datetime.now(UTC).replace(tzinfo=None), "ms")
    counts: Counter[str] = Counter()
    parts: list[Fixes] = []
    statics = StaticData()
    for file in files:
        found = _read(file, wanted, now)
        counts += found.counts
        parts += found.fixes
        statics.join(found.statics)
    fixes = ordered(parts, counts)
    counts[reasons.KEPT] = len(fixes)
    told = {key: counts[key] for key in (reasons.MESSAGES, reasons.KEPT, reasons.STATIC)}
    table = statics.of(np.unique(fixes.mmsi), counts)
    told |= {key: counts[key] for key in (*reasons.DROPPED, *reasons.REPAIRED) if counts[key]}
    return Ais(fixes, table, told, tuple(str(path) for path in named))


def check_ais(paths: Iterable[str | Path], columns: Mapping[str, str] | None = None) -> None:
    """Check by their first bytes that AIS files can be read, so that an error comes before the work.

    Raises:
        FileError, InputError, MissingExtra: as `read_ais`.
    """
    _open_all([Path(path) for path in paths], columns)


def _open_all(paths: Sequence[Path], columns: Mapping[str, str] | None) -> list[_File]:
    check_fields(columns)
    files = [_opened(source, columns) for path in paths for source in sources(path)]
    _check(files, columns)
    return files


@dataclass(slots=True)
class _Found:
    """Content of one file."""

    fixes: list[Fixes] = field(default_factory=list)
    statics: StaticData = field(default_factory=StaticData)
    counts: Counter[str] = field(default_factory=Counter)


def _read(file: _File, wanted: Wanted, now: np.datetime64) -> _Found:
    """Read one file; read it again if a late date shows that the month comes first."""
    danish = not isinstance(file, LogFile) and file.columns.day_first
    for order in (DateOrder(day_first=True if danish else None), DateOrder(day_first=False)):
        found = _Found()
        try:
            for rows in file.rows(wanted, order, found.counts):
                part = clean(rows, wanted, now, found.counts)
                if len(part.fixes):
                    found.fixes.append(part.fixes)
                found.statics.add(part.statics)
        except MonthFirst:
            continue
        found.counts[reasons.DAY_FIRST] += order.assumed
        break
    return found


def _opened(source: Source, columns: Mapping[str, str] | None) -> _File:
    """Choose the reader of a file by its content."""
    if is_parquet(source):
        return ParquetFile(source, columns)
    first = head(source)
    if not first.strip():
        raise InputError(f"expected a file of AIS at {source.label}, found an empty one")
    return LogFile(source) if is_log(first) else CsvFile(source, first, columns)


def _check(files: Sequence[_File], columns: Mapping[str, str] | None) -> None:
    """Check that there are positions, and that each column that the user names is in a table.

    Raises:
        InputError: there are no positions, or a column is in no table.
    """
    tables = [file for file in files if not isinstance(file, LogFile)]
    if not files:
        raise InputError("expected files of AIS, found none")
    if len(tables) == len(files) and not any(table.columns.positions for table in tables):
        raise InputError(f"expected positions of ships in {tables[0].source.label}, found static data alone")
    for key, name in (columns or {}).items():
        if not any(key in table.columns.overruled for table in tables):
            raise InputError(f"expected a column {name!r} for {key} of `columns` in a table of AIS, found it in none")


def _wanted(area: Area | None, time: tuple[datetime, datetime] | None) -> Wanted:
    """Area and time in the form that readers compare.

    Raises:
        InputError: the area or the time is invalid.
    """
    if area is not None:
        west, south, east, north = area
        right = -180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90
        if not right:
            raise InputError(f"expected `area` as west, south, east and north in degrees, found {area}")
    if time is None:
        return Wanted(area)
    start, end = (np.datetime64(in_utc(one).replace(tzinfo=None), "ms") for one in time)
    if start > end:
        raise InputError(f"expected `time` with its start before its end, found {start} and {end}")
    return Wanted(area, start, end)
