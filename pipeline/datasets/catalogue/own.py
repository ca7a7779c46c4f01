"""Catalogue entries of the user's own folders and of simulated scenes."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.datasets.catalogue.entry import CocoSplit, Source
from refinedet.config import PixelSizes

_SPLITS: Mapping[str, CocoSplit] = {
    "train": CocoSplit("annotations/train.json", "train"),
    "val": CocoSplit("annotations/val.json", "val", optional=True),
    "test": CocoSplit("annotations/test.json", "test"),
}
_SPLIT_RULE = (
    "as `local` of the recipe names them; without a test split, a share of the training images is cut off by their "
    "pixels, and then one to validate"
)


def _own(title: str, kind: str) -> Source:
    return Source(
        files=(),
        licence="yours to know",
        citation="your own data",
        splits=_SPLITS,
        title=title,
        split_rule=_SPLIT_RULE,
        prepared=kind,
    )


OWN: Mapping[str, Source] = {
    "local-coco": _own("a folder of yours: COCO JSON and images (GeoTIFF, PNG, JPEG)", "coco"),
    "local-voc": _own("a folder of yours: VOC XML and images (GeoTIFF, PNG, JPEG)", "voc"),
}

SIMULATED = Source(
    files=(),
    licence="none needed: made on your machine by this program",
    citation="refinedet/data/simulation/scene.py of this project",
    splits={},
    title="Sentinel-1-like scenes with exact truth, made on the spot from a seed",
    classes=("ship",),
    gsd_m=PixelSizes(10.0, 10.0, 10.0),
    split_rule="by scene: `scenes` of the recipe says how many train, validate and test",
)
"""Entry for the list only: stages recognise simulated scenes by the recipe's `scenes`."""
