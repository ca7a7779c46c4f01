"""Images beside those of labels that no label names, as where a tool writes no file for an image without objects."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pipeline.datasets.labels.label_set import LabelSet
from refinedet.wording import counted

_TOLD = ("YOLO",)
"""Formats whose images without a label file are images without objects, which their reader tells."""


def tell_unused(sets: dict[str, LabelSet]) -> dict[str, LabelSet]:
    """The label sets of a data set, the first with a note on images in their folders that none of them names."""
    read = [one for one in sets.values() if one.kind not in _TOLD]
    used = {place for one in read for place in one.places.values()}
    kinds = {(place.parent, place.suffix.lower()) for place in used}
    unused = sorted(
        place
        for folder in sorted({folder for folder, _ in kinds})
        for place in folder.iterdir()
        if (folder, place.suffix.lower()) in kinds and place not in used and not place.name.startswith(".")
    )
    if not unused:
        return sets
    first = next(split for split, one in sets.items() if one in read)
    return {**sets, first: replace(sets[first], notes=(*sets[first].notes, _note([one.name for one in unused])))}


def _note(names: Iterable[str]) -> str:
    """Sentence on images that no label names."""
    some = list(names)
    are = "is in no label and is" if len(some) == 1 else "are in no label and are"
    return (
        f"{counted(len(some), 'image')} beside those of the labels {are} left out (such as {some[0]}); to train on "
        "images without ships too, list them in the labels without objects"
    )
