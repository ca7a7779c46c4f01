"""AIS reports of the ships of a simulated scene, in the format of MarineCadastre, and their columns of the truth."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinedet.ais.geometry import from_record
from refinedet.ais.tables import Ais
from refinedet.data.simulation import place
from refinedet.data.simulation.ais import AisSpec, ShipsShown, SimulatedAis, simulate_ais
from refinedet.data.simulation.looking import acquisition
from refinedet.data.simulation.sentinel1.conditions import Sentinel1Conditions
from refinedet.data.simulation.sentinel1.ranges import Sentinel1Ranges
from refinedet.data.simulation.simulated import SimulatedScene
from refinedet.files import cannot_write, write_text
from refinedet.stated_acquisition import StatedAcquisition

FIRST_TIME = datetime(2024, 5, 1, 17, 0, tzinfo=UTC)
"""Time of the first line of a simulated scene."""

_INCIDENCE_DEG = (30.0, 46.0)
"""Incidence of scenes of kind `plain`, whose pixels do not depend on it."""
_COLUMNS = (
    *("MMSI", "BaseDateTime", "LAT", "LON", "SOG", "COG", "Heading", "VesselName", "IMO", "CallSign", "VesselType"),
    *("Status", "Length", "Width", "Draft", "Cargo", "TransceiverClass"),
)
"""Columns of MarineCadastre."""
_TYPE_CODES: Mapping[str, str] = {"cargo": "70", "tanker": "80", "fishing": "30", "passenger": "60", "tug": "52"}
_AT_ANCHOR, _UNDER_WAY = "1", "0"
_NO_HEADING, _NO_COURSE, _NO_SPEED = "511", "360.0", "102.3"


def acquisition_of(scene: SimulatedScene, pixel_m: float, seed: int, start: datetime = FIRST_TIME) -> StatedAcquisition:
    """Time and view of a scene: its own if its pixels depend on them, else drawn by the seed."""
    height, width = scene.pixels.shape
    conditions = scene.conditions
    if isinstance(conditions, Sentinel1Conditions):
        incidence, left = conditions.incidence_deg, conditions.radar_left
    else:
        rng = np.random.default_rng([seed, 1])
        incidence, left = float(rng.uniform(*_INCIDENCE_DEG)), bool(rng.random() < 0.5)
    return acquisition((width, height), pixel_m, start, incidence, radar_left=left)


def reports_of(scene: SimulatedScene, pixel_m: float, acquired: StatedAcquisition, spec: AisSpec) -> SimulatedAis:
    """Simulate the reports of the ships of a scene."""
    return simulate_ais(_shown(scene, pixel_m, spec.seed), from_record(acquired.view()), spec)


def truth_rows(scene: SimulatedScene, pixel_m: float, reports: SimulatedAis, seed: int) -> list[dict[str, Any]]:
    """Columns of the truth of each ship: MMSI, silent or not, speed, and real place at the time of its line."""
    speeds = _shown(scene, pixel_m, seed).speed_kn
    return [
        {
            "mmsi": int(reports.mmsi[i]),
            "dark": not reports.reporting[i],
            "speed_kn": round(float(speeds[i]), 2),
            "real_lon": round(float(reports.lonlat[i, 0]), 7),
            "real_lat": round(float(reports.lonlat[i, 1]), 7),
        }
        for i in range(len(scene.ships))
    ]


def write_reports(path: Path, ais: Ais) -> None:
    """Write reports as CSV with the columns of MarineCadastre, by time; unknown values as AIS sends them.

    Raises:
        FileError: the file cannot be written.
    """
    fixes, statics = ais.fixes, ais.statics
    row_of = {int(mmsi): row for row, mmsi in enumerate(statics.mmsi)}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for i in np.lexsort((fixes.mmsi, fixes.time)).tolist():
        name = kind = length = width = ""
        if (row := row_of.get(int(fixes.mmsi[i]))) is not None:
            name, kind = str(statics.name[row]), _TYPE_CODES[str(statics.ship_type[row])]
            length, width = f"{statics.length_m[row]:.0f}", f"{statics.width_m[row]:.0f}"
        speed = _told(fixes.speed_kn[i], 1, _NO_SPEED)
        writer.writerow(
            [
                *(int(fixes.mmsi[i]), str(fixes.time[i].astype("datetime64[s]"))),
                *(f"{fixes.latitude_deg[i]:.5f}", f"{fixes.longitude_deg[i]:.5f}"),
                *(speed, _told(fixes.course_deg[i], 1, _NO_COURSE), _told(fixes.heading_deg[i], 0, _NO_HEADING)),
                *(name, "", "", kind, _AT_ANCHOR if float(speed) == 0 else _UNDER_WAY, length, width, "", "", "A"),
            ]
        )
    try:
        write_text(path, text.getvalue())
    except OSError as error:
        raise cannot_write(path, error, path) from error


def _shown(scene: SimulatedScene, pixel_m: float, seed: int) -> ShipsShown:
    """Ships as the image shows them; in a plain scene, whose pixels show no motion, half of them are under way."""
    middles = np.array([(ship.x, ship.y) for ship in scene.ships], np.float64).reshape(-1, 2)
    heading = np.array([ship.heading_deg for ship in scene.ships], np.float64)
    length, width = (np.array([getattr(ship, f"{side}_px") for ship in scene.ships]) for side in ("length", "width"))
    up = place.up_deg(middles, pixel_m)
    speeds = np.array(scene.speeds_kn) if scene.speeds_kn else _drawn_speeds(len(middles), seed)
    return ShipsShown(place.lonlat(middles, pixel_m), (heading + up) % 360, speeds, length * pixel_m, width * pixel_m)


def _drawn_speeds(count: int, seed: int) -> NDArray[np.float64]:
    ranges, rng = Sentinel1Ranges(), np.random.default_rng([seed, 2])
    speeds = rng.uniform(*ranges.speed_kn, count)
    return np.where(rng.random(count) < ranges.moving_probability, speeds, 0.0)


def _told(value: Any, digits: int, unknown: str) -> str:
    return f"{float(value):.{digits}f}" if np.isfinite(value) else unknown
