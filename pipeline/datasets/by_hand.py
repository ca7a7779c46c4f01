"""Data sets that the user must download: finds them, copies them, and checks that they are complete."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

from pipeline.datasets.catalogue import ArchiveFile, CocoSplit, Manual, Source, VocSplit
from pipeline.datasets.voc_xml import read_image_set
from refinedet.data.coco import import_coco
from refinedet.downloads.disk import need_room
from refinedet.errors import DiskError, FileError, RefineDetError
from refinedet.files import cannot_write
from refinedet.raster import open_scene
from refinedet.wording import first_of

_LOG = logging.getLogger(__name__)
_PACKED = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2")
_DECODED_PX = 16_000_000
"""Pixels above which only the header of an image is checked: stage convert reads every image in full."""
_LOG_EVERY = 10_000


def find_by_hand(dataset: str, archive: ArchiveFile, manual: Manual, folders: list[Path]) -> Path:
    """Find the archive or the unpacked folder, in the first of `folders` that has either.

    Raises:
        FileError: no folder has it; the message says what to put where.
    """
    folder_alone = archive.name == archive.folder
    names = [] if folder_alone else [archive.name, *(archive.folder + suffix for suffix in _PACKED)]
    for folder in folders:
        for place in (*(folder / name for name in names), folder / archive.folder):
            if place.is_dir() if place.name == archive.folder else place.is_file():
                return place
    shown = " or ".join(str(folder.absolute()) for folder in folders)
    wanted = f"the folder {archive.folder}" + ("" if folder_alone else ", or a zip or tar of it,")
    raise FileError(
        f"expected {wanted} in {shown}, found none; {dataset} is fetched by hand: go to {manual.where}, take "
        f"{manual.what}, put it there (or name another folder in download.mirror of params.yaml), and start again"
    )


def needed_paths(source: Source) -> tuple[str, ...]:
    """Files and folders of the data set that its splits name."""
    found: list[str] = list(source.subsets.values())
    for split in source.splits.values():
        if isinstance(split, VocSplit):
            for image_set in split.image_sets:
                root = image_set.split("ImageSets/", 1)[0]
                found += (image_set, root + split.annotations, root + split.images)
        else:
            found += (split.annotations, split.images)
    return tuple(dict.fromkeys(found))


def copy_folder(place: Path, out: Path, only: tuple[str, ...]) -> None:
    """Copy the files `only` of folder `place`, and all below its folders `only`, to the existing folder `out`.

    Raises:
        FileError: one of them is missing, a link leads out of the folder, or the disk is too small.
    """
    missing = [name for name in only if not (place / name).exists()]
    if missing:
        raise FileError(f"expected {missing[0]} in {place}, found none; is it unpacked, and whole?")
    files = [path for name in only for path in _files(place / name)]
    inside = place.resolve()
    for path in files:
        if not path.resolve().is_relative_to(inside):
            raise FileError(f"expected files in {place}, found {path}, a link that leads out of it; put the file there")
    need_room(out, sum(path.stat().st_size for path in files), f"a copy of {place.name}")
    for path in files:
        copy_file(path, out / path.relative_to(place))


def copy_file(path: Path, target: Path) -> None:
    """Copy one file; missing folders above the target are created.

    Raises:
        DiskError: the file or a folder cannot be written.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    except OSError as error:
        raise cannot_write(f"a copy of {path} to {target}", error, target, DiskError) from error


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else sorted(found for found in path.rglob("*") if found.is_file())


def verify_splits(folder: Path, source: Source) -> None:
    """Check that every image that a split lists exists and can be read.

    Raises:
        FileError: an image or annotation file is missing or cannot be read.
        InputError: an annotation file is invalid.
    """
    for name, split in source.splits_in(folder).items():
        bad: list[str] = []
        count = 0
        for count, path in enumerate(_listed(folder, split), start=1):
            if (problem := _problem(path)) is not None:
                bad.append(f"{path.relative_to(folder)} {problem}")
            if count % _LOG_EVERY == 0:
                _LOG.info("%s: %d files looked at", name, count)
        if bad:
            raise FileError(
                f"expected {count} files of split '{name}' that can be read in {folder}, found {count - len(bad)} "
                f"({first_of(bad, mark='; ')}); fetch or unpack the data set again"
            )
        _LOG.info("%s: all %d files are there and can be read", name, count)


def _listed(folder: Path, split: CocoSplit | VocSplit) -> Iterator[Path]:
    """Images that the split lists, and annotations if each image has its own file."""
    if isinstance(split, CocoSplit):
        for entry in import_coco(folder / split.annotations)[0].images:
            yield folder / split.images / entry.file_name
        return
    for image_set in split.image_sets:
        root = (folder / image_set).parents[2]
        for image_id in read_image_set(folder / image_set):
            yield root / split.annotations / f"{image_id}.xml"
            yield root / split.images / f"{image_id}.jpg"


def _problem(path: Path) -> str | None:
    if not path.is_file():
        return "is missing"
    if path.suffix == ".xml":
        return None if path.stat().st_size else "is empty"
    try:
        with open_scene(path) as scene:
            if scene.info.height * scene.info.width <= _DECODED_PX:
                scene.read_whole()
    except RefineDetError:
        return "cannot be read"
    return None
