"""PASCAL VOC and COCO: photographs, for comparison with other detectors."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.datasets.catalogue.coco_classes import COCO_CLASSES
from pipeline.datasets.catalogue.entry import ArchiveFile, CocoSplit, Source, VocSplit

_VOC = "http://host.robots.ox.ac.uk/pascal/VOC"
_COCO = "http://images.cocodataset.org"

VOC_CLASSES = (
    *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
    *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"),
)
_VOC_LICENCE = (
    "images from Flickr, each under the terms of its owner; the annotations state none, so see "
    "host.robots.ox.ac.uk/pascal/VOC before any use beyond research"
)
_VOC_CITATION = (
    "Everingham, Van Gool, Williams, Winn, Zisserman: The PASCAL visual object classes (VOC) challenge, IJCV 2010"
)
_VOC2007_TRAINVAL = ArchiveFile(
    name="VOCtrainval_06-Nov-2007.tar",
    url=f"{_VOC}/voc2007/VOCtrainval_06-Nov-2007.tar",
    folder="VOCdevkit",
    into="trainval2007",
    md5="c52e279531787c972589f7e41ab4ae64",
    size_bytes=460_032_000,
)
_VOC2007_TEST = ArchiveFile(
    name="VOCtest_06-Nov-2007.tar",
    url=f"{_VOC}/voc2007/VOCtest_06-Nov-2007.tar",
    folder="VOCdevkit",
    into="test2007",
    md5="b6e924de25625d8de591ea690078ad9f",
    size_bytes=451_020_800,
)
_VOC2012_TRAINVAL = ArchiveFile(
    name="VOCtrainval_11-May-2012.tar",
    url=f"{_VOC}/voc2012/VOCtrainval_11-May-2012.tar",
    folder="VOCdevkit",
    into="trainval2012",
    md5="6cd6e144f989b92b3379bac3b3de84fd",
    size_bytes=1_999_639_040,
)
_MINI_TRAINVAL = ArchiveFile(
    name="VOC2007-mini-trainval.tar",
    url=None,
    folder="VOCdevkit",
    into="trainval2007",
    sha256="cbb2412a74f178438c475437890a992a4e4d1178d89602a9b3070808e471cc34",
    size_bytes=27_555_840,
)
_MINI_TEST = ArchiveFile(
    name="VOC2007-mini-test.tar",
    url=None,
    folder="VOCdevkit",
    into="test2007",
    sha256="2797a84cecf4278a237ae4e3f8db296001cbe77f7fd71897ee43b3915f3e3c20",
    size_bytes=13_352_960,
)
_COCO_ARCHIVES = (
    ArchiveFile(
        name="train2017.zip",
        url=f"{_COCO}/zips/train2017.zip",
        folder="train2017",
        into="train2017",
        md5="cced6f7f71b7629ddf16f17bbcfab6b2",
        size_bytes=19_336_861_798,
    ),
    ArchiveFile(
        name="val2017.zip",
        url=f"{_COCO}/zips/val2017.zip",
        folder="val2017",
        into="val2017",
        md5="442b8da7639aecaf257c1dceb8ba8c80",
        size_bytes=815_585_330,
    ),
    ArchiveFile(
        name="annotations_trainval2017.zip",
        url=f"{_COCO}/annotations/annotations_trainval2017.zip",
        folder="annotations",
        into="annotations",
        md5="f4bbac642086de4f52a3fdda2de5fa2c",
        size_bytes=252_907_541,
    ),
)


def _voc_split(*image_sets: str) -> VocSplit:
    """Make a split from names such as trainval/VOC2007/train."""
    lists = tuple("/ImageSets/Main/".join(name.rsplit("/", 1)) + ".txt" for name in image_sets)
    return VocSplit(lists, VOC_CLASSES)


def _voc(title: str, split_rule: str, files: tuple[ArchiveFile, ...], images: int, **splits: VocSplit) -> Source:
    return Source(
        files=files,
        licence=_VOC_LICENCE,
        citation=_VOC_CITATION,
        splits=splits,
        title=title,
        page=_VOC,
        classes=VOC_CLASSES,
        split_rule=split_rule,
        images=images,
    )


PHOTOS: Mapping[str, Source] = {
    "voc2007": _voc(
        "photographs of 20 classes",
        "train: trainval, of which a share is cut off to validate; test: test",
        (_VOC2007_TRAINVAL, _VOC2007_TEST),
        9963,
        train=_voc_split("trainval2007/VOC2007/trainval"),
        test=_voc_split("test2007/VOC2007/test"),
    ),
    "voc2012": _voc(
        "photographs of 20 classes",
        "train: train, of which a share is cut off to validate; test: val, as the labels of its test images are not "
        "public",
        (_VOC2012_TRAINVAL,),
        11540,
        train=_voc_split("trainval2012/VOC2012/train"),
        test=_voc_split("trainval2012/VOC2012/val"),
    ),
    "voc0712": _voc(
        "both together, the usual way to compare",
        "train: trainval of 2007 and 2012, of which a share is cut off to validate; test: test of 2007",
        (_VOC2007_TRAINVAL, _VOC2012_TRAINVAL, _VOC2007_TEST),
        21503,
        train=_voc_split("trainval2007/VOC2007/trainval", "trainval2012/VOC2012/trainval"),
        test=_voc_split("test2007/VOC2007/test"),
    ),
    "voc2007-mini": _voc(
        "300 + 150 images of VOC2007 in the same layout, to try the 20-class path",
        "train: trainval, of which a share is cut off to validate; test: test",
        (_MINI_TRAINVAL, _MINI_TEST),
        450,
        train=_voc_split("trainval2007/VOC2007/trainval"),
        test=_voc_split("test2007/VOC2007/test"),
    ),
    "coco2017": Source(
        files=_COCO_ARCHIVES,
        licence="annotations CC BY 4.0; images from Flickr, each under the terms of its owner",
        citation="Lin et al.: Microsoft COCO: Common objects in context, ECCV 2014",
        splits={
            "train": CocoSplit("annotations/instances_train2017.json", "train2017"),
            "test": CocoSplit("annotations/instances_val2017.json", "val2017"),
        },
        title="photographs of 80 classes",
        page="https://cocodataset.org",
        classes=COCO_CLASSES,
        split_rule="train: train2017, of which a share is cut off to validate; test: val2017, as the labels of its "
        "test images are not public",
        images=123_287,
    ),
}
