"""Sentinel-1 GRD product: its rasters and the files that describe them, as .SAFE folder, zip archive or bare raster.

A raster that a manifest names must lie inside the product, or it is refused. GDAL's own driver for these products is
not used, since it opens every file that a manifest names with any driver it has.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal
from xml.etree.ElementTree import Element  # made by defusedxml's parser

from refinedet.errors import FileError, InputError
from refinedet.scene.sentinel1.files import MANIFEST, ProductFiles, ProductFolder, open_product, read_xml

PREFERRED = ("vv", "hh")
"""Polarisations that are taken by default: sent and received alike, in which ships are brightest."""

_ZIP = b"PK\3\4"
_MEASUREMENT = "s1Level1MeasurementSchema"
# mission-swath-product-polarisation-...: Sentinel-1 product specification, naming of measurement data sets; in products
# whose rasters are cloud-optimised (_COG.SAFE) the name ends with -cog
_NAME = re.compile(r"s1[a-d]-[a-z0-9]+-(?P<product>[a-z]{3})-(?P<polarisation>[hv]{2})-.+\.tiff", re.IGNORECASE)
_FILES = {
    "annotation": "annotation/{stem}.xml",
    "calibration": "annotation/calibration/calibration-{stem}.xml",
    "noise": "annotation/calibration/noise-{stem}.xml",
}


@dataclass(frozen=True, slots=True)
class Measurement:
    """Raster of a product, and the files that describe it."""

    polarisation: str
    """vv, vh, hh or hv."""
    path: Path
    """Path of the GeoTIFF, or of the archive that holds it."""
    member: str | None
    """Name of the GeoTIFF in the archive; None without an archive."""
    files: ProductFiles
    """All files of the product."""
    processor: float | None
    """Version of ESA's processor (IPF) that made it, such as 3.52; None if the manifest does not say."""

    def describe(self, kind: Literal["annotation", "calibration", "noise"]) -> Element | None:
        """Read the file that describes this raster, and return its root; None if the product has no such file.

        Raises:
            FileError, InputError: the file is damaged or lies outside of the product.
        """
        stem = PurePosixPath(self.member or self.path.name).stem
        for name in (stem, stem.removesuffix("-cog")):  # converters to COG rename these files, or do not
            file = _FILES[kind].format(stem=name)
            if self.files.holds(file):
                return read_xml(self.files, file)
        return None

    def where(self, kind: Literal["annotation", "calibration", "noise"]) -> str:
        """Path that `describe` reads, for messages."""
        stem = PurePosixPath(self.member or self.path.name).stem
        return str(self.files.path / _FILES[kind].format(stem=stem))


def is_product(path: str | Path) -> bool:
    """True if `path` is a folder or a zip archive rather than one raster."""
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
    """Find the raster of a product, of the polarisation asked for; else vv, else hh, else the first by name.

    Raises:
        FileError: there is no Sentinel-1 GRD product at `path`, or it lacks a file.
        InputError: the product has no such polarisation, or its manifest points outside of it.
    """
    files = open_product(Path(path))
    manifest = read_xml(files, MANIFEST)
    found = _by_polarisation(manifest, files)
    known = sorted(found)
    if polarisation is None:
        return found[next((p for p in PREFERRED if p in found), known[0])]
    if polarisation.lower() not in found:
        raise InputError(f"expected polarisation {polarisation} in {path}, found {', '.join(known)}; name one of these")
    return found[polarisation.lower()]


def bare_measurement(path: str | Path) -> Measurement | None:
    """Measurement of the raster `path` if it lies in the folder `measurement` of a GRD product; None elsewhere.

    Raises:
        FileError, InputError: the manifest is damaged.
    """
    path = Path(path)
    match = _NAME.fullmatch(path.name)
    folder = path.absolute().parent
    if match is None or match["product"].lower() != "grd" or folder.name != "measurement":
        return None
    files = ProductFolder(folder.parent)
    processor = _processor(read_xml(files, MANIFEST)) if files.holds(MANIFEST) else None
    return Measurement(match["polarisation"].lower(), path, None, files, processor)


def is_measurement_name(path: str | Path) -> bool:
    """True if a file has the name of a measurement raster of a Sentinel-1 product."""
    return _NAME.fullmatch(Path(path).name) is not None


def _by_polarisation(manifest: Element, files: ProductFiles) -> dict[str, Measurement]:
    found: dict[str, Measurement] = {}
    processor = _processor(manifest)
    for name in sorted(_measurements(manifest)):
        match = _NAME.fullmatch(PurePosixPath(name).name)
        if match is None or match["product"].lower() != "grd":
            raise FileError(
                f"expected a Sentinel-1 GRD product at {files.path}, found one with the raster {name}; "
                "detection needs ground range data, so fetch the GRD product of this acquisition"
            )
        polarisation = match["polarisation"].lower()
        path, member = files.locate(name)
        found.setdefault(polarisation, Measurement(polarisation, path, member, files, processor))
    if not found:
        raise FileError(f"expected a Sentinel-1 GRD product at {files.path}, found one whose manifest names no raster")
    return found


def _measurements(manifest: Element) -> list[str]:
    """Paths of the rasters in the manifest, relative to the product."""
    objects = [entry for entry in manifest.iter("dataObject") if entry.get("repID") == _MEASUREMENT]
    locations = [location for entry in objects for location in entry.iter("fileLocation")]
    return [href.removeprefix("./") for location in locations if (href := location.get("href"))]


def _processor(manifest: Element) -> float | None:
    for entry in manifest.iter():
        if entry.tag.endswith("software") and "IPF" in entry.get("name", ""):
            try:
                return float(entry.get("version", ""))
            except ValueError:
                return None
    return None
