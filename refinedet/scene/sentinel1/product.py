"""Sentinel-1 GRD product: its rasters and the files that describe them, as folder, zip archive or bare raster.

A product has the layout of ESA (.SAFE), or the short file names of Earth Search and Planetary Computer, with or without
its manifest, which may still contain the long names. A raster that a manifest names must lie inside the product, or it
is refused. GDAL's own driver for these products is not used, because it opens every file that a manifest names with any
driver it has.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from xml.etree.ElementTree import Element  # made by defusedxml's parser

from refinedet.cloud.scene import CloudScene, Scene, scene_of
from refinedet.errors import FileError, InputError
from refinedet.raster import RasterFile, RasterInfo, SceneReader, open_scene
from refinedet.raster.checks.other_products import other_product
from refinedet.scene.polarisations import partner, preferred
from refinedet.scene.sentinel1.annotation import Annotation, read_annotation
from refinedet.scene.sentinel1.files import ProductFiles, ProductFolder, open_product, read_xml
from refinedet.scene.sentinel1.item import ItemProduct
from refinedet.scene.sentinel1.layout import (
    MANIFEST,
    MEASUREMENT,
    ROOTS,
    Kind,
    described_by,
    expected_file,
    folder_of,
    raster_name,
)
from refinedet.scene.sentinel1.radiometric import Noise, Table, read_noise, read_sigma_nought

_ZIP = b"PK\3\4"
_MEASUREMENTS = "s1Level1MeasurementSchema"
_GRD = "grd"


@dataclass(frozen=True, slots=True)
class SafeMeasurement:
    """Raster of a product in ESA's SAFE format, with the files that describe it; implements `Measurement`."""

    polarisation: str
    """vv, vh, hh or hv."""
    path: RasterFile
    """Path of the GeoTIFF, or of the archive that holds it."""
    member: str | None
    """Name of the GeoTIFF in the archive; None without an archive."""
    files: ProductFiles
    """All files of the product."""
    processor: float | None
    """Version of ESA's processor (IPF) that made the product, such as 3.52; None if not stated."""
    instead_of: str | None = None
    """Polarisation that is the default, but whose raster is missing; None if there is no such polarisation."""
    unsearched: str | None = None
    """Polarisation that could be searched besides; None if there is none, or if the caller named one."""

    def describe(self, kind: Kind) -> Element | None:
        """Read the file that describes this raster, and return its root; None if the product has no such file.

        A file with the right name, but with the root of another kind, counts as missing.

        Raises:
            FileError, InputError: the file is damaged or lies outside of the product.
        """
        for file in self._candidates(kind):
            root = read_xml(self.files, file)
            if root.tag == ROOTS[kind]:
                return root
        return None

    def where(self, kind: Kind) -> str:
        """Path that `describe` reads, for messages."""
        found = next(iter(self._candidates(kind)), expected_file(kind, self._stem))
        return self.files.where(found)

    def identified(self) -> list[Any]:
        """Values that identify this raster and the files that describe it, ready for JSON; empty without an item."""
        if not isinstance(self.files, ItemProduct):
            return []
        described = [name for kind in ROOTS for name in self._candidates(kind)]
        return self.files.identified([*described, f"{MEASUREMENT}/{self.path.name}"])

    @property
    def product(self) -> Path | str:
        """Folder or archive of the product; for an item, its address."""
        return self.files.path

    def open(self, max_pixels: int) -> AbstractContextManager[SceneReader]:
        """Open the GeoTIFF, as `open_scene`."""
        return open_scene(self.path, member=self.member, max_pixels=max_pixels)

    def annotation(self, info: RasterInfo) -> Annotation | None:
        """Annotation of the raster, whose size is in `info`; None if the product has none.

        Raises:
            FileError, InputError: the annotation is damaged, or belongs to another raster.
        """
        root = self.describe("annotation")
        if root is None:
            return None
        annotation = read_annotation(root, self.where("annotation"))
        if annotation.product_type != "GRD":
            raise FileError(
                f"expected the annotation of a GRD product at {self.where('annotation')}, found one of "
                f"{annotation.product_type}; detection needs ground range data, so fetch the GRD product"
            )
        if (annotation.samples, annotation.lines) != (info.width, info.height):
            raise FileError(
                f"expected a raster of {annotation.samples} x {annotation.lines} pixels at {self.path}, as its "
                f"annotation says, found {info.width} x {info.height}; fetch the product again, or move a raster of "
                "your own out of it"
            )
        return annotation

    def sigma_nought(self) -> Table:
        """Factors of the calibration file.

        Raises:
            FileError, InputError: the file is missing or damaged.
        """
        return read_sigma_nought(self._needed("calibration", "leave `calibrate` out"), self.where("calibration"))

    def noise(self) -> Noise:
        """Thermal noise by the noise file.

        Raises:
            FileError, InputError: the file is missing or damaged.
        """
        return read_noise(self._needed("noise", 'use `calibrate="sigma0"`'), self.where("noise"))

    def _needed(self, kind: Kind, otherwise: str) -> Element:
        root = self.describe(kind)
        if root is None:
            raise FileError(
                f"expected a {kind} file at {self.where(kind)}, found none; fetch the whole product, or {otherwise}"
            )
        return root

    @property
    def _stem(self) -> str:
        name = self.path.name if self.member is None else self.member.replace("\\", "/")
        return PurePosixPath(name).stem

    def _candidates(self, kind: Kind) -> list[str]:
        return described_by(kind, self._stem, self.polarisation, self.files.names(folder_of(kind)))


