"""Places of YOLO's label files, by the places of their images."""

from __future__ import annotations

from pathlib import Path

from pipeline.datasets.labels.images import IMAGE_SUFFIXES
from pipeline.datasets.labels.label_set import SPLIT_NAMES

LABELS = "labels"
"""Name of the folder of the label files, in any case."""


def is_yolo(root: Path) -> bool:
    """True if a folder has YOLO's label files: in a folder `labels`, or beside images. Case does not count."""
    if any(_has_labels(folder) for folder in (*folders_of(root, LABELS), root)):
        return True
    return any(folders_of(folder, LABELS) for names in SPLIT_NAMES.values() for folder in folders_of(root, *names))


def folders_of(root: Path, *names: str) -> list[Path]:
    """Folders directly in `root` of one of these names; in any case, if none has exactly such a name."""
    exact = [root / name for name in names if (root / name).is_dir()]
    return exact or [path for path in sorted(root.glob("*/")) if path.name.lower() in names]


def label_file(place: Path) -> Path | None:
    """Label file of an image: its path with the last folder `images` replaced by `labels`, or beside the image.

    The text file has the name of the image without its suffix, or else the whole name.
    """
    parts = place.parts
    at = max((index for index, part in enumerate(parts[:-1]) if part.lower() == "images"), default=None)
    instead = (
        [] if at is None else [folder.joinpath(*parts[at + 1 :]) for folder in folders_of(Path(*parts[:at]), LABELS)]
    )
    places = (*instead, place)
    named = [*(path.with_suffix(".txt") for path in places), *(path.with_name(f"{path.name}.txt") for path in places)]
    return next((path for path in named if path.is_file()), None)


def _has_labels(folder: Path) -> bool:
    """True if text files in a folder are labels: the folder is named labels, or one of them is beside its image."""
    if not folder.is_dir():
        return False
    if folder.name.lower() == LABELS:
        return any(folder.rglob("*.txt"))
    places = (place for path in folder.glob("*.txt") for place in _images_of(path))
    return any(place.is_file() for place in places)


def _images_of(path: Path) -> list[Path]:
    """Paths that the image beside a label file may have."""
    whole = path.with_suffix("")
    return [path.with_suffix(suffix) for suffix in IMAGE_SUFFIXES] + [whole] * (whole.suffix.lower() in IMAGE_SUFFIXES)
