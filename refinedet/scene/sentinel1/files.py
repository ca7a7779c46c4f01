"""Files of one Sentinel-1 product, in a folder, a zip archive or a STAC item: reads that cannot leave it, and safe XML.

Names are relative to the product. A name from a manifest is checked against the product before its file is opened.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NoReturn
from xml.etree.ElementTree import Element, ParseError  # the parser is defusedxml's
from zipfile import BadZipFile, ZipFile

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from refinedet.cloud.scene import RASTER_SUFFIXES, CloudScene, Scene
from refinedet.errors import FileError, InputError
from refinedet.raster.checks.other_products import other_product
from refinedet.scene.sentinel1.item import ItemProduct, product_of_item
from refinedet.scene.sentinel1.layout import MANIFEST, MEASUREMENT, product_roots, raster_name
from refinedet.wording import first_of

MAX_XML_BYTES = 32 << 20
"""Largest size in bytes of an XML file. A real manifest has 24,000 bytes, a real annotation 2 million."""

_DEPTH = 4
"""Depth of folders below the given one in which a product is searched."""
_MOST_FOLDERS = 5000
"""Largest number of folders in which a product is searched."""
_NAMED = 5
"""Largest number of products that an error names."""


@dataclass(frozen=True, slots=True)
class ProductFolder:
    """Product in a folder."""

    path: Path

    @property
    def name(self) -> str:
        """Name of the product's folder."""
        return self.path.absolute().name

    def where(self, name: str) -> str:
        """Place of a file, for messages."""
        return str(self.path / name)

    def holds(self, name: str) -> bool:
        """True if there is such a file, also by a link."""
        return (self.path / name).is_file()

    def names(self, folder: str) -> list[str]:
        """Names of the files in one folder of the product; empty if there is no such folder."""
        try:
            return sorted(file.name for file in (self.path / folder).iterdir() if not file.is_dir())
        except OSError:
            return []

    def check_inside(self, name: str) -> None:
        """Refuse a name that leads out of the product, also by a link.

        Raises:
            InputError: it does.
        """
        root = self.path.resolve()
        if not (root / name).resolve().is_relative_to(root):
            _outside(self.path, name)

    def locate(self, name: str) -> tuple[Path, None]:
        """Path of a file, and None, because it is in no archive.

        Raises:
            InputError: the file lies outside of the product, also by a link.
            FileError: there is no such file.
        """
        self.check_inside(name)
        if not self.holds(name):
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
    """Folder of the product within the archive."""
    members: Mapping[str, str]
    """Names in the archive by names with slashes, because some programs write backslashes."""

    @property
    def name(self) -> str:
        """Name of the product's folder in the archive; empty if its files lie at the top."""
        return self.root.name

    def where(self, name: str) -> str:
        """Place of a file, for messages."""
        return str(self.path / name)

    def holds(self, name: str) -> bool:
        """True if there is such a member."""
        return str(self.root / name) in self.members

    def names(self, folder: str) -> list[str]:
        """Names of the files in one folder of the product; empty if there is no such folder."""
        inside = self.root / folder
        return sorted(path.name for path in map(PurePosixPath, self.members) if path.parent == inside)

    def check_inside(self, name: str) -> None:
        """Refuse a name that leads out of the product.

        Raises:
            InputError: it does.
        """
        inside = PurePosixPath(name)
        if ".." in inside.parts or inside.is_absolute():
            _outside(self.path, name)

    def locate(self, name: str) -> tuple[Path, str]:
        """Path of the archive, and name of the member in it.

        Raises:
            InputError: the name points outside of the product.
            FileError: there is no such member.
        """
        self.check_inside(name)
        if not self.holds(name):
            _missing(self.path, name)
        return self.path, self.members[str(self.root / name)]

    def read(self, name: str) -> bytes:
        """Read at most MAX_XML_BYTES + 1 bytes of a member, whatever size it claims.

        Raises:
            InputError, FileError: as `locate`, or the member cannot be read.
        """
        _, member = self.locate(name)
        with _open_zip(self.path) as archive, archive.open(member) as stream:
            return stream.read(MAX_XML_BYTES + 1)


ProductFiles = ProductFolder | ZippedProduct | ItemProduct