def is_product(path: str | Scene) -> bool:
    """True if `path` is a folder, a zip archive, a manifest, a STAC item or a Zarr store rather than one raster."""
    path = scene_of(path)
    if isinstance(path, CloudScene):
        return path.is_product
    if path.is_dir():
        return True
    if not path.is_file():  # opening a pipe would block
        return False
    return path.name == MANIFEST or is_archive(path)


def is_archive(path: Path) -> bool:
    """True if a file begins like a zip archive."""
    try:
        with path.open("rb") as stream:
            return stream.read(len(_ZIP)) == _ZIP
    except OSError:
        return False


def find_measurement(path: str | Scene, polarisation: str | None = None) -> SafeMeasurement:
    """Find the raster of a product, of the polarisation asked for; else vv, else hh, else the first by name.

    Args:
        path: folder of the product, a folder that holds one product, its manifest, a zip archive of one, or an item.
        polarisation: vv, vh, hh or hv.

    Raises:
        FileError: there is no Sentinel-1 GRD product at `path`, there are several, or it lacks a file.
        InputError: the product has no such polarisation, or its manifest points outside of it.
    """
    files = open_product(scene_of(path))
    manifest = read_xml(files, MANIFEST) if files.holds(MANIFEST) else None
    found = _listed(manifest, files) if manifest is not None else _present(files)
    known = sorted(found)
    there = {name: file for name, file in found.items() if files.holds(file)}
    if polarisation is not None and polarisation.lower() not in found:
        raise InputError(f"expected polarisation {polarisation} in {path}, found {', '.join(known)}; name one of these")
    default = preferred(set(there or found))
    chosen = default if polarisation is None else polarisation.lower()
    located, member = files.locate(found[chosen])
    best = preferred(set(found)) if polarisation is None else chosen
    other = partner(chosen, there) if polarisation is None else None
    instead_of = None if best == chosen else best
    return SafeMeasurement(chosen, located, member, files, _processor(manifest), instead_of, other)


def bare_measurement(path: str | Scene) -> SafeMeasurement | None:
    """Measurement of the raster `path`, if it lies in the folder `measurement` of a GRD product; else None.

    Raises:
        FileError, InputError: the manifest is damaged.
    """
    path = scene_of(path)
    if isinstance(path, CloudScene):
        return None
    name, folder = raster_name(path.name), path.absolute().parent
    if name is None or name.product not in (None, _GRD) or folder.name != MEASUREMENT:
        return None
    files = ProductFolder(folder.parent)
    manifest = read_xml(files, MANIFEST) if files.holds(MANIFEST) else None
    return SafeMeasurement(name.polarisation, path, None, files, _processor(manifest))


def is_measurement_name(path: RasterFile) -> bool:
    """True if a file has the name of a measurement raster of a Sentinel-1 product."""
    return raster_name(path.name) is not None


def _listed(manifest: Element, files: ProductFiles) -> dict[str, str]:
    """Rasters that a manifest names, by polarisation, with their short names if only these exist."""
    present = _present(files, required=False)
    found: dict[str, str] = {}
    for listed in sorted(_measurements(manifest)):
        name = raster_name(PurePosixPath(listed).name)
        if name is None or name.product not in (None, _GRD):
            raise _no_grd(files, listed)
        files.check_inside(listed)
        there = listed if files.holds(listed) else present.get(name.polarisation, listed)
        found.setdefault(name.polarisation, there)
    if not found:
        names = [*files.names(""), *(f"metadata/{name}" for name in files.names("metadata"))]
        other = other_product(names) or "one whose manifest names no raster; fetch it again"
        raise FileError(f"expected a Sentinel-1 GRD product at {files.path}, found {other}")
    return found


def _present(files: ProductFiles, *, required: bool = True) -> dict[str, str]:
    """Rasters in the folder `measurement`, by polarisation; for products without a manifest they must be GRD."""
    found: dict[str, str] = {}
    for file in files.names(MEASUREMENT):
        name = raster_name(file)
        if name is None:
            continue
        if required and name.product not in (None, _GRD):
            raise _no_grd(files, f"{MEASUREMENT}/{file}")
        found.setdefault(name.polarisation, f"{MEASUREMENT}/{file}")
    return found


def _no_grd(files: ProductFiles, raster: str) -> FileError:
    return FileError(
        f"expected a Sentinel-1 GRD product at {files.path}, found one with the raster {raster}; "
        "detection needs ground range data, so fetch the GRD product of this acquisition"
    )


def _measurements(manifest: Element) -> list[str]:
    """Paths of the rasters in the manifest, relative to the product."""
    objects = [entry for entry in manifest.iter("dataObject") if entry.get("repID") == _MEASUREMENTS]
    locations = [location for entry in objects for location in entry.iter("fileLocation")]
    return [href.removeprefix("./") for location in locations if (href := location.get("href"))]


def _processor(manifest: Element | None) -> float | None:
    for entry in [] if manifest is None else manifest.iter():
        if entry.tag.endswith("software") and "IPF" in entry.get("name", ""):
            try:
                return float(entry.get("version", ""))
            except ValueError:
                return None
    return None
