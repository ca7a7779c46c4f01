"""Files that are read by ranges from another place, such as a server: their interface, and their use with GDAL."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

import rasterio

from refinedet.errors import RefineDetError

_NUMBERS = count()


class RangedFile(Protocol):
    """File whose bytes are fetched when they are needed."""

    @property
    def name(self) -> str:
        """Name of the file."""
        ...

    @property
    def stem(self) -> str:
        """Name without suffix."""
        ...

    @property
    def suffix(self) -> str:
        """Suffix of the name."""
        ...

    @property
    def size(self) -> int:
        """Bytes of the file."""
        ...

    def open(self) -> io.RawIOBase:
        """Open a stream of the file."""
        ...


RasterFile = Path | RangedFile
"""File of a scene: on a disk, or read by ranges."""


@contextmanager
def opened(file: RasterFile) -> Iterator[tuple[BinaryIO, int]]:
    """Open a file for reading; yields the stream and its size in bytes.

    Raises:
        OSError: the file cannot be opened.
    """
    if isinstance(file, Path):
        with file.open("rb") as stream:
            yield stream, file.stat().st_size
    else:
        with file.open() as ranged:
            yield cast("BinaryIO", ranged), file.size


class GdalStream(io.RawIOBase):
    """Stream for GDAL. An error ends the file, because GDAL would print it; `failure` keeps it for the caller."""

    def __init__(self, stream: io.RawIOBase) -> None:
        self._stream = stream
        self.failure: RefineDetError | None = None

    def read(self, size: int = -1) -> bytes:
        """Read up to `size` bytes; none after a failure."""
        if self.failure is not None:
            return b""
        try:
            return self._stream.read(size) or b""
        except RefineDetError as error:
            self.failure = error
            return b""

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a byte."""
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        """Offset of the byte that is read next."""
        return self._stream.tell()

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True


class GdalFile:
    """File of a scene for GDAL: at a path, in a zip archive, or read by ranges."""

    def __init__(self, path: RasterFile, member: str | None = None) -> None:
        """Take a file, and the name of the picture in it if it is a zip archive."""
        self.path = path
        self._member = None if member is None else member.replace("\\", "/")  # GDAL's form of names in all archives
        self._streams: list[GdalStream] = []

    def open(self, driver: str) -> Any:
        """Open the file with one of GDAL's drivers.

        Raises:
            GDAL_ERRORS: GDAL cannot open it.
        """
        if not isinstance(self.path, Path):  # a unique name for GDAL
            name = f"ranged{next(_NUMBERS)}/{self.path.stem}{self.path.suffix}"
            return rasterio.open(name, driver=driver, opener=partial(self._stream, name))
        whole = self.path.absolute()
        return rasterio.open(whole if self._member is None else f"/vsizip/{{{whole}}}/{self._member}", driver=driver)

    def _stream(self, own: str, name: str, mode: str = "rb") -> GdalStream:
        """Open a stream for rasterio; refuses other files, and writing."""
        if name != own or mode not in ("r", "rb") or isinstance(self.path, Path):
            raise FileNotFoundError(name)
        self._streams.append(GdalStream(self.path.open()))
        return self._streams[-1]

    def check(self) -> None:
        """Raise the error that occurred while GDAL read a file by ranges; GDAL itself sees only the end of the file.

        Raises:
            RefineDetError: such an error occurred.
        """
        for stream in self._streams:
            if stream.failure is not None:
                raise stream.failure
