"""A Sentinel-1 product: which rasters its manifest names, as .SAFE folder or as zip archive.

Everything a manifest says is held against the product: its rasters lie inside of it, or they are refused. GDAL's own
driver for these products is not used, since it opens what a manifest names with any driver it has.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NoReturn
from xml.etree.ElementTree import Element, ParseError  # the parser is defusedxml's
from zipfile import BadZipFile, ZipFile

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from refinedet.errors import FileError, InputError

PREFERRED = ("vv", "hh")
"""Polarisations that are taken unless one is asked for: the same way out as in, where ships are brightest."""

_MANIFEST = "manifest.safe"
_ZIP = b"PK\3\4"
_MEASUREMENT = "s1Level1MeasurementSchema"
_LARGEST_MANIFEST = 16 << 20
"""Bytes; a real one has 24,000."""
# mission-swath-product-polarisation-...: Sentinel-1 product specification, naming of measurement data sets
_NAME = re.compile(r"s1[a-d]-[a-z0-9]+-(?P<product>[a-z]{3})-(?P<polarisation>[hv]{2})-.+\.tiff", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Measurement:
    """One raster of a product."""

    polarisation: str
    """vv, vh, hh or hv."""
    path: Path
    """The GeoTIFF, or the archive that holds it."""
    member: str | None = None
    """Its name in that archive."""


def is_product(path: str | Path) -> bool:
    """Whether `path` is a folder or a zip archive rather than one raster."""
    path = Path(path)
    if path.is_dir():
        return True
    if not path.is_file():  # to open a pipe is to wait for it
        return False
    try:
        with path.open("rb") as stream:
            return stream.read(len(_ZIP)) == _ZIP
    except OSError:
        return False


def find_measurement(path: str | Path, polarisation: str | None = None) -> Measurement:
    """The raster of a product, of the polarisation asked for; else vv, else hh, else the first by name.

    Raises:
        FileError: there is no Sentinel-1 GRD product at `path`, or it is not whole.
        InputError: the product has no such polarisation, or its manifest points outside of it.
    """
    path = Path(path)
    found = _in_folder(path) if path.is_dir() else _in_archive(path)
    known = sorted(found)
    if polarisation is None:
        return found[next((p for p in PREFERRED if p in found), known[0])]
    if polarisation.lower() not in found:
        raise InputError(f"expected polarisation {polarisation} in {path}, found {', '.join(known)}; name one of these")
    return found[polarisation.lower()]


def _in_folder(folder: Path) -> dict[str, Measurement]:
    manifest = folder / _MANIFEST
    if not manifest.is_file():
        raise FileError(
            f"expected a raster or a Sentinel-1 product at {folder}, found a folder without {_MANIFEST}; "
            "name the .SAFE folder, its zip archive, or a raster in it"
        )
    if not manifest.resolve().is_relative_to(folder.resolve()):
        _outside(manifest, _MANIFEST)
    try:
        with manifest.open("rb") as stream:
            content = stream.read(_LARGEST_MANIFEST + 1)
    except OSError as error:
        raise FileError(f"expected a manifest at {manifest}, but it cannot be read ({error.strerror})") from error
    names = _measurements(content, manifest)
    root = folder.resolve()

    def locate(name: str) -> tuple[Path, None]:
        raster = (root / name).resolve()
        if not raster.is_relative_to(root):
            _outside(manifest, name)
        if not raster.is_file():
            _missing(folder, name)
        return folder / name, None

    return _by_polarisation(names, folder, locate)


def _in_archive(archive: Path) -> dict[str, Measurement]:
    try:
        with ZipFile(archive) as packed:
            members = set(packed.namelist())
            manifests = [name for name in members if PurePosixPath(name).name == _MANIFEST]
            content = b""
            if len(manifests) == 1:
                with packed.open(manifests[0]) as stream:
                    content = stream.read(_LARGEST_MANIFEST + 1)
    except (BadZipFile, EOFError, NotImplementedError, OSError, RuntimeError, zlib.error) as error:
        raise FileError(
            f"expected a Sentinel-1 product in the archive {archive}, but it cannot be read ({error}); "
            "fetch or copy it again"
        ) from error
    if len(manifests) != 1:
        raise FileError(
            f"expected one Sentinel-1 product in {archive}, found {len(manifests)} files named {_MANIFEST}; "
            "unpack it and name what is in it"
        )
    names = _measurements(content, archive / manifests[0])
    root = PurePosixPath(manifests[0]).parent

    def locate(name: str) -> tuple[Path, str]:
        member = root / name
        if ".." in member.parts or member.is_absolute():
            _outside(archive, name)
        if str(member) not in members:
            _missing(archive, name)
        return archive, str(member)

    return _by_polarisation(names, archive, locate)


def _by_polarisation(
    names: list[str], product: Path, locate: Callable[[str], tuple[Path, str | None]]
) -> dict[str, Measurement]:
    found: dict[str, Measurement] = {}
    for name in sorted(names):
        match = _NAME.fullmatch(PurePosixPath(name).name)
        if match is None or match["product"].lower() != "grd":
            raise FileError(
                f"expected a Sentinel-1 GRD product at {product}, found one with the raster {name}; "
                "detection needs ground range data, so fetch the GRD product of this acquisition"
            )
        found.setdefault(match["polarisation"].lower(), Measurement(match["polarisation"].lower(), *locate(name)))
    if not found:
        raise FileError(f"expected a Sentinel-1 GRD product at {product}, found one whose manifest names no raster")
    return found


def _measurements(manifest: bytes, where: Path) -> list[str]:
    """Paths of the rasters, relative to the product, as the manifest has them."""
    if len(manifest) > _LARGEST_MANIFEST:
        raise FileError(f"expected a manifest of at most {_LARGEST_MANIFEST >> 20} MB at {where}, found a larger one")
    try:
        root: Element = fromstring(manifest, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise FileError(f"expected a manifest at {where}, found no safe XML ({error}); fetch it again") from error
    objects = [entry for entry in root.iter("dataObject") if entry.get("repID") == _MEASUREMENT]
    locations = [location for entry in objects for location in entry.iter("fileLocation")]
    return [href.removeprefix("./") for location in locations if (href := location.get("href"))]


def _outside(manifest: Path, name: str) -> NoReturn:
    raise InputError(f"expected the rasters of {manifest} inside the product, found {name!r}; it is not a genuine one")


def _missing(product: Path, name: str) -> NoReturn:
    raise FileError(f"expected the raster {name} in {product}, found none; the product is not whole, fetch it again")
