"""Finder of the images that labels name: maps paths of other machines and folders to the files on this machine."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from refinedet.errors import FileError, InputError

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff")
"""Suffixes of images in small letters, the usual ones first."""
IMAGE_FOLDERS = ("images", "Images", "JPEGImages", "imgs", ".")
"""Usual names of the folder of the images, relative to the labels."""
MOST_FILES = 500_000
"""Largest number of files among which images are searched for, below a folder that was not named for its images."""
_HOLDERS = {"result", "results", "coco", "json", "jsons", "voc"}
_HOLDERS_BEGIN = ("ann", "label", "xml", "bbox")
"""Names of folders for labels only, and beginnings of such names: images lie beside them."""
_UPLOAD = re.compile("[0-9a-f]{8}-(?=.)")
"""Prefix that Label Studio gives to the name of an uploaded image."""
_SIGNED = ("convert", "tile")
_OURS = {*_SIGNED, "train", "evaluate", "report"}
"""Folders of an earlier training; a summary file distinguishes some of them from the user's folders."""
_TWICE = "name their folder in `images`, or give the images names of their own"


@dataclass
class ImageFinder:
    """Finder of the images of one label file."""

    source: Path
    """Label file, for messages."""
    folders: Sequence[Path]
    """Folders that file names may be relative to, the likeliest first; the first folder with images of the file is used
    for all."""
    roots: Sequence[Path]
    """Folders below which images are searched for by name if none of `folders` has them, in this order."""
    most_files: int | None = MOST_FILES
    """Largest number of files below a root; None: any number."""
    moved: list[str] = field(default_factory=list)
    """Names whose image was found at another place."""
    uploaded: list[str] = field(default_factory=list)
    """Names whose image was found without the prefix that Label Studio gives to uploads."""
    help: str = "name their folder in `images`"
    """Advice if the images are not found."""

    def find(self, names: Sequence[str]) -> tuple[dict[str, Path], list[str]]:
        """Find the images of `names`: (name -> path, names without an image).

        The search uses the whole name first, then its last parts.

        Raises:
            FileError: more than half of the names have no image.
            InputError: a name fits several images, two names lead to one image, or too many files must be searched.
        """
        folder = self._folder(names)
        found: dict[str, Path] = {}
        missing: list[str] = []
        for name in names:
            parts = name_parts(name)
            place = _below(folder, parts) if folder is not None else None
            is_elsewhere = place is None
            place = place or self._elsewhere(name, parts)
            if place is None and parts and (prefix := _UPLOAD.match(parts[-1])):
                place = self._elsewhere(name, (*parts[:-1], parts[-1][prefix.end() :]))
                if place is not None:
                    found[name] = place
                    self.uploaded.append(name)
                    continue
            if place is None:
                missing.append(name)
                continue
            found[name] = place
            if is_elsewhere or _agreeing(place.parts, parts) < len(parts):
                self.moved.append(name)
        self._check(names, found)
        return found, missing

    def _folder(self, names: Sequence[str]) -> Path | None:
        """First folder that has an image of the names.

        Raises:
            InputError: another folder has an image of that name with other content.
        """
        for name in names:
            parts = name_parts(name)
            for first in range(len(parts)):
                having = [folder for folder in self.folders if folder.joinpath(*parts[first:]).is_file()]
                if having:
                    self._check_one(name, [folder.joinpath(*parts[first:]) for folder in having])
                    return having[0]
        return None

    def _check_one(self, name: str, places: list[Path]) -> None:
        """Check that the first place is the right one: it is beside the labels, or the others have the same content."""
        beside = places[0].parent == self.source.parent
        other = next((place for place in places[1:] if not beside and not _same(places[0], place)), None)
        if other is not None:
            raise InputError(f"expected one image {name} for {self.source}, found {places[0]} and {other}; {_TWICE}")

    def _elsewhere(self, name: str, parts: tuple[str, ...]) -> Path | None:
        """Path of the image whose last parts agree best with a name."""
        named = parts[-1] if parts else ""
        alike = next((found for index in self._indexes if (found := index.get(named.casefold()))), [])
        here = [place for place in alike if place.name == named] or alike  # some systems know no upper case
        if not here:
            return None
        agreeing = {place: _agreeing(place.parts, parts) for place in here}
        most = max(agreeing.values())
        best = [place for place in here if agreeing[place] == most]
        self._check_one(name, best)
        return best[0]

    def _by_stem(self, name: str) -> Path | None:
        """Image whose name differs from a name by its suffix alone."""
        stem = Path(name_parts(name)[-1]).stem if name_parts(name) else ""
        places = (place for index in self._indexes for some in index.values() for place in some)
        return next((place for place in places if place.stem == stem), None)

    @cached_property
    def _indexes(self) -> list[dict[str, list[Path]]]:
        """File name in small letters -> paths of the images, for each root."""
        return [_index(root, self.most_files) for root in dict.fromkeys(self.roots)]

    def _check(self, names: Sequence[str], found: dict[str, Path]) -> None:
        if 2 * len(found) < len(names):
            shown = ", ".join(dict.fromkeys(str(root) for root in self.roots))
            lost = next(name for name in names if name not in found)
            alike = self._by_stem(lost)
            hint = self.help if alike is None else f"{alike.name} is there: correct the suffixes in the labels"
            raise FileError(
                f"expected the {len(names)} images of {self.source} in or below {shown}, found {len(found)} of them "
                f"(none for {lost}); {hint}"
            )
        by_place: dict[Path, str] = {}
        for name, place in found.items():
            if by_place.setdefault(place, name) != name:
                raise InputError(
                    f"expected an image for each name in {self.source}, found {place} alone for {by_place[place]} and "
                    f"{name}; {_TWICE}"
                )


