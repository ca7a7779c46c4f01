"""Detections and reports of a made scene, as files."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np

from refinedet.ais.results.settings import ViewSettings

COLUMNS = ["MMSI", "BaseDateTime", "LAT", "LON", "SOG", "COG", "Heading", "VesselName", "VesselType", "Length", "Width"]

VIEW = ViewSettings(platform_heading=348.0, incidence=37.0)


def write_ships(made: Any, path: Path) -> None:
    """Write detections as `detect` does, as far as a match reads them."""
    one = made.scene.detected
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": one.lonlat[i].tolist()},
            "properties": {
                "lon": one.lonlat[i, 0],
                "lat": one.lonlat[i, 1],
                "score": 0.9,
                "length_m": one.length_m[i],
                "heading_deg": one.heading_deg[i],
                "flags": ["edge"],
                "time": "2024-05-01T17:00:00.000Z",
                "scene": "made.tif",
            },
        }
        for i in range(len(one))
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))


def write_ais(made: Any, path: Path) -> None:
    """Write reports as MarineCadastre does; numbers of ships are those of Denmark."""
    fixes, statics = made.truth.ais.fixes, made.truth.ais.statics
    row = {int(number): i for i, number in enumerate(statics.mmsi)}
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for i in range(len(fixes)):
            of = row.get(int(fixes.mmsi[i]))
            known: list[Any] = ["", "", "", ""]
            if of is not None:
                known = [statics.name[of], 70, statics.length_m[of], statics.width_m[of]]
            numbers = [fixes.latitude_deg[i], fixes.longitude_deg[i], fixes.speed_kn[i], fixes.course_deg[i]]
            heading = "" if np.isnan(fixes.heading_deg[i]) else fixes.heading_deg[i]
            when = str(fixes.time[i].astype("datetime64[s]"))
            writer.writerow([danish(fixes.mmsi[i]), when, *numbers, heading, *known])


def danish(mmsi: int) -> int:
    """Number of a real kind for a simulated one."""
    return int(mmsi) - 999_000_000 + 219_000_000


def record_with(view: dict[str, Any] | None) -> str:
    read_as: dict[str, Any] = {"footprint": [[6.0, 54.0], [7.0, 54.0], [7.0, 55.0], [6.0, 55.0]]}
    return json.dumps({"scene": {"read_as": read_as | ({} if view is None else {"view": view})}})
