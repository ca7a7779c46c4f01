"""The data sets: where, what exactly, on what terms."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.catalogue.entry import RECORDED, Archive, CocoSplit, Manual, Source, VocSplit
from pipeline.catalogue.own import OWN, SIMULATED
from pipeline.catalogue.photos import PHOTOS, VOC_CLASSES
from pipeline.catalogue.sar import SAR

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