def name_parts(name: str) -> tuple[str, ...]:
    r"""Parts of a file name of any system, without drive, root and `..`; web addresses are decoded.

    >>> name_parts(r"C:\data\..\images\c01.png")
    ('data', 'images', 'c01.png')
    >>> name_parts("/data/local-files/?d=chips/c%2001.png")
    ('chips', 'c 01.png')
    """
    if "?d=" in name:  # Label Studio's local files
        name = unquote(name.split("?d=", 1)[1])
    elif "://" in name:
        name = unquote(name.split("?", 1)[0])  # signed addresses end in a query
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return tuple(part for part in parts if part not in {"/", "//", ".", ".."} and not part.endswith(":"))


def finder_around(source: Path, images: Path | None, split: str = "train") -> ImageFinder:
    """Finder of the images of a label file: in folder `images`, or else in the usual folders around the labels.

    Args:
        source: label file.
        images: folder of the images; None: searched for.
        split: name of a folder in which the images may lie.
    """
    if images is not None:
        return ImageFinder(source, [images], [images], most_files=None)
    roots = roots_around(source.parent)
    stem = source.stem.removeprefix("instances_")
    inner = (split, stem, f"images/{split}", f"images/{stem}", *IMAGE_FOLDERS)
    return ImageFinder(source, [source.parent, *(root / name for root in reversed(roots) for name in inner)], roots)


def roots_around(folder: Path) -> list[Path]:
    """Folders to search for the images of labels in `folder`: itself, and its parent if it is for labels only."""
    name = folder.name.lower()
    is_holder = name in _HOLDERS or name.startswith(_HOLDERS_BEGIN)
    return [folder, folder.parent] if is_holder else [folder]


def names_by_stem(folder: Path, images: Path | None) -> dict[str, str]:
    """Name without suffix -> name of each image in folder `images`, or else around labels in `folder`.

    Raises:
        InputError: there are too many files around the labels.
    """
    roots, most = (roots_around(folder), MOST_FILES) if images is None else ([images], None)
    return {place.stem: place.name for root in roots for place in images_below(root, most)}


def name_of(stem: str, names: Mapping[str, str]) -> str:
    """Name of the image whose name without suffix is `stem`; one that is not there gets a suffix for messages."""
    return names.get(stem, f"{stem}{min(IMAGE_SUFFIXES)}")


def _index(root: Path, most_files: int | None) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = defaultdict(list)
    for place in images_below(root, most_files):
        found[place.name.casefold()].append(place)
    return found


def images_below(root: Path, most_files: int | None = None) -> Iterator[Path]:
    """Images in a folder and its subfolders, in order; hidden ones are left out.

    Raises:
        InputError: there are more than `most_files` files, images or not.
    """
    count = 0
    for folder, inner, files in os.walk(root):
        ours = folders_of_ours(Path(folder))
        inner[:] = sorted(name for name in inner if not name.startswith(".") and name not in ours)
        count += len(files)
        if most_files is not None and count > most_files:
            raise InputError(
                f"expected at most {most_files:,} files below {root}, where images are searched for, found more; "
                "name the folder of the images in `images`"
            )
        for name in sorted(files):
            if not name.startswith(".") and Path(name).suffix.lower() in IMAGE_SUFFIXES:
                yield Path(folder, name)


def folders_of_ours(folder: Path) -> set[str]:
    """Names of the folders of an earlier training in a folder; their chips and records are no labels of the user."""
    return _OURS if all((folder / name / "summary.json").is_file() for name in _SIGNED) else set()


def _below(folder: Path, parts: tuple[str, ...]) -> Path | None:
    """Path of an image in a folder by its whole name, else by the most last parts that lead to an image."""
    places = (folder.joinpath(*parts[first:]) for first in range(len(parts)))
    return next((place for place in places if place.is_file()), None)


def _agreeing(place: tuple[str, ...], parts: tuple[str, ...]) -> int:
    """Number of last parts that two paths share."""
    pairs = zip(reversed(place), reversed(parts), strict=False)
    return next((count for count, (one, other) in enumerate(pairs) if one != other), min(len(place), len(parts)))


def _same(one: Path, other: Path) -> bool:
    """True if two files have the same content."""
    return one.samefile(other) or (
        one.stat().st_size == other.stat().st_size and one.read_bytes() == other.read_bytes()
    )
