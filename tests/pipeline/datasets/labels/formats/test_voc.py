"""VOC's XML files in a folder, as people bring them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.datasets.labels.finding import find_labels
from refinedet.errors import FileError, InputError

Put = Callable[..., None]
_UPRIGHT = "<bndbox><xmin>3</xmin><ymin>4</ymin><xmax>12</xmax><ymax>8</ymax></bndbox>"
_ROTATED = "<robndbox><cx>10</cx><cy>9</cy><w>8</w><h>4</h><angle>1.5707963267948966</angle></robndbox>"


def annotate(folder: Path, stem: str, box: str = _UPRIGHT, *, file_name: str = "", difficult: int = 0) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{stem}.xml").write_text(
        f"<annotation><filename>{file_name or stem}</filename><size><width>40</width><height>30</height></size>"
        f"<object><name>ship</name><difficult>{difficult}</difficult>{box}</object></annotation>"
    )


@pytest.mark.parametrize(
    ("labels", "images"), [("Annotations", "JPEGImages"), (".", "."), ("xml", "."), ("annotations", "pictures")]
)
def test_boxes_become_half_open_wherever_the_images_are(
    tmp_path: Path, put_images: Put, labels: str, images: str
) -> None:
    put_images(tmp_path / images, "c0.png", "c1.png")
    for stem in ("c0", "c1"):
        annotate(tmp_path / labels, stem)
    found = find_labels(tmp_path, None if images != "." or labels == "." else tmp_path)
    document = found["train"].document
    assert found["train"].kind == "VOC"
    assert [Path(image["file_name"]).name for image in document["images"]] == ["c0.png", "c1.png"]
    assert [one["bbox"] for one in document["annotations"]] == [[2, 3, 10, 5]] * 2


def test_splits_are_those_of_the_lists(tmp_path: Path, put_images: Put) -> None:
    put_images(tmp_path / "JPEGImages")
    for number in range(6):
        annotate(tmp_path / "Annotations", f"c{number}")
    lists = tmp_path / "ImageSets/Main"
    lists.mkdir(parents=True)
    for split, stems in {"train": "c0\nc1\nc2\n", "val": "c3\n", "test": "c4\nc9\n"}.items():
        (lists / f"{split}.txt").write_text(stems)
    found = find_labels(tmp_path)
    assert {split: len(one.document["images"]) for split, one in found.items()} == {"train": 3, "val": 1, "test": 1}


def test_rotated_boxes_are_enclosed_and_difficult_objects_are_ignored(tmp_path: Path, put_images: Put) -> None:
    put_images(tmp_path, "c0.png", "c1.png", "c2.png")
    annotate(tmp_path, "c0", _ROTATED)
    annotate(tmp_path, "c1", difficult=1)
    annotate(tmp_path, "c2", "<bndbox/>")
    first, second, third = find_labels(tmp_path)["train"].document["annotations"]
    assert first["bbox"] == pytest.approx([8, 5, 4, 8])
    assert second["iscrowd"] == 1
    assert "bbox" not in third


_POINTS = "<points><point>3,4</point><point>12.0, 4</point><point>12,8</point><point>3,8</point></points>"
_POLYGON = "<polygon><x1>3</x1><y1>4</y1><x2>12</x2><y2>5</y2><x3>7</x3><y3>8</y3></polygon>"


@pytest.mark.parametrize(
    ("entry", "ring"),
    [
        (f"<object><name>ship</name>{_POLYGON}</object>", [3, 4, 12, 4, 12, 8, 3, 8]),
        (f"<object><possibleresult><name>ship</name></possibleresult>{_POINTS}</object>", [3, 4, 12, 4, 12, 8, 3, 8]),
        (
            f"<objects><object><possibleresult><name>ship</name></possibleresult>{_POINTS}</object></objects>",
            [3, 4, 12, 4, 12, 8, 3, 8],
        ),
    ],
)
@pytest.mark.parametrize("size", ["", "<size><width>0</width><height>0</height></size>"])
def test_outlines_of_published_sets_are_read_with_the_size_of_the_image(
    tmp_path: Path, put_images: Put, entry: str, ring: list[float], size: str
) -> None:
    put_images(tmp_path, "c0.png")
    (tmp_path / "c0.xml").write_text(f"<annotation><filename>c0</filename>{size}{entry}</annotation>")
    document = find_labels(tmp_path)["train"].document
    assert document["categories"] == [{"id": 1, "name": "ship"}]
    assert [one["segmentation"] for one in document["annotations"]] == [[ring]]
    assert (document["images"][0]["width"], document["images"][0]["height"]) == (40, 30)


@pytest.mark.parametrize(
    "points", ["", "<points><point>3,4</point><point>9,9</point></points>", _POINTS.replace("12,8", "12"), "<polygon/>"]
)
def test_an_outline_that_cannot_be_read_is_none(tmp_path: Path, put_images: Put, points: str) -> None:
    put_images(tmp_path, "c0.png")
    annotate(tmp_path, "c0", points)
    (row,) = find_labels(tmp_path)["train"].document["annotations"]
    assert not {"bbox", "segmentation"} & row.keys()


def test_one_file_and_other_xml_are_told(tmp_path: Path, put_images: Put) -> None:
    put_images(tmp_path, "c0.png")
    annotate(tmp_path, "c0")
    with pytest.raises(InputError, match="found VOC's for one"):
        find_labels(tmp_path / "c0.xml")
    (tmp_path / "c0.xml").write_text("<HRSC_Image/>")
    with pytest.raises(FileError, match=r"found XML of another kind \(HRSC_Image\) \(c0\.xml\); convert it to VOC"):
        find_labels(tmp_path)
    with pytest.raises(InputError, match=r"found XML of another kind \(HRSC_Image\); convert it to VOC"):
        find_labels(tmp_path / "c0.xml")


def test_encodings_of_several_bytes_are_read(tmp_path: Path, put_images: Put) -> None:
    put_images(tmp_path, "c0.png")
    annotate(tmp_path, "c0")
    path = tmp_path / "c0.xml"
    text = path.read_text(encoding="utf-8").replace("<name>ship", "<name>\u8239")
    path.write_text(f'<?xml version="1.0" encoding="GB2312"?>\n{text}', encoding="gb2312")
    found = find_labels(tmp_path)["train"]
    assert [one["name"] for one in found.document["categories"]] == ["\u8239"]
    assert [one["bbox"] for one in found.document["annotations"]] == [[2, 3, 10, 5]]


def test_suffixes_may_be_in_upper_case(tmp_path: Path, put_images: Put) -> None:
    put_images(tmp_path, "c0.png")
    annotate(tmp_path, "c0")
    (tmp_path / "c0.xml").rename(tmp_path / "c0.XML")
    assert len(find_labels(tmp_path)["train"].document["annotations"]) == 1
