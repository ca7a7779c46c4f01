"""Scenes of one call, from names, patterns and addresses, then from a manifest; each scene once.

A manifest is a text file with one scene per line: a name relative to the manifest's folder, or an address. Empty lines
and lines that begin with # are ignored. This file also expands quoted patterns, because a shell cannot pass
a hundred thousand names.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable
from fnmatch import translate
from glob import glob, has_magic
from pathlib import Path

from refinedet.cloud.address import is_address
from refinedet.cloud.scene import Scene, scene_of
from refinedet.errors import FileError, InputError
from refinedet.text_encoding import encoding_of
from refinedet.wording import first_of

_COMMENT = "#"
_LOGGER = logging.getLogger(__name__)


def scenes_named(names: Iterable[str | Path], manifest: Path | None = None) -> list[Scene]:
    """Scenes of a command line: its names, patterns and addresses, then those of a manifest.

    Raises:
        FileError: the manifest cannot be read.
        InputError: the manifest is not text or names no scene, or no file matches a pattern.
    """
    scenes = [scene for name in names for scene in _scenes(name, Path(), "the command line")]
    if manifest is not None:
        scenes += _listed(manifest)
    return list(dict.fromkeys(scenes))


def files_named(names: Iterable[Path]) -> list[Path]:
    """Files of a command line: its names and patterns, each file once.

    Raises:
        InputError: no file matches a pattern.
    """
    return list(dict.fromkeys(file for name in names for file in _expanded(name, "the command line")))


def _scenes(name: str | Path, folder: Path, where: str) -> list[Scene]:
    """Scenes that one name means: an address, a file in `folder`, or the files of a pattern there."""
    if isinstance(name, str) and is_address(name):
        return [scene_of(name)]
    return [scene_of(file) for file in _expanded(folder / name, where)]


def _listed(manifest: Path) -> list[Scene]:
    try:
        text = _text(manifest)
    except UnicodeDecodeError as error:
        raise InputError(
            f"expected a manifest of UTF-8 text at {manifest}, found other bytes; list one scene to a line"
        ) from error
    except OSError as error:
        raise FileError(
            f"expected a manifest at {manifest}, but it cannot be read ({error.strerror}); check the name"
        ) from error
    scenes: list[Scene] = []
    for number, line in enumerate(map(_unquoted, text.splitlines()), start=1):
        if "\0" in line:
            raise InputError(f"expected a manifest of text at {manifest}, found a zero byte in line {number}")
        if line and not line.startswith(_COMMENT):
            scenes += _scenes(line, manifest.parent, f"{manifest}, line {number}")
    if not scenes:
        raise InputError(f"expected scenes in the manifest {manifest}, found none; list one to a line")
    return scenes


def _in_any_case(folders: Iterable[str], pattern: str) -> str | None:
    """Path of a file that matches a pattern but for upper and lower case; None if there is none."""
    is_alike = re.compile(translate(pattern), re.IGNORECASE).match
    names = (folder + name for folder in folders if Path(folder).is_dir() for name in sorted(os.listdir(folder)))  # noqa: PTH208
    return next((path for path in names if is_alike(Path(path).name)), None)


def _text(path: Path) -> str:
    """Text of a file in UTF-8, or in UTF-16 as Windows PowerShell writes lists."""
    raw = path.read_bytes()
    return raw.decode(encoding_of(raw))


def _unquoted(line: str) -> str:
    """Line without blanks around it, and without the quotation marks in which Windows copies the name of a file."""
    name = line.strip()
    return name[1:-1].strip() if len(name) > 1 and name[0] == name[-1] == '"' else name


def _expanded(name: Path, where: str) -> list[Path]:
    """The name itself, or the sorted files that match it as a pattern; an existing file is never a pattern."""
    if not has_magic(str(name)) or name.exists():
        return [name]
    # the pattern may be absolute, which Path.glob refuses
    folders = {above: glob(os.path.join(above, ""), recursive=True) for above in name.parents}  # noqa: PTH118, PTH207
    closed = sorted(
        {str(Path(one)) for some in folders.values() for one in some if not os.access(one, os.R_OK | os.X_OK)}
    )
    if closed:
        _LOGGER.warning("files like %s in %s are left out, since the folder cannot be read", name, first_of(closed))
    scenes = {
        folder + file
        for folder in folders[name.parent]
        for file in glob(name.name, root_dir=folder, recursive=True)  # noqa: PTH207
    }
    if not scenes:
        alike = _in_any_case(folders[name.parent], name.name)
        hint = f"check the pattern, since {alike} differs from it in upper and lower case alone" if alike else ""
        raise InputError(f"expected files like {name} ({where}), found none; {hint or 'check the pattern'}")
    return [Path(one) for one in sorted(scenes)]
