"""Stage audit: faults of a data set, before it is repaired, thinned or used for training.

It reads the output of `download` in the splits of `convert`, reports faults, and changes nothing. It stops the pipeline
only if training would certainly be wrong: an image is missing, damaged, or does not fit its annotation. It writes the
findings first.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from pipeline.audit.annotations import Agreement, compare, doubled
from pipeline.audit.duplicates import Fingerprint, Near, copies, hashes, near
from pipeline.audit.histograms import histograms
from pipeline.audit.image_alignment import Grey
from pipeline.audit.page import Finding, write_page
from pipeline.audit.pictures import grey, step
from pipeline.datasets.reading import Reading, read_dataset
from pipeline.params import load_params
from pipeline.stage import OUTPUTS, SPLITS, counts_text, run_stage
from refinedet.data.coco import Annotated
from refinedet.data.truth import CLIPPED
from refinedet.errors import FileError
from refinedet.files import atomic_folder, sha256_file, write_json
from refinedet.raster import RasterInfo, open_scene

_LOG = logging.getLogger(__name__)

DOUBLED, TWICE = "doubled", "repeated"
_KINDS = {
    CLIPPED: "out_of_bounds",
    "outside the image": "out_of_bounds",
    "without area": "empty",
    TWICE: "doubled",
    DOUBLED: "doubled",
}
"""Fate of a box -> name of its metric; every other fate is `malformed`."""


def audit(dataset: str, val_fraction: float, source: Path, out: Path) -> dict[str, Any]:
    """Write folder `out`: metrics.json, findings.json, histograms.png and audit.html, of the data set in `source`.

    Returns:
        The metrics.

    Raises:
        FileError: images are missing, damaged or of another size (`out` is still written), or there are no data.
        InputError: an annotation file is invalid.
    """
    seen: dict[str, tuple[int, int]] = {}

    def observe(name: str, pixels: NDArray[Any], info: RasterInfo) -> None:
        seen[name] = hashes(grey(pixels, info))

    reading = read_dataset(dataset, val_fraction, source, observe)
    prints = [
        Fingerprint(split, name, sha256_file(source / name), image.digest, *seen[name])
        for split in SPLITS
        for image in reading.splits[split]
        for name in (image.annotated.file_name,)
    ]
    truth = {i.annotated.file_name: i.annotated for split in SPLITS for i in reading.splits[split]}
    read = _reader(source)
    pairs, unseen = near(prints, read)
    found = [*_copies(prints, truth), *(_near(pair, truth) for pair in pairs)]
    boxes = _boxes(reading)
    metrics = _metrics(reading, found, boxes, unseen)
    shapes = histograms(list(truth.values()))
    problems = [{"file_name": p.file_name, "kind": p.kind, "error": str(p.error)} for p in reading.problems]
    with atomic_folder(out) as staged:
        write_json(staged / "metrics.json", metrics)
        listed = {"images": problems, "boxes": boxes}
        counts = {title: list(bins.items()) for title, bins in shapes.items()}  # lists keep the order of bins
        write_json(staged / "findings.json", {**listed, "alike": [asdict(f) for f in found], "histograms": counts})
        shown = {**listed, "alike": found, "histograms": shapes, "metrics": metrics}
        write_page(staged, dataset, shown, truth, read)
    if problems:
        raise FileError(
            f"expected images that can be used, found {len(problems)} that cannot, such as {problems[0]['file_name']} "
            f"({problems[0]['kind']}); {out / 'audit.html'} lists them: fetch them again or take them out"
        )
    return metrics


def _reader(source: Path) -> Callable[[str], Grey]:
    @lru_cache(maxsize=64)
    def read(name: str) -> Grey:
        with open_scene(source / name) as scene:
            return grey(scene.read_whole(), scene.info)

    return read


def _copies(prints: Sequence[Fingerprint], truth: dict[str, Annotated]) -> list[Finding]:
    findings = []
    for group in copies(prints):
        first = truth[group[0].file_name]
        agreements = [compare(first, truth[other.file_name]) for other in group[1:]]
        kind = "bytes" if len({image.sha256 for image in group}) == 1 else "pixels"
        findings.append(_finding(kind, group, agreements))
    return findings


def _near(pair: Near, truth: dict[str, Annotated]) -> Finding:
    first, second = truth[pair.first.file_name], truth[pair.second.file_name]
    a, b = step(first.width, first.height), step(second.width, second.height)
    at = pair.placement
    placed = replace(at, x=at.x * a, y=at.y * a, scale_x=at.scale_x * a / b, scale_y=at.scale_y * a / b)
    return replace(_finding("near", [pair.first, pair.second], [compare(first, second, placed)]), placement=placed)


def _finding(kind: str, group: Sequence[Fingerprint], agreements: Sequence[Agreement]) -> Finding:
    images = [(image.split, image.file_name) for image in group]
    return Finding(kind, images, list(agreements), all(a.agrees for a in agreements))


def _boxes(reading: Reading) -> list[dict[str, Any]]:
    """Boxes that are out of bounds, empty, doubled or malformed, in order."""
    listed: list[dict[str, Any]] = [
        {"file_name": change.file_name, "problem": change.fate, "box_xyxy": _plain(change.corners_xyxy)}
        for changes in reading.changes.values()
        for change in changes.boxes
    ]
    for split in SPLITS:
        for image in reading.splits[split]:
            truth = image.annotated
            for _, j in doubled(truth):
                box = truth.boxes_xyxy[j].tolist()
                listed.append({"file_name": truth.file_name, "problem": DOUBLED, "box_xyxy": box})
    return listed


def _plain(corners: tuple[float, ...] | None) -> list[float | None] | None:
    """Corners for JSON, which supports neither infinity nor NaN."""
    return None if corners is None else [c if abs(c) < float("inf") else None for c in corners]


def _metrics(
    reading: Reading, found: Sequence[Finding], boxes: Sequence[dict[str, Any]], unseen: int
) -> dict[str, Any]:
    problems = Counter(p.kind.replace(" ", "_") for p in reading.problems)
    kinds = Counter(_KINDS.get(box["problem"], "malformed") for box in boxes)
    same = [f for f in found if f.kind != "near"]
    return {
        "images": {split: len(reading.splits[split]) for split in SPLITS},
        "boxes": {
            **{split: sum(len(i.annotated.boxes_xyxy) for i in reading.splits[split]) for split in SPLITS},
            "ignored": sum(int(i.annotated.ignored.sum()) for split in SPLITS for i in reading.splits[split]),
            **{kind: kinds[kind] for kind in ("out_of_bounds", "empty", "doubled", "malformed")},
        },
        "unusable_images": {kind: problems[kind] for kind in ("missing", "unreadable", "another_size")},
        "images_without_boxes": sum(not len(i.annotated.boxes_xyxy) for s in SPLITS for i in reading.splits[s]),
        "copies": {
            "groups_within_a_split": sum(not f.across for f in same),
            "of_these_byte_identical": sum(not f.across and f.kind == "bytes" for f in same),
            "groups_across_splits": sum(f.across for f in same),
            "label_disagreements": sum(not f.agrees for f in same),
            "leaked_test_images": len(leaked(same)),
        },
        "near": {
            "pairs_within_a_split": sum(f.kind == "near" and not f.across for f in found),
            "pairs_across_splits": sum(f.kind == "near" and f.across for f in found),
            "label_disagreements": sum(f.kind == "near" and not f.agrees for f in found),
            "leaked_test_images": len(set(leaked(found)) - set(leaked(same))),
            "pairs_not_looked_at": unseen,
        },
        "flags": {name: dict(flags) for name, flags in reading.flags.items()},
    }


def leaked(found: Sequence[Finding]) -> list[str]:
    """Sorted file names of test images that have a copy or another cut in another split."""
    return sorted({name for f in found if f.across for split, name in f.images if split == "test"})


def main() -> None:
    """Run the stage in the current folder."""
    params = load_params()
    metrics = audit(params.dataset, params.convert.val_fraction, OUTPUTS / "download", OUTPUTS / "audit")
    for kind, label in (("copies", "copies"), ("near", "near-duplicates")):
        _LOG.info("%s, %s: %s", params.dataset, label, counts_text(metrics[kind]))


if __name__ == "__main__":
    run_stage(main)
