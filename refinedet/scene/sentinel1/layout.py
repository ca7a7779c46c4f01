"""Names in a Sentinel-1 product: ESA's own, and the short ones of two public archives. Opens no file.

ESA's: `measurement/s1a-iw-grd-vv-20221002t205126-...-001.tiff` (Sentinel-1 Product Specification, naming of measurement
data sets); in products whose rasters are cloud-optimised the name ends with -cog. Earth Search and Planetary Computer:
`measurement/iw-vv.tiff`. The names of files that describe a raster contain its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

MANIFEST = "manifest.safe"
MEASUREMENT = "measurement"
"""Folder of the rasters."""

Kind = Literal["annotation", "calibration", "noise"]
"""Kind of file that describes a raster; also the name of its root element, except for the annotation."""
ROOTS: dict[Kind, str] = {"annotation": "product", "calibration": "calibration", "noise": "noise"}
"""Root element of each kind of file. Planetary Computer's items sometimes name other files as annotation."""
_FILES: dict[Kind, tuple[str, str]] = {
    "annotation": ("annotation", ""),
    "calibration": ("annotation/calibration", "calibration-"),
    "noise": ("annotation/calibration", "noise-"),
}
"""Folder of each kind of file, and the word before the name of its raster."""

_LONG = re.compile(r"s1[a-d]-(?P<swath>[a-z0-9]+)-(?P<product>[a-z]{3})-(?P<polarisation>[hv]{2})-.+", re.IGNORECASE)
_SHORT = re.compile(r"(?P<swath>iw|ew|s[1-6])-(?P<polarisation>[hv]{2})(?:-cog)?", re.IGNORECASE)
_RASTER = (".tiff", ".tif")
_PRODUCT = re.compile(r"S1[A-D]_[A-Z0-9]{2}_\w+", re.IGNORECASE)
_SAFE = ".safe"
_NOT_THE_PRODUCTS = "__MACOSX"


@dataclass(frozen=True, slots=True)
class RasterName:
    """Information in the name of a raster."""

    polarisation: str
    """vv, vh, hh or hv."""
    product: str | None
    """Type of product, such as grd; None for a short name, which has no type."""


def raster_name(name: str) -> RasterName | None:
    """Information in the file name of a raster, without folder; None if it is no name of a Sentinel-1 raster."""
    path = PurePosixPath(name)
    return parse_stem(path.stem) if path.suffix.lower() in _RASTER else None


def parse_stem(stem: str) -> RasterName | None:
    """Information in a raster's name without suffix; None if it is no name of a Sentinel-1 raster."""
    if match := _LONG.fullmatch(stem):
        return RasterName(match["polarisation"].lower(), match["product"].lower())
    match = _SHORT.fullmatch(stem)
    return None if match is None else RasterName(match["polarisation"].lower(), None)


def folder_of(kind: Kind) -> str:
    """Folder, within a product, of the files of this kind."""
    return _FILES[kind][0]


def described_by(kind: Kind, stem: str, polarisation: str, present: Iterable[str]) -> list[str]:
    """Paths, within a product, of files that may describe a raster, best first.

    Args:
        kind: kind of file.
        stem: name of the raster without suffix.
        polarisation: polarisation of the raster.
        present: names of the files in the folder of this kind.
    """
    folder, prefix = _FILES[kind]
    same = [f"{prefix}{one}.xml" for one in dict.fromkeys((stem, stem.removesuffix("-cog")))]
    there = set(present)
    others = [
        name
        for name in sorted(there - set(same))
        if name.startswith(prefix) and name.lower().endswith(".xml")
        if (parsed := parse_stem(name[len(prefix) :].rsplit(".", 1)[0])) and parsed.polarisation == polarisation
    ]
    return [f"{folder}/{name}" for name in [*filter(there.__contains__, same), *others]]


def expected_file(kind: Kind, stem: str) -> str:
    """Path, within a product, of the file of this kind for a raster of this name, for messages."""
    folder, prefix = _FILES[kind]
    return f"{folder}/{prefix}{stem}.xml"


def product_roots(names: Iterable[str]) -> list[str]:
    """Folders that are products, among the names of all files below one folder; for nested ones, the outermost."""
    roots = set()
    for name in names:
        path = PurePosixPath(name)
        if _NOT_THE_PRODUCTS in path.parts:
            continue
        if path.name == MANIFEST:
            roots.add(path.parent)
        elif path.parent.name == MEASUREMENT and raster_name(path.name):
            roots.add(path.parent.parent)
    return sorted(str(root) for root in roots if not roots & set(root.parents))


def is_product_name(name: str) -> bool:
    """True if a folder or an archive has the name of a Sentinel-1 product, or the ending of such a name."""
    return _PRODUCT.match(name) is not None or name.lower().endswith(_SAFE)
