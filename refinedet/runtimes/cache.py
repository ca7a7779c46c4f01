"""Exports of checkpoints, kept in the user's cache folder, so that only the first run needs torch.

A child process exports (`python -m refinedet.runtimes.export`); its end frees the gigabyte of memory of torch.
"""

from __future__ import annotations

import atexit
import hashlib
import logging
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

from refinedet.errors import FileError, RefineDetError
from refinedet.extras import check_extra
from refinedet.files import sha256_file, sha256_tree
from refinedet.runtimes.exported import REFUSED, SUFFIXES, Format
from refinedet.system.child import last_words, run_module
from refinedet.system.locks import waiting_lock
from refinedet.system.user_cache import cache_folder, write_error

_LOGGER = logging.getLogger(__name__)
_PACKAGE = Path(__file__).parent.parent


def cached_export(weights: Path, format: Format, folder: Path | None = None) -> Path:
    """Path of the exported file of a checkpoint; exports it if the file is missing.

    The file name is a hash of the checkpoint and of the exporting code. If two processes need the same file at once,
    one makes it and the other waits. If the user's own folder cannot be used, a warning says so, and the export is kept
    until the end of this process.

    Args:
        weights: path of the checkpoint.
        format: onnx or openvino.
        folder: folder of the cache; None is REFINEDET_CACHE, else the user's own.

    Raises:
        FileError: the checkpoint cannot be read, or a named folder cannot be used.
        MissingExtra: torch or onnx is not installed, and the cache has no export.
        RefineDetError: an error of `export.export`, with its message.
    """
    folder = folder or (cache_folder("exported") if os.environ.get("REFINEDET_CACHE") else _usable_folder())
    try:
        key = hashlib.sha256(f"{sha256_file(weights)} {exporter_sha256()}".encode()).hexdigest()[:32]
    except OSError as error:
        raise FileError(f"expected a checkpoint at {weights}, but it cannot be read ({error.strerror})") from error
    path = folder / f"{key}{SUFFIXES[format]}"
    try:
        if path.is_file():
            return path
        with waiting_lock(path.with_suffix(".lock")):
            if not path.is_file():
                for package in ("torch", "onnx"):
                    check_extra(package, f"an export of {weights}")
                _LOGGER.info("exporting %s to %s, once", weights, path)
                _export_in_child(weights, path, format)
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise FileError(
            f"expected to keep an export in {folder}, but that failed ({error.strerror}); name another folder with "
            'REFINEDET_CACHE, or use `runtime="torch"`'
        ) from error
    return path


def _export_in_child(weights: Path, path: Path, format: Format) -> None:
    done = run_module("refinedet.runtimes.export", str(weights), str(path), format)
    if done.returncode:
        reason = last_words(done.stderr)
        if done.returncode == REFUSED:
            raise RefineDetError(reason)
        raise FileError(
            f"expected to export {weights} to {path}, but that failed ({reason or done.returncode}); "
            'is there a gigabyte of memory? `runtime="torch"` does without'
        )


def _usable_folder() -> Path:
    """Find the user's own folder; if it cannot be written, warn and make a folder that is deleted with this process.

    Raises:
        FileError: no such folder can be made.
    """
    try:
        folder = cache_folder("exported")
        reason = write_error(folder)
    except FileError as error:
        folder, reason = Path(), str(error)
    if reason is None:
        return folder
    _LOGGER.warning("nothing can be kept in a cache folder (%s): every run exports the weights anew", reason)
    return _own_folder()


@cache
def _own_folder() -> Path:
    try:
        folder = Path(tempfile.mkdtemp(prefix="refinedet-"))
    except OSError as error:
        raise FileError(
            f"expected a folder for an export, found none that can be written ({error.strerror}); name one with "
            'REFINEDET_CACHE, or use `runtime="torch"`'
        ) from error
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def exporter_sha256() -> str:
    """Hex SHA-256 of the code that decides the content of an exported file."""
    files = [file for folder in ("model", "runtimes") for file in (_PACKAGE / folder).rglob("*.py")]
    return sha256_tree(_PACKAGE, [file.relative_to(_PACKAGE).as_posix() for file in files])
