"""Opening of a scene: a raster, or one or two polarisations of a Sentinel-1 product in any format."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from refinedet.cloud.scene import CloudScene, Scene, scene_of
from refinedet.config.detect_options import MOST_DOWNLOAD_MB, SceneSettings
from refinedet.errors import InputError
from refinedet.raster import RasterReader, open_scene
from refinedet.scene.input.origin import tell_origin
from refinedet.scene.input.position import apply_position
from refinedet.scene.input.reading import apply_reading
from refinedet.scene.products import measurement_of
from refinedet.scene.sentinel1.measurement import Measurement
from refinedet.scene.sentinel1.product import is_product
from refinedet.scene.sentinel1.reader import apply_metadata, apply_name
from refinedet.scene.sentinel1.snap import apply_band_names


@contextmanager
def open_source(path: str | Scene, settings: SceneSettings | None = None) -> Iterator[RasterReader]:
    """Open a scene: GeoTIFF, PNG, JPEG, or a Sentinel-1 GRD product as folder, zip, manifest, Zarr store or STAC item.

    A raster, or an item and its rasters, may also lie at an address. This opens one polarisation; `open_polarisations`
    opens two.

    Raises:
        FileError: there is no scene at `path`, or it is damaged.
        InputError: its pixels are of an unsupported type or too many, or it lacks the polarisation or band; or a
            setting of its position cannot be used.
    """
    settings, path = settings or SceneSettings(), scene_of(path)
    if isinstance(path, CloudScene):
        path.limit(MOST_DOWNLOAD_MB if settings.max_download_mb is None else settings.max_download_mb)
    found = measurement_of(path, settings.pol)
    if found is None and settings.calibrate is not None:
        raise InputError(
            f"expected a Sentinel-1 GRD product to calibrate at {path}, found another raster; "
            "name the product's folder or its zip archive, or leave `calibrate` out"
        )
    if found is not None:
        _check_product(path, found, settings)
        with found.open(settings.max_pixels) as reader:
            reader.label = found.polarisation if is_product(path) else None
            reader.tell(nodata={"value": 0.0, "from": "zero padding"})
            apply_metadata(reader, found, settings.calibrate)
            tell_origin(reader, path)
            yield reader
        return
    file = path.raster() if isinstance(path, CloudScene) else path
    with open_scene(file, band=settings.band, max_pixels=settings.max_pixels) as reader:
        apply_name(reader, file)
        apply_position(reader, file, settings)
        apply_band_names(reader)
        apply_reading(reader, file, settings)
        tell_origin(reader, path)
        yield reader


@contextmanager
def open_polarisations(path: str | Scene, settings: SceneSettings) -> Iterator[tuple[RasterReader, ...]]:
    """Open a scene once for each polarisation to be searched: one reader, or two.

    Raises:
        FileError, InputError: as `open_source`, or both are not of one size.
    """
    path = scene_of(path)
    with ExitStack() as stack:
        readers = tuple(stack.enter_context(open_source(path, one)) for one in settings.one_by_one())
        sizes = [(reader.info.width, reader.info.height) for reader in readers]
        if len(set(sizes)) > 1:
            found = " and ".join(f"{width} x {height}" for width, height in sizes)
            raise InputError(f"expected {settings.pol} of one size in {path}, found {found} pixels; name one of them")
        yield readers


def _check_product(path: Scene, found: Measurement, settings: SceneSettings) -> None:
    if settings.pol not in (None, found.polarisation):
        raise InputError(
            f"expected polarisation {settings.pol} in {path}, found a raster of {found.polarisation}; "
            "name the folder of its product for another one, or leave `pol` out"
        )
    if settings.nodata is not None:
        raise InputError(
            f"expected no `nodata` for the Sentinel-1 product {path}, whose missing pixels are 0, "
            f"found {settings.nodata}; leave it out"
        )
    for name in ("crs", "gcps"):
        if getattr(settings, name) is not None:
            raise InputError(f"expected no `{name}` for {path}, which is a Sentinel-1 product with its own position")
    if settings.band is not None:
        raise InputError(f"expected no `band` for the Sentinel-1 product {path}, found {settings.band}; use `pol`")
    if settings.values not in ("auto", "amplitude"):
        raise InputError(
            f"expected amplitudes in the Sentinel-1 product {path}, found `values` of {settings.values}; leave it out"
        )
