"""The data sets that can be downloaded: where, what exactly, on what terms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Split:
    """One split of a data set that comes as COCO JSON; paths are relative to the data set's folder."""

    annotations: str
    images: str
    """Folder that the file names of the annotations are relative to."""


@dataclass(frozen=True, slots=True)
class Source:
    """One public data set."""

    url: str
    archive: str
    """File name of the archive in a mirror and in the download cache."""
    folder: str
    """Folder within the archive that holds the data set."""
    sha256: str
    """files.sha256_tree of that folder: of the content, since the bytes of the archive itself may change."""
    licence: str
    citation: str
    splits: Mapping[str, Split]
    """"train", "test" and, where the data set has one, "val"."""
    subsets: Mapping[str, str] = field(default_factory=dict)
    """Name of a part of the test split -> COCO file that lists its images."""


CATALOGUE: Mapping[str, Source] = {
    "ssdd": Source(
        url="https://github.com/HaoIrving/SSDD_coco/archive/refs/heads/master.zip",
        archive="SSDD_coco-master.zip",
        folder="SSDD_coco-master",
        sha256="4c45e39fe5d21b9e6feeeb0d6fd736398203da5352ca0492f3fe47f668fedce5",
        licence="none stated in the archive; ask the authors of SSDD before any use beyond research",
        citation="Li, Qu, Shao: Ship detection in SAR images based on an improved faster R-CNN, BIGSARDATA 2017",
        splits={
            "train": Split("annotations/instances_sarship_train.json", "train"),
            "test": Split("annotations/instances_sarship_test.json", "test"),
        },
        subsets={
            "inshore": "annotations/instances_sarship_test_inshore.json",
            "offshore": "annotations/instances_sarship_test_offshore.json",
        },
    ),
}
