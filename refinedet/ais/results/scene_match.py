"""Match of one scene with AIS files: selects the reports to read, matches them, and makes the record and the notes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from refinedet.ais.geometry import SceneGeometry, stated
from refinedet.ais.local_time import local_time
from refinedet.ais.matching import Match, MatchSettings, SceneToMatch, match
from refinedet.ais.reading.read import read_ais
from refinedet.ais.reading.reasons import MESSAGES, doubts
from refinedet.ais.results.land_around import LandAround
from refinedet.ais.results.summary import summary
from refinedet.ais.tables import Ais
from refinedet.config.options.ais import SENTINEL_1_KM, DateOrder, RadarView
from refinedet.errors import InputError
from refinedet.wording import counted

_STALE = 4
"""Multiple of the gap around the time of the scene in which reports are read."""
_REACH_DEG = 0.6
"""Degrees of latitude around the scene in which reports are read: the path of a fast ship, and room for coverage."""
_LATE_MIN = 1.0

Words = Callable[[str], str]
"""Function that rephrases a sentence in the terms of the caller: a command line names flags instead of settings."""


@dataclass(frozen=True, slots=True)
class AisSource:
    """AIS files and the settings for reading them."""

    files: tuple[Path, ...]
    gap_min: float
    """Longest time in minutes from a report within which the place of a ship is estimated."""
    columns: Mapping[str, str]
    """Columns by field, if their names are not recognised."""
    date_order: DateOrder | None = None
    """Order of day and month in dates such as 05/06/2024; None: as the dates or the time of the scene show."""


@dataclass(frozen=True, slots=True)
class SceneMatch:
    """Match of one scene."""

    found: Match
    reports: Ais
    record: dict[str, Any]
    """Counts, offset, settings and notes, ready for JSON."""
    notes: tuple[str, ...]
    """Facts that the user should know, a sentence each."""


def match_scene(
    name: str, scene: SceneToMatch, ais: AisSource, *, told: Sequence[str] = (), words: Words = str
) -> SceneMatch:
    """Match a scene with the reports near it in place and time.

    Args:
        name: name of the scene or of the file of its ships, for sentences.
        scene: the scene.
        ais: files of AIS.
        told: notes of the caller on this scene.
        words: function that rephrases the notes in the terms of the caller.

    Raises:
        FileError, InputError, MissingExtra: as `read_ais`.
    """
    gap_s = 60 * ais.gap_min
    area, time = _area(scene), _span(scene, gap_s)
    reports = read_ais(ais.files, area=area, time=time, columns=ais.columns, date_order=ais.date_order)
    found = match(scene, reports, MatchSettings(gap_s))
    clock = _on_clock(name, scene, reports, found, gap_s)
    land = scene.on_land.notes if isinstance(scene.on_land, LandAround) else ()
    notes = tuple(words(one) for one in (*told, *_notes(found, reports, name, scene), *clock, *land))
    settings = {"gap_min": ais.gap_min, "score_min": scene.score_min, "date_order": ais.date_order}
    record = {
        "ais": {"files": [Path(one).name for one in reports.files], "counts": reports.counts},
        "geometry": scene.geometry.source,
        "settings": {key: value for key, value in settings.items() if value is not None},
        "notes": list(notes),
        **summary(found, scene.score >= scene.score_min),
    }
    return SceneMatch(found, reports, record, notes)


def viewed(
    name: str, own: SceneGeometry, view: RadarView, *, noted: str | None = None
) -> tuple[SceneGeometry, tuple[str, ...]]:
    """Geometry of a scene, and a sentence on its source unless it is the annotation.

    Args:
        name: name of the scene in an error.
        own: geometry from its record.
        view: view that the user states.
        noted: name of the scene in the sentence; None: `name`.

    Raises:
        InputError: the user states a view although the scene has its own.
    """
    if view.platform_heading is None or view.incidence is None:
        if own.looks is not None:
            return own, ()
        note = (
            f"nothing tells how the radar looked at {noted or name}, so the displacement of moving ships is "
            "uncertainty; name `platform_heading` and `incidence`"
        )
        return own, (note,)
    if own.source == "annotation":
        raise InputError(
            f"expected no `platform_heading` for {name}, whose product tells how the radar looked; leave it out"
        )
    look, altitude_km = view.look or "right", view.altitude_km or SENTINEL_1_KM
    note = f"the radar is taken to look {look} (`look`) from {altitude_km:g} km (`altitude_km`)"
    right = look == "right"
    return stated(own, view.platform_heading, view.incidence, 1000 * altitude_km, right=right), (note,)


def _area(scene: SceneToMatch) -> tuple[float, float, float, float] | None:
    """West, south, east and north of the scene and its surroundings; None: the whole earth."""
    places = scene.detected.lonlat[np.isfinite(scene.detected.lonlat).all(axis=1)]
    if scene.footprint is not None:
        places = np.concatenate([places, shapely.get_coordinates(scene.footprint)])
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


def _span(scene: SceneToMatch, gap_s: float) -> tuple[datetime, datetime]:
    """First and last time of the reports that are read."""
    places = scene.detected.lonlat[np.isfinite(scene.detected.lonlat).all(axis=1)]
    times = scene.geometry.times(places) if len(places) else np.array([scene.geometry.start])
    ends = [one.astype("datetime64[ms]").item().replace(tzinfo=UTC) for one in (times.min(), times.max())]
    reach = timedelta(seconds=_STALE * gap_s, minutes=_LATE_MIN)
    return ends[0] - reach, ends[1] + reach


def _on_clock(name: str, scene: SceneToMatch, reports: Ais, found: Match, gap_s: float) -> list[str]:
    """Sentence on reports whose times are probably local, or on a gap before the nearest report."""
    shift = local_time(scene, reports, MatchSettings(gap_s), found, _STALE * gap_s)
    if shift is not None:
        ahead = "ahead of" if shift.hours > 0 else "behind"
        note = (
            f"the times of AIS are probably local time, {counted(abs(shift.hours), 'hour')} {ahead} UTC: "
            f"{shift.matched} detections of {name} would match so, {found.verdicts.status.count('matched')} do as they "
            "are; convert the times to UTC, or write their zone behind them"
        )
        return [note]
    if len(found.ships) or not len(reports.fixes):
        return []
    away = np.abs((reports.fixes.time - scene.geometry.start).astype("timedelta64[s]").astype(np.float64)).min()
    note = (
        f"{len(reports.fixes):,} reports of AIS lie near {name}, but none within {gap_s / 60:g} minutes of its time "
        f"(`gap_min`), the nearest about {counted(round(away / 60), 'minute')} away, so nothing is claimed of its "
        "ships; check the time of the scene and the time zone of the reports"
    )
    return [note]


def _notes(found: Match, reports: Ais, name: str, scene: SceneToMatch) -> list[str]:
    """Sentences for the user."""
    notes = list(doubts(reports.counts))
    if not reports.counts.get(MESSAGES):
        notes.append(f"the files of AIS hold no message, so nothing is claimed of the ships of {name}")
    elif not len(reports.fixes):
        notes.append(f"no report of AIS lies near {name} in place and time, so nothing is claimed of its ships")
    one = found.offset
    if one.east_m or one.north_m:
        notes.append(
            f"the scene lies {one.east_m:+.0f} m east and {one.north_m:+.0f} m north of AIS "
            f"(error {one.error_m:.0f} m, {one.ships} ships); this offset is taken off"
        )
    if one.clock_s:
        notes.append(
            f"the times of the scene and of AIS differ by {one.clock_s:+.0f} s (error {one.clock_error_s:.0f} s); "
            "this is taken off"
        )
    if scene.footprint is None:
        notes.append(f"the outline of {name} is unknown: unseen ships may lie outside of it")
    return notes
