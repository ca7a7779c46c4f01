"""Identity of a run of detection: two runs with equal identities find equal ships.

The journal, the run record, `skip_existing` and archives all compare this one value. Neither the batch size nor the
device is part of it. They change a box by less than 0.01 pixels, and a run that ran out of memory must be able to
resume with smaller batches.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cache, partial
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from typing import Any, Self, TypeVar

from refinedet.cloud.scene import CloudScene, Scene, scene_of
from refinedet.config import PixelSizes, Radiometry, TileConfig
from refinedet.config.options.detect import BOTH, SceneSettings
from refinedet.config.options.land import LandSettings
from refinedet.config.options.option import Effect, with_effect
from refinedet.errors import FileError, InputError
from refinedet.files import sha256_file, sha256_tree
from refinedet.raster.stores import is_store
from refinedet.scene.eopf.product import find_stored
from refinedet.scene.input.pair import raster_of
from refinedet.scene.input.place.side_files import auxiliary_file, polynomial_file, reference_file, world_file
from refinedet.scene.sentinel1.measurement import Measurement
from refinedet.scene.sentinel1.product import (
    SafeMeasurement,
    bare_measurement,
    find_measurement,
    is_archive,
    is_product,
)
from refinedet.system.resuming import differences

M = TypeVar("M", bound=Measurement)

PACKAGES = (
    *("refinedet", "torch", "onnxruntime", "openvino"),
    *("numpy", "scipy", "pillow", "rasterio", "pyproj", "shapely"),
)
"""Packages whose version may change a result."""
_SIDE_FILES = ("gcps", "land", "exclude", "platforms", "fixed")
"""Settings that name a file. Its content counts, its path does not."""
_PARTS = (".shp", ".dbf", ".shx", ".prj", ".cpg")
"""Files that make up one Shapefile."""


@dataclass(frozen=True, slots=True)
class RunIdentity:
    """Everything that decides the ships found in a scene, as JSON values."""

    scene: str | None
    """SHA-256 of the scene's content; None for the identity that all scenes of an archive share."""
    detector: Mapping[str, Any]
    """Identity of the detector: weights, runtime, precision, passes. For other predictors, the identity that the caller
    gave."""
    settings: Mapping[str, Any]
    """Settings that change the result, defaults included."""
    side_files: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of the content of each file that the settings name."""
    software: Mapping[str, Any] = field(default_factory=dict)
    """Hash of this package's code, and versions of other packages."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values as they come back from JSON."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self), default=str, sort_keys=True))
        return plain

    @classmethod
    def from_record(cls, content: Any, source: Path) -> Self:
        """Read the result of `to_dict`; `source` names the file in errors.

        Raises:
            InputError: the content is no identity.
        """
        try:
            return cls(**{name: content["identity"][name] for name in cls.__dataclass_fields__})
        except (KeyError, TypeError) as error:
            raise InputError(
                f"expected the record of a run of this version at {source}, found other JSON or that of an older one; "
                "name another `out`, or replace the results with `overwrite`"
            ) from error

    def changed_since(self, before: RunIdentity) -> list[str]:
        """Differences from another identity, each with both values; empty if both runs find the same ships."""
        return differences(before.to_dict(), self.to_dict(), gone=True)


def run_identity(  # noqa: PLR0913 - all that decides a result
    scene_sha256: str | None,
    *,
    detector: Mapping[str, Any],
    scene: SceneSettings,
    land: LandSettings,
    tile: TileConfig,
    score_min: float,
    prescreen: float | None,
    ship_m: float | None,
    known_gsd: PixelSizes | None = None,
    radiometry: Radiometry,
) -> RunIdentity:
    """Identity of a run of `detect_scene` with these arguments.

    Raises:
        FileError: a side file cannot be read.
    """
    chosen = with_effect(scene, Effect.SHIPS) | with_effect(land, Effect.SHIPS) | {"land_mask": land.mask}
    chosen["band"] = None if scene.band is None else str(scene.band)  # the same type as from the command line
    if land.mask == "off":
        chosen["land_buffer_m"] = None
    for name in ("exclude", "platforms", "fixed"):
        if getattr(land, name) is None:
            chosen[f"{name}_m"] = None
    settings = {
        **{name: value for name, value in chosen.items() if name not in _SIDE_FILES},
        "stretch": scene.stretch.to_dict(),
        "tile": tile.to_dict(),
        "score_min": score_min,
        "prescreen": prescreen,
        "ship_m": ship_m,
        "known_gsd": None if known_gsd is None else known_gsd.to_dict(),
        "radiometry": radiometry.to_dict(),
    }
    return RunIdentity(scene_sha256, dict(detector), settings, side_files(scene, land), software())


def side_files(scene: SceneSettings, land: LandSettings) -> dict[str, str]:
    """SHA-256 of the content of each file that the settings name, by the name of the setting.

    Raises:
        FileError: one of them cannot be read.
    """
    values = with_effect(scene, Effect.SHIPS) | with_effect(land, Effect.SHIPS)
    named = {name: path for name in _SIDE_FILES if (path := values[name]) is not None}
    return {name: _content_sha256(path) for name, path in named.items()}


