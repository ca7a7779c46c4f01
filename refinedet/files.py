"""Atomic writes, hashes and stable JSON. The only place that renames a file.

A reader of these files sees the old content or the new, never half of either.
"""

from __future__ import annotations

import ctypes
import errno
import hashlib
import json
import os
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from refinedet.errors import DiskError, FileError, InputError, RefineDetError

PART = ".part-"
"""Begin of the name of a hidden folder that holds a file until it is whole."""
_FULL = (errno.ENOSPC, errno.EDQUOT)
_FULL_WORDS = ("no space left on device", "disk is full", "quota exceeded")
_PART_BYTES, _PATH_BYTES = 255, 1024
"""Longest part of a path that file systems accept, and longest path that a data set or a project needs."""
_DRIVE = re.compile("[A-Za-z]:")
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2
"""Constants of Linux' renameat2: paths relative to the working folder; the two names change places."""
_NOTHING_LEFT_BYTES = 64 << 10
"""Free bytes below which a failed write counts as a full disk: file systems keep the last blocks to themselves."""


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary file; on success it replaces `path`, on error it is removed.

    The file keeps the name of `path`, because many writers choose the format by the suffix. It is in a hidden folder
    beside `path`, so a pattern such as `*.parquet` does not match what a killed process leaves.

    Raises:
        DiskError: the disk is full, whatever error the writer raised.
    """
    path = Path(path)
    with full_disk_told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=PART, dir=path.parent))
    temporary = folder / path.name
    try:
        with full_disk_told(path, temporary):
            temporary.touch()
            yield temporary
            temporary.chmod(0o666 & ~_UMASK)
            temporary.replace(path)
    finally:
        try:
            folder.rmdir()  # as a rule; many times as fast as to look for what it holds
        except OSError:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """Yield an empty temporary sibling folder; on success it replaces the folder `path`.

    A process that is killed at any moment leaves the old folder or the new one. Where the file system cannot exchange
    two folders in one step, the old one waits under another name meanwhile, and the next call puts it back.

    Raises:
        DiskError: the disk is full, whatever error the writer raised.
        FileError: `path` is a file or a link.
    """
    path = Path(path)
    with full_disk_told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _recover_folder(path)
        if path.is_symlink() or (path.exists() and not path.is_dir()):
            raise FileError(f"expected a folder or nothing at {path}, found a file or link; move it away")
        temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    try:
        with full_disk_told(path, temporary):
            yield temporary
            temporary.chmod(0o777 & ~_UMASK)
            _replace_folder(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _replace_folder(new: Path, path: Path) -> None:
    """Put the folder `new` in the place of `path`; the old folder may be left at the place of `new`."""
    if path.exists() and not _exchanged(new, path):
        before = _before(path)
        path.replace(before)
        new.replace(path)
        shutil.rmtree(before)
    elif new.exists() and not path.exists():
        new.replace(path)


def _before(path: Path) -> Path:
    """Name under which an old folder waits while the new one takes its place."""
    return path.with_name(f".{path.name}.before")


def _recover_folder(path: Path) -> None:
    """Put back the old folder that a process left when it was killed between the two steps; remove one left behind."""
    before = _before(path)
    if before.is_dir() and not path.exists():
        before.replace(path)
    elif before.is_dir():
        shutil.rmtree(before)


def _exchanged(one: Path, other: Path) -> bool:
    """Exchange two folders in one step; False if the system or the file system cannot do that."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):  # no Linux, or a C library from before 2018
        return False
    failed = rename(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE)
    return not failed


@contextmanager
def full_disk_told(path: Path, written_as: Path | None = None) -> Iterator[None]:
    """Turn the error of a write on a full disk into a DiskError that names `path`, and not `written_as`.

    Raises:
        DiskError: the disk is full. Other errors pass unchanged.
    """
    try:
        yield
    except DiskError as error:  # the error of a file within `path`
        if written_as is None or str(written_as) not in str(error):
            raise
        raise DiskError(str(error).replace(str(written_as), str(path))) from error
    except Exception as error:
        if not is_disk_full(error, path):
            raise
        raise full_disk(path) from error


def full_disk(what: object) -> DiskError:
    """Error to raise if the disk has no room for `what`."""
    return DiskError(f"expected room on the disk for {what}, found it full; free some, then run the same again")


def cannot_write(what: object, error: OSError, path: Path, kind: type[FileError] = FileError) -> FileError:
    """Error to raise if `what` cannot be written at `path`; it names a full disk, or else the system's reason."""
    if is_disk_full(error, path):
        return full_disk(what)
    reason = error.strerror or str(error)
    return kind(f"expected to write {what}, but that failed ({reason}); {_advice(error)}")


