"""Classes of a catalogue entry: a data set, its files to fetch, and its splits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from refinedet.config import PixelSizes

RECORDED = "recorded on first download, not verified by us"
"""Words for a checksum that this project has not verified."""


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    """One file to fetch and unpack."""

    name: str
    """File name in a mirror and in the download cache."""
    url: str | None
    """Public address; None if a program cannot fetch the file, or only a mirror has it."""
    folder: str
    """Folder within the archive that holds the content."""
    into: str = ""
    """Folder in the data set that receives the content; default: the data set's own. No two archives share one."""
    sha256: str | None = None
    """Checksum of the content by files.sha256_tree, as the archive's bytes may change; None until it is verified."""
    md5: str | None = None
    """MD5 of the archive itself, if its bytes never change and the MD5 is published."""
    size_bytes: int | None = None
    """Size of the archive itself; None if unknown."""

    @property
    def sum(self) -> str:
        """Text on the verification of the content: a checksum and who verified it."""
        if self.sha256 is not None:
            return f"SHA-256 of the content {self.sha256}, verified by us"
        if self.md5 is not None:
            return f"MD5 of the archive {self.md5}, as published"
        return RECORDED


@dataclass(frozen=True, slots=True)
class CocoSplit:
    """Split in one COCO JSON file; paths are relative to the data set's folder."""

    annotations: str
    images: str
    """Folder that the file names of the annotations are relative to."""
    corners_at: float = 0.0
    """Position of box corners within a pixel: 0 at its upper left, 0.5 at its centre."""
    optional: bool = False
    """True if the data set may lack this split."""


@dataclass(frozen=True, slots=True)
class VocSplit:
    """Split in the layout of PASCAL VOC's development kit."""

    image_sets: tuple[str, ...]
    """Lists of image ids, such as trainval/VOC2007/ImageSets/Main/train.txt; the annotations and images of these ids
    are in folders of that VOC2007 folder."""
    classes: tuple[str, ...]
    """Class names in the order of the labels, because the files do not list them."""
    annotations: str = "Annotations"
    """Folder of the XML files."""
    images: str = "JPEGImages"
    """Folder of the JPEG files."""


@dataclass(frozen=True, slots=True)
class Manual:
    """Instructions for the user to get a data set that no program may fetch."""

    where: str
    """Web address, and the host or registration that it needs."""
    what: str
    """Download to choose there, and its layout."""


@dataclass(frozen=True, slots=True)
class Source:
    """Data set of the catalogue."""

    files: tuple[ArchiveFile, ...]
    licence: str
    citation: str
    splits: Mapping[str, CocoSplit | VocSplit]
    """"train", "test" and, where the data set has one, "val"."""
    subsets: Mapping[str, str] = field(default_factory=dict)
    """Name of a part of the test split -> COCO file that lists its images."""
    title: str = ""
    """Description in one line."""
    page: str | None = None
    """Web page of its makers."""
    classes: tuple[str, ...] = ()
    """Class names by label; empty if the user's files name them."""
    split_rule: str = ""
    """Rule that says which images train, validate and test."""
    images: int | None = None
    """Number of images, as published; None if unknown, or for a folder of the user's own."""
    manual: Manual | None = None
    """Instructions if the user must fetch the archives or their unpacked folders; else None."""
    gsd_m: PixelSizes | None = None
    """Pixel size on the ground, as published; None if it is unknown, mixed or depends on the user's data."""
    prepared: str | None = None
    """Format from which stage download makes the annotations; None: the files contain annotations."""

    def splits_in(self, folder: Path) -> dict[str, CocoSplit | VocSplit]:
        """Splits of the data set in `folder`: all except optional ones that are missing."""
        return {
            name: split
            for name, split in self.splits.items()
            if isinstance(split, VocSplit) or not split.optional or (folder / split.annotations).exists()
        }

    @property
    def sha256(self) -> str:
        """Checksums that pin the content; by file name if there are several files."""
        sums = {a.name: a.sha256 or (f"md5 {a.md5} of the archive" if a.md5 else RECORDED) for a in self.files}
        if not sums:
            return "noted in outputs/download/source.json"
        return next(iter(sums.values())) if len(sums) == 1 else ", ".join(f"{n}: {value}" for n, value in sums.items())

    @property
    def size_bytes(self) -> int | None:
        """Bytes to download; None unless the size of every file is known."""
        sizes = [archive.size_bytes for archive in self.files]
        known = [size for size in sizes if size is not None]
        return sum(known) if sizes and len(known) == len(sizes) else None
