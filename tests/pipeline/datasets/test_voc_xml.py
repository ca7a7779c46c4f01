"""VOC's files: 1-based boxes become half-open, and a file that makes no sense is one clear sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.datasets.voc_xml import VocObject, read_annotation, read_image_set
from refinedet.errors import FileError, InputError

SIZE = "<size><width>50</width><height>40</height><depth>3</depth></size>"
BOX = "<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>50</xmax><ymax>2</ymax></bndbox>"
DTD = '<!DOCTYPE x [<!ENTITY a "{}">]>'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "000005.xml"


def write(path: Path, inner: str, before: str = "") -> Path:
    path.write_text(f"{before}<annotation>{inner}</annotation>", encoding="utf-8")
    return path


def test_a_box_of_included_pixels_counted_from_1_becomes_half_open(path: Path) -> None:
    """The first column to the last of 50, and the second row alone."""
    said = read_annotation(write(path, f"{SIZE}<object><name> cat </name>{BOX}<difficult>1</difficult></object>"))
    assert (said.width, said.height, said.malformed) == (50, 40, 0)
    assert said.objects == (VocObject("cat", (0, 1, 50, 2), difficult=True),)


@pytest.mark.parametrize(
    ("flag", "difficult"), [("<difficult>0</difficult>", False), ("<difficult>1</difficult>", True), ("", False)]
)
def test_an_object_is_difficult_only_where_it_says_so(path: Path, flag: str, difficult: bool) -> None:
    said = read_annotation(write(path, f"{SIZE}<object><name>cat</name>{flag}{BOX}</object>"))
    assert [entry.difficult for entry in said.objects] == [difficult]


@pytest.mark.parametrize(("flag", "truncated"), [("<truncated>1</truncated>", True), ("", False)])
def test_a_truncated_object_is_told(path: Path, flag: str, truncated: bool) -> None:
    said = read_annotation(write(path, f"{SIZE}<object><name>cat</name>{flag}{BOX}</object>"))
    assert [(entry.truncated, entry.difficult) for entry in said.objects] == [(truncated, False)]


def test_the_box_is_the_object_s_own_not_that_of_a_part(path: Path) -> None:
    part = "<part><name>head</name><bndbox><xmin>7</xmin><ymin>7</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></part>"
    said = read_annotation(write(path, f"{SIZE}<object><name>person</name>{part}{BOX}</object>"))
    assert [(entry.name, entry.corners_xyxy) for entry in said.objects] == [("person", (0, 1, 50, 2))]


def test_corners_may_be_fractions(path: Path) -> None:
    """A few of VOC2012 are."""
    box = BOX.replace("<xmin>1<", "<xmin>45.7<")
    said = read_annotation(write(path, f"{SIZE}<object><name>cat</name>{box}</object>"))
    assert said.objects[0].corners_xyxy == (pytest.approx(44.7), 1, 50, 2)


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param(BOX, id="no name"),
        pytest.param(f"<name> </name>{BOX}", id="empty name"),
        pytest.param("<name>cat</name>", id="no box"),
        pytest.param("<name>cat</name>" + BOX.replace("<xmin>1</xmin>", ""), id="three corners"),
        pytest.param("<name>cat</name>" + BOX.replace("<xmin>1<", "<xmin>one<"), id="a word for a number"),
        pytest.param("<name>cat</name>" + BOX.replace("<xmin>1</xmin>", "<xmin/>"), id="nothing for a number"),
    ],
)
def test_an_object_that_is_malformed_is_counted(path: Path, entry: str) -> None:
    said = read_annotation(write(path, f"{SIZE}<object>{entry}</object><object><name>dog</name>{BOX}</object>"))
    assert [entry.name for entry in said.objects] == ["dog"]
    assert said.malformed == 1


@pytest.mark.parametrize(
    ("inner", "before", "message"),
    [
        pytest.param("", "", "the size of the image", id="no size"),
        pytest.param(SIZE.replace("50", "0"), "", "the size of the image", id="no pixels"),
        pytest.param(SIZE.replace("50", "nan"), "", "the size of the image", id="not a number"),
        pytest.param(SIZE.replace("50", "1.5"), "", "the size of the image", id="half a pixel"),
        pytest.param("<size>", "", "no harmless XML", id="broken"),
        pytest.param(SIZE, "\0", "no harmless XML", id="no text"),
        pytest.param(SIZE, '<?xml version="1.0" encoding="rot13"?>', "no harmless XML", id="unknown encoding"),
        pytest.param("&a;", DTD.format("bomb"), "no harmless XML", id="entity, of which bombs are made"),
        pytest.param(SIZE, '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>', "no harmless", id="other file"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused(path: Path, inner: str, before: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read_annotation(write(path, inner, before))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@given(content=st.binary(max_size=200) | st.text(alphabet="<>/annotatiosizew &;1", max_size=60).map(str.encode))
def test_any_bytes_give_our_error(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "any.xml"
    path.write_bytes(content)
    with pytest.raises(InputError):
        read_annotation(path)


def test_a_missing_file_is_said_to_be_missing(path: Path) -> None:
    with pytest.raises(FileError, match="cannot be read"):
        read_annotation(path)
    with pytest.raises(FileError, match="cannot be read"):
        read_image_set(path)


def test_an_image_set_is_the_first_column(path: Path) -> None:
    path.write_text("000005\n\n2008_000008  1\r\n000012 -1\n", encoding="utf-8")
    assert read_image_set(path) == ["000005", "2008_000008", "000012"]


@pytest.mark.parametrize("line", ["../../etc/passwd", "/etc/passwd", "a/b", "<html>", ".."])
def test_an_image_set_that_leaves_its_folder_is_refused(path: Path, line: str) -> None:
    path.write_text(f"000005\n{line}\n", encoding="utf-8")
    with pytest.raises(InputError, match="expected image ids"):
        read_image_set(path)


def test_an_image_set_that_is_no_text_is_refused(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="found no text"):
        read_image_set(path)