def open_product(path: Scene) -> ProductFiles:
    """Open the files of the one product at `path`: its folder, a folder above, its manifest, a zip archive, or an item.

    Raises:
        FileError: there is no product, there are several, or the archive or the item cannot be read.
        InputError: the STAC item is of no such product, or names an address that is not allowed.
    """
    if isinstance(path, CloudScene):
        return product_of_item(path, MAX_XML_BYTES)
    if path.is_dir():
        found = sorted(str(one) for one in _products_below(path))
        return ProductFolder(Path(_one(path, found, lambda: _of_others(path, _names_in(path), "a folder without"))))
    if path.name == MANIFEST:
        return ProductFolder(path.absolute().parent)
    with _open_zip(path) as archive:
        raw = sorted(archive.namelist())  # a slash sorts before a backslash
    members: dict[str, str] = {}
    for name in raw:
        if not name.endswith(("/", "\\")):
            members.setdefault(str(PurePosixPath(name.replace("\\", "/"))), name)
    root = _one(path, product_roots(members), lambda: _of_others(path, members, "0 files named"))
    return ZippedProduct(path, PurePosixPath(root), members)


def read_xml(files: ProductFiles, name: str) -> Element:
    """Read an XML file of a product, and return its root.

    Raises:
        FileError: the file cannot be read, is too large, or is no safe XML (for example, it declares a DTD).
        InputError: the name points outside of the product.
    """
    content, where = files.read(name), files.where(name)
    if len(content) > MAX_XML_BYTES:
        raise FileError(f"expected at most {MAX_XML_BYTES >> 20} MB of XML at {where}, found more; fetch it again")
    try:
        root: Element = fromstring(content, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:  # LookupError: an unknown encoding
        raise FileError(f"expected XML at {where}, found no safe XML ({error}); fetch the product again") from error
    return root


def _products_below(folder: Path) -> Iterator[Path]:
    """Products in a folder: itself, or else those up to `_DEPTH` folders below; links are not followed."""
    level, seen = [folder], 0
    for _ in range(_DEPTH + 1):
        below: list[Path] = []
        for one in level:
            if _is_product(one):
                yield one
            else:
                below += _folders(one)
        seen += len(below)
        if seen > _MOST_FOLDERS:
            raise FileError(
                f"expected a Sentinel-1 product in {folder}, found more than {_MOST_FOLDERS} folders; name the product"
            )
        level = below


def _is_product(folder: Path) -> bool:
    if (folder / MANIFEST).is_file():
        return True
    return any(raster_name(name) for name in ProductFolder(folder).names(MEASUREMENT))


def _folders(folder: Path) -> list[Path]:
    try:
        return [one for one in folder.iterdir() if one.is_dir() and not one.is_symlink() and one.name[0] != "."]
    except OSError as error:
        raise FileError(f"expected to look for a product in {folder}, but that failed ({error.strerror})") from error


def _names_in(folder: Path) -> list[str]:
    """Names of the files in a folder and in the folders in it."""
    below = [folder, *_folders(folder)[:_MOST_FOLDERS]]
    return [
        str(PurePosixPath(one.relative_to(folder) / name)) for one in below for name in ProductFolder(one).names("")
    ]


def _of_others(where: Path, names: Collection[str], without: str) -> str:
    """Description of the content of `where`, which is no Sentinel-1 product, with advice."""
    other = other_product(names)
    if other is not None:
        return other
    if not names:
        return f"{without} {MANIFEST} or any other file; check the name"
    found = f"{without} {MANIFEST} and without a folder {MEASUREMENT} of rasters"
    forms = "folder, its zip archive, or a raster in it"
    rasters = sorted(name for name in names if PurePosixPath(name).suffix.lower() in RASTER_SUFFIXES)
    if rasters and where.is_dir():
        suffix = PurePosixPath(rasters[0]).suffix
        pattern = f"{where}/{'*/' if '/' in rasters[0] else ''}*{suffix}"
        return f"{found}; to search its rasters ({first_of(rasters)}), name {pattern}; for a product, name its {forms}"
    advice = f"unpack it, and name its rasters ({first_of(rasters)})" if rasters else f"name the product's {forms}"
    return f"{found}; {advice}"


def _one(where: Path, products: list[str], otherwise: Callable[[], str]) -> str:
    """The one product among those found at `where`; `otherwise` is for the error if there is none."""
    if not products:
        raise FileError(f"expected a raster or a Sentinel-1 product at {where}, found {otherwise()}")
    if len(products) > 1:
        raise FileError(
            f"expected one Sentinel-1 product in {where}, found {len(products)}: {first_of(products, _NAMED)}; name "
            "one of them, or each as a scene of its own"
        )
    return products[0]


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
