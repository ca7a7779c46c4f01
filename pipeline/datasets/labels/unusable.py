"""Likely reason why no box of a label file can be used, as a sentence."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.datasets.labels.label_set import LabelSet
from refinedet.data.truth import Changes
from refinedet.wording import counted

_CAUSES: Mapping[str, str] = {
    "unknown image": "their image ids are those of no image: was the file cut or joined without new ids?",
    "unknown category": "their category ids are those of no category: correct the list of categories",
    "without area": "they have no width or no height: were they exported as points?",
    "outside the image": "they lie outside of their images: are the images resized, or other ones of the same names?",
    "not finite": "their numbers are not finite: export them again",
    "malformed": "their boxes cannot be read: export them again as boxes or polygons",
    "repeated": "they are repeated",
}
"""Reason to leave out or ignore an object -> what it means if it holds for most objects."""


def why_unusable(one: LabelSet, changes: Changes) -> str:
    """Sentence for a label set without a single usable box.

    Args:
        one: the label set.
        changes: what reading did to its boxes.
    """
    total = len(one.document["annotations"])
    if not total:
        return (
            f"expected boxes in {one.source}, found none in its {counted(len(one.places), 'image')}; is it the right "
            "file, and were the labels saved?"
        )
    if not one.document["categories"]:
        return (
            f"expected objects with a class in {one.source}, found none among its {counted(total, 'object')}; export "
            "them again as boxes or polygons, each with its class"
        )
    reasons = changes.dropped + changes.ignored
    if not reasons:
        return (
            f"expected boxes in {one.source}, found {total} objects that are all marked difficult, crowd or ignored; "
            "take the marks off those to learn"
        )
    most = max(reasons, key=lambda reason: reasons[reason])
    listed = ", ".join(f"{name}: {number}" for name, number in sorted(reasons.items()))
    return f"expected boxes in {one.source}, found none of {total} that can be used ({listed}); {_CAUSES[most]}"
