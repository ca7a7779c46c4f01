"""Tables of messages for the tests of reading."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from refinedet.ais.reading import reasons
from tests.refinedet.ais.reading.layouts import START, Report

HEAD = "mmsi,base_date_time,longitude,latitude,sog,cog,heading,vessel_name\n"

AREA = (10.0, 55.0, 11.0, 56.0)

REPORTS = [Report(after_s=60 * i, lon=10.5 + 0.005 * i) for i in range(3)] + [Report(mmsi=219000002, name="SECOND")]


def rows(path: Path, *lines: str, head: str = HEAD) -> Path:
    path.write_text(head + "".join(line + "\n" for line in lines), encoding="utf-8")
    return path


def line(after_s: float = 0, mmsi: int = 219000001, place: str = "10.5,55.25", rest: str = "5.0,90.0,91,X") -> str:
    return f"{mmsi},{START + timedelta(seconds=after_s):%Y-%m-%d %H:%M:%S},{place},{rest}"


def balanced(counts: dict[str, int]) -> bool:
    """Say if each message counts once."""
    parts = (reasons.KEPT, reasons.STATIC, *reasons.DROPPED)
    return counts[reasons.MESSAGES] == sum(counts.get(key, 0) for key in parts)
