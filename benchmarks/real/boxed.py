"""Samples with a box or a mask around each ship: hrsid, sar_ship and slicks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from defusedxml import ElementTree
from figures import Figure, Row, number, rate, share
from finding import Bench, Found
from numpy.typing import NDArray
from PIL import Image

from pipeline.datasets.real_scenes.pictures import mask_boxes, slick_truth
from pipeline.datasets.real_scenes.split import PARTS, part_of
from refinedet.boxes import Boxes, as_boxes
from refinedet.data.coco import ImageRecord, Record
from refinedet.detections import Detections
from refinedet.evaluation.bootstrap import Measure, bootstrap_interval
from refinedet.evaluation.metrics import coco_metrics, match

AP_SCORE = 0.02
"""Lowest score of a detection for average precision, which also needs weak detections."""
SLICK_PIXEL_KM2 = 0.01**2
"""Area of a pixel of 10 m, as stated for the oil-spill data set."""

Truth = Callable[[Path], Boxes]
Shapes = NDArray[np.bool_]


def rows(bench: Bench) -> Iterator[Row]:
    """Yield the rows of the three samples."""
    for sample, truth in (("hrsid", _hrsid), ("sar_ship", _sar_ship)):
        pictures = sorted((bench.data / sample).glob("*.jpg"))
        for part in PARTS:
            own = [path for path in pictures if part_of(sample, path.stem.split("_")[0]) == part]
            if own:
                yield Row(f"{sample}: boxes", part, f"{len(own)} pictures", boxes_figures(bench, own, truth))
    pictures = sorted((bench.data / "slicks").glob("*.jpg"))
    for part in PARTS:
        own = [path for path in pictures if part_of("slicks", path.stem) == part]
        if own:
            yield Row("slicks", part, f"{len(own)} pictures", slick_figures(bench, own))


def boxes_figures(bench: Bench, pictures: list[Path], truth: Truth) -> dict[str, Figure]:
    """Average precision with intervals over pictures, and precision and recall at the default score and IoU 0.5."""
    record = record_of(pictures, [truth(path) for path in pictures])
    found = {image.id: bench.find(path).detections for image, path in zip(record.images, pictures, strict=True)}
    weak = {
        image.id: bench.find(path, score_min=AP_SCORE).detections
        for image, path in zip(record.images, pictures, strict=True)
    }
    count = record.box_count
    values = coco_metrics(record, weak)
    pairs = match(record, found).values()
    hits, false, missed = (sum(len(getattr(one, name)) for one in pairs) for name in ("hits", "false_alarms", "misses"))
    return {
        "AP50": precision_figure(record, weak, "AP50", values["AP50"], count),
        "AP": precision_figure(record, weak, "AP", values["AP"], count),
        "recall": share([True] * hits + [False] * missed),
        "precision": share([True] * hits + [False] * false),
    }


def precision_figure(
    record: Record, found: dict[int, Detections], measure: Measure, value: float | None, count: int
) -> Figure:
    """Figure of an average precision in percent; the count is that of the ships."""
    low, high = bootstrap_interval(record, found, measure=measure) or (None, None)
    return Figure(value, low, high, count)


def record_of(pictures: list[Path], boxes: list[Boxes]) -> Record:
    """Truth of pictures with boxes of one class."""
    images = []
    for index, path in enumerate(pictures):
        with Image.open(path) as picture:
            images.append(ImageRecord(index, path.name, *picture.size))
    own = dict(enumerate(boxes))
    return Record(
        tuple(images),
        own,
        {index: np.zeros(len(one), np.int64) for index, one in own.items()},
        {index: np.zeros(len(one), bool) for index, one in own.items()},
        ("ship",),
    )


def _hrsid(path: Path) -> Boxes:
    return mask_boxes(np.asarray(Image.open(path.with_suffix(".png")).convert("L")) > 0)


def _sar_ship(path: Path) -> Boxes:
    return xml_boxes(path.with_suffix(".xml").read_text(encoding="utf-8"))


def xml_boxes(text: str) -> Boxes:
    """Boxes of an annotation in VOC XML; its corners count pixels from 1 and belong to the box."""
    found = []
    for box in ElementTree.fromstring(text).iter("bndbox"):
        x1, y1, x2, y2 = (float(box.findtext(name)) for name in ("xmin", "ymin", "xmax", "ymax"))
        found.append((max(x1 - 1, 0), max(y1 - 1, 0), x2, y2))
    return as_boxes(found)


def slick_figures(bench: Bench, pictures: list[Path]) -> dict[str, Figure]:
    """Recall of the ships in pictures with slicks, and the other boxes at sea and on land."""
    hits: list[bool] = []
    at_sea = on_land = plain = 0
    km2 = 0.0
    for path in pictures:
        mask = np.asarray(Image.open(path.with_suffix(".png")).convert("RGB"))
        found = bench.find(path)
        ships, land = slick_truth(mask)
        near = touching(found, ships)
        hits += near.any(axis=0).tolist()
        other = ~near.any(axis=1)
        x, y = found.centres.astype(int).T
        inland = land[y.clip(0, land.shape[0] - 1), x.clip(0, land.shape[1] - 1)]
        at_sea, on_land = at_sea + int((other & ~inland).sum()), on_land + int((other & inland).sum())
        plain += int((other & found.plain).sum())
        km2 += float((~land).sum()) * SLICK_PIXEL_KM2
    return {
        "ships found": share(hits),
        "other boxes": number(at_sea + on_land),
        "of them without a flag": number(plain),
        "of them on land": number(on_land),
        "false per 1,000 km2 of sea": rate(at_sea, km2 / 1000),
    }


def touching(found: Found, boxes: Boxes) -> Shapes:
    """True (N, M) if the middle of a detection lies in a box, or the middle of the box in the detection."""
    own = found.boxes[:, None].astype(np.float64)
    return _inside(found.centres[:, None], boxes[None]) | _inside((boxes[None, :, :2] + boxes[None, :, 2:]) / 2, own)


def _inside(points: NDArray[np.float64], boxes: NDArray[np.floating]) -> Shapes:
    return np.asarray(((points >= boxes[..., :2]) & (points < boxes[..., 2:])).all(axis=-1))
