"""fixed_places(): finds fixed objects in the data set of an archive, and writes them to a file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from refinedet.errors import FileError, InputError
from refinedet.geo.feature_files import write_features
from refinedet.traffic.dataset import read_archive
from refinedet.traffic.fixed import FixedLimits, FixedThing, find_fixed
from refinedet.traffic.settings import FixedSettings

_NAME = "fixed.geojson"


@dataclass(frozen=True, slots=True)
class FixedPlaces:
    """Outcome of a search."""

    path: Path
    things: tuple[FixedThing, ...]
    scenes: int
    ships: int
    notes: tuple[str, ...]


def fixed_places(dataset: str | Path, settings: FixedSettings | None = None) -> FixedPlaces:
    """Find fixed objects in the data set of an archive, and write them as points in GeoJSON.

    Properties: `lon`, `lat`, `persistence`, `seen` and `passes`, `first` and `last`, `length_m`, `score`, `spread_m`.

    Raises:
        FileError: there is no data set, or the result exists already or cannot be written.
        InputError: the data set has no seen areas, or the file name is not that of GeoJSON.
        MissingExtra: pyarrow is not installed.
    """
    settings = settings or FixedSettings()
    if settings.out is not None:
        _check_free(settings.out, overwrite=settings.overwrite)
    archive = read_archive(dataset)
    path = settings.out or archive.folder / _NAME
    _check_free(path, overwrite=settings.overwrite)
    limits = FixedLimits(settings.passes_min, settings.share_min, settings.radius_m)
    found = find_fixed(archive.ships, archive.scenes, limits)
    points = np.array([shapely.Point(one.lon, one.lat) for one in found], object)
    write_features(path, "geojson", points, [_row(one) for one in found])
    notes = archive.notes
    if len(archive.scenes) < limits.passes_min:
        notes = (*notes, f"{len(archive.scenes)} scenes are too few: a fixed object needs `passes_min` passes")
    return FixedPlaces(path, tuple(found), len(archive.scenes), len(archive.ships), notes)


def _check_free(path: Path, *, overwrite: bool) -> None:
    if path.suffix.lower() not in {".geojson", ".json"}:
        raise InputError(f"expected a name that ends in .geojson for `out`, found {path}")
    if path.exists() and not overwrite:
        raise FileError(f"expected no file at {path} yet, found one; name another `out`, or set `overwrite`")


def _row(one: FixedThing) -> dict[str, Any]:
    return {
        "lon": round(one.lon, 7),
        "lat": round(one.lat, 7),
        "persistence": round(one.persistence, 3),
        "seen": one.seen,
        "passes": one.passes,
        "first": _time(one.first),
        "last": _time(one.last),
        "length_m": round(one.length_m, 1),
        "score": round(one.score, 3),
        "spread_m": round(one.spread_m, 1),
    }


def _time(time: np.datetime64) -> datetime | None:
    return None if np.isnat(time) else time.astype("datetime64[ms]").item().replace(tzinfo=UTC)
