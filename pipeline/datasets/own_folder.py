"""Folder of the user, copied into one layout: annotations/<split>.json in COCO JSON, images in <split>/.

COCO files get whole ids, sizes, file names and classes. They keep the errors of their objects, which stage convert
repairs and counts. VOC's XML becomes COCO JSON. Without a test split, one is cut off by the pixels of the images, so
that copies stay together.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from pipeline.datasets.by_hand import copy_file
from pipeline.datasets.labels.box_checks import check_boxes
from pipeline.datasets.labels.classes import settle_classes
from pipeline.datasets.labels.formats.coco import read_coco
from pipeline.datasets.labels.images import IMAGE_FOLDERS, IMAGE_SUFFIXES
from pipeline.datasets.labels.label_set import LabelSet, common_folder
from pipeline.datasets.splits import Image, cut_off, pixel_digest
from pipeline.datasets.voc_xml import VocAnnotation, read_annotation, read_image_set, voc_truth
from pipeline.local_params import LocalParams
from pipeline.stage import SPLITS
from refinedet.data.coco import Annotated, build_record, to_coco
from refinedet.data.truth import Changes
from refinedet.downloads.disk import need_room
from refinedet.errors import FileError, InputError
from refinedet.files import write_json
from refinedet.raster import open_scene
from refinedet.wording import counted

_LOG = logging.getLogger(__name__)
_SUFFIXES = (*IMAGE_SUFFIXES, *(suffix.upper() for suffix in IMAGE_SUFFIXES))
_VOC_IMAGES = tuple(dict.fromkeys(("JPEGImages", *IMAGE_FOLDERS)))
"""Usual names of the folder of the images; that of VOC comes first."""


def prepare_own(kind: str, local: LocalParams, root: Path, out: Path) -> None:
    """Copy the data set in folder `root` to the existing folder `out`; `kind` is coco or voc.

    Raises:
        FileError: the folder, an annotation file or an image is missing, or the disk is too small.
        InputError: an annotation file is invalid, or there are too few different images.
    """
    if not root.is_dir():
        raise FileError(f"expected your data in the folder {root}, found none; check local.path of the recipe")
    found = _coco(local, root) if kind == "coco" else _voc(local, root)
    if "test" not in found:
        found["train"], found["test"] = _cut_test(found["train"], local.test_fraction)
    files = [(name, place, split) for split, part in found.items() for name, place in part.places.items()]
    need_room(out, sum(place.stat().st_size for _, place, _ in files), f"a copy of {root}")
    for split, part in found.items():
        write_json(out / "annotations" / f"{split}.json", part.document)
        _LOG.info("%s: %s", split, counted(len(part.places), "image"))
    for name, place, split in files:
        copy_file(place, out / split / name)


def _named(local: LocalParams) -> dict[str, str]:
    """Split -> the file that the settings name for it."""
    return {split: named for split in SPLITS if (named := getattr(local, split)) is not None}


def _coco(local: LocalParams, root: Path) -> dict[str, LabelSet]:
    named = _named(local)
    if "train" not in named:
        raise InputError(
            "expected local.train of the recipe to name a COCO file in your folder, such as annotations/train.json, "
            "found null"
        )
    images = root / local.images if local.images else None
    read = [
        check_boxes(read_coco(root / name, images, local.boxes, split=split), local.boxes)
        for split, name in named.items()
    ]
    settled, notes = settle_classes(read)
    absent = [
        f"{one.source} names {counted(len(one.without_image), 'image')} that cannot be found"
        for one in read
        if one.without_image
    ]
    for note in [*(note for one in read for note in one.notes), *notes, *absent]:
        _LOG.warning(note)
    return {split: one.renamed(common_folder([one])) for split, one in zip(named, settled, strict=True)}


def _voc(local: LocalParams, root: Path) -> dict[str, LabelSet]:
    if local.train is None:
        listed = {"train": sorted(path.stem for path in (root / "Annotations").glob("*.xml"))}
        if not listed["train"]:
            raise FileError(f"expected XML annotations in {root / 'Annotations'}, found none; check local.path")
    else:
        listed = {}
    listed |= {split: read_image_set(root / name) for split, name in _named(local).items()}
    held = {image_id for split, ids in listed.items() if split != "train" for image_id in ids}
    if local.train is None:
        listed["train"] = [image_id for image_id in listed["train"] if image_id not in held]
    said = {
        split: {i: read_annotation(root / "Annotations" / f"{i}.xml") for i in ids} for split, ids in listed.items()
    }
    objects = (entry for split in said.values() for one in split.values() for entry in one.objects)
    classes = tuple(sorted({entry.name for entry in objects}))
    if not classes:
        raise InputError(f"expected objects in the annotations of {root / 'Annotations'}, found none")
    return {split: _voc_split(root, local.images, ids, classes) for split, ids in said.items()}


def _voc_split(root: Path, images: str | None, said: dict[str, VocAnnotation], classes: tuple[str, ...]) -> LabelSet:
    folders = [root / images] if images else [root / name for name in _VOC_IMAGES]
    labels = {name: label for label, name in enumerate(classes)}
    changes = Changes()
    annotated: list[Annotated] = []
    places: dict[str, Path] = {}
    for image_id, one in said.items():
        place = _image(image_id, folders)
        truth = voc_truth(one, labels, changes, place.name)
        places[place.name] = place
        annotated.append(Annotated(place.name, one.width, one.height, *truth.arrays()))
    if changes.dropped or changes.clipped:
        _LOG.warning("%s: %s", root, changes.to_dict())
    return LabelSet(to_coco(build_record(annotated, classes)), places, str(root), "VOC")


def _image(image_id: str, folders: Iterable[Path]) -> Path:
    for folder in folders:
        for suffix in _SUFFIXES:
            if (folder / f"{image_id}{suffix}").is_file():
                return folder / f"{image_id}{suffix}"
    shown = ", ".join(str(folder) for folder in folders)
    raise FileError(
        f"expected an image {image_id}.jpg, .png or .tif in {shown}, found none; name their folder in local.images"
    )


def _cut_test(train: LabelSet, fraction: float) -> tuple[LabelSet, LabelSet]:
    images = [_with_digest(name, place) for name, place in train.places.items()]
    different = len({image.digest for image in images})
    if different < len(SPLITS):
        raise InputError(
            f"expected at least {len(SPLITS)} different images, one each to train, validate and test on, found "
            f"{different}; add some, or name a test split in local.test"
        )
    rest, test = cut_off(images, fraction, "test", leave=2)
    return _only(train, rest), _only(train, test)


def _with_digest(name: str, place: Path) -> Image:
    with open_scene(place) as scene:
        height, width, pixels = scene.info.height, scene.info.width, scene.read_whole()
    empty = (np.zeros((0, 4), np.float32), np.zeros(0, np.int64), np.zeros(0, np.bool_))
    return Image(Annotated(name, width, height, *empty), pixel_digest(pixels))


def _only(split: LabelSet, images: list[Image]) -> LabelSet:
    names = {image.annotated.file_name for image in images}
    kept = [entry for entry in split.document["images"] if entry["file_name"] in names]
    ids = {entry["id"] for entry in kept}
    rows = [row for row in split.document["annotations"] if isinstance(row, dict) and row.get("image_id") in ids]
    places = {name: place for name, place in split.places.items() if name in names}
    return replace(split, document={**split.document, "images": kept, "annotations": rows}, places=places)
