"""AIS messages in JSON: a list of records, GeoJSON, or a record on each line."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from refinedet.ais.reading import reasons
from refinedet.ais.reading.formats.opening import Source, content
from refinedet.ais.reading.formats.tabular import TableRows, table_rows
from refinedet.ais.reading.messages import Wanted
from refinedet.ais.reading.packages import load_pyarrow
from refinedet.ais.reading.parsing.columns import Columns, find_columns
from refinedet.ais.reading.parsing.date_order import DateOrder, has_numeric_date
from refinedet.errors import InputError

_ROWS = 1 << 16
_SAMPLE = 1000
"""Number of records whose names are the columns of the file."""
_POINT = 2


def is_json(first_bytes: bytes) -> bool:
    """True if the first bytes of a file begin an object or a list of JSON."""
    return first_bytes.lstrip(b"\xef\xbb\xbf\x1e \t\r\n").startswith((b"{", b"["))


class RecordsFile:
    """A file of records, plain or compressed. One that is a single document is read whole."""

    def __init__(self, source: Source, first_bytes: bytes, columns: Mapping[str, str] | None) -> None:
        """Find the columns in the first records.

        Raises:
            FileError: the file cannot be read.
            InputError: it is no JSON, or columns are missing.
        """
        self.source = source
        self._by_line = _is_by_line(first_bytes)
        self.dates_unclear = has_numeric_date(first_bytes)
        first = next(self._parts(Counter()), [])[:_SAMPLE]
        self.names = list(dict.fromkeys(name for record in first for name in record))
        self.columns: Columns = find_columns(self.names, source.label, columns)

    def rows(self, wanted: Wanted, order: DateOrder, counts: Counter[str]) -> Iterator[TableRows]:
        """Read the records in parts; lines that are no record are counted as damaged.

        Raises:
            FileError, InputError: as on opening.
        """
        del wanted  # records are decoded whole
        fields = {key: self.names[index] for key, index in self.columns.place.items()}
        for records in self._parts(counts):
            columns = {key: _column(records, name) for key, name in fields.items()}
            yield table_rows(columns, order, speed_unit_kn=self.columns.speed_unit_kn)

    def _parts(self, counts: Counter[str]) -> Iterator[list[dict[str, Any]]]:
        with content(self.source) as stream:
            if not self._by_line:
                yield self._document(stream.read())
                return
            while lines := list(islice(stream, _ROWS)):
                found = [_record(line) for line in lines if line.strip()]
                records = [one for one in found if one is not None]
                counts[reasons.DAMAGED] += len(found) - len(records)
                counts[reasons.MESSAGES] += len(found) - len(records)
                yield records

    def _document(self, text: bytes) -> list[dict[str, Any]]:
        try:
            records = _records(json.loads(text.decode("utf-8-sig")))
        except (ValueError, RecursionError) as error:
            raise InputError(f"expected AIS messages as JSON in {self.source.label}, found none ({error})") from error
        if not records:
            raise InputError(
                f"expected a list of AIS messages with names in {self.source.label}, found none; save it as CSV"
            )
        return [_flat(one) for one in records]


def _is_by_line(first_bytes: bytes) -> bool:
    lines = first_bytes.strip().split(b"\n")  # a record separator ends no line
    return len(lines) > 1 and _record(lines[0]) is not None


def _record(line: bytes) -> dict[str, Any] | None:
    """Record of a line, which a record separator may begin (RFC 8142); None if it is none."""
    try:
        found = json.loads(line.lstrip(b"\x1e"))
    except (ValueError, RecursionError):
        return None
    return _flat(found) if isinstance(found, dict) else None


def _records(document: Any) -> list[dict[str, Any]]:
    """Records of a document: the objects of its lists, else the object itself."""
    if isinstance(document, list):
        return [one for item in document if isinstance(item, dict | list) for one in _records(item)]
    if not isinstance(document, dict):
        return []
    lists = [value for value in document.values() if isinstance(value, list)]
    inner = [one for value in lists for item in value if isinstance(item, dict) for one in _records(item)]
    return inner or ([] if any(lists) and "geometry" not in document else [document])


def _flat(record: Mapping[str, Any]) -> dict[str, Any]:
    """Values of a record and of the objects in it, by their innermost name; a point gives longitude and latitude."""
    found: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, dict):
            found = _flat(value) | found
        elif name == "coordinates" and isinstance(value, list) and len(value) >= _POINT:
            found |= {"longitude": value[0], "latitude": value[1]}
        elif not isinstance(value, list):
            found[name] = value
    return found


def _column(records: Sequence[Mapping[str, Any]], name: str) -> Any:
    """Pyarrow column of texts, as of a CSV file."""
    values = [record.get(name) for record in records]
    return load_pyarrow().array([None if value is None or value == "" else str(value) for value in values], "string")
