"""Reading of AIS files of all formats in one call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from refinedet.ais.reading import reasons
from refinedet.ais.reading.file import AisFile, read_files
from refinedet.ais.reading.formats.nmea import LogFile, is_log
from refinedet.ais.reading.formats.opening import Source, head, is_parquet, sources
from refinedet.ais.reading.formats.records import RecordsFile, is_json
from refinedet.ais.reading.formats.tabular import CsvFile, ParquetFile
from refinedet.ais.reading.messages import Area, Wanted
from refinedet.ais.reading.ordering import ordered
from refinedet.ais.reading.parsing.columns import SHOWN, check_fields
from refinedet.ais.reading.static_data import StaticData
from refinedet.ais.tables import Ais, Fixes
from refinedet.config.options.ais import DateOrder as OrderStated
from refinedet.errors import InputError
from refinedet.utc import in_utc
from refinedet.wording import first_of


def read_ais(
    paths: Iterable[str | Path],
    *,
    area: Area | None,
    time: tuple[datetime, datetime] | None,
    columns: Mapping[str, str] | None = None,
    date_order: OrderStated | None = None,
) -> Ais:
    """Read position reports and static data of ships from AIS files.

    Tables (CSV, also compressed or in a zip; Parquet), lines of JSON and logs of NMEA sentences are read in parts. So
    memory grows with the reports in the area and time, not with the size of the files.

    Args:
        paths: files, in any order.
        area: west, south, east, north in degrees, WGS 84; west is greater than east across the antimeridian.
        time: first and last time; without a zone they are UTC.
        columns: column names by field, such as {"mmsi": "SHIP"}; the fields are those of `columns.NAMES`.
        date_order: order of day and month in dates such as 05/06/2024; None: as a number above 12 in any of the files
            shows, else the one that lies in `time`, else the day first.

    Raises:
        FileError: a file is missing or damaged.
        InputError: a file has no positions or lacks columns; the area or the time is invalid; a column is in no file;
            no date has the order that `date_order` states.
        MissingExtra: a package is not installed.
    """
    wanted = _wanted(area, time)
    named = [Path(path) for path in paths]
    files = _open_all(named, columns, date_order)
    now = np.datetime64(datetime.now(UTC).replace(tzinfo=None), "ms")
    counts: Counter[str] = Counter()
    parts: list[Fixes] = []
    statics = StaticData()
    for found in read_files(files, wanted, now, date_order):
        counts += found.counts
        parts += found.fixes
        statics.join(found.statics)
    fixes = ordered(parts, counts)
    counts[reasons.KEPT] = len(fixes)
    told = {key: counts[key] for key in (reasons.MESSAGES, reasons.KEPT, reasons.STATIC)}
    table = statics.of(np.unique(fixes.mmsi), counts)
    told |= {key: counts[key] for key in (*reasons.DROPPED, *reasons.REPAIRED) if counts[key]}
    return Ais(fixes, table, told, tuple(str(path) for path in named))


def check_ais(
    paths: Iterable[str | Path], columns: Mapping[str, str] | None = None, date_order: OrderStated | None = None
) -> None:
    """Check by their first bytes that AIS files can be read, so that an error comes before the work.

    Raises:
        FileError, InputError, MissingExtra: as `read_ais`.
    """
    _open_all([Path(path) for path in paths], columns, date_order)


def _open_all(
    paths: Sequence[Path], columns: Mapping[str, str] | None, date_order: OrderStated | None
) -> list[AisFile]:
    check_fields(columns)
    files = [_opened(source, columns) for path in paths for source in sources(path)]
    _check(files, columns)
    if date_order is not None and not any(file.dates_unclear for file in files):
        raise InputError(
            "expected dates such as 05/06/2024 in a file of AIS where `date_order` is set, found none; leave it out"
        )
    return files


def _opened(source: Source, columns: Mapping[str, str] | None) -> AisFile:
    """Choose the reader of a file by its content."""
    if is_parquet(source):
        return ParquetFile(source, columns)
    first = head(source)
    if is_log(first):
        return LogFile(source, first)
    return RecordsFile(source, first, columns) if is_json(first) else CsvFile(source, first, columns)


def _check(files: Sequence[AisFile], columns: Mapping[str, str] | None) -> None:
    """Check that there are positions, and that each column that the user names is in a table.

    Raises:
        InputError: there are no positions, or a column is in no table.
    """
    tables = [file for file in files if not isinstance(file, LogFile)]
    if not files:
        raise InputError("expected files of AIS, found none")
    if len(tables) == len(files) and not any(table.columns.positions for table in tables):
        raise InputError(
            f"expected positions of ships in {tables[0].source.label}, found static data alone: no columns of time, "
            f"longitude and latitude among {first_of(tables[0].names, SHOWN)}; name them with `columns`, such as "
            "longitude=COLUMN"
        )
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
