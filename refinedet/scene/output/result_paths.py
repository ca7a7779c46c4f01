"""Paths of the results of a scene, and a check that they can be written. Both run before the detector is loaded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from refinedet.cloud.scene import Scene
from refinedet.config.options.output import Format
from refinedet.errors import FileError
from refinedet.geo.feature_files import FileFormat
from refinedet.scene.naming import scene_stem
from refinedet.scene.output.formats.packages import load_pyarrow, load_pyogrio

SUFFIXES: dict[Format, str] = {
    "geojson": ".geojson",
    "csv": ".csv",
    "gpkg": ".gpkg",
    "coco": ".coco.json",
    "geoparquet": ".parquet",
    "kml": ".kml",
    "fgb": ".fgb",
    "stac": ".stac.json",
}
_BY_GDAL = {"gpkg": "GeoPackage files", "fgb": "FlatGeobuf files"}
VIEWS = {"quicklook": ".png", "map": ".html", "record": ".run.json"}
"""Result files that are no formats, and their suffixes. quicklook.py, webmap.py and record.py write them."""
AIS_FORMATS: tuple[FileFormat, ...] = ("geojson", "csv", "gpkg")
"""Formats of the ships of AIS."""
DATASET = "dataset"
"""Key, in a mapping of paths, of the scene's file in a data set of many scenes, `partitions.partition_path`."""
COLLECTION = "collection.json"
"""Name of the STAC collection of an archive."""
SEEN = "seen"
"""Key, in a mapping of paths, of the file with the seen area of the scene in a data set of many scenes."""


def result_paths(
    scene_path: str | Scene,
    folder: str | Path | None,
    formats: Iterable[Format],
    quicklook: bool,
    *,
    web_map: bool = False,
    record: bool = False,
) -> dict[str, Path]:
    """Paths of the results of a scene, by format name, and by "quicklook", "map" and "record".

    The stem is the stem of the scene's name, or of the product's name for a Sentinel-1 product. `folder` None means
    `<stem>_ships` in the current folder.
    """
    stem = scene_stem(scene_path)
    target = Path(f"{stem}_ships") if folder is None else Path(folder)
    wanted = set(formats)
    suffixes: dict[str, str] = {name: suffix for name, suffix in SUFFIXES.items() if name in wanted}
    asked = {"quicklook": quicklook, "map": web_map, "record": record}
    suffixes |= {name: VIEWS[name] for name, on in asked.items() if on}
    return {name: target / f"{stem}{suffix}" for name, suffix in suffixes.items()}


def ais_paths(paths: Mapping[str, Path]) -> dict[str, Path]:
    """Paths of the ships of AIS beside the results of a scene, in those of its formats that AIS_FORMATS names."""
    return {
        f"ais {name}": path.with_name(f"{path.name.removesuffix(SUFFIXES[name])}.ais{SUFFIXES[name]}")
        for name in AIS_FORMATS
        if (path := paths.get(name)) is not None
    }


def archive_folder(paths: Mapping[str, Path]) -> Path | None:
    """Folder of the archive of a scene, two levels above its part of the data set; None for a single scene."""
    return paths[DATASET].parents[2] if DATASET in paths else None


def check_writable(paths: dict[str, Path], *, overwrite: bool) -> None:
    """Check before detection that results can be written.

    Raises:
        FileError: a file exists and `overwrite` is false, or a file is where a folder is needed.
        MissingExtra: a format needs a package that is not installed.
    """
    for name, files in _BY_GDAL.items():
        if name in paths:
            load_pyogrio(files)
    if {"geoparquet", DATASET, SEEN} & paths.keys():
        load_pyarrow()
    for path in paths.values():
        blocking = next((p for p in path.parents if p.exists() and not p.is_dir()), None)
        if blocking is not None:
            raise FileError(
                f"expected a folder for results at {path.parent}, found a file at {blocking}; choose another"
            )
        if path.is_dir():
            raise FileError(f"expected to write a file at {path}, found a folder of that name; choose another `out`")
        if path.exists() and not overwrite:
            raise FileError(
                f"expected no results at {path} yet, found some; name another `out`, or replace them with `overwrite`"
            )
