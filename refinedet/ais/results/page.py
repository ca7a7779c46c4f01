"""Page of a match: precision and recall of the detector against AIS, a map, and the ships, in one HTML file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from refinedet.files import write_text

_WIDTH, _MARGIN, _TALLEST = 900.0, 12.0, 900.0
_ROWS = 500
"""Most rows of a table of the page; the files have all."""


def write_page(
    path: Path, record: Mapping[str, Any], detections: Sequence[Mapping[str, Any]], ships: Sequence[Mapping[str, Any]]
) -> None:
    """Write the page; equal content gives equal bytes.

    Args:
        path: the file.
        record: summary of the match.
        detections: rows of the detections, with their columns of AIS.
        ships: rows of the ships of AIS.

    Raises:
        OSError: it cannot be written.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    marks, tracks, height = _drawing(detections, ships)
    groups = {name: [row for row in detections if row["ais"] == name] for name in ("matched", "dark", "unknown")}
    text = environment.get_template("page.html").render(
        record=record,
        groups=groups,
        unseen=[row for row in ships if row["status"] == "unseen"],
        marks=marks,
        tracks=tracks,
        width=_WIDTH,
        height=height,
        most=_ROWS,
    )
    write_text(path, text)


def _drawing(
    detections: Sequence[Mapping[str, Any]], ships: Sequence[Mapping[str, Any]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], float]:
    """Marks of the detections and ways of the ships, in pixels of a picture; and its height."""
    found = [row for row in detections if row["lon"] is not None and np.isfinite(row["lon"])]
    places = [(row["lon"], row["lat"]) for row in (*found, *ships)]
    if not places:
        return [], [], 0.0
    lon, lat = np.array(places, np.float64).T
    lon = (lon - lon[0] + 180.0) % 360.0 - 180.0
    x, y = lon * np.cos(np.radians(lat.mean())), -lat
    across, along = max(float(np.ptp(x)), 1e-3), max(float(np.ptp(y)), 1e-3)
    scale = min((_WIDTH - 2 * _MARGIN) / across, _TALLEST / along)

    def pixel(lon_deg: float, lat_deg: float) -> tuple[float, float]:
        turned = (lon_deg - places[0][0] + 180.0) % 360.0 - 180.0
        px = _MARGIN + (turned * np.cos(np.radians(lat.mean())) - x.min()) * scale
        return round(float(px), 1), round(float(_MARGIN + (-lat_deg - y.min()) * scale), 1)

    marks = []
    for row in found:
        px, py = pixel(row["lon"], row["lat"])
        name = row["ais_name"] or row["mmsi"] or row["ais_reason"] or ""
        marks.append({"x": px, "y": py, "status": row["ais"], "title": f"{row['ais']} {name}".strip()})
    tracks = []
    for row in ships:
        (x1, y1), (x2, y2) = pixel(row["real_lon"], row["real_lat"]), pixel(row["lon"], row["lat"])
        title = f"{row['mmsi']} {row['name'] or ''} {row['status']} {row['reason'] or ''}"
        tracks.append({"x1": x1, "y1": y1, "x2": x2, "y2": y2, "status": row["status"], "title": title})
    return marks, tracks, round(along * scale + 2 * _MARGIN, 1)
