"""Matching of result files with AIS files: from paths to result files and a summary."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import shapely

import refinedet
from refinedet.ais.geometry import SceneGeometry, stated
from refinedet.ais.matching import Match, MatchSettings, SceneToMatch, match
from refinedet.ais.reading.read import read_ais
from refinedet.ais.results.columns import detection_rows, ship_points, ship_rows
from refinedet.ais.results.page import write_page
from refinedet.ais.results.settings import MatchOptions, ViewSettings
from refinedet.ais.results.ships import ShipsFile, read_ships
from refinedet.ais.results.summary import summary
from refinedet.ais.tables import Ais
from refinedet.errors import FileError, InputError
from refinedet.files import write_json
from refinedet.geo.feature_files import SUFFIXES, write_features

_STALE = 4
"""Times the gap around the scene in which reports are read."""
_REACH_DEG = 0.6
"""Degrees of latitude around the scene in which reports are read: the way of a fast ship, and room for coverage."""
_LATE_MIN = 1.0


@dataclass(frozen=True, slots=True)
class Matched:
    """Outcome of one result file."""

    ships: Path
    summary: dict[str, Any]
    notes: tuple[str, ...]
    files: dict[str, Path]
    match: Match


def match_files(
    ships: Iterable[Path],
    ais: Sequence[Path],
    view: ViewSettings | None = None,
    options: MatchOptions | None = None,
    columns: Mapping[str, str] | None = None,
) -> list[Matched]:
    """Match result files of `detect` with files of AIS, and write the results; each file is one scene.

    Writes `<stem>.matched.<format>` with the detections, `<stem>.ais.<format>` with the ships of AIS, the summary
    `<stem>.match.json`, and with `report` the page `<stem>.match.html`.

    Args:
        ships: result files.
        ais: files of AIS.
        view: time and geometry of scenes whose record does not have them.
        options: limits, formats and folder.
        columns: columns of the AIS files by field, where their names do not tell.

    Raises:
        FileError: a file cannot be read or written, or a result is there already.
        InputError: a file or a setting cannot be used.
        MissingExtra: a package is not installed.
    """
    view, options = view or ViewSettings(), options or MatchOptions()
    _check(view)
    read = [read_ships(path, view.time) for path in ships]
    plan = [_paths(one.path, options) for one in read]
    taken = [path for paths in plan for path in paths.values()]
    if len(set(taken)) < len(taken):
        raise InputError("expected result files with different names, found two alike; match them with different `out`")
    for path in taken:
        if path.exists() and not options.overwrite:
            raise FileError(f"expected no results at {path} yet, found some; name another `out`, or set `overwrite`")
    found = []
    for one, paths in zip(read, plan, strict=True):
        found.append(_one(one, ais, view, options, columns, paths))
    return found


def _one(
    ships: ShipsFile,
    ais: Sequence[Path],
    view: ViewSettings,
    options: MatchOptions,
    columns: Mapping[str, str] | None,
    paths: dict[str, Path],
) -> Matched:
    """Match one file and write its results."""
    geometry, notes = _geometry(ships, view)
    gap_s = 60 * options.gap_min
    reports = read_ais(ais, area=_area(ships), time=_span(ships, geometry, gap_s), columns=columns)
    scene = SceneToMatch(ships.detected, geometry, ships.score, ships.flags, ships.footprint, options.score_min)
    found = match(scene, reports, MatchSettings(gap_s))
    kept = ships.score >= options.score_min
    told = summary(found, kept)
    notes = (*notes, *_notes(found, reports, ships))
    record = {
        "ships": ships.path.name,
        "refinedet": refinedet.__version__,
        "ais": {"files": [Path(one).name for one in reports.files], "counts": reports.counts},
        "geometry": geometry.source,
        "settings": {"gap_min": options.gap_min, "score_min": options.score_min},
        "notes": list(notes),
        **told,
    }
    _write(ships, found, kept, record, paths)
    return Matched(ships.path, record, notes, paths, found)


def _write(ships: ShipsFile, found: Match, kept: Any, record: dict[str, Any], paths: dict[str, Path]) -> None:
    """Write all result files, the record last."""
    own = [dict(zip(ships.columns, values, strict=True)) for values in zip(*ships.columns.values(), strict=True)]
    own = own or [{} for _ in range(len(ships.detected))]
    places = [{"lon": float(lon), "lat": float(lat)} for lon, lat in ships.detected.lonlat]
    rows = [place | one | of_ais for place, one, of_ais in zip(places, own, detection_rows(found), strict=True)]
    rows = [row for row, on in zip(rows, kept, strict=True) if on]
    points, of_ships = ship_points(found), ship_rows(found)
    for name, path in paths.items():
        kind, _, what = name.partition(" ")
        if what == "detections":
            write_features(path, kind, ships.shapes[kept], rows)  # type: ignore[arg-type]  # one of the formats
        elif what == "ships":
            write_features(path, kind, points, of_ships)  # type: ignore[arg-type]  # ditto
    if "page" in paths:
        write_page(paths["page"], record, rows, of_ships)
    write_json(paths["record"], record)


def _paths(path: Path, options: MatchOptions) -> dict[str, Path]:
    folder, stem = options.out or path.parent, path.stem
    formats = options.format or ("geojson", "csv")
    paths = {f"{kind} detections": folder / f"{stem}.matched{SUFFIXES[kind]}" for kind in formats}
    paths |= {f"{kind} ships": folder / f"{stem}.ais{SUFFIXES[kind]}" for kind in formats}
    if options.report:
        paths["page"] = folder / f"{stem}.match.html"
    return paths | {"record": folder / f"{stem}.match.json"}


def _check(view: ViewSettings) -> None:
    if (view.platform_heading is None) != (view.incidence is None):
        given, missing = ("platform_heading", "incidence")[:: 1 if view.incidence is None else -1]
        raise InputError(f"expected `{missing}` with `{given}`: the displacement needs both; name both or none")


def _geometry(ships: ShipsFile, view: ViewSettings) -> tuple[SceneGeometry, tuple[str, ...]]:
    """Geometry of a scene, and a sentence on where it is from, unless it is the annotation's."""
    own = ships.geometry
    if view.platform_heading is None or view.incidence is None:
        if own.looks is not None:
            return own, ()
        note = (
            f"no record beside {ships.path.name} tells how the radar looked, so the displacement of moving ships is "
            "uncertainty; name `platform_heading` and `incidence`"
        )
        return own, (note,)
    if own.source == "annotation":
        raise InputError(
            f"expected no `platform_heading` for {ships.path}, whose product tells how the radar looked; leave it out"
        )
    note = f"the radar is taken to look {view.look} from {view.altitude_km:g} km, as `look` and `altitude_km` say"
    right = view.look == "right"
    return stated(own, view.platform_heading, view.incidence, 1000 * view.altitude_km, right=right), (note,)


