"""Findings of an audit as one HTML page with pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline.audit.annotations import Agreement
from pipeline.audit.image_alignment import Grey, Placement
from pipeline.audit.pictures import Shown, shown, step
from pipeline.report.charts import histograms_png
from pipeline.report.templates import render_template
from refinedet.data.coco import Annotated
from refinedet.files import write_text

SHOWN = 24
"""Number of findings of each kind on the page; findings.json has all."""

BOTH, ALONE = "#37d67a", "#ff4d4f"
"""Colours of a box in both annotations, and of a box in only one."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Images of one scene, and the agreement of their annotations."""

    kind: str
    """Kind of duplicate: bytes, pixels (equal pixels in different files) or near."""
    images: Sequence[tuple[str, str]]
    """(split, file name); the others are compared to the first."""
    agreements: Sequence[Agreement]
    """Agreement of each of the others with the first."""
    agrees: bool
    placement: Placement | None = None
    """Place of the second image on the first, in pixels of the first; None for copies."""

    @property
    def across(self) -> bool:
        """True if the images are in more than one split."""
        return len({split for split, _ in self.images}) > 1


def write_page(
    folder: Path,
    dataset: str,
    listed: Mapping[str, Any],
    truth: Mapping[str, Annotated],
    read: Callable[[str], Grey],
) -> None:
    """Write histograms.png and audit.html to `folder`.

    Args:
        folder: folder of the page.
        dataset: name of the data set.
        listed: content of the audit's findings.json, with `metrics`, and `alike` as a list of `Finding`.
        truth: file name -> image with its boxes.
        read: file name -> its picture.
    """
    histograms_png(folder / "histograms.png", listed["histograms"])
    alike: Sequence[Finding] = listed["alike"]
    groups = {
        "Copies across splits": [f for f in alike if f.kind != "near" and f.across],
        "Copies within a split": [f for f in alike if f.kind != "near" and not f.across],
        "Near-duplicates across splits": [f for f in alike if f.kind == "near" and f.across],
        "Near-duplicates within a split": [f for f in alike if f.kind == "near" and not f.across],
    }
    sections = {
        f"{name}: {_of(found)}": [[*_pictures(f, truth, read)] for f in sorted(found, key=_most_telling)[:SHOWN]]
        for name, found in groups.items()
    }
    boxes = [_boxed(row, read) for row in listed["boxes"] if row["box_xyxy"] and row["file_name"] in truth]
    text = render_template(
        "audit/page.html",
        {},
        dataset=dataset,
        metrics=listed["metrics"],
        problems=listed["images"][:SHOWN],
        sections=sections,
        boxes=boxes[:SHOWN],
        histograms=folder / "histograms.png",
        colours={BOTH: "box that both annotations have", ALONE: "box that the other picture's annotation has not"},
    )
    write_text(folder / "audit.html", text)


def _of(found: Sequence[Finding]) -> str:
    return str(len(found)) if len(found) <= SHOWN else f"{SHOWN} of {len(found)}"


def _most_telling(finding: Finding) -> tuple[bool, float]:
    """Sort key: disagreeing annotations first, then pictures with the largest shared part."""
    return finding.agrees, -finding.placement.shared_share if finding.placement else 0.0


def _pictures(finding: Finding, truth: Mapping[str, Annotated], read: Callable[[str], Grey]) -> list[Shown]:
    first = finding.agreements[0]
    pictures = [_picture(finding.images[0], truth, read, first.only_first, "first of the group")]
    for image, agreement in zip(finding.images[1:], finding.agreements, strict=True):
        alone = [_back(box, finding.placement) for box in agreement.only_second]
        pictures.append(_picture(image, truth, read, alone, _words(agreement, finding)))
    return pictures


def _words(agreement: Agreement, finding: Finding) -> str:
    place = finding.placement
    where = "equal " + finding.kind if place is None else f"shared {place.shared_share:.0%}, grain {place.likeness:.2f}"
    alone = len(agreement.only_first) + len(agreement.only_second)
    labels = f"{agreement.matched} matched to {agreement.largest_px:g} px"
    if alone:
        labels += f", {alone} only in one"
    if agreement.other_class:
        labels += f", {agreement.other_class} of another class"
    return f"{where}; {labels}"


def _picture(
    image: tuple[str, str],
    truth: Mapping[str, Annotated],
    read: Callable[[str], Grey],
    alone: Sequence[Sequence[float]],
    caption: str,
) -> Shown:
    split, name = image
    annotated = truth[name]
    thin = step(annotated.width, annotated.height)
    marks = [(box, BOTH) for box in annotated.boxes_xyxy.tolist()] + [(list(box), ALONE) for box in alone]
    scaled = [([value / thin for value in box], colour) for box, colour in marks]
    return shown(read(name), scaled, f"{split}: {PurePosixPath(name).name}", caption)


def _back(box: Sequence[float], placement: Placement | None) -> list[float]:
    """Convert a box from pixels of the first image to those of the second."""
    if placement is None:
        return list(box)
    x, y, sx, sy = placement.x, placement.y, placement.scale_x, placement.scale_y
    return [(box[0] - x) / sx, (box[1] - y) / sy, (box[2] - x) / sx, (box[3] - y) / sy]


def _boxed(row: Mapping[str, Any], read: Callable[[str], Grey]) -> Shown:
    picture = read(row["file_name"])
    height, width = picture.shape
    box = [min(max(0.0, value or 0.0), side) for value, side in zip(row["box_xyxy"], (width, height) * 2, strict=True)]
    box = [min(box[0], box[2]), min(box[1], box[3]), max(box[0], box[2]), max(box[1], box[3])]
    words = ", ".join("?" if value is None else f"{value:g}" for value in row["box_xyxy"])
    return shown(picture, [(box, ALONE)], PurePosixPath(row["file_name"]).name, f"{row['problem']}: {words}")
