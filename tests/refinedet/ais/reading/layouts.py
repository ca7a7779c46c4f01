"""Small made files in the layout of each provider, with the columns that formats of AIS have."""

from __future__ import annotations

import csv
import gzip
import json
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
from pyais import encode_dict

START = datetime(2024, 6, 5, 12, 0, 0)  # noqa: DTZ001 - UTC, as the files have it
_S1 = (
    "mmsi,time_utc,mili_seconds,doppler_freq,quality,msg_type,repeat,status,turn,speed,accuracy,lat,lon,course,heading,"
    "second,ship_type,shipname,to_bow,to_port,to_starboard,to_stern"
)
_EXACT = (
    "MMSI,Message_ID,Repeat_indicator,Time,Millisecond,Longitude,Latitude,SOG,COG,Heading,Navigational_status,Vessel_Name,"
    "Ship_Type,Dimension_to_Bow,Dimension_to_stern,Dimension_to_port,Dimension_to_starboard,Accuracy"
)
_DANISH = (
    "# Timestamp,Type of mobile,MMSI,Latitude,Longitude,Navigational status,ROT,SOG,COG,Heading,IMO,Callsign,Name,"
    "Ship type,Cargo type,Width,Length,Type of position fixing device,Draught,Destination,ETA,Data source type,A,B,C,D"
)
_NEW_AMERICAN = (
    "mmsi,base_date_time,longitude,latitude,sog,cog,heading,vessel_name,imo,call_sign,vessel_type,status,length,width,"
    "draft,cargo,transceiver"
)
_OLD_AMERICAN = (
    "MMSI,BaseDateTime,LAT,LON,SOG,COG,Heading,VesselName,IMO,CallSign,VesselType,Status,Length,Width,Draft,Cargo,"
    "TransceiverClass"
)
_NORWEGIAN = "mmsi,imo,ship_name,ship_type,length,breadth,draught,date_time_utc,longitude,latitude,sog,cog,true_heading"
_SPIRE = (
    "created_at,timestamp,mmsi,msg_type,latitude,longitude,speed,course,heading,accuracy,name,ship_type,to_bow,to_stern,"
    "to_port,to_starboard"
)


@dataclass(frozen=True)
class Report:
    """A position report of a made ship; all ships are tankers of 80 + 20 by 12 + 8 m."""

    mmsi: int = 219000001
    after_s: float = 0.0
    lon: float = 10.5
    lat: float = 55.25
    speed: float = 12.5
    course: float = 90.5
    heading: float = 91
    name: str = "NORDIC TEST"

    @property
    def time(self) -> datetime:
        """Time in UTC."""
        return START + timedelta(seconds=self.after_s)


def write(path: Path, layout: str, reports: Sequence[Report]) -> Path:
    """Write reports to a file in a layout."""
    WRITERS[layout](path, reports)
    return path


def _table(path: Path, names: str, rows: Iterable[Sequence[object]], delimiter: str = ",") -> None:
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream, delimiter=delimiter)
        writer.writerow(names.split(","))
        writer.writerows(rows)


_AMERICAN_REST = (80, 0, 100, 20, 7.5, 80, "A")
_DANISH_REST = ("GPS", "", "Unknown", "", "AIS", 80, 20, 12, 8)


def _said(r: Report) -> tuple[object, ...]:
    """Speed, course, heading."""
    return r.speed, r.course, r.heading


def _american(path: Path, reports: Sequence[Report]) -> None:
    rows = [
        (r.mmsi, f"{r.time:%Y-%m-%d %H:%M:%S}", r.lon, r.lat, *_said(r), r.name, "IMO9000001", "OXAB", *_AMERICAN_REST)
        for r in reports
    ]
    _table(path, _NEW_AMERICAN, rows)


def _old_american(path: Path, reports: Sequence[Report]) -> None:
    rows = [
        (r.mmsi, f"{r.time:%Y-%m-%dT%H:%M:%S}", r.lat, r.lon, *_said(r), r.name, "IMO9000001", "OXAB", *_AMERICAN_REST)
        for r in reports
    ]
    _table(path, _OLD_AMERICAN, rows)


def _danish(path: Path, reports: Sequence[Report]) -> None:
    rows = []
    for r in reports:
        moving = f"{r.time:%d/%m/%Y %H:%M:%S}", "Class A", r.mmsi, r.lat, r.lon, "Under way using engine", "", *_said(r)
        rows.append((*moving, "Unknown", "OXAB", r.name, "Tanker", "", 20, 100, *_DANISH_REST))
    _table(path, _DANISH, rows)


def _norwegian(path: Path, reports: Sequence[Report]) -> None:
    rows = [
        (r.mmsi, 9000001, r.name, 80, 100, 20, 7.5, f"{r.time.isoformat()}", r.lon, r.lat, r.speed, r.course, r.heading)
        for r in reports
    ]
    _table(path, _NORWEGIAN, rows, ";")


def _spire(path: Path, reports: Sequence[Report]) -> None:
    rows: list[Sequence[object]] = []
    for r in reports:
        received = f"{r.time + timedelta(minutes=7):%Y-%m-%dT%H:%M:%S}Z"
        time = f"{r.time:%Y-%m-%dT%H:%M:%S}.{r.time.microsecond // 1000:03d}Z"
        rows.append((received, time, r.mmsi, 1, r.lat, r.lon, r.speed, r.course, r.heading, 1, *[""] * 6))
        rows.append((received, time, r.mmsi, 5, *[""] * 6, r.name, 80, 80, 20, 12, 8))
    _table(path, _SPIRE, rows)


