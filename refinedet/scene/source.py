"""Opening of a scene: a raster, or one or two polarisations of a Sentinel-1 product in any format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import cast

from refinedet.cloud.scene import CloudScene, Scene, scene_of
from refinedet.config.options.detect import MOST_DOWNLOAD_MB, Polarisation, SceneSettings
from refinedet.errors import InputError, RefineDetError
from refinedet.raster import RasterReader, open_scene
from refinedet.scene.input.origin import tell_origin
from refinedet.scene.input.pair import raster_of, tell_pair
from refinedet.scene.input.pixels.reading import apply_reading
from refinedet.scene.input.place.position import apply_position
from refinedet.scene.polarisations import to_search_both
from refinedet.scene.products import measurement_of
from refinedet.scene.sentinel1.measurement import Measurement
from refinedet.scene.sentinel1.product import is_product
from refinedet.scene.sentinel1.reader import apply_metadata, apply_name
from refinedet.scene.sentinel1.snap import apply_band_names

_PAIR = 2


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
        if settings.pol is None and settings.band is None:
            tell_pair(reader, file)
        tell_origin(reader, path)
        yield reader


@contextmanager
def open_polarisations(path: str | Scene, settings: SceneSettings) -> Iterator[tuple[RasterReader, ...]]:
    """Open a scene once for each polarisation to be searched: one reader, or two.

    Unless the settings choose, these are both polarisations of a product or of a raster with named bands, such as vv
    and vh. Two that the settings name may be in two rasters beside each other: `input.pair`.

    Raises:
        FileError, InputError: as `open_source`, or two that the settings name are not of one size or not at one place.
    """
    path = scene_of(path)
    with ExitStack() as stack:
        if len(settings.polarisations) == _PAIR:
            first, second = (stack.enter_context(_open_beside(path, one)) for one in settings.one_by_one())
            if (apart := _apart(first, second)) is not None:
                raise InputError(f"expected {settings.pol} on one grid in {path}, found {apart}; name one of them")
            yield first, second
            return
        reader = stack.enter_context(open_source(path, settings))
        other = None if reader.unsearched is None else _open_other(stack, path, reader, settings, reader.unsearched)
        yield (reader,) if other is None else (reader, other)


def settings_of(readers: Sequence[RasterReader], settings: SceneSettings) -> tuple[SceneSettings, ...]:
    """Settings of each reader that `open_polarisations` opened with these settings."""
    if len(readers) < _PAIR:
        return (settings,)
    return tuple(replace(settings, pol=cast("Polarisation", reader.label)) for reader in readers)


def _open_other(
    stack: ExitStack, path: Scene, reader: RasterReader, settings: SceneSettings, pol: str
) -> RasterReader | None:
    """Open the other polarisation of a scene, and tell its reader; None, with the reason told, if it cannot be used."""
    own = str(reader.label)
    if isinstance(path, CloudScene):
        reader.tell(f"{own} is searched, not {pol}, which would have to be fetched too; {to_search_both(own, pol)}")
        return None
    try:
        other = stack.enter_context(open_source(path, replace(settings, pol=cast("Polarisation", pol))))
    except RefineDetError as error:
        reader.tell(f"{own} is searched, not {pol}: {error}")
        return None
    if (apart := _apart(reader, other)) is not None:
        reader.tell(f"{own} is searched, not {pol}, since they are on two grids: {apart}")
        return None
    for one in (reader, other):  # or the note would be of one polarisation
        one.tell(f'{own} and {pol} are searched; set `pol="{own}"` to search one, in about half the time')
    return other


@contextmanager
def _open_beside(path: Scene, settings: SceneSettings) -> Iterator[RasterReader]:
    """Open one of two polarisations, which may be in a file beside the scene."""
    raster = raster_of(path, settings.pol)
    with open_source(raster, settings) as reader:
        if isinstance(raster, Path) and raster != path:
            reader.tell(f"read from {raster.name}, beside the scene")
        yield reader


def _apart(first: RasterReader, second: RasterReader) -> str | None:
    """Difference between the grids of two rasters; None if there is none."""
    sizes = [(reader.info.width, reader.info.height) for reader in (first, second)]
    if sizes[0] != sizes[1]:
        return " and ".join(f"{width} x {height}" for width, height in sizes) + " pixels"
    return None if first.info.transform == second.info.transform else "two positions"


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
    if settings.inverted is not None:
        raise InputError(f"expected no `inverted` for the Sentinel-1 product {path}; leave it out")
    for name in ("crs", "gcps"):
        if getattr(settings, name) is not None:
            raise InputError(f"expected no `{name}` for {path}, which is a Sentinel-1 product with its own position")
    if settings.band is not None:
        raise InputError(f"expected no `band` for the Sentinel-1 product {path}, found {settings.band}; use `pol`")
    if settings.values not in ("auto", "amplitude"):
        raise InputError(
            f"expected amplitudes in the Sentinel-1 product {path}, found `values` of {settings.values}; leave it out"
        )
