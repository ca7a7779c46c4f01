"""Ships in radar images: public SAR data sets."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.datasets.catalogue.entry import ArchiveFile, CocoSplit, Manual, Source, VocSplit
from refinedet.config import PixelSizes

_SHIP = ("ship",)
_SARDET_CLASSES = ("ship", "aircraft", "car", "tank", "bridge", "harbor")

_SSDD = Source(
    files=(
        ArchiveFile(
            name="SSDD_coco-master.zip",
            url="https://github.com/HaoIrving/SSDD_coco/archive/refs/heads/master.zip",
            folder="SSDD_coco-master",
            sha256="4c45e39fe5d21b9e6feeeb0d6fd736398203da5352ca0492f3fe47f668fedce5",
            size_bytes=49_577_218,
        ),
    ),
    licence="none stated in the archive; ask the authors of SSDD before any use beyond research",
    citation="Li, Qu, Shao: Ship detection in SAR images based on an improved faster R-CNN, BIGSARDATA 2017",
    # Its boxes name the outermost pixels by their index (docs/results/trainings.md, "Half a pixel").
    splits={
        "train": CocoSplit("annotations/instances_sarship_train.json", "train", corners_at=0.5),
        "test": CocoSplit("annotations/instances_sarship_test.json", "test", corners_at=0.5),
    },
    subsets={
        "inshore": "annotations/instances_sarship_test_inshore.json",
        "offshore": "annotations/instances_sarship_test_offshore.json",
    },
    title="chips of RadarSat-2, TerraSAR-X and Sentinel-1, 1 to 15 m",
    page="https://github.com/HaoIrving/SSDD_coco",
    classes=_SHIP,
    split_rule="test: numbers that end in 1 or 9 (10 of these 232 are also in train: reported apart); train: the "
    "others, of which a share is cut off to validate, by their pixels",
    images=1160,
    gsd_m=PixelSizes(1.0, 15.0),
)

_HRSID = Source(
    files=(ArchiveFile(name="HRSID_JPG.zip", url=None, folder="HRSID_JPG"),),
    licence="unknown to us; see its page before any use beyond research",
    citation="Wei, Zeng, Qu, Wang, Su, Shi: HRSID: A high-resolution SAR images dataset for ship detection and "
    "instance segmentation, IEEE Access 2020",
    splits={
        "train": CocoSplit("annotations/train2017.json", "JPEGImages"),
        "test": CocoSplit("annotations/test2017.json", "JPEGImages"),
    },
    title="chips of 800 pixels, 0.5 to 3 m, with masks",
    page="https://github.com/chaozhong2010/HRSID",
    classes=_SHIP,
    split_rule="as published, of whose training images a share is cut off to validate",
    images=5604,
    gsd_m=PixelSizes(0.5, 3.0),
    manual=Manual(
        where="https://github.com/chaozhong2010/HRSID (Google Drive or Baidu)",
        what="the JPEG version; its folder HRSID_JPG holds `annotations` and `JPEGImages`",
    ),
)

_LS_SSDD = Source(
    files=(ArchiveFile(name="LS-SSDD-v1.0-OPEN.zip", url=None, folder="LS-SSDD-v1.0-OPEN"),),
    licence="unknown to us; see its page before any use beyond research",
    citation="Zhang et al.: LS-SSDD-v1.0: A deep learning dataset dedicated to small ship detection from large-scale "
    "Sentinel-1 SAR images, Remote Sensing 2020",
    splits={
        "train": VocSplit(("ImageSets/Main/train.txt",), _SHIP, "Annotations_sub", "JPEGImages_sub"),
        "test": VocSplit(("ImageSets/Main/test.txt",), _SHIP, "Annotations_sub", "JPEGImages_sub"),
    },
    title="15 Sentinel-1 scenes of 24,000 x 16,000 pixels, cut into chips of 800",
    page="https://github.com/TianwenZhang0825/LS-SSDD-v1.0-OPEN",
    classes=_SHIP,
    split_rule="as published: scenes 1 to 10 train, of whose chips a share is cut off to validate; 11 to 15 test",
    images=9000,
    gsd_m=PixelSizes(10.0, 10.0, 10.0),
    manual=Manual(
        where="https://github.com/TianwenZhang0825/LS-SSDD-v1.0-OPEN (Google Drive or Baidu)",
        what="the archive; its folder LS-SSDD-v1.0-OPEN holds `Annotations_sub`, `JPEGImages_sub` and `ImageSets/Main`",
    ),
)

_SARDET = Source(
    files=(ArchiveFile(name="SARDet_100K.zip", url=None, folder="SARDet_100K"),),
    licence="CC BY-NC 4.0 as its repository says; its ten sources keep their own terms",
    citation="Li, Li, Li, Hou, Liu, Cheng, Yang: SARDet-100K: Towards open-source benchmark and toolkit for "
    "large-scale SAR object detection, NeurIPS 2024",
    splits={name: CocoSplit(f"Annotations/{name}.json", f"JPEGImages/{name}") for name in ("train", "val", "test")},
    title="chips of ten SAR data sets (SSDD and HRSID among them: do not train on it and test there)",
    page="https://github.com/zcablii/SARDet_100K",
    classes=_SARDET_CLASSES,
    split_rule="as published: train, val and test",
    images=116_598,
    manual=Manual(
        where="https://github.com/zcablii/SARDet_100K (Baidu or OneDrive)",
        what="the three parts, unpacked into one folder SARDet_100K that holds `Annotations/{train,val,test}.json` and "
        "`JPEGImages/{train,val,test}`",
    ),
)

_XVIEW3 = Source(
    files=(ArchiveFile(name="xview3", url=None, folder="xview3"),),
    licence="unknown to us: registration shows terms to agree to",
    citation="Paolo, Lin, Gupta, Goodman, Patel, Kuster, Kroodsma, Dunnmon: xView3-SAR: Detecting dark fishing "
    "activity using synthetic aperture radar imagery, NeurIPS 2022",
    splits={name: CocoSplit(f"annotations/{name}.json", "scenes") for name in ("train", "val", "test")},
    title="nearly 1,000 Sentinel-1 scenes of about 29,400 x 24,400 pixels at 10 m, in decibels",
    page="https://iuu.xview.us",
    classes=_SHIP,
    split_rule="of the scenes of validation.csv that are there (train.csv has points, not boxes), by a stable hash of "
    "their ids: a fifth to test, a tenth to validate; vessels of low confidence or without a box, and what is not "
    "known to be a vessel, are ignored",
    manual=Manual(
        where="https://iuu.xview.us (registration)",
        what="validation.csv and at least three scenes that it lists, unpacked, so that the folder xview3 holds "
        "`validation.csv` and `<scene id>/VV_dB.tif`",
    ),
    gsd_m=PixelSizes(10.0, 10.0, 10.0),
    prepared="xview3",
)

SAR: Mapping[str, Source] = {
    "ssdd": _SSDD,
    "hrsid": _HRSID,
    "ls-ssdd-v1.0": _LS_SSDD,
    "sardet-100k": _SARDET,
    "xview3-sar": _XVIEW3,
}