def _exact(path: Path, reports: Sequence[Report]) -> None:
    rows: list[Sequence[object]] = []
    for r in reports:
        when = f"{r.time:%Y%m%d_%H%M%S}", r.time.microsecond // 1000
        rows.append((r.mmsi, 1, 0, *when, r.lon, r.lat, r.speed, r.course, r.heading, 0, *[""] * 6, 1))
        rows.append((r.mmsi, 5, 0, *when, *[""] * 6, r.name, 80, 80, 20, 12, 8, ""))
    _table(path, _EXACT, rows)


def _receiver(path: Path, reports: Sequence[Report]) -> None:
    rows = []
    for r in reports:
        when = f"{r.time:%Y%m%dT%H%M%S}", r.time.microsecond / 1000
        moving = r.speed, True, r.lat, r.lon, r.course, r.heading
        rows.append((r.mmsi, *when, -1327.8, 2, 3, 1, 0, 40.0, *moving, 30.0, 80, r.name, 80, 12, 8, 20))
    _table(path, _S1, rows)


def _parquet(path: Path, reports: Sequence[Report]) -> None:
    columns = {
        "mmsi": [r.mmsi for r in reports],
        "timestamp": pa.array([r.time for r in reports], pa.timestamp("us", tz="UTC")),
        "lon": [r.lon for r in reports],
        "lat": [r.lat for r in reports],
        "sog": [r.speed for r in reports],
        "cog": [r.course for r in reports],
        "heading": [r.heading for r in reports],
        "shipname": [r.name for r in reports],
        "ship_type": [80.0] * len(reports),
        "length": [100] * len(reports),
        "width": [20] * len(reports),
    }
    pyarrow.parquet.write_table(pa.table(columns), path, row_group_size=2)


def _records(reports: Sequence[Report]) -> list[dict[str, object]]:
    static = {"name": "", "ship_type": 80, "length": 100, "width": 20}
    return [
        {"mmsi": r.mmsi, "sog": r.speed, "cog": r.course, "heading": r.heading, **static, "name": r.name}
        | {"time_utc": f"{r.time:%Y-%m-%d %H:%M:%S}.{r.time.microsecond:06d} +0000 UTC"}
        for r in reports
    ]


def _geojson(path: Path, reports: Sequence[Report]) -> None:
    features = [
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": [r.lon, r.lat]}, "properties": record}
        for r, record in zip(reports, _records(reports), strict=True)
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))


def _json_lines(path: Path, reports: Sequence[Report]) -> None:
    pairs = zip(reports, _records(reports), strict=True)
    lines = [json.dumps({"MetaData": {"latitude": r.lat, "longitude": r.lon}, "Message": one}) for r, one in pairs]
    path.write_text("\n".join(lines) + "\n")


def _packed(path: Path, reports: Sequence[Report]) -> None:
    _danish(path, reports)
    content = path.read_bytes()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("aisdk-2024-06-05.csv", content)


def _squeezed_log(path: Path, reports: Sequence[Report]) -> None:
    _tagged(path, reports)
    path.write_bytes(pa.compress(path.read_bytes(), "zstd", asbytes=True))


def _squeezed(path: Path, reports: Sequence[Report]) -> None:
    _american(path, reports)
    path.write_bytes(gzip.compress(path.read_bytes()))


def _sentences(report: Report) -> list[str]:
    """Sentences of a position and of the static data."""
    position = {
        "msg_type": 1,
        "mmsi": report.mmsi,
        "lon": report.lon,
        "lat": report.lat,
        "speed": report.speed,
        "course": report.course,
        "heading": report.heading,
        "accuracy": 1,
        "turn": -128,
        "second": 1,
    }
    static = {
        "msg_type": 5,
        "mmsi": report.mmsi,
        "shipname": report.name,
        "ship_type": 80,
        "to_bow": 80,
        "to_stern": 20,
        "to_port": 12,
        "to_starboard": 8,
    }
    return [*encode_dict(position, radio_channel="A"), *encode_dict(static, radio_channel="A", seq_id=3)]


def _tagged(path: Path, reports: Sequence[Report]) -> None:
    lines = []
    for r in reports:
        tag = f"s:2573345,c:{int(r.time.replace(tzinfo=UTC).timestamp())}"
        checksum = 0
        for character in tag.encode():
            checksum ^= character
        lines += [f"\\{tag}*{checksum:02X}\\{sentence}" for sentence in _sentences(r)]
    path.write_text("\n".join(lines) + "\n")


def _timed(path: Path, reports: Sequence[Report]) -> None:
    lines = [f"[{r.time:%Y-%m-%d %H:%M:%S}.000] {sentence}" for r in reports for sentence in _sentences(r)]
    path.write_text("\n".join(lines) + "\n")


def _times_after(path: Path, reports: Sequence[Report]) -> None:
    seconds = [int(r.time.replace(tzinfo=UTC).timestamp()) for r in reports]
    lines = [f"{sentence},{s}" for r, s in zip(reports, seconds, strict=True) for sentence in _sentences(r)]
    path.write_text("\n".join(lines) + "\n")


WRITERS: dict[str, Callable[[Path, Sequence[Report]], None]] = {
    "marinecadastre": _american,
    "marinecadastre_old": _old_american,
    "danish": _danish,
    "norwegian": _norwegian,
    "spire": _spire,
    "exactearth": _exact,
    "sentinel1_receiver": _receiver,
    "parquet": _parquet,
    "geojson": _geojson,
    "json_lines": _json_lines,
    "nmea_tags": _tagged,
    "nmea_zst": _squeezed_log,
    "nmea_times": _timed,
    "nmea_times_after": _times_after,
    "danish_zip": _packed,
    "marinecadastre_gz": _squeezed,
}
