"""Catalogue of data sets: their addresses, content and licences."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.datasets.catalogue.entry import RECORDED, ArchiveFile, CocoSplit, Manual, Source, VocSplit
from pipeline.datasets.catalogue.own import OWN, SIMULATED
from pipeline.datasets.catalogue.photos import PHOTOS, VOC_CLASSES
from pipeline.datasets.catalogue.sar import SAR
from refinedet.config import PixelSizes

CATALOGUE: Mapping[str, Source] = {**SAR, **PHOTOS, **OWN}
"""Name in `dataset` of a recipe -> data set."""


def pixel_sizes(dataset: str, *, simulates: bool) -> PixelSizes | None:
    """Pixel sizes of a recipe's training data, as published; None if the sizes of a part are unknown.

    Args:
        dataset: name in `dataset` of the recipe.
        simulates: true if the recipe has simulated scenes, with the data set or alone.
    """
    parts = [CATALOGUE[dataset].gsd_m] if dataset in CATALOGUE else []
    parts += [SIMULATED.gsd_m] if simulates else []
    known = [sizes for sizes in parts if sizes is not None]
    if not known or len(known) < len(parts):
        return None
    best = {sizes.best_m for sizes in known} - {None}
    least, most = min(sizes.min_m for sizes in known), max(sizes.max_m for sizes in known)
    return PixelSizes(least, most, best.pop() if len(best) == 1 else None)


__all__ = [
    "CATALOGUE",
    "RECORDED",
    "SIMULATED",
    "VOC_CLASSES",
    "ArchiveFile",
    "CocoSplit",
    "Manual",
    "Source",
    "VocSplit",
    "pixel_sizes",
]