def _content_sha256(path: Path) -> str:
    """Hash of a file that a setting names; for a Shapefile, of all its parts."""
    try:
        if path.suffix.lower() != ".shp":
            return sha256_file(path)
        parts = {part.suffix.lower(): part for part in path.parent.iterdir() if part.stem == path.stem}
        listed = [[suffix, sha256_file(parts[suffix])] for suffix in _PARTS if suffix in parts]
        if not listed:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        return sha256(json.dumps(listed).encode()).hexdigest()
    except OSError as error:
        raise FileError(
            f"expected a file at {path}, but it cannot be read ({error.strerror}); check the name"
        ) from error


def software() -> dict[str, Any]:
    """Hash of this package's code, and versions of other packages that may change a result, as JSON values."""
    return {"code": code_sha256(), "versions": {name: package_version(name) for name in PACKAGES}}


def scene_sha256(path: str | Scene, polarisation: str | None = None) -> str:
    """Hex SHA-256 of a scene's content, independent of its path and name.

    All of the content is hashed. A sample of blocks with size and time would be quicker, but would miss an edit. A
    gigabyte takes 0.6 seconds on processors with SHA instructions; detection takes minutes and reads the file three
    times in any case. For a product in a folder, or one of its rasters, the hash covers the manifest, the annotations
    and the raster of each chosen polarisation. For a Zarr store in a folder, it covers the groups of these
    polarisations. For any other raster, it includes the small files beside it that may place the scene.

    A scene at an address is not read whole. Its hash covers the address, version (ETag) and length of its rasters,
    and the content of the small files that describe them; of a Zarr store, its address and the content of its metadata.

    Raises:
        FileError, InputError: the scene cannot be read, or is no product that `products.measurement_of` knows.
    """
    path = scene_of(path)
    if isinstance(path, CloudScene):
        return _remote_sha256(path, polarisation)
    try:
        if path.is_dir() and is_store(path):
            stored = _searched(partial(find_stored, path), polarisation)
            return sha256_tree(path, sorted({name for one in stored for name in one.files()}))
        rasters = _rasters(path, polarisation)
        if not rasters:
            hashes = [sha256_file(file) for file in _files(path, polarisation)]
            return hashes[0] if len(hashes) == 1 else sha256(json.dumps(hashes).encode()).hexdigest()
        root = Path(rasters[0].files.path).absolute()
        read = [Path(str(raster.path)).absolute() for raster in rasters]
        read += [*root.glob("*.safe"), *(root / "annotation").rglob("*.xml")]
        return sha256_tree(root, [file.relative_to(root).as_posix() for file in read])
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"expected to read the scene {path}, but that failed ({error.strerror})") from error


def _remote_sha256(scene: CloudScene, polarisation: str | None) -> str:
    """Hash of the address, version and small files of a scene at an address, but not of its pixels."""
    if scene.store_address() is not None:
        found: list[Any] = [scene.store().describe()]
    elif not scene.is_item:
        found = [scene.raster().describe()]
    else:
        rasters = [find_measurement(scene, one) for one in _asked(polarisation)]
        found = [identified for raster in rasters for identified in raster.identified()]
    return sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()


def _rasters(path: Path, polarisation: str | None) -> list[SafeMeasurement]:
    """Searched rasters of a product in a folder, or a single raster of one; empty for other scenes."""
    if not is_product(path):
        return [raster for raster in [bare_measurement(path)] if raster is not None]
    if is_archive(path):
        return []
    return _searched(partial(find_measurement, path), polarisation)


def _searched(find: Callable[[str | None], M], polarisation: str | None) -> list[M]:
    """Measurements of the polarisations that are searched: those asked for, else both of a pair."""
    found: list[M] = [find(one) for one in _asked(polarisation)]
    other = found[0].unsearched
    return found if other is None else [*found, find(other)]


def _files(path: Path, polarisation: str | None) -> list[Path]:
    """A raster, the one of the other polarisation if two are asked for, and the files beside them that place them."""
    asked = _asked(polarisation)
    pair = [Path(str(raster_of(path, one))) for one in asked] if len(asked) > 1 else []
    rasters = dict.fromkeys((path, *pair))
    kinds = (world_file, reference_file, auxiliary_file, polynomial_file)
    placing = [beside(raster) for raster in rasters for beside in kinds]
    return [*rasters, *(file for file in placing if file is not None)]


def _asked(polarisation: str | None) -> list[str | None]:
    return [*polarisation.split(BOTH)] if polarisation else [None]


@cache
def code_sha256() -> str:
    """Hex SHA-256 of this package's own source, and of the coastline that comes with it."""
    root = Path(__file__).parent.parent
    names = [file.relative_to(root).as_posix() for file in (*root.rglob("*.py"), *root.rglob("*.zip"))]
    return sha256_tree(root, [name for name in names if not name.startswith("_")] + ["__init__.py"])


@cache
def package_version(name: str) -> str | None:
    """Version of a package; None if it is not installed. Looked up once, because every scene asks for all of them."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
