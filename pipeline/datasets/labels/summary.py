"""Summary of labels: sentences for the console, warnings for large shares, and counts for the record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.datasets.labels.label_set import LabelSet
from refinedet.data.truth import Changes
from refinedet.wording import counted

MANY = 0.05
"""Share of boxes or images above which a sentence is a warning."""

_DRAWN = {
    "polygon": "boxes computed from polygons: {}",
    "mask": "boxes computed from masks: {}",
    "turned box": "upright boxes around rotated boxes: {}",
}


@dataclass(frozen=True, slots=True)
class Summary:
    """Summary of labels that were read."""

    notes: tuple[str, ...]
    """Sentences, in order."""
    warnings: tuple[str, ...]
    """Sentences about more than 5 % of the boxes or images."""
    counts: Mapping[str, int]
    """Name -> number of images or boxes."""


def summarise(
    sets: Sequence[LabelSet], changes: Sequence[Changes], classes: Sequence[str], notes: Sequence[str] = ()
) -> Summary:
    """Summarise label sets and the changes that reading made to each; `notes` follow the notes of the sets."""
    images = sum(len(one.places) for one in sets)
    objects = sum(len(one.document["annotations"]) for one in sets)
    absent = [name for one in sets for name in one.without_image]
    dropped, ignored, derived = (
        _sum(getattr(one, name) for one in changes) for name in ("dropped", "ignored", "derived")
    )
    clipped = sum(one.clipped for one in changes)
    first = f"{sets[0].kind} labels in {', '.join(dict.fromkeys(one.source for one in sets))}: "
    first += f"{counted(images, 'image')}, {counted(objects, 'object')}"
    said = [first + (f" of the class {classes[0]}" if len(classes) == 1 else f" of the classes {', '.join(classes)}")]
    said += [note for one in sets for note in one.notes]
    said += notes
    said += [_DRAWN[kind].format(count) for kind, count in sorted(derived.items())]
    shares = [
        (clipped, objects, "boxes", "extend beyond their images and were clipped"),
        (
            ignored.total(),
            objects,
            "objects",
            f"cannot be read ({_reasons(ignored)}): they count neither as object nor as background",
        ),
        (dropped.total(), objects, "objects", f"were left out ({_reasons(dropped)})"),
        (
            len(absent),
            images + len(absent),
            "images",
            f"are missing and were left out (such as {(absent or [''])[0]})",
        ),
    ]
    warnings: list[str] = []
    for count, total, things, fate in shares:
        if count:
            sentence = f"{count} of {total} {things} ({100 * count / total:.1f} %) {fate}"
            (warnings if count > MANY * total else said).append(sentence)
    counts = {
        "images": images,
        "objects": objects,
        **{f"from_{kind.replace(' ', '_')}": derived[kind] for kind in _DRAWN},
        "clipped": clipped,
        "ignored": ignored.total(),
        "left_out": dropped.total(),
        "images_not_there": len(absent),
    }
    return Summary(tuple(dict.fromkeys(said)), tuple(f"warning: {sentence}" for sentence in warnings), counts)


def _sum(counters: Iterable[Counter[str]]) -> Counter[str]:
    return sum(counters, Counter())


def _reasons(counts: Counter[str]) -> str:
    return ", ".join(f"{reason} {count}" for reason, count in sorted(counts.items()))
