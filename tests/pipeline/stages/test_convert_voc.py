"""VOC's XML and image sets become records."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

from pipeline.datasets.catalogue import CATALOGUE, Source, VocSplit
from pipeline.downloads.extract import extract
from pipeline.stages.convert import convert
from refinedet.data.coco import read_record
from refinedet.detections import Detections
from refinedet.errors import FileError, InputError
from refinedet.evaluation.voc import voc_metrics
from refinedet.files import read_json


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "convert"


CATS = ("cat", "dog")


def write_voc(root: Path, image_set: str, annotations: dict[str, str]) -> None:
    """VOC's layout in folder `root`: images of 60 x 40 pixels, the objects of each as XML, and a list of their ids."""
    for folder in ("JPEGImages", "Annotations", "ImageSets/Main"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    size = "<size><width>60</width><height>40</height></size>"
    for image_id, objects in annotations.items():
        pixels = np.random.default_rng(list(image_id.encode())).integers(0, 256, (40, 60, 3), dtype=np.uint8)
        Picture.fromarray(pixels).save(root / "JPEGImages" / f"{image_id}.jpg")
        (root / "Annotations" / f"{image_id}.xml").write_text(f"<annotation>{size}{objects}</annotation>", "utf-8")
    (root / "ImageSets" / "Main" / f"{image_set}.txt").write_text("\n".join(annotations), encoding="utf-8")


def voc_object(name: str, *corners: float, difficult: int = 0) -> str:
    tags = "".join(f"<{k}>{v}</{k}>" for k, v in zip(("xmin", "ymin", "xmax", "ymax"), corners, strict=True))
    return f"<object><name>{name}</name><bndbox>{tags}</bndbox><difficult>{difficult}</difficult></object>"


@pytest.fixture
def voc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Data set `voc`: two training sets of two years, and a test set that begins in the same folder as the first."""
    folder = tmp_path / "voc"
    write_voc(folder / "a/VOC2007", "trainval", {"000001": voc_object("dog", 1, 1, 60, 40), "000002": ""})
    write_voc(folder / "b/VOC2012", "trainval", {"2008_000001": voc_object("cat", 11, 5, 20, 9)})
    many = voc_object("cat", 2, 3, 10, 12) + voc_object("dog", 2, 3, 10, 12, difficult=1)
    write_voc(folder / "a/VOC2007", "test", {"000003": many})
    lists = ("a/VOC2007/ImageSets/Main/trainval.txt", "b/VOC2012/ImageSets/Main/trainval.txt")
    splits = {"train": VocSplit(lists, CATS), "test": VocSplit(("a/VOC2007/ImageSets/Main/test.txt",), CATS)}
    monkeypatch.setitem(CATALOGUE, "voc", Source((), licence="none", citation="none", splits=splits))
    return folder


def test_voc_becomes_records_by_its_image_sets(voc: Path, out: Path) -> None:
    convert("voc", 0.0, voc, out)
    train, test = (read_record(out / f"{split}.json") for split in ("train", "test"))
    assert [i.file_name for i in train.images] == [
        "a/VOC2007/JPEGImages/000001.jpg",
        "a/VOC2007/JPEGImages/000002.jpg",
        "b/VOC2012/JPEGImages/2008_000001.jpg",
    ]
    assert train.classes == test.classes == CATS
    assert [train.boxes[i].tolist() for i in (1, 2, 3)] == [[[0, 0, 60, 40]], [], [[10, 4, 20, 9]]]
    assert [train.labels[i].tolist() for i in (1, 2, 3)] == [[1], [], [0]]
    assert [image.file_name for image in test.images] == ["a/VOC2007/JPEGImages/000003.jpg"]
    assert test.labels[1].tolist() == [0, 1]
    assert read_json(out / "summary.json")["flags"]["test"] == {"difficult": 1, "truncated": 0}
    assert test.ignored[1].tolist() == [False, True], "difficult: neither object nor background"


def test_voc_boxes_are_cleaned_and_counted_as_those_of_coco(voc: Path, out: Path) -> None:
    objects = [
        voc_object("cat", 1, 1, 61, 40),
        voc_object("cat", 5, 5, 9, 9) * 2,
        voc_object("cat", 5, 5, 4, 9),
        voc_object("cat", 61, 5, 70, 9),
        voc_object("cat", 1, 1, 1e300, 40),
        voc_object("cow", 5, 5, 9, 9),
        "<object><name>cat</name></object>",
    ]
    write_voc(voc / "a/VOC2007", "test", {"000003": "".join(objects)})
    convert("voc", 0.0, voc, out)
    assert read_record(out / "test.json").boxes[1].tolist() == [[0, 0, 60, 40], [4, 4, 9, 9]]
    assert read_json(out / "summary.json")["changes"]["test"] == {
        "clipped": 1,
        "dropped": {
            "malformed": 1,
            "not finite": 1,
            "outside the image": 1,
            "repeated": 1,
            "unknown category": 1,
            "without area": 1,
        },
    }


def test_an_image_of_another_size_than_its_annotation_says_is_refused(voc: Path, out: Path) -> None:
    path = voc / "b/VOC2012/Annotations/2008_000001.xml"
    path.write_text(path.read_text(encoding="utf-8").replace("60", "61"), encoding="utf-8")
    with pytest.raises(InputError, match=r"to be 61 x 40 pixels as b/VOC2012/Annotations/2008_000001\.xml says"):
        convert("voc", 0.0, voc, out)


@pytest.mark.parametrize("path", ["JPEGImages/000002.jpg", "Annotations/000002.xml", "ImageSets/Main/trainval.txt"])
def test_a_voc_file_that_is_not_there_is_named(voc: Path, out: Path, path: str) -> None:
    (voc / "a/VOC2007" / path).unlink()
    with pytest.raises(FileError, match=Path(path).name):
        convert("voc", 0.0, voc, out)


@pytest.mark.slow
def test_real_voc_samples(voc_archives: Path, tmp_path: Path, out: Path) -> None:
    source = CATALOGUE["voc2007-mini"]
    for archive in source.files:
        (tmp_path / "download" / archive.into).mkdir(parents=True)
        extract(voc_archives / archive.name, tmp_path / "download" / archive.into, below=archive.folder)
    convert("voc2007-mini", 0.1, tmp_path / "download", out)
    summary = read_json(out / "summary.json")
    assert summary["changes"] == {name: {"dropped": {}, "clipped": 0} for name in ("train", "test")}
    assert summary["splits"]["train"]["images"] + summary["splits"]["val"]["images"] == 300
    assert summary["splits"]["test"] == {"images": 150, "boxes": 435, "ignored": 57, "without_boxes": 0}
    assert summary["flags"]["test"]["difficult"] == 57
    assert summary["flags"]["test"]["truncated"] > 0, "which count as any other object"
    record = read_record(out / "test.json")
    perfect = {
        i.id: Detections.of(record.boxes[i.id], np.ones(len(record.boxes[i.id])), record.labels[i.id])
        for i in record.images
    }
    assert voc_metrics(record, perfect)["mAP07"] == pytest.approx(100)
