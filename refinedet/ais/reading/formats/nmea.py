"""Logs of NMEA sentences, with tag blocks or with times before or after the sentence (pyais decodes them)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinedet.ais.reading import reasons
from refinedet.ais.reading.formats.opening import Source, content
from refinedet.ais.reading.messages import Mask, Messages, Wanted
from refinedet.ais.reading.packages import load_pyais
from refinedet.ais.reading.parsing.arrays import clean_text
from refinedet.ais.reading.parsing.date_order import DateOrder, has_numeric_date
from refinedet.ais.reading.parsing.times import parse_times

_SENTENCE = re.compile(rb"[!$][A-Z]{2}VD[MO],(\d),(\d),(\d*),([^,]*),([^,]*),\d?\*[0-9A-Fa-f]{2}")
_TAG_TIME = re.compile(rb"\\(?:[^\\]*,)?c:(\d+(?:\.\d+)?)[,*\\]")
_PRECISE = re.compile(rb"\$PGHP,1,(\d+),(\d+),(\d+),(\d+),(\d+),(\d+),(\d+),")
"""Time before a sentence, as receivers of Gatehouse write it."""
_STATIONS: Mapping[int, str] = {
    4: reasons.BASE_STATION,
    11: reasons.BASE_STATION,
    17: reasons.BASE_STATION,
    9: reasons.AIRCRAFT,
    21: reasons.AID,
}
_POSITIONS, _STATICS = (1, 2, 3, 18, 19, 27), (5, 19, 24)
_BATCH = 20_000
_PENDING = 1_000
"""Most incomplete messages that are kept; beyond this number, the oldest are dropped."""
_LONGEST_TIME = 40


def is_log(content: bytes) -> bool:
    """True if the first bytes of a file hold a sentence of AIS."""
    return _SENTENCE.search(content) is not None


@dataclass(frozen=True, slots=True)
class LogRows:
    """Messages of a log, all decoded."""

    messages: Messages

    @property
    def longitude_deg(self) -> NDArray[np.float64]:
        """Longitudes."""
        return self.messages.longitude_deg

    @property
    def latitude_deg(self) -> NDArray[np.float64]:
        """Latitudes."""
        return self.messages.latitude_deg

    def take(self, rows: Mask) -> Messages:
        """Messages of some rows."""
        return self.messages.take(rows)


@dataclass(slots=True)
class _Waiting:
    """Incomplete message: its sentences so far, and the text of its time."""

    parts: dict[int, bytes]
    total: int
    time: bytes


class LogFile:
    """A log of NMEA sentences, plain or compressed."""

    def __init__(self, source: Source, first_bytes: bytes) -> None:
        """Take the file and its first bytes; nothing more is read yet."""
        self.source = source
        self.dates_unclear = has_numeric_date(first_bytes)

    def rows(self, wanted: Wanted, order: DateOrder, counts: Counter[str]) -> Iterator[LogRows]:
        """Decode the messages in parts; messages outside the time or from stations that are no ships are only counted.

        Raises:
            FileError: the file cannot be read.
            MissingExtra: pyais is not installed.
        """
        pyais = load_pyais()
        batch: list[_Waiting] = []
        for message in self._whole(counts):
            batch.append(message)
            if len(batch) == _BATCH:
                yield _decoded(pyais, batch, wanted, order, counts)
                batch = []
        yield _decoded(pyais, batch, wanted, order, counts)

    def _whole(self, counts: Counter[str]) -> Iterator[_Waiting]:
        """Complete messages, in the order of their last sentence."""
        waiting: dict[tuple[bytes, bytes, int], _Waiting] = {}
        precise = b""
        with content(self.source) as stream:
            for line in stream:
                match = _SENTENCE.search(line)
                if match is None:
                    told = _PRECISE.search(line)
                    precise = b"%04d-%02d-%02d %02d:%02d:%02d.%03d" % tuple(map(int, told.groups())) if told else b""
                    if b"VDM" in line or b"VDO" in line:
                        _count(counts, reasons.DAMAGED)
                    continue
                total, index = int(match[1]), int(match[2])
                time = _time_text(line, match) or precise
                precise = b""
                if total <= 1:
                    yield _Waiting({1: match[0]}, 1, time)
                    continue
                key = (match[3], match[4], total)
                if index == 1 or key not in waiting:
                    if waiting.pop(key, None) is not None:
                        _count(counts, reasons.DAMAGED)
                    waiting[key] = _Waiting({}, total, time)
                found = waiting[key]
                found.parts[index] = match[0]
                found.time = found.time or time
                if len(found.parts) == total:
                    yield waiting.pop(key)
                elif len(waiting) > _PENDING:
                    del waiting[next(iter(waiting))]
                    _count(counts, reasons.DAMAGED)
        for _ in waiting:
            _count(counts, reasons.DAMAGED)


def _count(counts: Counter[str], reason: str) -> None:
    """Count a message that gives no row."""
    counts[reasons.MESSAGES] += 1
    counts[reason] += 1


def _time_text(line: bytes, match: re.Match[bytes]) -> bytes:
    """Text of the time of a sentence: in its tag block, before it, or after it."""
    before, after = line[: match.start()], line[match.end() :].strip(b" ,;\t\r\n\"'")
    tag = _TAG_TIME.search(before)
    if tag is not None:
        return tag[1][:_LONGEST_TIME]
    plain = before.rsplit(b"\\", 1)[-1].strip(b" [](),;\t\"'")
    return (plain or after.rsplit(b",", 1)[-1])[:_LONGEST_TIME]


def _decoded(pyais: Any, batch: list[_Waiting], wanted: Wanted, order: DateOrder, counts: Counter[str]) -> LogRows:
    """Rows of a batch."""
    texts = np.array([message.time for message in batch], dtype=f"S{_LONGEST_TIME}")
    times = parse_times(texts, order)
    during = wanted.during(times)
    found: list[tuple[int, Any]] = []
    for i, message in enumerate(batch):
        kind = _kind(message.parts.get(1, b""))
        static = kind in _STATICS
        if kind in _STATIONS:
            _count(counts, _STATIONS[kind])
        elif kind not in _POSITIONS and not static:
            _count(counts, reasons.NO_POSITION)
        elif not static and np.isnat(times[i]):
            _count(counts, reasons.NO_TIME)
        elif not static and not during[i]:
            _count(counts, reasons.OUTSIDE_TIME)
        else:
            parts = [message.parts.get(index + 1, b"") for index in range(message.total)]
            try:
                found.append((i, pyais.decode(*parts, error_if_checksum_invalid=True)))
            except (pyais.exceptions.AISBaseException, ValueError, IndexError):
                _count(counts, reasons.DAMAGED)
    return LogRows(_messages(found, times))


def _kind(sentence: bytes) -> int:
    """Type of a message, by the first six bits of its payload; 0 if it has none."""
    payload = sentence.split(b",")[5] if sentence else b""
    if not payload:
        return 0
    value = payload[0] - 48
    return value - 8 if value > 40 else value


def _messages(found: list[tuple[int, Any]], times: NDArray[np.datetime64]) -> Messages:
    """Decoded messages as arrays."""

    def values(key: str) -> list[float]:
        return [np.nan if (value := getattr(one, key, None)) is None else float(value) for _, one in found]

    def texts(key: str) -> NDArray[np.str_]:
        words = [getattr(one, key, None) for _, one in found]
        return np.array(["" if word is None else clean_text(str(word)) for word in words], dtype="U32")

    flags = [getattr(one, "accuracy", None) for _, one in found]
    sides = [values(key) for key in ("to_bow", "to_stern", "to_port", "to_starboard")]
    return Messages(
        mmsi=np.array([int(one.mmsi) for _, one in found], np.int64),
        time=times[[i for i, _ in found]],
        longitude_deg=np.array(values("lon"), np.float64),
        latitude_deg=np.array(values("lat"), np.float64),
        speed_kn=np.array(values("speed"), np.float64),
        course_deg=np.array(values("course"), np.float64),
        heading_deg=np.array(values("heading"), np.float64),
        message_type=np.array([int(one.msg_type) for _, one in found], np.int16),
        accuracy=np.array([-1 if flag is None else int(flag) for flag in flags], np.int8),
        mobile=np.zeros(len(found), dtype="U1"),
        name=texts("shipname"),
        ship_type=np.array([_code(one) for _, one in found], dtype="U32"),
        sides_m=np.array(sides, np.float64).T.reshape(-1, 4),
        size_m=np.full((len(found), 2), np.nan),
    )


def _code(message: Any) -> str:
    """Code of the ship type as text."""
    code = getattr(message, "ship_type", None)
    return "" if code is None else str(int(code))
