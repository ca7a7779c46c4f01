"""AIS tables (CSV and Parquet), read in parts that fit in memory."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinedet.ais.reading import reasons
from refinedet.ais.reading.formats.opening import CountedLines, Source, content
from refinedet.ais.reading.messages import Area, Mask, Messages, Wanted
from refinedet.ais.reading.packages import load_pyarrow
from refinedet.ais.reading.parsing.arrays import NULLS, accuracies, numbers, texts, times, whole_numbers
from refinedet.ais.reading.parsing.clocks import joined
from refinedet.ais.reading.parsing.columns import Columns, find_columns
from refinedet.ais.reading.parsing.coordinates import degrees
from refinedet.ais.reading.parsing.date_order import DateOrder, has_numeric_date
from refinedet.ais.reading.parsing.times import Times
from refinedet.errors import FileError, InputError

_DELIMITERS = ",;\t|"
_SEPARATOR = re.compile(rb"sep=.", re.IGNORECASE)
_MOST_TITLES = 20
"""Number of lines among which that of the column names is."""
_BLOCK_BYTES = 4 << 20
_ROWS = 1 << 16
_TEXTS: Mapping[str, int] = {"mobile": 32, "name": 32, "ship_type": 32}
"""Fields of text, and their greatest length."""
_SIDES, _SIZE = ("bow", "stern", "port", "starboard"), ("length", "width")


@dataclass(frozen=True, slots=True)
class TableRows:
    """Rows of a table; fields other than the place are decoded by `take`."""

    longitude_deg: NDArray[np.float64]
    latitude_deg: NDArray[np.float64]
    columns: Mapping[str, Any]
    """pyarrow columns by field."""
    order: DateOrder
    speed_unit_kn: float
    """Knots in the unit of the speeds."""

    def take(self, rows: Mask) -> Messages:
        """Messages of some rows."""
        chosen = load_pyarrow().array(rows)
        part = {key: column.filter(chosen) for key, column in self.columns.items()}
        count = int(rows.sum())

        def number(key: str) -> NDArray[np.float64]:
            return numbers(part[key]) if key in part else np.full(count, np.nan)

        def text(key: str) -> NDArray[np.str_]:
            return texts(part[key], _TEXTS[key]) if key in part else np.zeros(count, dtype="U1")

        time: Times = np.full(count, np.datetime64("NaT", "ms"))
        if "time" in part:
            time = times(joined(part["date"], part["time"]) if "date" in part else part["time"], self.order)
        if "millisecond" in part:
            time = time + np.nan_to_num(number("millisecond")).astype(np.int64).astype("timedelta64[ms]")
        kinds = np.clip(whole_numbers(part["message_type"]), 0, 99) if "message_type" in part else np.zeros(count)
        return Messages(
            mmsi=whole_numbers(part["mmsi"]),
            time=time,
            longitude_deg=self.longitude_deg[rows],
            latitude_deg=self.latitude_deg[rows],
            speed_kn=number("speed") * self.speed_unit_kn,
            course_deg=number("course"),
            heading_deg=number("heading"),
            message_type=kinds.astype(np.int16),
            accuracy=accuracies(part["accuracy"]) if "accuracy" in part else np.full(count, -1, np.int8),
            mobile=text("mobile"),
            name=text("name"),
            ship_type=text("ship_type"),
            sides_m=np.stack([number(key) for key in _SIDES], axis=1),
            size_m=np.stack([number(key) for key in _SIZE], axis=1),
        )


def table_rows(columns: Mapping[str, Any], order: DateOrder, *, speed_unit_kn: float) -> TableRows:
    """Rows of pyarrow columns by field; their dates show the order of day and month.

    Raises:
        MonthFirst, InputError: as `DateOrder.observe`.
    """
    for key in ("date", "time"):
        if key in columns:
            order.observe(columns[key])
    nowhere = np.full(len(columns["mmsi"]), np.nan)
    longitude = degrees(columns["longitude"], "EW") if "longitude" in columns else nowhere
    latitude = degrees(columns["latitude"], "NS") if "latitude" in columns else nowhere
    return TableRows(longitude, latitude, columns, order, speed_unit_kn)


class CsvFile:
    """A CSV file, plain or compressed: its columns, and its rows in parts."""

    def __init__(self, source: Source, first_bytes: bytes, columns: Mapping[str, str] | None) -> None:
        """Find the columns in the first bytes, which hold at least one line.

        Raises:
            InputError: it is no text, or columns are missing.
        """
        self.source = source
        lines = first_bytes.removeprefix(b"\xef\xbb\xbf").splitlines()
        self.first = _first_line(lines)
        if b"\0" in lines[self.first]:
            raise InputError(f"expected a table of AIS at {source.label}, found no text; save it as CSV or Parquet")
        text = lines[self.first].decode("utf-8", "replace")
        self.header = sum(bool(line.strip()) for line in lines[: self.first + 1])
        self.delimiter = max(_DELIMITERS, key=text.count)
        self.names = next(csv.reader([text], delimiter=self.delimiter), [])
        self.names += _unnamed(lines[self.first + 1 :], self.delimiter, len(self.names))
        self.columns: Columns = find_columns(self.names, source.label, columns)
        self.dates_unclear = not self.columns.day_first and has_numeric_date(first_bytes)

    def rows(self, wanted: Wanted, order: DateOrder, counts: Counter[str]) -> Iterator[TableRows]:
        """Read the rows in parts; lines that give no row are counted as damaged.

        Raises:
            FileError: the file cannot be read.
        """
        del wanted  # the number of lines is known only after reading
        pa = load_pyarrow()
        labels = [str(i) for i in range(len(self.names))]
        fields = {key: labels[index] for key, index in self.columns.place.items()}
        read = 0
        with content(self.source) as stream:
            lines = CountedLines(stream)
            try:
                for batch in self._batches(lines, labels, fields):
                    read += len(batch)
                    columns = {key: batch.column(label) for key, label in fields.items()}
                    yield table_rows(columns, order, speed_unit_kn=self.columns.speed_unit_kn)
            except pa.ArrowInvalid as error:
                if "Empty CSV file" not in str(error):
                    message = f"expected a table in {self.source.label}, but reading it failed ({error})"
                    raise FileError(message) from error
            lost = max(0, lines.lines - self.header - read)
        counts[reasons.DAMAGED] += lost
        counts[reasons.MESSAGES] += lost

    def _batches(self, lines: CountedLines, labels: list[str], fields: Mapping[str, str]) -> Any:
        """Batches of pyarrow, with all columns as text."""
        pa = load_pyarrow()
        kinds = {label: pa.binary() if key in _TEXTS else pa.string() for key, label in fields.items()}
        return pa.csv.open_csv(
            pa.PythonFile(lines, mode="r"),
            read_options=pa.csv.ReadOptions(block_size=_BLOCK_BYTES, column_names=labels, skip_rows=self.first + 1),
            parse_options=pa.csv.ParseOptions(delimiter=self.delimiter, invalid_row_handler=lambda _row: "skip"),
            convert_options=pa.csv.ConvertOptions(
                check_utf8=False,
                column_types=kinds,
                include_columns=sorted(set(fields.values())),
                null_values=list(NULLS),
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
            ),
        )


class ParquetFile:
    """A Parquet file: its columns, and its rows in parts."""

    def __init__(self, source: Source, columns: Mapping[str, str] | None) -> None:
        """Find the columns.

        Raises:
            FileError: the file is damaged.
            InputError: columns are missing.
        """
        pa = load_pyarrow()
        self.source = source
        try:
            schema = pa.parquet.read_schema(source.path)
        except (pa.ArrowInvalid, OSError) as error:
            raise FileError(f"expected a Parquet file at {source.label}, but it is damaged ({error})") from error
        self.names: list[str] = list(schema.names)
        self.columns: Columns = find_columns(self.names, source.label, columns)
        time = self.columns.place.get("time")
        self.dates_unclear = time is not None and pa.types.is_string(schema.types[time])

    def rows(self, wanted: Wanted, order: DateOrder, counts: Counter[str]) -> Iterator[TableRows]:
        """Read the rows in parts; row groups whose statistics lie outside the area are counted and not read.

        Raises:
            FileError: the file is damaged.
        """
        pa = load_pyarrow()
        fields = {key: self.names[index] for key, index in self.columns.place.items()}
        try:
            with pa.parquet.ParquetFile(self.source.path) as file:
                groups = []
                for i in range(file.metadata.num_row_groups):
                    group = file.metadata.row_group(i)
                    if self.columns.positions and wanted.area is not None and _outside(group, fields, wanted.area):
                        counts[reasons.MESSAGES] += group.num_rows
                        counts[reasons.OUTSIDE_AREA] += group.num_rows
                    else:
                        groups.append(i)
                names = sorted(set(fields.values()))
                for batch in file.iter_batches(_ROWS, row_groups=groups, columns=names) if groups else ():
                    columns = {key: batch.column(name) for key, name in fields.items()}
                    yield table_rows(columns, order, speed_unit_kn=self.columns.speed_unit_kn)
        except (pa.ArrowInvalid, OSError) as error:
            raise FileError(f"expected a whole Parquet file at {self.source.label}, found damage ({error})") from error


def _outside(group: Any, fields: Mapping[str, str], area: Area) -> bool:
    """True if the statistics prove that all rows of a group have a place and that no place is in the area."""
    west, south, east, north = area
    ranges: dict[str, tuple[float, float]] = {}
    for i in range(group.num_columns):
        column = group.column(i)
        for key in ("longitude", "latitude"):
            known = column.statistics if column.path_in_schema == fields[key] else None
            if known is not None and known.has_min_max and known.null_count == 0:
                try:
                    ranges[key] = float(known.min), float(known.max)
                except (TypeError, ValueError):
                    return False
    if set(ranges) != {"longitude", "latitude"}:
        return False
    (west_most, east_most), (south_most, north_most) = ranges["longitude"], ranges["latitude"]
    if not (west_most >= -180 and east_most <= 180 and south_most >= -90 and north_most <= 90):
        return False
    beside = east_most < west or west_most > east if west <= east else east_most < west and west_most > east
    return beside or north_most < south or south_most > north


def _unnamed(lines: Sequence[bytes], delimiter: str, count: int) -> list[str]:
    """Empty name of the one more cell that some programs end each row with, but not the line of names."""
    row = next((line for line in lines if line.strip()), b"").decode("utf-8", "replace")
    cells = next(csv.reader([row], delimiter=delimiter), [])
    return [""] if len(cells) == count + 1 and not cells[-1].strip() else []


def _first_line(lines: Sequence[bytes]) -> int:
    """Index of the line of column names: the first of several columns after titles, among the first lines.

    Empty lines and a spreadsheet's note on its delimiter are none.
    """
    filled = [i for i, line in enumerate(lines) if line.strip() and not _SEPARATOR.fullmatch(line.strip())]
    several = (i for i in filled[:_MOST_TITLES] if any(one in lines[i] for one in _DELIMITERS.encode()))
    return next(several, filled[0] if filled else 0)
