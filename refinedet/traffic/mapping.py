"""density_map(): writes ships per pass and cell, from the data set of an archive, as a GeoTIFF and a picture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from refinedet.errors import FileError, InputError
from refinedet.files import cannot_write
from refinedet.geo.features import read_features
from refinedet.geo.reference import WGS84
from refinedet.raster.cog import write_cog
from refinedet.traffic.dataset import Archive, read_archive
from refinedet.traffic.density import Density, Grid, density, months
from refinedet.traffic.passes import on_sphere
from refinedet.traffic.picture import write_picture
from refinedet.traffic.settings import DensitySettings
from refinedet.traffic.tables import Ships

_NAME, _ALL = "density", "all"
_STANDING = frozenset({"fixed", "platform", "turbine"})
"""Flags of fixed objects."""
_CRS = "EPSG:4326"
_UNCOVERED = "{} of {} ships are in cells whose centre no scene covers, and are left out; smaller cells leave out fewer"


@dataclass(frozen=True, slots=True)
class DensityMap:
    """Outcome of a count."""

    files: tuple[Path, Path]
    """GeoTIFF and picture."""
    layers: dict[str, Density]
    """Density of each period by its name."""
    ships: int
    """Number of ships in all layers."""
    scenes: int
    notes: tuple[str, ...]


def density_map(dataset: str | Path, settings: DensitySettings | None = None) -> DensityMap:
    """Count the ships of an archive on a grid, and write them as `<name>.tif` and `<name>.png`.

    The GeoTIFF is cloud optimized. It has two layers for each period: ships per pass, NaN where no pass saw the cell,
    and passes. Detections flagged as `fixed`, `platform` or `turbine` are left out.

    Raises:
        FileError: there is no data set, or a result exists already or cannot be written.
        InputError: the data set has no seen areas, a file cannot be used, or there are too many cells.
        MissingExtra: pyarrow is not installed.
    """
    settings = settings or DensitySettings()
    if settings.out is not None:
        _check_free(settings.out, overwrite=settings.overwrite)
    archive = read_archive(dataset, ais_state=settings.ais_state, without=_STANDING)
    path = settings.out or archive.folder / f"{_named(settings)}.tif"
    files = _check_free(path, overwrite=settings.overwrite)
    ships, left_out = _sailing(archive.ships, settings)
    layers, notes = _layers(archive, settings)
    grid = Grid.around(_known(archive), settings.cell_deg)
    found = {name: density(ships, archive.scenes, grid, chosen) for name, chosen in layers.items()}
    if not any(one.passes.any() for one in found.values()):
        raise InputError(
            f"expected cells whose middles the scenes saw, found none of {settings.cell_deg:g} degrees; use a smaller "
            "`cell_deg`"
        )
    _write(files, found, grid)
    if left_out:
        notes = (*notes, f"{left_out} detections at fixed objects are left out")
    counted = int(sum(one.ships.sum() for one in found.values()))
    uncovered = int(sum(chosen[ships.scene].sum() for chosen in layers.values())) - counted
    if uncovered:
        notes = (*notes, _UNCOVERED.format(uncovered, uncovered + counted))
    return DensityMap(files, found, counted, len(archive.scenes), (*archive.notes, *notes))


def _layers(archive: Archive, settings: DensitySettings) -> tuple[dict[str, NDArray[np.bool_]], tuple[str, ...]]:
    """Masks of the scenes of each period, and sentences for the user."""
    if settings.by is None:
        return {_ALL: np.ones(len(archive.scenes), bool)}, ()
    layers = dict(months(archive.scenes))
    if not layers:
        raise InputError(
            "expected scenes with a time for `by` month, found none; state their time when they are detected"
        )
    unknown = int(np.isnat(archive.scenes.start).sum())
    return layers, (f"scenes of unknown time: {unknown}; they are in no month",) if unknown else ()


def _named(settings: DensitySettings) -> str:
    return "_".join(filter(None, (_NAME, settings.ais_state, settings.by)))


def _check_free(path: Path, *, overwrite: bool) -> tuple[Path, Path]:
    if path.suffix.lower() not in {".tif", ".tiff"}:
        raise InputError(f"expected a name that ends in .tif for `out`, found {path}")
    files = (path, path.with_suffix(".png"))
    taken = next((one for one in files if one.exists()), None)
    if taken is not None and not overwrite:
        raise FileError(f"expected no file at {taken} yet, found one; name another `out`, or set `overwrite`")
    return files


def _known(archive: Archive) -> NDArray[np.object_]:
    areas = archive.scenes.areas
    return np.asarray(areas[[area is not None and not area.is_empty for area in areas]], object)


def _sailing(ships: Ships, settings: DensitySettings) -> tuple[Ships, int]:
    """Ships away from fixed objects, and the number of the others."""
    if settings.fixed is None:
        return ships, 0
    layers = read_features(settings.fixed)
    shapes = np.concatenate([np.zeros(0, object), *(layer.shapes for layer in layers)])
    points = shapely.get_type_id(shapes) == shapely.GeometryType.POINT
    if not points.all() or any(layer.system not in (None, WGS84) for layer in layers if len(layer.shapes)):
        raise InputError(f"expected points in degrees in {settings.fixed}, as fixed objects are, found other shapes")
    if not len(shapes) or not len(ships):
        return ships, 0
    nearest = cKDTree(on_sphere(shapely.get_coordinates(shapes))).query(on_sphere(ships.lonlat))[0]
    away = nearest > settings.fixed_m
    return ships.only(away), int((~away).sum())


def _write(files: tuple[Path, Path], found: dict[str, Density], grid: Grid) -> None:
    layers = [layer for one in found.values() for layer in (one.per_pass, one.passes)]
    names = [f"{name} {what}" for name in found for what in ("ships per pass", "passes")]
    try:
        write_cog(files[0], np.stack(layers).astype(np.float32), names, crs=_CRS, transform=grid.transform)
        write_picture(files[1], found, grid)
    except FileError:
        raise
    except OSError as error:
        raise cannot_write(files[0], error, files[0]) from error
