"""The data sets: where, what exactly, on what terms."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.datasets.catalogue.entry import RECORDED, Archive, CocoSplit, Manual, Source, VocSplit
from pipeline.datasets.catalogue.own import OWN, SIMULATED
from pipeline.datasets.catalogue.photos import PHOTOS, VOC_CLASSES
from pipeline.datasets.catalogue.sar import SAR

CATALOGUE: Mapping[str, Source] = {**SAR, **PHOTOS, **OWN}
"""Name in `dataset` of a recipe -> data set."""

__all__ = [
    "CATALOGUE",
    "RECORDED",
    "SIMULATED",
    "VOC_CLASSES",
    "Archive",
    "CocoSplit",
    "Manual",
    "Source",
    "VocSplit",
]
