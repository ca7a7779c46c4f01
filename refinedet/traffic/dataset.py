"""Data set of an archive, read into tables: its ships, and the seen areas of its scenes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from refinedet.batch.paths import DATASET, FOOTPRINTS
from refinedet.errors import FileError, InputError
from refinedet.files import visible_files
from refinedet.scene.output.formats.geoparquet import GEOMETRY, SCENE
from refinedet.scene.output.formats.packages import load_pyarrow
from refinedet.scene.output.seen import START
from refinedet.traffic.passes import counted_once
from refinedet.traffic.tables import Scenes, Ships

NOT_THINGS = frozenset({"land", "ambiguity", "sidelobe", "wake"})
"""Flags of detections that are no separate object at sea."""

_STATE = "ais"
"""Column of a data set whose scenes were matched with AIS."""


@dataclass(frozen=True, slots=True)
class Archive:
    """Scenes and ships of an archive."""

    folder: Path
    """Folder of its results."""
    scenes: Scenes
    ships: Ships
    """Ships with a place, without those flagged as NOT_THINGS; a ship in overlapping scenes counts once."""
    notes: tuple[str, ...]


def read_archive(path: str | Path, *, ais_state: str | None = None, without: frozenset[str] = frozenset()) -> Archive:
    """Read the data set of an archive.

    Args:
        path: the folder of its results, or the folder `dataset` in it.
        ais_state: only ships with this AIS state (matched, dark or unknown); None: all.
        without: further flags; detections with one of them are left out.

    Raises:
        FileError: there is no data set, or it cannot be read.
        InputError: the seen areas are missing, or the AIS column is missing.
        MissingExtra: pyarrow is not installed.
    """
    folder = _folder(Path(path))
    _check_seen(folder)
    scenes = _scenes(folder)
    known = sum(area is not None for area in scenes.areas)
    if not known:
        raise InputError(f"expected scenes with a position in {folder}, found none among {len(scenes)}")
    notes = []
    if known < len(scenes):
        notes.append(f"{len(scenes) - known} of {len(scenes)} scenes have no position and are left out")
    if unknown := int(np.isnat(scenes.start).sum()):
        notes.append(f"scenes of unknown time: {unknown}; each of them counts as a pass of its own")
    wanted = _Wanted({name: number for number, name in enumerate(scenes.names)}, NOT_THINGS | without, ais_state)
    ships = _ships(folder, wanted)
    return Archive(folder, scenes, counted_once(ships, scenes), tuple(notes))


def _folder(path: Path) -> Path:
    folder = path.parent if path.name == DATASET and not (path / DATASET).is_dir() else path
    if not (folder / DATASET).is_dir():
        raise FileError(
            f"expected the results of an archive at {path}, with the folder {DATASET} in it, found none; name the "
            "folder to which detect wrote an archive"
        )
    return folder


def _check_seen(folder: Path) -> None:
    """Refuse a data set without the seen areas of its scenes."""
    made, seen = (_files(folder / name) for name in (DATASET, FOOTPRINTS))
    if not made:
        raise FileError(f"expected scenes in the data set {folder / DATASET}, found none; detect some first")
    lost = sorted(made - seen)
    if lost:
        raise InputError(
            f"expected the seen area of each scene in {folder / FOOTPRINTS}, found none of {len(lost)} of {len(made)} "
            f"scenes, such as {lost[0]}; an older version made them: detect them again with `overwrite`"
        )


def _files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in visible_files(folder, "*/*.parquet")}


def _scenes(folder: Path) -> Scenes:
    pa = load_pyarrow()
    types = {SCENE: pa.string(), START: pa.timestamp("ms", "UTC"), GEOMETRY: pa.binary()}
    batches = list(_batches(folder / FOOTPRINTS, types))
    names, shapes = ([one for batch in batches for one in batch[name].to_pylist()] for name in (SCENE, GEOMETRY))
    starts = [batch[START].to_numpy(zero_copy_only=False).astype("datetime64[ms]") for batch in batches]
    return Scenes(tuple(names), np.concatenate(starts), shapely.from_wkb(np.array(shapes, object)))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Selection of the ships to read."""

    number_of: dict[str, int]
    """Index of each scene by name."""
    without: frozenset[str]
    ais_state: str | None


def _ships(folder: Path, wanted: _Wanted) -> Ships:
    parts = list(_parts(folder / DATASET, wanted))
    empty = Ships(np.zeros((0, 2)), np.zeros(0, np.int64), np.zeros(0), np.zeros(0))
    columns = [[getattr(one, name) for one in (empty, *parts)] for name in ("lonlat", "scene", "length_m", "score")]
    return Ships(*map(np.concatenate, columns))


def _parts(folder: Path, wanted: _Wanted) -> Iterator[Ships]:
    """Ships batch by batch of the data set, so that only selected ships stay in memory."""
    pa = load_pyarrow()
    types = dict.fromkeys(("lon", "lat", "length_m", "score"), pa.float64())
    types |= {"flags": pa.list_(pa.string()), SCENE: pa.string(), _STATE: pa.string()}
    matched = False
    for batch in _batches(folder, types):
        lonlat = np.stack([_numbers(batch[name]) for name in ("lon", "lat")], axis=1)
        keep = np.isfinite(lonlat).all(axis=1)
        keep &= np.array([not wanted.without & set(flags or ()) for flags in batch["flags"].to_pylist()], bool)
        if wanted.ais_state is not None:
            states = batch[_STATE].to_pylist()
            matched |= any(state is not None for state in states)
            keep &= np.array([state == wanted.ais_state for state in states], bool)
        scene = np.array([wanted.number_of.get(name, -1) for name in batch[SCENE].to_pylist()], np.int64)
        keep &= scene >= 0
        yield Ships(lonlat, scene, _numbers(batch["length_m"]), _numbers(batch["score"])).only(keep)
    if wanted.ais_state is not None and not matched:
        raise InputError(
            f"expected the column {_STATE} in {folder} for `ais_state`, found none; detect the archive again beside AIS"
        )


def _numbers(column: Any) -> NDArray[np.float64]:
    return np.asarray(column.to_numpy(zero_copy_only=False), np.float64)


def _batches(folder: Path, types: dict[str, Any]) -> Iterator[Any]:
    """Columns of these names and types, batch by batch, in order of file name; null if a file lacks a column."""
    pa = load_pyarrow()
    import pyarrow.dataset

    files = sorted(str(folder / name) for name in _files(folder))
    try:
        yield from pyarrow.dataset.dataset(files, schema=pa.schema(list(types.items())), format="parquet").to_batches()
    except (OSError, ValueError, TypeError, NotImplementedError) as error:
        said = " ".join(str(error).split())
        raise FileError(f"expected GeoParquet files of an archive in {folder}, found others ({said})") from error