def _advice(error: OSError) -> str:
    advice = {
        errno.EACCES: "check who may write there, or name another place",
        errno.EPERM: "check who may write there, or name another place",
        errno.EROFS: "nothing can be written on that disk: name another place",
        errno.ENAMETOOLONG: "take a shorter name",
        errno.EISDIR: "a folder is in the way: move it, or name another place",
        errno.ENOTEMPTY: "a folder is in the way: move it, or name another place",
        errno.ENOTDIR: "a file is in the way: move it, or name another place",
        errno.EEXIST: "a file is in the way: move it, or name another place",
        errno.EIO: "check the disk",
    }
    return advice.get(error.errno or 0, "check that place, or name another one")


def is_bad_path(error: BaseException) -> bool:
    """True for the error of a path that is too long, or of a link that leads to itself."""
    if isinstance(error, RuntimeError):
        return str(error).startswith("Symlink loop")  # pathlib before Python 3.13
    return isinstance(error, OSError) and error.errno in (errno.ENAMETOOLONG, errno.ELOOP)


def is_disk_full(error: BaseException, path: Path) -> bool:
    """True if a write at `path` failed because the disk is full; libraries report that in words or not at all."""
    if isinstance(error, RefineDetError):
        return isinstance(error, DiskError)
    said: BaseException | None = error
    while said is not None:
        if getattr(said, "errno", None) in _FULL or any(words in str(said).lower() for words in _FULL_WORDS):
            return True
        said = said.__cause__
    existing = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    writes = isinstance(error, (OSError, RuntimeError, sqlite3.Error))  # torch and GDAL: "write failed"
    return writes and shutil.disk_usage(existing).free < _NOTHING_LEFT_BYTES


def move_file(source: str | Path, target: str | Path) -> None:
    """Rename a file within one file system; it replaces `target` in one step."""
    Path(source).replace(target)


def write_text(path: str | Path, text: str) -> None:
    """Write UTF-8 text atomically, newlines as given."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="")


def write_json(path: str | Path, value: Any) -> None:
    """Write `value` as stable JSON (sorted keys, one trailing newline), atomically."""
    write_text(path, json_text(value))


def json_text(value: Any) -> str:
    """Return `value` as JSON text with sorted keys; NaN and infinity are refused."""
    return json.dumps(value, indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False) + "\n"


def read_json(path: str | Path) -> Any:
    """Parse a UTF-8 JSON file.

    Raises:
        FileError: the file is missing or unreadable.
        InputError: the content is not JSON.
    """
    try:
        return parse_json(Path(path).read_bytes(), str(path))
    except OSError as error:
        raise FileError(f"expected a JSON file at {path}, but it cannot be read ({error.strerror})") from error


def is_safe_path(name: str) -> bool:
    """Return True if a name from outside is a relative path that stays within its folder, on every file system."""
    path = PurePosixPath(name)
    odd = "\\" in name or _DRIVE.match(name) or any(ord(character) < ord(" ") for character in name)
    overlong = len(name) > _PATH_BYTES or any(len(os.fsencode(part)) > _PART_BYTES for part in path.parts)
    return not (odd or overlong or path.is_absolute() or ".." in path.parts)


def parse_json(text: str | bytes, source: str) -> Any:
    """Parse JSON text; `source` names the file in errors.

    Raises:
        InputError: it is not JSON, or has a number of thousands of digits or thousands of levels.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError: no JSON, no UTF-8, too many digits
        raise InputError(f"expected JSON in {source}, found something else ({error}); is the file whole?") from error


def visible_files(folder: Path, pattern: str) -> list[Path]:
    """Sorted files of a folder that match a pattern, without hidden ones and those in hidden folders below it.

    Hidden ones are what a killed process left of `atomic_path`, or belong to the system.
    """
    found = (path for path in folder.glob(pattern) if path.is_file())
    return sorted(p for p in found if not any(part.startswith(".") for part in p.relative_to(folder).parts))


def sha256_file(path: str | Path) -> str:
    """Hex SHA-256 of a file's bytes, read in blocks."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def md5_file(path: str | Path) -> str:
    """Hex MD5 of a file's bytes: DVC's own identifier of data, not a security measure."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def sha256_tree(root: str | Path, names: list[str] | None = None) -> str:
    """Hex SHA-256 over the sorted relative names and hashes of files under `root`, Python's bytecode left out.

    Equal for equal content, whatever archive it came in. `names` limits it to those files.
    """
    root = Path(root)
    if names is None:
        names = [p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file() and p.suffix != ".pyc"]
    digest = hashlib.sha256()
    for name in sorted(names):
        digest.update(f"{name}\0{sha256_file(root / name)}\n".encode())
    return digest.hexdigest()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


_UMASK = _umask()
"""Umask of the process. It is read once, before threads start, because reading changes it for a moment for all."""