def _area(ships: ShipsFile) -> tuple[float, float, float, float] | None:
    """West, south, east and north of the scene and its surroundings; None for all the earth."""
    places = ships.detected.lonlat[np.isfinite(ships.detected.lonlat).all(axis=1)]
    if ships.footprint is not None:
        places = np.concatenate([places, shapely.get_coordinates(ships.footprint)])
    if not len(places):
        return None
    south, north = places[:, 1].min() - _REACH_DEG, places[:, 1].max() + _REACH_DEG
    aside = _REACH_DEG / max(np.cos(np.radians(min(max(abs(south), abs(north)), 89.0))), 0.02)
    turned = (places[:, 0] - places[0, 0] + 180.0) % 360.0 - 180.0 + places[0, 0]
    west, east = turned.min() - aside, turned.max() + aside
    if east - west >= 360:
        west, east = -180.0, 180.0
    around = [float((side + 180.0) % 360.0 - 180.0) if abs(side) > 180 else float(side) for side in (west, east)]
    return around[0], float(max(south, -90.0)), around[1], float(min(north, 90.0))


def _span(ships: ShipsFile, geometry: SceneGeometry, gap_s: float) -> tuple[datetime, datetime]:
    """First and last time of the reports that are read."""
    places = ships.detected.lonlat[np.isfinite(ships.detected.lonlat).all(axis=1)]
    times = geometry.times(places) if len(places) else np.array([geometry.start])
    ends = [one.astype("datetime64[ms]").item().replace(tzinfo=UTC) for one in (times.min(), times.max())]
    reach = timedelta(seconds=_STALE * gap_s, minutes=_LATE_MIN)
    return ends[0] - reach, ends[1] + reach


def _notes(found: Match, reports: Ais, ships: ShipsFile) -> list[str]:
    """Sentences for the user."""
    notes = []
    if not len(reports.fixes):
        notes.append(
            f"no report of AIS lies near {ships.path.name} in place and time, so nothing is claimed of its ships"
        )
    one = found.offset
    if one.east_m or one.north_m:
        notes.append(
            f"the scene lies {one.east_m:+.0f} m east and {one.north_m:+.0f} m north of AIS "
            f"(error {one.error_m:.0f} m, {one.ships} ships); this offset is taken off"
        )
    if one.clock_s:
        notes.append(f"the clocks differ by {one.clock_s:+.0f} s (error {one.clock_error_s:.0f} s); this is taken off")
    if ships.footprint is None:
        notes.append(f"the outline of the scene of {ships.path.name} is unknown: unseen ships may lie outside of it")
    return notes
