"""Time and memory to read a day of AIS around one scene.

    python benchmarks/speed/ais.py

A day of `--messages` is made, the same one every time: ships off North America report once a minute, some of them near
the scene. It is written in the columns of MarineCadastre (`csv`), in those of exactEarth, with the static data in
messages of their own (`messages`), and as Parquet (`parquet`). A part of the messages has no position, speed or
heading, is of no ship, or comes twice. Then each file is read in a process of its own, with two threads, around one
scene: an area of 3 x 3 degrees and two hours. The number of positions kept is checked against those that were made.

`seconds` is the time of the reading, `CPU seconds` what the processors spent on it, which other work beside it changes
less, and `peak memory` that of the whole process with its imports.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.csv
import pyarrow.parquet

MESSAGES = 20_000_000
MINUTES = 1440
START = datetime(2025, 1, 1, tzinfo=UTC)
AREA = (-95.0, 25.0, -92.0, 28.0)
DURING = START + timedelta(hours=11), START + timedelta(hours=13, milliseconds=500)
LAYOUTS = ("csv", "messages", "parquet")
NO_POSITION, NO_SPEED, NO_HEADING, STATION, TWICE = 0.01, 0.01, 0.3, 0.005, 0.002
"""Shares of messages, and of ships for the stations."""
NEAR = 0.05
"""Share of ships that begin the day in the area."""
STATIC_SHARE = 0.1
"""Share of messages with static data alone, in the layout `messages`."""


def main() -> None:
    """Read once as a child, or make the files and read each as the parent."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=MESSAGES)
    parser.add_argument("--layouts", nargs="+", choices=LAYOUTS, default=LAYOUTS)
    parser.add_argument(
        "--folder", type=Path, help="folder for the files of a day, some 3 GB; a temporary one by default"
    )
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.work:
        print(json.dumps(read(asked.work)))
        return
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        measure(asked.messages, asked.layouts, Path(folder))


def read(path: Path) -> dict[str, Any]:
    """Read a file around the scene; returns seconds and counts."""
    from refinedet.ais.reading.packages import load_pyarrow
    from refinedet.ais.reading.read import read_ais

    load_pyarrow().set_cpu_count(2)
    began, cpu = time.perf_counter(), time.process_time()
    found = read_ais([path], area=AREA, time=DURING)
    return {
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time() - cpu,
        "kept": len(found.fixes),
        "ships": len(found.statics),
        "named": int((found.statics.name != "").sum()),
        "counts": found.counts,
    }


def measure(messages: int, layouts: list[str], folder: Path) -> None:
    """Make and read the files, and print the table."""
    from measuring import itself, print_table, run_watched

    from refinedet.ais.reading.reasons import account

    accounts = {}

    def rows() -> Iterator[tuple[object, ...]]:
        for layout in layouts:
            path = folder / f"day.{'parquet' if layout == 'parquet' else 'csv'}"
            expected = write(path, layout, messages)
            run = run_watched(itself(__file__, "--work", path))
            assert run is not None
            told = run.told
            accounts[layout] = account(told["counts"])
            size = path.stat().st_size / 1e9
            path.unlink()
            total = told["counts"]["messages"]
            right = "as made" if told["kept"] == expected else f"{expected:,} were made"
            yield (
                *(layout, f"{total:,}", f"{size:.2f}", f"{told['seconds']:.1f}", f"{told['cpu']:.1f}"),
                *(f"{run.peak_mb:.0f}", f"{told['kept']:,}, {right}", f"{told['named']:,} of {told['ships']:,}"),
            )

    head = (
        "layout",
        "messages",
        "GB",
        "seconds",
        "CPU seconds",
        "peak memory, MB",
        "positions kept",
        "ships with names",
    )
    print_table(head, rows())
    for layout, lines in accounts.items():
        print(f"\n{layout}: " + "\n".join(lines))


def write(path: Path, layout: str, messages: int) -> int:
    """Write a day of messages; returns the number of positions that reading must keep."""
    make: Callable[..., pa.Table] = with_messages if layout == "messages" else american
    kept, writer = 0, None
    with path.open("wb") as stream:
        for minute in minutes(messages):
            table = make(minute)
            if writer is None:
                parquet = layout == "parquet"
                writer = (pa.parquet.ParquetWriter if parquet else pa.csv.CSVWriter)(stream, table.schema)
            writer.write(table)
            kept += int(minute["kept"].sum())
        assert writer is not None
        writer.close()
    return kept


