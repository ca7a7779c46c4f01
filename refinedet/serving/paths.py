"""Scenes that a request names by path, below the folders that the server may read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from refinedet.errors import FileError
from refinedet.serving.refusal import UNUSABLE, Refusal

_FORBIDDEN, _NONE = 403, 404
_LONGEST = 4096
_SHOWN = 200
_MOST_FILES = 5000
"""Most files and folders of a product; a folder with more is no product."""
_PRODUCT = ".safe"
"""End of the name of a folder that is a Sentinel-1 product."""


def usable_roots(folders: Iterable[Path]) -> tuple[Path, ...]:
    """Folders that the server may read, resolved.

    Raises:
        FileError: one of them is no folder.
    """
    found = []
    for folder in folders:
        if not folder.is_dir():
            raise FileError(f"expected a folder for `root`, found none at {folder}; check the name")
        found.append(folder.resolve(strict=True))
    return tuple(found)


def scene_below(roots: Sequence[Path], text: str) -> Path:
    """Path of a scene that a request names, absolute or relative to one of the folders; links are followed.

    A file elsewhere is refused like a missing one, so that a client cannot learn which files exist.

    Raises:
        Refusal: no folder may be read, or there is no such scene below one.
    """
    if not roots:
        raise Refusal(_FORBIDDEN, "expected a scene as an upload, found a `path`; this server reads no files by path")
    if "\0" in text or not 0 < len(text) <= _LONGEST:
        raise Refusal(UNUSABLE, f"expected a `path` of 1 to {_LONGEST} plain characters, found another one")
    for root in roots:
        try:
            path = (root / text).resolve(strict=True)
            fine = path.is_relative_to(root) and (path.is_file() or path.is_dir()) and _stays(path, root)
        except (OSError, RuntimeError, ValueError):  # RuntimeError: a cycle of links
            continue
        if fine:
            return path
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
    raise Refusal(_NONE, f"expected a scene below a folder that this server may read, found none at {shown!r}")


def _stays(path: Path, root: Path) -> bool:
    """True if no link among the scene's files points out of the folder."""
    files = list(islice(_files(path), _MOST_FILES + 1))
    return len(files) <= _MOST_FILES and all(one.resolve().is_relative_to(root) for one in files if one.is_symlink())


def _files(path: Path) -> Iterator[Path]:
    """Files that reading a scene may open: all files of its product, or files beside it with the same stem."""
    product = next((one for one in (path, *path.parents) if one.suffix.lower() == _PRODUCT and one.is_dir()), None)
    if product is None and path.is_dir():
        product = path
    elif product is None and path.name == "manifest.safe":
        product = path.parent
    if product is not None:
        yield from product.rglob("*")
    else:
        yield from (one for one in path.parent.iterdir() if one.name.startswith(path.stem))
