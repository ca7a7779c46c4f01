"""Tables of boxes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.datasets.labels.box_numbers import BoxFormat
from pipeline.datasets.labels.finding import find_labels, is_table_of_images
from refinedet.errors import FileError, InputError

Put = Callable[..., None]


def table(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "lines",
    [
        ("filename,width,height,class,xmin,ymin,xmax,ymax", "c0.png,40,30,ship,15,12,25,18"),
        ("image_id;x;y;w;h;label", "c0;15;12;10;6;ship"),
        ("file_path\tx_center\ty_center\twidth\theight\tclass", "images/c0.png\t20\t15\t10\t6\tship"),
        ("image_id,width,height,bbox,class", 'c0,40,30,"[15.0, 12.0, 10, 6]",ship'),
        ("images/c0.png,15,12,25,18,ship",),
        ("/elsewhere/c0.png,15.0,12,25,18",),
    ],
)
def test_boxes_are_read_by_the_names_of_their_columns(tmp_path: Path, put_images: Put, lines: tuple[str, ...]) -> None:
    put_images(tmp_path / "images")
    path = table(tmp_path / "boxes.csv", *lines)
    assert is_table_of_images(path)
    for given in (path, tmp_path):
        found = find_labels(given)["train"]
        assert found.kind == "table"
        assert [one["bbox"] for one in found.document["annotations"]] == [[15, 12, 10, 6]]
        assert [one["name"] for one in found.document["categories"]] == ["ship"]
        assert "`boxes` overrules this" in found.notes[0]


def test_a_list_that_is_no_box_is_no_object(tmp_path: Path, put_images: Put) -> None:
    put_images(tmp_path)
    lines = ('c0,"[15, 12, 10, 6]"', 'c1,"[1, 2]"', "c2,[]")
    found = find_labels(table(tmp_path / "a.csv", "image_id,bbox", *lines))["train"]
    assert [one.get("bbox") for one in found.document["annotations"]] == [[15, 12, 10, 6], None]
    assert len(found.places) == 3


@pytest.mark.parametrize(
    "lines",
    [
        ("filename;class;xmin;ymin;xmax;ymax", "c0.png;ship;15,5;12,25;25,5;18,25"),
        ("c0.png;15,5;12,25;25,5;18,25",),
        ("filename,class,xmin,ymin,xmax,ymax", 'c0.png,ship,"15,5","12,25","25,5","18,25"'),
    ],
)
def test_decimal_commas_are_read_and_told(tmp_path: Path, put_images: Put, lines: tuple[str, ...]) -> None:
    put_images(tmp_path)
    found = find_labels(table(tmp_path / "a.csv", *lines))["train"]
    assert [one["bbox"] for one in found.document["annotations"]] == [[15.5, 12.25, 10, 6]]
    assert "a comma in a number is taken as decimal comma; the numbers" in found.notes[0]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_tables_of_spreadsheets_are_read(tmp_path: Path, put_images: Put, encoding: str) -> None:
    put_images(tmp_path)
    path = tmp_path / "a.csv"
    path.write_text("filename\txmin\tymin\txmax\tymax\nc0.png\t15\t12\t25\t18\n", encoding=encoding)
    document = find_labels(path)["train"].document
    assert [one["bbox"] for one in document["annotations"]] == [[15, 12, 10, 6]]


def test_sizes_in_columns_without_names_are_refused(tmp_path: Path, put_images: Put) -> None:
    put_images(tmp_path)
    path = table(tmp_path / "a.csv", "c0.png,15,12,10,6,ship")
    with pytest.raises(
        InputError, match=r"found 1 of 1 whose second corner is left of the first .* set `boxes` to xywh"
    ):
        find_labels(path)
    found = find_labels(path, boxes="xyxy")["train"]
    assert [one["bbox"] for one in found.document["annotations"]] == [[10, 6, 5, 6]]
    assert "swapped corners" in found.notes[1]


def test_rows_without_numbers_are_images_without_objects(tmp_path: Path, put_images: Put) -> None:
    put_images(tmp_path)
    path = table(tmp_path / "a.csv", "c0.png,1,2,3,4,ship", "c1.png,,,,,", "c2.png,1,2,x,4,ship", "c2.png,1,2,9,9,")
    document = find_labels(path)["train"].document
    assert len(document["images"]) == 3
    assert [one.get("bbox") for one in document["annotations"]] == [[1, 2, 2, 2], None, [1, 2, 8, 7]]
    assert document["annotations"][2]["category_id"] is None


@pytest.mark.parametrize(
    ("boxes", "expected"), [("xyxy", [20, 15, 5, 3]), ("cxcywh", [7.5, 6, 25, 18]), ("xywh", [20, 15, 25, 18])]
)
def test_the_setting_overrules_the_names(
    tmp_path: Path, put_images: Put, boxes: BoxFormat, expected: list[float]
) -> None:
    put_images(tmp_path)
    path = table(tmp_path / "a.csv", "image,x,y,w,h", "c0.png,20,15,25,18")
    with pytest.raises(InputError, match="1 of 1 that reach beyond; they look like two corners: set `boxes` to xyxy"):
        find_labels(path)
    found = find_labels(path, boxes=boxes)["train"].document
    assert found["annotations"][0]["bbox"] == expected


def test_splits_are_files(tmp_path: Path, put_images: Put) -> None:
    put_images(tmp_path)
    for i, split in enumerate(("train", "test")):
        table(tmp_path / f"{split}.csv", f"c{i}.png,1,2,3,4,ship")
    assert list(find_labels(tmp_path)) == ["train", "test"]


def test_other_tables_are_one_sentence(tmp_path: Path) -> None:
    for lines in (("a,b", "1,2"), ("lon,lat", "10,55"), ("ImageId,EncodedPixels", "a.jpg,1 2")):
        path = table(tmp_path / "a.csv", *lines)
        assert not is_table_of_images(path)
        with pytest.raises(InputError, match=f"expected a line of names such as filename,.*, found {lines[0]}"):
            find_labels(path)
    with pytest.raises(InputError, match="found an empty file"):
        find_labels(table(path, ""))
    for content in (b"\xff\xfe\x00", "name;Größe".encode("latin-1")):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"expected a table in UTF-8 or UTF-16 in .*; save it as CSV in UTF-8"):
            find_labels(path)
    with pytest.raises(FileError, match="cannot be read"):
        find_labels(tmp_path / "none.csv")
