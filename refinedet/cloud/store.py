"""Zarr store at an address: its consolidated metadata are fetched once, and of its arrays the chunks that are read.

Layout: Zarr storage specification 2 with `.zmetadata`, as xarray writes it; Zarr 3 with `consolidated_metadata` in the
root's `zarr.json`. A store without consolidated metadata cannot be listed at a web address, and is refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from refinedet.cloud.answers import AbsentError
from refinedet.errors import FileError, InputError
from refinedet.files import is_safe_path, parse_json
from refinedet.raster.stores.files import check_size, folders_in

if TYPE_CHECKING:
    from refinedet.cloud.address import Address
    from refinedet.cloud.remote_file import RemoteFile

MAX_METADATA_BYTES = 64 << 20
"""Most bytes of consolidated metadata. Those of a real product have 1.3 million."""
_SECOND, _THIRD = ".zmetadata", "zarr.json"


class RemoteStore:
    """Files of a store at an address: `raster.stores.StoreFiles`."""

    def __init__(self, address: Address, file_at: Callable[[Address], RemoteFile]) -> None:
        """Fetch the metadata of the store at an address; `file_at` opens the file at an address within it.

        Raises:
            FileError: they cannot be fetched, or there are none.
            InputError: they are too large, or are no consolidated metadata.
        """
        self._address, self._file_at = address, file_at
        self._file, content = self._fetched()
        self._sha256 = sha256(content).hexdigest()
        self._documents = _documents(content, str(self._file))
        self._arrays = frozenset(
            str(PurePosixPath(name).parent) for name, one in self._documents.items() if _is_array(name, one)
        )

    @property
    def path(self) -> str:
        """Address of the store, for messages."""
        return str(self._address)

    @property
    def file(self) -> RemoteFile:
        """File of the metadata: its version stands for that of the store."""
        return self._file

    def describe(self) -> dict[str, str]:
        """Identity of the store, ready for JSON: its address, and a hash of its metadata."""
        return {"store": self.path, "metadata_sha256": self._sha256}

    def size(self, name: str) -> int | None:
        """Size of a file in bytes; None if there is no such file. A chunk takes a request, the first time.

        Raises:
            FileError: the server does not say.
        """
        if name in self._documents:
            return len(self._documents[name])
        if not self._is_chunk(name):
            return None
        try:
            return self._chunk(name).size
        except AbsentError:
            return None

    def read(self, name: str, most: int) -> bytes | None:
        """Read a file of at most `most` bytes; None if there is no such file.

        Raises:
            FileError: it cannot be fetched.
            InputError: it is larger, or the limit on fetched bytes would be exceeded.
        """
        size = self.size(name)
        if size is None:
            return None
        check_size(self.path, name, size, most)
        return self._documents[name] if name in self._documents else self._chunk(name).read_at(0, size)

    def folders(self, name: str) -> list[str]:
        """Names of the groups and arrays in a group, sorted."""
        return folders_in(PurePosixPath(name), self._documents)

    def _is_chunk(self, name: str) -> bool:
        """True for a file within an array; no other file is ever requested."""
        path = PurePosixPath(name)
        in_array = any(str(above) in self._arrays for above in path.parents)
        return in_array and path.name != _THIRD and not path.name.startswith(".")

    def _chunk(self, name: str) -> RemoteFile:
        return self._file_at(self._address.inside(name))

    def _fetched(self) -> tuple[RemoteFile, bytes]:
        first: FileError | None = None
        for name in (_SECOND, _THIRD):
            file = self._file_at(self._address.inside(name))
            try:
                size = file.size
            except FileError as error:
                first = first or error
                continue
            if size > MAX_METADATA_BYTES:
                raise InputError(
                    f"expected at most {MAX_METADATA_BYTES >> 20} MB of metadata at {file}, found {size:,} bytes"
                )
            return file, file.read_at(0, size)
        if isinstance(first, AbsentError):
            raise FileError(
                f"expected a Zarr store with consolidated metadata at {self.path}, found neither {_SECOND} nor "
                f"{_THIRD} in it; check the address, or download the store and name its folder"
            ) from first
        assert first is not None  # noqa: S101 - both failed
        raise first


def _documents(content: bytes, where: str) -> dict[str, bytes]:
    """Metadata documents of all groups and arrays, by the names that they have as files.

    Raises:
        InputError: they are no consolidated metadata.
    """
    found = parse_json(content, where)
    whole = found if isinstance(found, dict) else {}
    if "zarr_format" in whole:
        inner = _table(whole.get("consolidated_metadata")).get("metadata")
        own = {key: value for key, value in whole.items() if key != "consolidated_metadata"}
        named = {_THIRD: own} | {f"{name}/{_THIRD}": one for name, one in _table(inner).items()}
    else:
        inner = whole.get("metadata")
        named = dict(_table(inner))
    if not isinstance(inner, dict) or not all(is_safe_path(name) for name in named):
        problem = "names that lead out of it" if isinstance(inner, dict) else "none"
        raise InputError(
            f"expected consolidated metadata of a Zarr store at {where}, found {problem}; download the store, and "
            "name its folder"
        )
    return {name: json.dumps(one).encode() for name, one in named.items()}


def _is_array(name: str, document: bytes) -> bool:
    """True for the metadata of an array."""
    own = PurePosixPath(name).name
    return own == ".zarray" or (own == _THIRD and json.loads(document).get("node_type") == "array")


def _table(found: Any) -> Mapping[str, Any]:
    return found if isinstance(found, dict) else {}
