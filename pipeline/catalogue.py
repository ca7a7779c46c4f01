"""The data sets that can be downloaded: where, what exactly, on what terms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

_VOC = "http://host.robots.ox.ac.uk/pascal/VOC"
_COCO = "http://images.cocodataset.org"


@dataclass(frozen=True, slots=True)
class Archive:
    """One file to fetch and unpack."""

    name: str
    """File name in a mirror and in the download cache."""
    url: str | None
    """Its public place; None where only a mirror has it."""
    folder: str
    """Folder within the archive that holds the content."""
    into: str = ""
    """Folder of the data set that receives the content; the data set's own by default. No two archives share one."""
    sha256: str | None = None
    """files.sha256_tree of the content, since the bytes of the archive may change; None until somebody verified it."""
    md5: str | None = None
    """Of the archive itself, where its bytes are settled and their sum is known."""


@dataclass(frozen=True, slots=True)
class CocoSplit:
    """A split that comes as one COCO JSON file; paths are relative to the data set's folder."""

    annotations: str
    images: str
    """Folder that the file names of the annotations are relative to."""
    corners_at: float = 0.0
    """Where in a pixel the corners of boxes lie: 0 at its upper left, 0.5 at its centre."""


@dataclass(frozen=True, slots=True)
class VocSplit:
    """A split that comes in the layout of PASCAL VOC's development kit."""

    image_sets: tuple[str, ...]
    """Lists of image ids, such as trainval/VOC2007/ImageSets/Main/train.txt; the Annotations and JPEGImages of these
    ids are in that VOC2007 folder."""
    classes: tuple[str, ...]
    """Class names in the order of the labels: the files do not list them."""


@dataclass(frozen=True, slots=True)
class Source:
    """One public data set."""

    archives: tuple[Archive, ...]
    licence: str
    citation: str
    splits: Mapping[str, CocoSplit | VocSplit]
    """"train", "test" and, where the data set has one, "val"."""
    subsets: Mapping[str, str] = field(default_factory=dict)
    """Name of a part of the test split -> COCO file that lists its images."""

    @property
    def sha256(self) -> str:
        """What pins the content: the sums of the archives, by name where there are several."""
        sums = {archive.name: archive.sha256 or f"md5 {archive.md5} of the archive" for archive in self.archives}
        return next(iter(sums.values())) if len(sums) == 1 else ", ".join(f"{n}: {value}" for n, value in sums.items())


VOC_CLASSES = (
    *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
    *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"),
)


def _voc_split(*image_sets: str) -> VocSplit:
    """A split from names such as trainval/VOC2007/train."""
    lists = tuple("/ImageSets/Main/".join(name.rsplit("/", 1)) + ".txt" for name in image_sets)
    return VocSplit(lists, VOC_CLASSES)


_VOC_LICENCE = (
    "images from Flickr, each under the terms of its owner; the annotations state none, so see "
    "host.robots.ox.ac.uk/pascal/VOC before any use beyond research"
)
_VOC_CITATION = (
    "Everingham, Van Gool, Williams, Winn, Zisserman: The PASCAL visual object classes (VOC) challenge, IJCV 2010"
)
_VOC2007_TRAINVAL = Archive(
    name="VOCtrainval_06-Nov-2007.tar",
    url=f"{_VOC}/voc2007/VOCtrainval_06-Nov-2007.tar",
    folder="VOCdevkit",
    into="trainval2007",
    md5="c52e279531787c972589f7e41ab4ae64",
)
_VOC2007_TEST = Archive(
    name="VOCtest_06-Nov-2007.tar",
    url=f"{_VOC}/voc2007/VOCtest_06-Nov-2007.tar",
    folder="VOCdevkit",
    into="test2007",
    md5="b6e924de25625d8de591ea690078ad9f",
)
_VOC2012_TRAINVAL = Archive(
    name="VOCtrainval_11-May-2012.tar",
    url=f"{_VOC}/voc2012/VOCtrainval_11-May-2012.tar",
    folder="VOCdevkit",
    into="trainval2012",
    md5="6cd6e144f989b92b3379bac3b3de84fd",
)


