"""Match of a scene right after detection: adds the AIS reports to its result."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinedet.ais.evidence import Detected
from refinedet.ais.geometry import SceneGeometry, from_record, from_times
from refinedet.ais.matching import SceneToMatch
from refinedet.ais.results.land_around import LandAround
from refinedet.ais.results.reporting import nothing_reported, reported
from refinedet.ais.results.scene_match import AisSource, match_scene, viewed
from refinedet.ais.results.told import footprint_told, missing_told, view_told
from refinedet.config.options.ais import AisSettings, detect_names
from refinedet.config.options.land import LandSettings
from refinedet.config.options.option import options
from refinedet.errors import FileError
from refinedet.files import sha256_file
from refinedet.geo.position import Position, locate
from refinedet.scene.reported import Reported
from refinedet.scene.result import SceneResult

_NODES = 9
"""Number of places along a side of the scene at which the time is sampled."""
_FILES = "ais"
_SUBJECT = "the scene"
"""Name of a scene in notes: an archive shows each sentence once, so no sentence names its scene."""


def ais_identity(settings: AisSettings) -> dict[str, Any] | None:
    """Settings and file contents that decide the AIS columns, as JSON values; None without AIS.

    Raises:
        FileError: a file cannot be read.
    """
    if settings.ais is None:
        return None
    own = {one.name: getattr(settings, one.name) for one, _ in options(settings) if one.name != _FILES}
    own["ais_gap_min"] = settings.gap_min
    own["ais_columns"] = sorted(settings.ais_columns or ())
    return {"settings": own, "sha256": sorted(_sha256(path) for path in settings.ais)}


def with_ais(result: SceneResult, settings: AisSettings, land: LandSettings) -> SceneResult:
    """Match the ships of a scene with AIS; without AIS in the settings, the result is unchanged.

    If a scene has no position or no time, its ships are neither matched nor dark, and a note says so.

    Raises:
        FileError, InputError, MissingExtra: as `read_ais`; or the user states a view that the product has already.
    """
    if settings.ais is None:
        return result
    identity = {"identity": ais_identity(settings)}
    position, geometry = locate(result.info), _geometry(result)
    if position is None or geometry is None:
        what, setting = ("position", "gcps") if position is None else ("time", "time")
        note = f"no ship is matched with AIS, as the scene has no {what}; set it with `{setting}`"
        beside = nothing_reported(len(result.detections), f"no {what}", (note,), identity)
    else:
        beside = _matched(result, position, geometry, settings, land)
        beside = replace(beside, record={**beside.record, **identity})
    notes = dict.fromkeys((*result.notes, *beside.notes))  # detection may have read the land already
    return replace(result, ais=beside, notes=tuple(notes))


def _matched(
    result: SceneResult, position: Position, own: SceneGeometry, settings: AisSettings, land: LandSettings
) -> Reported:
    """AIS reports for the ships of a scene with a position and a time."""
    around = LandAround(position, result.info.width, result.info.height, land)
    geometry, notes = viewed(result.scene, own, settings, noted=_SUBJECT)
    scene = SceneToMatch(
        Detected(result.places.centres_lonlat, result.places.length_m, result.places.heading_deg),
        geometry,
        result.detections.scores.astype(np.float64),
        result.flags,
        footprint_told(result.read_as),
        missing_told(result.read_as),
        around,
    )
    source = AisSource(settings.ais or (), settings.gap_min, settings.columns, settings.ais_date_order)
    found = match_scene(_SUBJECT, scene, source, told=notes, words=detect_names)
    return reported(found.found, found.reports, 60 * settings.gap_min, found.record, found.notes)


def _geometry(result: SceneResult) -> SceneGeometry | None:
    """Times of the places of a scene, and the view of its annotation if any; None without a time or a place."""
    view, position = view_told(result.read_as), locate(result.info)
    if view is not None:
        return from_record(view)
    if position is None or result.acquired.times(np.array([0.5]))[0] is None:
        return None
    x, y = np.meshgrid(*(np.linspace(0, side, _NODES) for side in (result.info.width, result.info.height)))
    times = _times(result, y.ravel())
    lonlat = position.lonlat(np.stack([x.ravel(), y.ravel()], axis=1))
    known = np.isfinite(lonlat).all(axis=1)
    return from_times(lonlat[known], times[known])


def _times(result: SceneResult, y: NDArray[np.float64]) -> NDArray[np.datetime64]:
    told = [str(one).removesuffix("Z") for one in result.acquired.times(y)]
    return np.array(told, "datetime64[ms]")


def _sha256(path: Path) -> str:
    """Hex SHA-256 of an AIS file; the value is cached until the file changes."""
    try:
        about = path.stat()
        return _hashed(path.absolute(), about.st_size, about.st_mtime_ns)
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"expected a file of AIS at {path}, but it cannot be read ({error.strerror})") from error


@lru_cache(maxsize=4096)
def _hashed(path: Path, size: int, changed_ns: int) -> str:
    del size, changed_ns  # a change of time or size makes another key
    return sha256_file(path)
