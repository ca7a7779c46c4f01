"""Stage convert: turns every data set into canonical COCO records, in train, val and test.

File names in the records are relative to outputs/download. Images are identified by their decoded pixels, not by name:
copies are reported, and a validation split never holds a copy of an image in another split.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline.datasets.labels.classes import settle_classes
from pipeline.datasets.labels.label_set import LabelSet, common_folder
from pipeline.datasets.labels.summary import Summary, summarise
from pipeline.datasets.labels.unusable import why_unusable
from pipeline.datasets.reading import Problem, Reading, read_dataset, read_label_sets
from pipeline.datasets.splits import Image, cut_off, duplicate_groups, keep_some
from pipeline.params import load_params
from pipeline.stage import OUTPUTS, SPLITS, counts_text, run_stage
from refinedet.data.coco import Record, build_record, write_record
from refinedet.data.truth import Changes
from refinedet.errors import InputError
from refinedet.files import atomic_folder, write_json

_LOG = logging.getLogger(__name__)
_USES = {"val": "validate", "test": "test"}


def convert(dataset: str, val_fraction: float, source: Path, out: Path, *, train_images: int | None = None) -> None:
    """Write the records of the data set in folder `source` to folder `out`, with a summary.

    Simulated scenes, in folders train, val and test of `SIMULATED`, are added to a data set of the catalogue, or form
    the data set alone. With `train_images`, only that many training images are kept, chosen by a stable hash.

    Raises:
        FileError: an image or annotation file is missing or damaged.
        InputError: an annotation file is invalid.
    """
    reading = read_dataset(dataset, val_fraction, source)
    _refuse(reading.problems)
    splits = {**reading.splits, "train": keep_some(reading.splits["train"], train_images)}
    write_records(dataset, replace(reading, splits=splits), out)


def convert_labels(
    sets: Mapping[str, LabelSet], out: Path, *, val_fraction: float, test_fraction: float
) -> tuple[Path, Summary]:
    """Write the records of a user's labels to folder `out`, with a summary.

    If the labels have no validation or test split, images are cut off by the digests of their pixels, as shares of all
    training images; each split gets at least one.

    Returns:
        The folder that the file names of the records are relative to, and the summary of the labels.

    Raises:
        FileError: an image is damaged.
        InputError: no box can be used, or there are too few different images.
    """
    settled, notes = settle_classes(list(sets.values()))
    if not settled[0].document["categories"]:  # all sets have the same
        raise InputError(why_unusable(sets["train"], Changes()))
    base = common_folder(settled)
    named = {split: one.renamed(base) for split, one in zip(sets, settled, strict=True)}
    reading = read_label_sets(named, base)
    _refuse(reading.problems)
    summary = summarise(settled, list(reading.changes.values()), reading.classes, notes)
    listed, source = reading.splits["train"], sets["train"].source
    if all(image.annotated.ignored.all() for image in listed):  # also true for an image without boxes
        raise InputError(why_unusable(sets["train"], reading.changes["train"]))
    lacking = [split for split in SPLITS if split not in sets]
    if len({image.digest for image in listed}) < len(lacking) + 1:
        raise InputError(
            f"expected at least {len(lacking) + 1} different images in {source}, one each to "
            f"{' and '.join(['train', *(_USES[split] for split in lacking)])} on, found "
            f"{len({image.digest for image in listed})}"
        )
    splits = dict(reading.splits)
    if "test" in lacking:
        splits["train"], splits["test"] = cut_off(listed, test_fraction, "test", leave=len(lacking))
    if "val" in lacking:
        share = val_fraction / (1 - test_fraction) if "test" in lacking else val_fraction
        splits["train"], splits["val"] = cut_off(splits["train"], share, "val", leave=1)
    told = {"notes": [*summary.notes, *summary.warnings], "counts": dict(summary.counts)}
    write_records(Path(source).name, replace(reading, splits=splits), out, labels=told)
    return base, summary


def _refuse(problems: Sequence[Problem]) -> None:
    """Refuse a data set if any image cannot be used, because the rest would be another data set."""
    if not problems:
        return
    first, others = problems[0].error, [problem.file_name for problem in problems[1:]]
    if not others:
        raise first
    raise type(first)(f"{first}; {len(others)} more images cannot be used either, such as {', '.join(others[:3])}")


def write_records(dataset: str, converted: Reading, out: Path, **further: Any) -> None:
    """Write the records of a reading to folder `out`, with a summary that names the data set `dataset`.

    The entries of `further` are added to the summary.
    """
    splits = converted.splits
    groups = duplicate_groups(splits)
    across = [group for group in groups if len({split for split, _ in group}) > 1]
    leaked = sorted({name for group in across for split, name in group if split == "test"})
    subsets = dict(converted.subsets) | ({"leaked": leaked} if converted.subsets or leaked else {})
    with atomic_folder(out) as staged:
        records = {name: _dataset(splits[name], converted.classes) for name in SPLITS}
        for name, record in records.items():
            write_record(staged / f"{name}.json", record)
        if subsets:
            write_json(staged / "subsets.json", subsets)
        summary = {
            "dataset": dataset,
            "classes": list(converted.classes),
            "splits": {name: _counts(record) for name, record in records.items()},
            "changes": {name: changes.to_dict() for name, changes in converted.changes.items()},
            "flags": {name: dict(flags) for name, flags in converted.flags.items()},
            "duplicates": {
                "within": [[name for _, name in group] for group in groups if group not in across],
                "across": [[f"{split}: {name}" for split, name in group] for group in across],
            },
            "subsets": {name: len(names) for name, names in subsets.items()},
            **further,
        }
        write_json(staged / "summary.json", summary)
    for name, record in records.items():
        _LOG.info("%s, %s: %s", dataset, name, counts_text(_counts(record)))
    if leaked:
        _LOG.warning(
            "%d of %d test images are also in training or validation, so measures on test are too high; those of "
            "`without_leaked` leave these images out",
            len(leaked),
            len(records["test"].images),
        )
    copied = _copied(across)
    if copied:
        _LOG.warning(
            "%d of %d validation images are also in training, so measures on val are too high; name other images as "
            "val, or none, so that a part of the training images becomes val",
            copied,
            len(records["val"].images),
        )


def _copied(groups: Sequence[Sequence[tuple[str, str]]]) -> int:
    """Number of validation images that are copies of training images, from groups of equal (split, name)."""
    with_train = [group for group in groups if any(split == "train" for split, _ in group)]
    return sum(split == "val" for group in with_train for split, _ in group)


def _dataset(images: list[Image], classes: tuple[str, ...]) -> Record:
    return build_record([image.annotated for image in images], classes)


def _counts(record: Record) -> dict[str, int]:
    return {
        "images": len(record.images),
        "boxes": record.box_count,
        "ignored": int(sum(mask.sum() for mask in record.ignored.values())),
        "without_boxes": sum(len(boxes) == 0 for boxes in record.boxes.values()),
    }


def main() -> None:
    """Run the stage in the current folder."""
    params = load_params()
    few, share = params.convert.train_images, params.convert.val_fraction
    convert(params.dataset, share, OUTPUTS / "download", OUTPUTS / "convert", train_images=few)


if __name__ == "__main__":
    run_stage(main)