CATALOGUE: Mapping[str, Source] = {
    "ssdd": Source(
        archives=(
            Archive(
                name="SSDD_coco-master.zip",
                url="https://github.com/HaoIrving/SSDD_coco/archive/refs/heads/master.zip",
                folder="SSDD_coco-master",
                sha256="4c45e39fe5d21b9e6feeeb0d6fd736398203da5352ca0492f3fe47f668fedce5",
            ),
        ),
        licence="none stated in the archive; ask the authors of SSDD before any use beyond research",
        citation="Li, Qu, Shao: Ship detection in SAR images based on an improved faster R-CNN, BIGSARDATA 2017",
        # Its boxes name the outermost pixels by their index (docs/results.md, "Half a pixel").
        splits={
            "train": CocoSplit("annotations/instances_sarship_train.json", "train", corners_at=0.5),
            "test": CocoSplit("annotations/instances_sarship_test.json", "test", corners_at=0.5),
        },
        subsets={
            "inshore": "annotations/instances_sarship_test_inshore.json",
            "offshore": "annotations/instances_sarship_test_offshore.json",
        },
    ),
    # Trained on train and val together, as is usual; the validation split is cut from both.
    "voc2007": Source(
        archives=(_VOC2007_TRAINVAL, _VOC2007_TEST),
        licence=_VOC_LICENCE,
        citation=_VOC_CITATION,
        splits={
            "train": _voc_split("trainval2007/VOC2007/trainval"),
            "test": _voc_split("test2007/VOC2007/test"),
        },
    ),
    # The labels of its test images are not public: its val stands in for them.
    "voc2012": Source(
        archives=(_VOC2012_TRAINVAL,),
        licence=_VOC_LICENCE,
        citation=_VOC_CITATION,
        splits={
            "train": _voc_split("trainval2012/VOC2012/train"),
            "test": _voc_split("trainval2012/VOC2012/val"),
        },
    ),
    # Both training sets, judged on the test images of 2007: the usual "07+12".
    "voc0712": Source(
        archives=(_VOC2007_TRAINVAL, _VOC2012_TRAINVAL, _VOC2007_TEST),
        licence=_VOC_LICENCE,
        citation=_VOC_CITATION,
        splits={
            "train": _voc_split("trainval2007/VOC2007/trainval", "trainval2012/VOC2012/trainval"),
            "test": _voc_split("test2007/VOC2007/test"),
        },
    ),
    # 300 and 150 images of VOC2007 in the same layout, to try the 20-class path.
    "voc2007-mini": Source(
        archives=(
            Archive(
                name="VOC2007-mini-trainval.tar",
                url=None,
                folder="VOCdevkit",
                into="trainval2007",
                sha256="cbb2412a74f178438c475437890a992a4e4d1178d89602a9b3070808e471cc34",
            ),
            Archive(
                name="VOC2007-mini-test.tar",
                url=None,
                folder="VOCdevkit",
                into="test2007",
                sha256="2797a84cecf4278a237ae4e3f8db296001cbe77f7fd71897ee43b3915f3e3c20",
            ),
        ),
        licence=_VOC_LICENCE,
        citation=_VOC_CITATION,
        splits={
            "train": _voc_split("trainval2007/VOC2007/trainval"),
            "test": _voc_split("test2007/VOC2007/test"),
        },
    ),
    # The labels of its test images are not public: its val stands in for them.
    "coco2017": Source(
        archives=(
            Archive(
                name="train2017.zip",
                url=f"{_COCO}/zips/train2017.zip",
                folder="train2017",
                into="train2017",
                md5="cced6f7f71b7629ddf16f17bbcfab6b2",
            ),
            Archive(
                name="val2017.zip",
                url=f"{_COCO}/zips/val2017.zip",
                folder="val2017",
                into="val2017",
                md5="442b8da7639aecaf257c1dceb8ba8c80",
            ),
            Archive(
                name="annotations_trainval2017.zip",
                url=f"{_COCO}/annotations/annotations_trainval2017.zip",
                folder="annotations",
                into="annotations",
                md5="f4bbac642086de4f52a3fdda2de5fa2c",
            ),
        ),
        licence="annotations CC BY 4.0; images from Flickr, each under the terms of its owner",
        citation="Lin et al.: Microsoft COCO: Common objects in context, ECCV 2014",
        splits={
            "train": CocoSplit("annotations/instances_train2017.json", "train2017"),
            "test": CocoSplit("annotations/instances_val2017.json", "val2017"),
        },
    ),
}
