"""Shards: many small files in a few uncompressed tar files with an index, for random access by name.

DVC stores each file of a folder separately, which is slow beyond some ten thousand files. A folder of shards holds
000.tar, 001.tar, ... and index.json. `tar -xf` from the folder above restores the plain files.
"""

from __future__ import annotations

import io
import tarfile
from contextlib import ExitStack
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from refinedet.errors import FileError, InputError
from refinedet.files import read_json, write_json

INDEX = "index.json"
SHARD_BYTES = 256 << 20
"""Size from which the next shard begins: large enough for DVC, small enough to fetch again."""


class ShardWriter:
    """Writer of shards, for files below `root` whose names begin with `folder`.

    Equal files in equal order give equal bytes.
    """

    def __init__(self, root: Path, folder: str, *, shard_bytes: int = SHARD_BYTES) -> None:
        self._root, self._folder, self._limit = root, folder, shard_bytes
        self._index: dict[str, list[int]] = {}
        self._open = ExitStack()
        self._tar: tarfile.TarFile | None = None
        self._number = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *error: object) -> None:
        self._open.close()
        if kind is None:
            write_json(self._root / self._folder / INDEX, {"files": self._index})

    def write(self, name: str, content: bytes) -> None:
        """Append one file; `name` is relative to the root, and new."""
        if self._tar is None or self._tar.offset >= self._limit:
            self._tar = self._next()
        member = tarfile.TarInfo(name)  # no time and no owner, because they would change the bytes
        member.size = len(content)
        self._tar.addfile(member, io.BytesIO(content))
        start = self._tar.offset - -(-len(content) // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE
        self._index[name] = [self._number, start, len(content)]

    def _next(self) -> tarfile.TarFile:
        self._open.close()
        self._number += 1
        path = self._root / self._folder / _shard(self._number)
        path.parent.mkdir(parents=True, exist_ok=True)
        return self._open.enter_context(tarfile.open(path, "w", format=tarfile.PAX_FORMAT))


def open_chip(path: Path) -> IO[bytes]:
    """Open the file at `path`, or the file of that name in a shard of its folder.

    Raises:
        OSError: there is neither, or it cannot be read.
        InputError: the index of the folder is damaged.
    """
    try:
        return path.open("rb")
    except FileNotFoundError:
        place = path.parent / INDEX
        if not place.is_file():
            raise
    name = f"{path.parent.name}/{path.name}"
    found = _index(place, place.stat().st_mtime_ns).get(name)
    if found is None:
        raise FileError(f"neither a file nor in {place}")
    number, start, size = found
    with (path.parent / _shard(number)).open("rb") as stream:
        stream.seek(start)
        content = stream.read(size)
    if len(content) < size:
        raise FileError(f"{path.parent / _shard(number)} is cut off")
    return io.BytesIO(content)


def read_chip(path: Path) -> NDArray[np.uint8]:
    """Decode an 8-bit image file to (H, W) or (H, W, 3); the file may be packed into a shard of its folder.

    Raises:
        FileError: the file is missing or not a whole image.
    """
    try:
        with open_chip(path) as stream, Image.open(stream) as image:
            return np.asarray(image if image.mode in ("L", "RGB") else image.convert("RGB"))
    except OSError as error:
        raise FileError(f"expected a readable image at {path}, found none ({error}); run `dvc repro` again") from error


def _shard(number: int) -> str:
    return f"{number:03d}.tar"


def _is_entry(entry: object) -> bool:
    return isinstance(entry, list) and len(entry) == 3 and all(type(number) is int and number >= 0 for number in entry)


@lru_cache(maxsize=8)
def _index(path: Path, _changed_ns: int) -> dict[str, Any]:
    """Index of a folder of shards: file name -> number of the shard, first byte, size."""
    document = read_json(path)
    files = document.get("files") if isinstance(document, dict) else None
    if not isinstance(files, dict) or not all(map(_is_entry, files.values())):
        raise InputError(f"expected an index of shards in {path}, found something else; run `dvc repro` again")
    return files
