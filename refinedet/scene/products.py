"""Recognition of Sentinel-1 products at a path, in SAFE format or in a Zarr store."""

from __future__ import annotations

from pathlib import Path

from refinedet.cloud.scene import Scene, scene_of
from refinedet.raster.stores import is_store
from refinedet.scene.eopf.product import find_stored
from refinedet.scene.sentinel1.measurement import Measurement
from refinedet.scene.sentinel1.product import bare_measurement, find_measurement, is_product


def measurement_of(path: str | Scene, polarisation: str | None) -> Measurement | None:
    """Sentinel-1 raster at `path`, which names a product or a raster within one; None for any other raster.

    Raises:
        FileError, InputError: as `find_measurement`, or `find_stored` for a Zarr store.
        MissingExtra: the product is a Zarr store, and zarr is not installed.
    """
    path = scene_of(path)
    if is_store(path) if isinstance(path, Path) else path.store_address() is not None:
        return find_stored(path, polarisation)
    return find_measurement(path, polarisation) if is_product(path) else bare_measurement(path)
