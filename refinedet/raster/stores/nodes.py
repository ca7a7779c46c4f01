"""Groups and arrays of a Zarr store by their paths, with bounded metadata."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinedet.errors import FileError, InputError
from refinedet.raster.stores.arrays import ArrayInfo, array_info
from refinedet.raster.stores.chunks import read_array
from refinedet.raster.stores.files import StoreFiles

MAX_DOCUMENT_BYTES = 16 << 20
"""Largest size in bytes of the metadata of a group or an array. A real polarisation has 300,000."""
MAX_TABLE_BYTES = 64 << 20
"""Largest size in bytes of an array that is read as a whole. A real table of noise has 70,000."""


@dataclass(frozen=True, slots=True)
class Node:
    """Group of a store."""

    files: StoreFiles
    name: str = ""
    """Path within the store; empty for its root."""

    def child(self, name: str) -> Node:
        """Group below this one."""
        return Node(self.files, self._path(name))

    def groups(self) -> list[str]:
        """Names of the groups in this one, sorted."""
        names = [one for one in self.files.folders(self.name) if not one.startswith(".")]
        return [one for one in names if self._is_group(one)]

    def attributes(self) -> Mapping[str, Any]:
        """Attributes of this group; empty if it has none.

        Raises:
            FileError: they are no JSON, or are too large.
        """
        third = self._document("zarr.json")
        found = self._document(".zattrs") if third is None else third.get("attributes")
        return found if isinstance(found, dict) else {}

    def version(self) -> int:
        """Version of the store's format, 2 or 3."""
        return 2 if self.files.size(self._path("zarr.json")) is None else 3

    def find(self, name: str) -> ArrayInfo | None:
        """Describe an array below this group; None if there is none.

        Raises:
            FileError: its metadata are no JSON.
            InputError: its type, codec or size is not supported.
        """
        array = Node(self.files, self._path(name))
        third = array._document("zarr.json")
        document = array._document(".zarray") if third is None else third
        if document is None or document.get("node_type", "array") != "array":
            return None
        return array_info(self.files.path, array.name, document, array.attributes())

    def table(self, info: ArrayInfo) -> NDArray[Any]:
        """Read the whole of an array of the store.

        Raises:
            FileError, InputError: it is damaged, or too large to be a table.
        """
        size = int(np.prod([float(side) for side in info.shape])) * info.dtype.itemsize
        if size > MAX_TABLE_BYTES:
            raise InputError(
                f"expected a table of at most {MAX_TABLE_BYTES >> 20} MB at {info.name} of {self.files.path}, found "
                f"{size:,} bytes; it is no genuine product"
            )
        return read_array(self.files, info)

    def _is_group(self, name: str) -> bool:
        below = self._path(name)
        if self.files.size(f"{below}/.zgroup") is not None:
            return True
        document = Node(self.files, below)._document("zarr.json")  # noqa: SLF001
        return document is not None and document.get("node_type") == "group"

    def _path(self, name: str) -> str:
        return f"{self.name}/{name}" if self.name else name

    def _document(self, name: str) -> dict[str, Any] | None:
        path = self._path(name)
        content = self.files.read(path, MAX_DOCUMENT_BYTES)
        if content is None:
            return None
        try:
            found = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise FileError(
                f"expected JSON in {path} of {self.files.path}, found none ({error}); fetch the product again"
            ) from error
        if not isinstance(found, dict):
            raise FileError(f"expected an object of JSON in {path} of {self.files.path}, found {type(found).__name__}")
        return found