def minutes(messages: int) -> Iterator[dict[str, Any]]:
    """Reports of each minute of the day, in order of time."""
    rng = np.random.default_rng(1)
    ships = max(1, round(messages / MINUTES))
    lon, lat = rng.uniform(-130, -60, ships), rng.uniform(20, 50, ships)
    near = rng.random(ships) < NEAR
    lon[near], lat[near] = rng.uniform(AREA[0], AREA[2], near.sum()), rng.uniform(AREA[1], AREA[3], near.sum())
    speed = np.where(rng.random(ships) < 0.5, 0.0, rng.uniform(5, 20, ships)).round(1)
    course = rng.uniform(0, 359.9, ships).round(1)
    number = 366_000_000 + np.arange(ships)
    number[rng.random(ships) < STATION] -= 366_000_000 - 3_660_000  # base stations
    per_minute_deg = speed * 1852 / 60 / 111_200
    for minute in range(MINUTES):
        lat = lat + per_minute_deg * np.cos(np.radians(course))
        lon = lon + per_minute_deg * np.sin(np.radians(course)) / np.cos(np.radians(lat))
        order = rng.permutation(ships)
        seconds = 60 * minute + np.sort(rng.integers(0, 60, ships))
        moment = np.datetime64(START.replace(tzinfo=None), "s") + seconds.astype("timedelta64[s]")
        nowhere = rng.random(ships) < NO_POSITION
        longitude = np.where(nowhere, 181.0, lon.round(5)[order])
        latitude = np.where(nowhere, 91.0, lat.round(5)[order])
        west, south, east, north = AREA
        within = (longitude >= west) & (longitude <= east) & (latitude >= south) & (latitude <= north)
        first, last = (np.datetime64(one.replace(tzinfo=None), "s") for one in DURING)
        kept = within & (moment >= first) & (moment <= last) & (number[order] > 10**8)
        rows = np.concatenate([np.arange(ships), np.flatnonzero(rng.random(ships) < TWICE)])
        yield {
            "mmsi": number[order][rows],
            "time": moment[rows],
            "lon": longitude[rows],
            "lat": latitude[rows],
            "sog": np.where(rng.random(ships) < NO_SPEED, 102.3, speed[order])[rows],
            "cog": course[order][rows],
            "heading": np.where(rng.random(ships) < NO_HEADING, 511.0, course[order].round())[rows],
            "kept": kept,
        }


def american(minute: dict[str, Any]) -> pa.Table:
    """Reports in the columns of MarineCadastre."""
    count = len(minute["mmsi"])
    return pa.table(
        {
            "mmsi": minute["mmsi"],
            "base_date_time": pa.array(minute["time"]).cast(pa.string()),
            "longitude": minute["lon"],
            "latitude": minute["lat"],
            "sog": minute["sog"],
            "cog": minute["cog"],
            "heading": minute["heading"],
            "vessel_name": names(minute["mmsi"]),
            "imo": pa.array(["IMO9000001"] * count),
            "call_sign": pa.array(["WDC1234"] * count),
            "vessel_type": np.full(count, 70),
            "status": np.zeros(count, np.int64),
            "length": np.full(count, 120),
            "width": np.full(count, 20),
            "draft": np.full(count, 7.5),
            "cargo": np.full(count, 70),
            "transceiver": pa.array(["A"] * count),
        }
    )


def names(mmsi: np.ndarray[Any, Any]) -> pa.Array:
    """Names of ships."""
    return pa.compute.binary_join_element_wise("SHIP", pa.array(mmsi).cast(pa.string()), " ")


def with_messages(minute: dict[str, Any]) -> pa.Table:
    """Reports in columns of exactEarth; each tenth row has static data alone instead, of which a double is one more."""
    mmsi = minute["mmsi"]
    static = np.random.default_rng(int(mmsi[:50].sum())).random(len(mmsi)) < STATIC_SHARE
    ships = len(minute["kept"])
    minute["kept"] = minute["kept"] & ~static[:ships]
    static[ships:] = True  # a double of a report that became static data would be a report
    gone, there = pa.array(static), pa.array(~static)
    empty = pa.scalar(None, pa.float64())

    def moving(values: np.ndarray[Any, Any]) -> pa.Array:
        return pa.compute.if_else(gone, empty, pa.array(values))

    def fixed(value: int) -> pa.Array:
        return pa.compute.if_else(there, pa.scalar(None, pa.int64()), pa.scalar(value))

    text = pa.array(minute["time"]).cast(pa.string())
    return pa.table(
        {
            "MMSI": mmsi,
            "Message_ID": pa.array(np.where(static, 5, 1)),
            "Time": pa.compute.replace_substring_regex(pa.compute.replace_substring(text, " ", "_"), "[-:]", ""),
            "Millisecond": np.full(len(mmsi), 250),
            "Longitude": moving(minute["lon"]),
            "Latitude": moving(minute["lat"]),
            "SOG": moving(minute["sog"]),
            "COG": moving(minute["cog"]),
            "Heading": moving(minute["heading"]),
            "Vessel_Name": pa.compute.if_else(there, pa.scalar(None, pa.string()), names(mmsi)),
            "Ship_Type": fixed(70),
            "Dimension_to_Bow": fixed(90),
            "Dimension_to_stern": fixed(30),
            "Dimension_to_port": fixed(12),
            "Dimension_to_starboard": fixed(8),
            "Destination": pa.compute.if_else(there, pa.scalar(None, pa.string()), pa.scalar("ROTTERDAM")),
        }
    )


if __name__ == "__main__":
    main()
