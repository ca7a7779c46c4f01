"""Metadata of an array in a Zarr store, of versions 2 and 3, checked before any of its chunks is read.

Only known metadata are kept, and passed to zarr in a new document: sizes, one type, one codec. An array of objects,
whose chunks are pickles, is refused, and so are filters and other codecs.
Layout: Zarr storage specification, version 2; Zarr core specification, version 3.1.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NoReturn

import numpy as np

from refinedet.errors import InputError
from refinedet.raster.checks.tiff import MAX_BLOCK_BYTES

MAX_CHUNKS = 100_000
"""Largest number of chunks of an array. The pixels of a real product have 70."""
CODECS = ("blosc", "zstd")
"""Supported compressions, which are those of EOPF's stores."""

_AXES = 4
_MAX_SIDE = 2**31 - 1
_MAX_TEXT = 64
"""Largest number of characters of a text in an array."""
_NUMBERS = ("uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "float32", "float64")
_TEXT_BYTES = 4


@dataclass(frozen=True, slots=True)
class ArrayInfo:
    """Description of an array of a store, from its metadata."""

    name: str
    """Path within the store."""
    shape: tuple[int, ...]
    chunks: tuple[int, ...]
    """Sides of a chunk; chunks at the end are stored in full size, too."""
    dtype: np.dtype[Any]
    axes: tuple[str, ...]
    """Names of the dimensions; empty if the store does not name them."""
    attributes: Mapping[str, Any]
    codec: str | None
    checksum: bool
    """True if a CRC32C follows each chunk."""
    fill: float
    separator: str
    """Character between the numbers of a chunk in its name."""
    version: int

    @property
    def grid(self) -> tuple[int, ...]:
        """Number of chunks along each dimension."""
        return tuple(-(-side // chunk) for side, chunk in zip(self.shape, self.chunks, strict=True))

    @property
    def chunk_bytes(self) -> int:
        """Bytes of one decoded chunk."""
        return math.prod(self.chunks) * self.dtype.itemsize

    def file(self, place: tuple[int, ...]) -> str:
        """Name of the file of a chunk, within the store."""
        numbers = self.separator.join(map(str, place)) or "0"
        prefix = "" if self.version == 2 else f"c{self.separator}" if place else "c"
        return f"{self.name}/{prefix}{numbers}"

    def document(self) -> bytes:
        """Metadata for zarr, in version 3; texts become rows of code points, because zarr warns of texts."""
        letters = self.dtype.itemsize // _TEXT_BYTES if self.dtype.kind == "U" else 0
        extra = [letters] if letters else []
        codecs: list[dict[str, Any]] = [{"name": "bytes", "configuration": {"endian": self._endian()}}]
        if self.codec == "blosc":
            how = {"cname": "zstd", "clevel": 1, "shuffle": "shuffle", "typesize": 1, "blocksize": 0}
            codecs.append({"name": "blosc", "configuration": how})
        elif self.codec == "zstd":
            codecs.append({"name": "zstd", "configuration": {"level": 1, "checksum": False}})
        if self.checksum:
            codecs.append({"name": "crc32c"})
        fill = self.fill if math.isfinite(self.fill) else "NaN"
        return json.dumps(
            {
                "zarr_format": 3,
                "node_type": "array",
                "shape": [*self.shape, *extra],
                "data_type": "uint32" if letters else self.dtype.newbyteorder("=").name,
                "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [*self.chunks, *extra]}},
                "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
                "codecs": codecs,
                "fill_value": fill if self.dtype.kind == "f" else int(self.fill),
                "attributes": {},
            }
        ).encode()

    def _endian(self) -> str:
        return "big" if self.dtype.str.startswith(">") else "little"


def array_info(store: Path | str, name: str, document: Mapping[str, Any], attributes: Mapping[str, Any]) -> ArrayInfo:
    """Check the metadata of the array `name`, and return its description.

    Args:
        store: path or address of the store, for messages.
        name: path of the array in the store.
        document: content of its .zarray or zarr.json.
        attributes: its attributes.

    Raises:
        InputError: the type, codec or size of the array is not supported.
    """
    checks = _Checks(f"{name} of {store}", document)
    version = checks.one_of("zarr_format", document.get("zarr_format"), (2, 3))
    return _second(name, checks, attributes) if version == 2 else _third(name, checks, attributes)


class _Checks:
    """Values of one document; a wrong one raises an InputError that names the array."""

    def __init__(self, where: str, document: Mapping[str, Any]) -> None:
        self.where, self.document = where, document

    def fail(self, expected: str, found: Any) -> NoReturn:
        shown = str(found)
        raise InputError(
            f"expected {expected} in the metadata of {self.where}, found {shown[:60]}; "
            "fetch the product again, or write the store anew as EOPF's are"
        )

    def one_of(self, what: str, found: Any, known: tuple[Any, ...]) -> Any:
        if not any(found is one or (type(found) is type(one) and found == one) for one in known):
            self.fail(f"{what} of {' or '.join(map(str, known))}", found)
        return found

    def sides(self, what: str, found: Any) -> tuple[int, ...]:
        whole = isinstance(found, list) and all(type(side) is int and 0 < side <= _MAX_SIDE for side in found)
        if not whole or len(found) > _AXES:
            self.fail(f"at most {_AXES} whole numbers above 0 as {what}", found)
        return tuple(found)

    def table(self, what: str, found: Any) -> dict[str, Any]:
        return found if isinstance(found, dict) else self.fail(f"an object as {what}", found)

    def settings(self, named: dict[str, Any]) -> dict[str, Any]:
        """Configuration of a named extension."""
        return self.table("configuration", named.get("configuration") or {})

    def made(self, info: ArrayInfo) -> ArrayInfo:
        """Check sizes that belong together."""
        if len(info.shape) != len(info.chunks):
            self.fail(f"chunks of {len(info.shape)} sides", len(info.chunks))
        if info.dtype.kind == "U" and len(info.shape) != 1:
            self.fail("texts along one dimension", info.shape)
        if info.chunk_bytes > MAX_BLOCK_BYTES:
            self.fail(f"chunks of at most {MAX_BLOCK_BYTES >> 20} MB", f"{info.chunk_bytes:,} bytes")
        if math.prod(info.grid) > MAX_CHUNKS:
            self.fail(f"at most {MAX_CHUNKS:,} chunks", f"{math.prod(info.grid):,}")
        if info.axes and len(info.axes) != len(info.shape):
            self.fail(f"names of {len(info.shape)} dimensions", info.axes)
        return info

    def fill(self, found: Any, dtype: np.dtype[Any]) -> float:
        if dtype.kind == "U" or found is None:
            return 0.0
        if dtype.kind == "f" and found in ("NaN", "Infinity", "-Infinity"):
            return math.nan  # values that are not finite were not measured
        if isinstance(found, bool) or not isinstance(found, int | float):
            self.fail("a number as fill_value", found)
        if dtype.kind == "f":
            return float(found)
        limits = np.iinfo(dtype)
        if not (limits.min <= found <= limits.max and found == int(found)):
            self.fail(f"a fill_value of {dtype.name}", found)
        return float(found)

    def axes(self, found: Any) -> tuple[str, ...]:
        named = isinstance(found, list) and all(isinstance(one, str) for one in found)
        return tuple(found) if named else ()


def _second(name: str, checks: _Checks, attributes: Mapping[str, Any]) -> ArrayInfo:
    document = checks.document
    checks.one_of("order", document.get("order"), ("C",))
    if document.get("filters"):
        checks.fail("no filters", document["filters"])
    compressor = document.get("compressor")
    codec = None
    if compressor is not None:
        codec = checks.one_of("a compressor", checks.table("compressor", compressor).get("id"), CODECS)
    code = document.get("dtype")
    dtype = np.dtype(code) if isinstance(code, str) and _is_plain(code) else checks.fail("a plain type", code)
    return checks.made(
        ArrayInfo(
            name,
            checks.sides("shape", document.get("shape")),
            checks.sides("chunks", document.get("chunks")),
            dtype,
            checks.axes(attributes.get("_ARRAY_DIMENSIONS")),
            attributes,
            codec,
            checksum=False,
            fill=checks.fill(document.get("fill_value"), dtype),
            separator=checks.one_of("dimension_separator", document.get("dimension_separator", "."), (".", "/")),
            version=2,
        )
    )


def _is_plain(code: str) -> bool:
    """True for the code of a number, or of short texts: no object, record or date."""
    order, kind, size = code[:1], code[1:2], code[2:]
    if order not in tuple("<>|") or not size.isascii() or not size.isdecimal():
        return False
    if kind == "U":
        return 0 < int(size[:4]) <= _MAX_TEXT
    return size in ("1", "2", "4", "8") and kind in ("u", "i", "f") and (kind, size) not in (("f", "1"), ("f", "2"))


def _third(name: str, checks: _Checks, attributes: Mapping[str, Any]) -> ArrayInfo:
    document = checks.document
    checks.one_of("node_type", document.get("node_type"), ("array",))
    if document.get("storage_transformers"):
        checks.fail("no storage_transformers", document["storage_transformers"])
    grid, keys = (checks.table(what, document.get(what)) for what in ("chunk_grid", "chunk_key_encoding"))
    checks.one_of("chunk_grid", grid.get("name"), ("regular",))
    checks.one_of("chunk_key_encoding", keys.get("name"), ("default",))
    codec, checksum, endian = _chain(checks, document.get("codecs"))
    dtype = _third_type(checks, document.get("data_type"), endian)
    return checks.made(
        ArrayInfo(
            name,
            checks.sides("shape", document.get("shape")),
            checks.sides("chunk_shape", checks.settings(grid).get("chunk_shape")),
            dtype,
            checks.axes(document.get("dimension_names")),
            attributes,
            codec,
            checksum,
            fill=checks.fill(document.get("fill_value"), dtype),
            separator=checks.one_of("separator", checks.settings(keys).get("separator", "/"), ("/", ".")),
            version=3,
        )
    )


def _chain(checks: _Checks, codecs: Any) -> tuple[str | None, bool, str]:
    """Compression, checksum and byte order of a chain of codecs: bytes, then a compression, then a checksum."""
    named = [checks.table("codec", one) for one in (codecs if isinstance(codecs, list) else [codecs])]
    names = [str(one.get("name")) for one in named]
    if not names or names[0] != "bytes":
        checks.fail("the codec bytes first", names)
    rest = names[1:]
    checksum = rest[-1:] == ["crc32c"]
    rest = rest[:-1] if checksum else rest
    if len(rest) > 1 or any(one not in CODECS for one in rest):
        checks.fail(f"at most one of the codecs {' or '.join(CODECS)} after bytes", names)
    endian = checks.settings(named[0]).get("endian", "little")
    return (rest[0] if rest else None), checksum, checks.one_of("endian", endian, ("little", "big"))


def _third_type(checks: _Checks, found: Any, endian: str) -> np.dtype[Any]:
    order: Literal["<", ">"] = ">" if endian == "big" else "<"
    if isinstance(found, str) and found in _NUMBERS:
        return np.dtype(found).newbyteorder(order)
    if isinstance(found, dict) and found.get("name") == "fixed_length_utf32":
        size = checks.settings(found).get("length_bytes")
        if type(size) is int and 0 < size <= _MAX_TEXT * _TEXT_BYTES and size % _TEXT_BYTES == 0:
            return np.dtype(f"{order}U{size // _TEXT_BYTES}")
    return checks.fail("a plain type", found)
