"""Format of a file, or of a picture in a zip archive, by its content; checked before GDAL opens it."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast
from zipfile import BadZipFile, ZipFile

from refinedet.errors import FileError, InputError, RefineDetError
from refinedet.raster.checks.other_kinds import HEAD_BYTES, other_kind
from refinedet.raster.checks.tiff import Page, check_tiff
from refinedet.raster.gdal import driver_of
from refinedet.raster.ranged import RasterFile, opened

_ZIP_LARGE_BYTES = 64 << 20
_ZIP_RATIO = 100
"""Largest compression ratio for a picture above that size: radar images hardly compress at all."""


def driver_at(path: RasterFile, member: str | None, max_pixels: int) -> tuple[str, tuple[Page, ...]]:
    """Name of the driver that may open a file, and its further pages; checks the header of a TIFF."""
    pages: tuple[Page, ...] = ()
    wanted = f"expected a GeoTIFF, PNG or JPEG file at {path}"
    if isinstance(path, Path) and path.is_dir():
        raise FileError(f"{wanted}, found a folder; name a file in it")
    if isinstance(path, Path) and not path.is_file() and path.exists():
        raise FileError(f"{wanted}, found a device or a pipe; name a file")
    try:
        with opened(path) as (stream, whole), _member(stream, path, member, whole) as (content, size):
            head = content.read(HEAD_BYTES)
            driver = driver_of(head)
            if driver == "GTiff":
                pages = check_tiff(content, size, path, max_pixels)
    except RefineDetError:
        raise
    except FileNotFoundError as error:
        raise FileError(f"{wanted}, found nothing there; check the name") from error
    except (BadZipFile, EOFError, KeyError, NotImplementedError, RuntimeError, zlib.error) as error:
        raise FileError(f"expected {member} in the archive {path}, but it cannot be read ({error})") from error
    except OSError as error:
        raise FileError(f"{wanted}, but it cannot be read ({error.strerror})") from error
    if driver is None:
        raise FileError(f"{wanted}, found {other_kind(path, head)}")
    return driver, pages


@contextmanager
def _member(stream: BinaryIO, path: RasterFile, member: str | None, whole: int) -> Iterator[tuple[BinaryIO, int]]:
    """Open the picture in a file: the file itself of `whole` bytes, or the member of a zip archive; with its size."""
    if member is None:
        yield stream, whole
        return
    if isinstance(path, Path) and {"{", "}"} & set(str(path.absolute())):
        raise InputError(
            f"expected an archive whose path has no braces, found {path}; GDAL would misread it: rename it"
        )
    with ZipFile(stream) as archive:
        entry = archive.getinfo(member)
        if entry.file_size > _ZIP_LARGE_BYTES and entry.file_size > _ZIP_RATIO * entry.compress_size:
            raise InputError(
                f"expected {member} in {path} to be packed at most {_ZIP_RATIO} to 1, found {entry.file_size:,} bytes "
                f"in {entry.compress_size:,}; it is no radar image"
            )
        with archive.open(entry) as packed:
            yield cast("BinaryIO", packed), entry.file_size
