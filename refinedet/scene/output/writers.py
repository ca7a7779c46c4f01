"""Result files of one scene, in every format. Each is whole or absent, and valid if empty.

Equal results give equal bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from refinedet.errors import FileError
from refinedet.files import cannot_write
from refinedet.geo.feature_files import write_features
from refinedet.scene.output.formats.flatgeobuf import write_flatgeobuf
from refinedet.scene.output.formats.geoparquet import write_geoparquet, write_partition
from refinedet.scene.output.formats.gpkg import write_gpkg
from refinedet.scene.output.formats.kml import write_kml
from refinedet.scene.output.formats.stac import write_stac
from refinedet.scene.output.formats.text import write_coco, write_csv, write_geojson
from refinedet.scene.output.result_paths import AIS_FORMATS, DATASET, SEEN
from refinedet.scene.output.seen import write_seen
from refinedet.scene.reported import AIS_SHIP_COLUMNS
from refinedet.scene.result import SceneResult

_WRITERS: dict[str, Callable[[SceneResult, Path], None]] = {
    "geojson": write_geojson,
    "csv": write_csv,
    "coco": write_coco,
    "geoparquet": write_geoparquet,
    "kml": write_kml,
    "fgb": write_flatgeobuf,
    DATASET: write_partition,
    SEEN: write_seen,
}


def write_results(result: SceneResult, paths: Mapping[str, Path], record: Mapping[str, Any] | None = None) -> None:
    """Write the result in each format that `paths` names; views and record have modules of their own.

    Args:
        result: ships of the scene.
        paths: path by format; the STAC item names all these files, including views and record.
        record: record of the run; GeoPackage and STAC item contain parts of it.

    Raises:
        FileError: a file cannot be written.
        MissingExtra: a format needs a package that is not installed.
    """
    writers = _WRITERS | {
        "gpkg": partial(write_gpkg, record=record),
        "stac": partial(write_stac, files=paths, record=record),
    }
    for name, path in paths.items():
        if name in writers:
            with writing(path):
                writers[name](result, path)


def write_ships_of_ais(result: SceneResult, paths: Mapping[str, Path]) -> None:
    """Write the ships of AIS of a scene in each format that `paths` names, at the places where the scene shows them.

    Raises:
        FileError: a file cannot be written.
    """
    if result.ais is None:
        return
    rows = result.ais.ships
    points = np.asarray(shapely.points([(row["lon"], row["lat"]) for row in rows] or np.zeros((0, 2))), object)
    for name in AIS_FORMATS:
        if (path := paths.get(f"ais {name}")) is not None:
            write_features(path, name, points, rows, AIS_SHIP_COLUMNS)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn a system error on writing `path` into a FileError; a FileError is raised as it is."""
    try:
        yield
    except FileError:
        raise
    except OSError as error:
        raise cannot_write(path, error, path) from error
