"""Kinds of files that are not read, recognised by their first bytes, with advice on how to convert each.

Only for error messages: a file of these kinds is never opened by GDAL here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from refinedet.raster.ranged import RasterFile

HEAD_BYTES = 2048
"""Number of first bytes that `other_kind` looks at."""
_CEOS_NAME = re.compile(r"(IMG|LED|VOL|TRL)-|(VDF|LEA|DAT|NUL|IMOP)_", re.IGNORECASE)
_ENVI = b"ENVI"
_TAR = (257, b"ustar")
_LFS = b"version https://git-lfs"
_BLANK = b"\xef\xbb\xbf \r\n\t"
"""Bytes that may come before the first sign of XML."""


@dataclass(frozen=True, slots=True)
class OtherKind:
    """Kind of a file that is not read."""

    name: str
    """Name of the kind, with its article."""
    advice: str
    """Advice that follows "; ", where {name} is the name of the file."""


_CONVERT = "convert it: gdal_translate {name} scene.tif"
_JOIN = "gdal_translate {name} scene.tif puts its image and its position into one file"
_SUBDATASETS = (
    "convert one of its images: gdalinfo {name} lists them, and gdal_translate NAME_OF_THE_IMAGE scene.tif writes one; "
    "SNAP also calibrates and places it"
)
_UNPACK = "unpack it, and name a raster or a product in it"
_FETCH = "fetch it again"
_DRAWING = "name the raster that it belongs to"
_TILES = "name a raster; export a GeoPackage's tiles by gdal_translate"
_BESIDE = "convert the file of pixels beside it: gdal_translate PIXELS scene.tif"
_EXPORT = "export it in SNAP as GeoTIFF / BigTIFF, or convert a band: gdal_translate {stem}.data/BAND.img scene.tif"

ARCHIVES = (
    ("a zip archive", b"PK\3\4"),
    ("a gzip archive", b"\x1f\x8b"),
    ("a bzip2 archive", b"BZh"),
    ("an xz archive", b"\xfd7zXZ"),
    ("a 7z archive", b"7z\xbc\xaf"),
    ("a RAR archive", b"Rar!"),
)
"""Kinds of archives, and the bytes with which they begin."""
_BY_BYTES: tuple[tuple[OtherKind, tuple[bytes, ...]], ...] = (
    (OtherKind("an HDF5 or netCDF file", _SUBDATASETS), (b"\x89HDF\r\n\x1a\n",)),
    (OtherKind("an HDF4 file", _SUBDATASETS), (b"\x0e\x03\x13\x01",)),
    (OtherKind("a netCDF file", _SUBDATASETS), (b"CDF\x01", b"CDF\x02", b"CDF\x05")),
    (OtherKind("a NITF file", _CONVERT), (b"NITF", b"NSIF")),
    (OtherKind("a product of Envisat or ERS", f"{_CONVERT}, which keeps its control points"), (b'PRODUCT="',)),
    (OtherKind("the header of an ENVI raster", _BESIDE), (_ENVI,)),
    (OtherKind("an ERDAS Imagine file", _CONVERT), (b"EHFA_HEADER_TAG",)),
    (OtherKind("a JPEG 2000 file", _CONVERT), (b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51")),
    (OtherKind("a GRIB file", "such files hold weather, and no radar image"), (b"GRIB",)),
    (OtherKind("a GIF picture", _CONVERT), (b"GIF8",)),
    (OtherKind("a BMP picture", _CONVERT), (b"BM",)),
    (OtherKind("a WebP picture, a sound or a film", _CONVERT), (b"RIFF",)),
    (OtherKind("a MATLAB file", "write the array with MATLAB's geotiffwrite, or with rasterio"), (b"MATLAB ",)),
    (OtherKind("a NumPy array", "write it as a GeoTIFF with rasterio"), (b"\x93NUMPY",)),
    *((OtherKind(name, _UNPACK), (begin,)) for name, begin in ARCHIVES),
    (OtherKind("a PDF document", _DRAWING), (b"%PDF",)),
    (OtherKind("a GeoPackage or another SQLite file", _TILES), (b"SQLite format 3",)),
    (OtherKind("a Shapefile", _DRAWING), (b"\0\0\x27\x0a",)),
    (OtherKind("a pointer of Git LFS in place of the file", "fetch the file: git lfs pull"), (_LFS,)),
)
"""Kinds, and the bytes with which their files begin."""
_BY_WORDS: tuple[tuple[OtherKind, tuple[bytes, ...]], ...] = (
    (
        OtherKind("a VRT file of GDAL, which may read any other file", "name the raster that it reads"),
        (b"<vrtdataset",),
    ),
    (OtherKind("a product of ESA's SNAP (BEAM-DIMAP)", _EXPORT), (b"<dimap_document",)),
    (OtherKind("the metadata of a TerraSAR-X or PAZ product", _JOIN), (b"<level1product",)),
    (OtherKind("the metadata of a RADARSAT-2 product", _JOIN), (b"rsi.ca/rs2",)),
    (OtherKind("a KML file", _DRAWING), (b"<kml",)),
    (
        OtherKind("a web page, as servers send it in place of a file", f"{_FETCH}, perhaps after a login"),
        (b"<html", b"<!doctype html"),
    ),
    (OtherKind("an XML file", _DRAWING), (b"<?xml",)),
)
"""Kinds of XML, and words in small letters that are in their files; the first kind with a word counts."""
_EMPTY = OtherKind("an empty file", _FETCH)
_CEOS = OtherKind(
    "a CEOS file, as of ALOS PALSAR",
    "convert the file of pixels: gdal_translate IMG-HH-... scene.tif; SNAP also calibrates and places it",
)
_TAR_FILE = OtherKind("a tar archive", _UNPACK)
_ENVI_PIXELS = OtherKind("the pixels of an ENVI raster", _CONVERT)
_TEXT = OtherKind("text", "name a raster; `manifest` reads lists of scenes")
_MARKUP = OtherKind("a file of another kind", "name a raster")
_UNKNOWN = OtherKind("a file of another kind", f"if GDAL can read it, {_CONVERT}")


def other_kind(path: RasterFile, head: bytes) -> str:
    """Kind of a file that begins with these bytes, and advice, as the end of a sentence after "found"."""
    kind = _kind(path, head)
    return f"{kind.name}; {kind.advice.format(name=path.name, stem=path.stem)}"


def _kind(path: RasterFile, head: bytes) -> OtherKind:
    if not head:
        return _EMPTY
    if head.lstrip(_BLANK).startswith(b"<"):
        small = head.lower()
        return next((kind for kind, words in _BY_WORDS if any(word in small for word in words)), _MARKUP)
    named = next((kind for kind, begins in _BY_BYTES if head.startswith(begins)), None)
    return named or _without_magic(path, head)


def _without_magic(path: RasterFile, head: bytes) -> OtherKind:
    """Kind of a file that its first bytes alone do not tell."""
    if _CEOS_NAME.match(path.name) and head.startswith(b"\0\0\0"):
        return _CEOS
    if head[_TAR[0] :].startswith(_TAR[1]):
        return _TAR_FILE
    if _has_envi_header(path):
        return _ENVI_PIXELS
    return _TEXT if _is_text(head) else _UNKNOWN


def _has_envi_header(path: RasterFile) -> bool:
    if not isinstance(path, Path):
        return False
    for beside in (path.with_suffix(".hdr"), path.with_name(f"{path.name}.hdr")):
        try:
            with beside.open("rb") as stream:
                if stream.read(len(_ENVI)) == _ENVI:
                    return True
        except OSError:
            continue
    return False


def _is_text(head: bytes) -> bool:
    return all(byte >= ord(" ") or byte in b"\t\r\n" for byte in head)
