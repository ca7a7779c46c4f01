"""Files of one Sentinel-1 product, in a .SAFE folder or a zip archive: reads that cannot leave it, and safe XML.

Names are relative to the product. A name from a manifest is checked against the product before its file is opened.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NoReturn
from xml.etree.ElementTree import Element, ParseError  # the parser is defusedxml's
from zipfile import BadZipFile, ZipFile

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from refinedet.errors import FileError, InputError

MANIFEST = "manifest.safe"
MAX_XML_BYTES = 32 << 20
"""Most bytes of an XML file that is parsed. A real manifest has 24,000 bytes, a real annotation 2 million."""


@dataclass(frozen=True, slots=True)
class ProductFolder:
    """Product in a folder."""

    path: Path

    def holds(self, name: str) -> bool:
        """True if there is such a file, also by a link."""
        return (self.path / name).is_file()

    def locate(self, name: str) -> tuple[Path, None]:
        """Path of a file, and None, since it is in no archive.

        Raises:
            InputError: the file lies outside of the product, also by a link.
            FileError: there is no such file.
        """
        root = self.path.resolve()
        file = (root / name).resolve()
        if not file.is_relative_to(root):
            _outside(self.path, name)
        if not file.is_file():
            _missing(self.path, name)
        return self.path / name, None

    def read(self, name: str) -> bytes:
        """Read at most MAX_XML_BYTES + 1 bytes of a file.

        Raises:
            InputError, FileError: as `locate`, or the file cannot be read.
        """
        path, _ = self.locate(name)
        try:
            with path.open("rb") as stream:
                return stream.read(MAX_XML_BYTES + 1)
        except OSError as error:
            raise FileError(f"expected to read {path}, but that failed ({error.strerror})") from error


@dataclass(frozen=True, slots=True)
class ZippedProduct:
    """Product in a zip archive."""

    path: Path
    root: PurePosixPath
    """Folder of the manifest within the archive."""
    members: frozenset[str]

    def holds(self, name: str) -> bool:
        """True if there is such a member."""
        return str(self.root / name) in self.members

    def locate(self, name: str) -> tuple[Path, str]:
        """Path of the archive, and name of the member in it.

        Raises:
            InputError: the name points outside of the product.
            FileError: there is no such member.
        """
        member = self.root / name
        if ".." in member.parts or member.is_absolute():
            _outside(self.path, name)
        if not self.holds(name):
            _missing(self.path, name)
        return self.path, str(member)

    def read(self, name: str) -> bytes:
        """Read at most MAX_XML_BYTES + 1 bytes of a member, whatever size it claims.

        Raises:
            InputError, FileError: as `locate`, or the member cannot be read.
        """
        _, member = self.locate(name)
        with _open_zip(self.path) as archive, archive.open(member) as stream:
            return stream.read(MAX_XML_BYTES + 1)


ProductFiles = ProductFolder | ZippedProduct


def open_product(path: Path) -> ProductFiles:
    """Open the files of the product at `path`, a manifest among them.

    Raises:
        FileError: there is no product, or the archive cannot be read.
    """
    if path.is_dir():
        if not (path / MANIFEST).is_file():
            raise FileError(
                f"expected a raster or a Sentinel-1 product at {path}, found a folder without {MANIFEST}; "
                "name the .SAFE folder, its zip archive, or a raster in it"
            )
        return ProductFolder(path)
    with _open_zip(path) as archive:
        members = frozenset(archive.namelist())
    manifests = [name for name in members if PurePosixPath(name).name == MANIFEST]
    if len(manifests) != 1:
        raise FileError(
            f"expected one Sentinel-1 product in {path}, found {len(manifests)} files named {MANIFEST}; "
            "unpack it and name what is in it"
        )
    return ZippedProduct(path, PurePosixPath(manifests[0]).parent, members)


def read_xml(files: ProductFiles, name: str) -> Element:
    """Read an XML file of a product, and return its root.

    Raises:
        FileError: the file cannot be read, is too large, or is no safe XML (it declares a DTD, say).
        InputError: the name points outside of the product.
    """
    content, where = files.read(name), files.path / name
    if len(content) > MAX_XML_BYTES:
        raise FileError(f"expected at most {MAX_XML_BYTES >> 20} MB of XML at {where}, found more; fetch it again")
    try:
        root: Element = fromstring(content, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:  # LookupError: an unknown encoding
        raise FileError(f"expected XML at {where}, found no safe XML ({error}); fetch the product again") from error
    return root


@contextmanager
def _open_zip(path: Path) -> Iterator[ZipFile]:
    try:
        with ZipFile(path) as archive:
            yield archive
    except (BadZipFile, EOFError, NotImplementedError, OSError, RuntimeError, zlib.error) as error:
        raise FileError(
            f"expected a Sentinel-1 product in the archive {path}, but it cannot be read ({error}); "
            "fetch or copy it again"
        ) from error


def _outside(product: Path, name: str) -> NoReturn:
    raise InputError(f"expected the files of {product} inside the product, found {name!r}; it is not a genuine one")


def _missing(product: Path, name: str) -> NoReturn:
    raise FileError(f"expected the file {name} in {product}, found none; the product is not whole, fetch it again")
