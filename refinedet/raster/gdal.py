"""Settings of GDAL, and the formats that it may open."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import rasterio
from rasterio._err import CPLE_BaseError  # rasterio passes some of GDAL's errors on unchanged
from rasterio.errors import NotGeoreferencedWarning, RasterioError

from refinedet.workarounds.rasterio_messages import hush_broken_messages
from refinedet.workarounds.warning_filters import changing_filters

DRIVERS = {
    b"II*\0": "GTiff",
    b"MM\0*": "GTiff",
    b"II+\0": "GTiff",
    b"MM\0+": "GTiff",
    b"\x89PNG": "PNG",
    b"\xff\xd8\xff": "JPEG",
}
"""Drivers that may open a file, by its first bytes: TIFF, BigTIFF (both also as COG), PNG, JPEG. No others are allowed.

In particular, VRT and MRF are excluded, because they can read other files, and MRF can write them.
"""

REAL_TYPES = (
    *("uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64"),
    *("float32", "float64"),
)
COMPLEX_TYPES = ("complex_int16", "complex64", "complex128")
GDAL_ERRORS = (RasterioError, CPLE_BaseError, UnicodeDecodeError)
"""Errors of rasterio on a damaged file; the last one comes from text that is not UTF-8."""
IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
"""Transform that rasterio gives a file without one."""

_FILE_IN_WKT = re.compile(
    r"""(?:PARAMETERFILE\["[^"]*",\s*"|PROJ4_GRIDS",\s*"|\+(?:\w*grids|file|init)=)[^"\s]*[/\\]""", re.IGNORECASE
)
"""Grid file with a folder in its name. PROJ finds a name without a folder among its own files, which is allowed."""

_CACHE_MB = 64


def driver_of(head: bytes) -> str | None:
    """Name of the driver for a file that begins with these bytes; None if none is allowed."""
    return next((driver for magic, driver in DRIVERS.items() if head.startswith(magic)), None)


def names_a_file(wkt: str) -> bool:
    """True if a reference system would make PROJ open an arbitrary file."""
    return _FILE_IN_WKT.search(wkt) is not None


def environment() -> rasterio.Env:
    """Context with this project's settings of GDAL, usable in any thread."""
    settings = {
        "GDAL_CACHEMAX": _CACHE_MB,
        # GDAL does not search, read or write files beside the scene: .aux.xml, .ovr, .msk, world files.
        "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
        "GDAL_PAM_ENABLED": False,
        "GDAL_GEOREF_SOURCES": "INTERNAL",
        "PROJ_NETWORK": False,
        # Largest number of passes of a picture, each of which needs a full decoding.
        "GDAL_JPEG_MAX_ALLOWED_SCAN_NUMBER": 20,
        # Without these two, a truncated JPEG or PNG reads as grey or black below the cut, without an error.
        "GDAL_ERROR_ON_LIBJPEG_WARNING": True,
        "GDAL_PNG_WHOLE_IMAGE_OPTIM": False,
        "GDAL_NUM_THREADS": 1,
    }
    hush_broken_messages()
    return rasterio.Env(**settings)


@contextmanager
def gdal() -> Iterator[None]:
    """Context of `environment` without warnings on files that have no position; the filter affects all threads."""
    with environment(), changing_filters():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        yield
