"""Matching of result files with AIS files; writes result files and a summary."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

import refinedet
from refinedet.ais.matching import Match, SceneToMatch
from refinedet.ais.results.land_around import LandAround
from refinedet.ais.results.match_map import Drawn, write_match_map
from refinedet.ais.results.page import write_page
from refinedet.ais.results.reporting import reported
from refinedet.ais.results.scene_match import AisSource, Words, match_scene, viewed
from refinedet.ais.results.settings import MatchOptions, ViewSettings
from refinedet.ais.results.ships import ShipsFile, read_ships
from refinedet.config.options.land import LandSettings
from refinedet.errors import FileError, InputError
from refinedet.files import write_json
from refinedet.geo.feature_files import SUFFIXES, write_features
from refinedet.geo.sheet import Sheet
from refinedet.scene.reported import AIS_COLUMNS, AIS_SHIP_COLUMNS, Reported


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
    words: Words = str,
) -> list[Matched]:
    """Match result files of `detect` with AIS files, and write the results; each file is one scene.

    Writes `<stem>.matched.<format>` with the detections, `<stem>.ais.<format>` with the ships of AIS, the summary
    `<stem>.match.json`, the map `<stem>.matched.html` unless `map` is false, and with `report` the page
    `<stem>.match.html`.

    Args:
        ships: result files.
        ais: files of AIS.
        view: time and geometry of scenes whose record does not have them.
        options: limits, formats and folder.
        columns: columns of the AIS files by field, if their names are not recognised.
        words: function that rephrases sentences for the user in the terms of the caller, before they are written.

    Raises:
        FileError: a file cannot be read or written, or a result is there already.
        InputError: a file or a setting cannot be used.
        MissingExtra: a package is not installed.
    """
    view, options = view or ViewSettings(), options or MatchOptions()
    read = [read_ships(path, view.time) for path in ships]
    plan = [_paths(one.path, options) for one in read]
    taken = [path for paths in plan for path in paths.values()]
    if len(set(taken)) < len(taken):
        raise InputError("expected result files with different names, found two alike; match them with different `out`")
    for path in taken:
        if path.exists() and not options.overwrite:
            raise FileError(f"expected no results at {path} yet, found some; name another `out`, or set `overwrite`")
    source = AisSource(tuple(ais), options.gap_min, dict(columns or {}), options.date_order)
    return [_one(one, source, view, options, paths, words) for one, paths in zip(read, plan, strict=True)]


def _one(
    ships: ShipsFile, source: AisSource, view: ViewSettings, options: MatchOptions, paths: dict[str, Path], words: Words
) -> Matched:
    """Match one file and write its results."""
    name = f"the scene of {ships.path.name}"
    geometry, told = viewed(name, ships.geometry, view)
    sheet = Sheet.around(_places(ships))
    scene = SceneToMatch(
        *(ships.detected, geometry, ships.score, ships.flags, ships.footprint, ships.missing),
        on_land=None if sheet is None else LandAround(*sheet, LandSettings(land=options.land)),
        score_min=options.score_min,
    )
    matched = match_scene(name, scene, source, told=told, words=words)
    record = {"ships": ships.path.name, "refinedet": refinedet.__version__, **matched.record}
    beside = reported(matched.found, matched.reports, 60 * options.gap_min, record, matched.notes)
    _write(ships, beside, sheet, np.flatnonzero(scene.score >= options.score_min), paths)
    return Matched(ships.path, record, matched.notes, paths, matched.found)


def _write(
    ships: ShipsFile, beside: Reported, sheet: Sheet | None, kept: NDArray[np.int64], paths: dict[str, Path]
) -> None:
    """Write all result files, the record last; files of detections have only the rows `kept`."""
    own = [dict(zip(ships.columns, values, strict=True)) for values in zip(*ships.columns.values(), strict=True)]
    own = own or [{} for _ in range(len(ships.detected))]
    places = [{"lon": float(lon), "lat": float(lat)} for lon, lat in ships.detected.lonlat]
    rows = [places[i] | own[i] | dict(beside.detections[i]) for i in kept.tolist()]
    points = np.asarray(shapely.points([(row["lon"], row["lat"]) for row in beside.ships] or np.zeros((0, 2))), object)
    columns = dict.fromkeys(("lon", "lat", *ships.columns, *AIS_COLUMNS))
    for name, path in paths.items():
        kind, _, what = name.partition(" ")
        if what == "detections":
            write_features(path, kind, ships.shapes[kept], rows, columns)  # type: ignore[arg-type]  # one of the formats
        elif what == "ships":
            write_features(path, kind, points, beside.ships, AIS_SHIP_COLUMNS)  # type: ignore[arg-type]  # ditto
    if "map" in paths and sheet is not None:
        drawn = Drawn(rows, ships.shapes[kept], kept.tolist())
        write_match_map(paths["map"], sheet, drawn, beside, ships.footprint)
    if "page" in paths:
        write_page(paths["page"], beside.record, rows, beside.ships, paths.get("map"))
    write_json(paths["record"], beside.record)


def _places(ships: ShipsFile) -> NDArray[np.float64]:
    """Places (N, 2) in degrees that the sheet of the map must contain."""
    if ships.footprint is None:
        return ships.detected.lonlat
    return np.concatenate([ships.detected.lonlat, shapely.get_coordinates(ships.footprint)])


def _paths(path: Path, options: MatchOptions) -> dict[str, Path]:
    folder, stem = options.out or path.parent, path.stem
    formats = options.format or ("geojson", "csv")
    paths = {f"{kind} detections": folder / f"{stem}.matched{SUFFIXES[kind]}" for kind in formats}
    paths |= {f"{kind} ships": folder / f"{stem}.ais{SUFFIXES[kind]}" for kind in formats}
    if options.map:
        paths["map"] = folder / f"{stem}.matched.html"
    if options.report:
        paths["page"] = folder / f"{stem}.match.html"
    return paths | {"record": folder / f"{stem}.match.json"}
