"""A folder of the user's own in the layouts that people have, through download and convert."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.params import parse_params
from pipeline.stages.convert import convert
from pipeline.stages.download import SOURCE_FILE, download
from refinedet.errors import FileError, InputError
from refinedet.files import read_json, sha256_tree, write_json

Make = Callable[..., dict[str, Any]]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "outputs" / "download"


@pytest.fixture
def make(out: Path, tmp_path: Path) -> Make:
    """Function (dataset, settings of `local`) -> the summary of convert."""

    def through(dataset: str, **local: Any) -> dict[str, Any]:
        params = parse_params({"recipe": "own", "recipes": {"own": {"dataset": dataset, "local": local}}})
        download(params, out, mirror=None, cache=tmp_path / "cache")
        convert(dataset, 0.2, out, tmp_path / "convert")
        summary: dict[str, Any] = read_json(tmp_path / "convert" / "summary.json")
        return summary

    return through


def counts(summary: dict[str, Any]) -> dict[str, int]:
    return {split: found["images"] for split, found in summary["splits"].items()}


def test_the_layout_of_ssdd(make: Make, tiny_folder: Path, out: Path) -> None:
    found = counts(
        make("local-coco", path=str(tiny_folder), train="annotations/train.json", test="annotations/test.json")
    )
    assert found["train"] + found["val"] == 30
    assert found["test"] == 4
    assert sorted(path.name for path in out.iterdir()) == ["annotations", SOURCE_FILE, "test", "train"]
    assert str(tiny_folder) not in (out / SOURCE_FILE).read_text(encoding="utf-8"), "paths differ between machines"


def test_a_validation_split_of_the_users_is_kept(make: Make, tiny_folder: Path) -> None:
    named = {"train": "annotations/train.json", "val": "annotations/near.json", "test": "annotations/far.json"}
    found = counts(
        make("local-coco", path=str(tiny_folder), images="test", **named | {"train": "annotations/test.json"})
    )
    assert found == {"train": 4, "val": 2, "test": 2}


def test_one_file_alone_gives_a_test_split_and_copies_stay_together(make: Make, tiny_folder: Path, out: Path) -> None:
    summary = make("local-coco", path=str(tiny_folder), train="annotations/train.json", test_fraction=0.3)
    found = counts(summary)
    assert sum(found.values()) == 30
    assert 3 <= found["test"] <= 16
    assert summary["duplicates"]["across"] == []
    kept = {image["id"] for image in read_json(out / "annotations" / "test.json")["images"]}
    assert {row["image_id"] for row in read_json(out / "annotations" / "test.json")["annotations"]} == kept


@pytest.mark.parametrize(
    ("annotations", "images"),
    [
        pytest.param("train/_annotations.coco.json", "train", id="beside their file, as Roboflow writes"),
        pytest.param("annotations/instances_default.json", "images", id="in images, as CVAT writes"),
        pytest.param("annotations/instances_train2017.json", "train2017", id="in train2017, as COCO has it"),
        pytest.param("labels.json", "images/train", id="in images/train"),
        pytest.param("labels.json", ".", id="beside it"),
    ],
)
def test_images_are_looked_for_where_people_have_them(
    make: Make, tiny_folder: Path, tmp_path: Path, annotations: str, images: str
) -> None:
    mine = tmp_path / "mine"
    shutil.copytree(tiny_folder / "train", mine / images, dirs_exist_ok=True)
    (mine / annotations).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(tiny_folder / "annotations" / "train.json", mine / annotations)
    assert sum(counts(make("local-coco", path=str(mine), train=annotations)).values()) == 30


def test_equal_folders_anywhere_give_equal_bytes_and_a_pinned_sum_is_held(
    make: Make, tiny_folder: Path, tmp_path: Path, out: Path
) -> None:
    named = {"train": "annotations/train.json", "test": "annotations/test.json"}
    make("local-coco", path=str(tiny_folder), **named)
    first, pinned = sha256_tree(out), read_json(out / SOURCE_FILE)["sha256"]
    shutil.copytree(tiny_folder, tmp_path / "elsewhere")
    make("local-coco", path=str(tmp_path / "elsewhere"), sha256=pinned, **named)
    assert sha256_tree(out) == first
    shutil.copy(tiny_folder / "train" / "000.png", tmp_path / "elsewhere" / "train" / "001.png")
    with pytest.raises(FileError, match=f"SHA-256 {pinned}, found"):
        make("local-coco", path=str(tmp_path / "elsewhere"), sha256=pinned, **named)
    assert sha256_tree(out) == first


def voc(folder: Path, tiny_folder: Path, suffix: str = ".png") -> Path:
    for name in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (folder / name).mkdir(parents=True)
    for number in range(10):
        shutil.copy(tiny_folder / "train" / f"{number + 10:03d}.png", folder / "JPEGImages" / f"s{number}{suffix}")
        name = "tanker" if number % 2 else "cargo"
        box = "<xmin>3</xmin><ymin>4</ymin><xmax>20</xmax><ymax>12</ymax>"
        (folder / "Annotations" / f"s{number}.xml").write_text(
            "<annotation><size><width>60</width><height>40</height></size>"
            f"<object><name>{name}</name><difficult>{number % 3 // 2}</difficult><bndbox>{box}</bndbox></object>"
            "</annotation>",
            encoding="utf-8",
        )
    (folder / "ImageSets/Main/test.txt").write_text("s8\ns9\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_voc_without_lists_takes_all_annotations_but_those_of_the_test(
    make: Make, tiny_folder: Path, tmp_path: Path, suffix: str
) -> None:
    mine = voc(tmp_path / "mine", tiny_folder, suffix)
    summary = make("local-voc", path=str(mine), test="ImageSets/Main/test.txt")
    found = counts(summary)
    assert found["train"] + found["val"] == 8
    assert found["test"] == 2
    assert summary["classes"] == ["cargo", "tanker"]
    assert summary["splits"]["test"]["ignored"] == 1, "difficult objects are ignored"
    assert read_json(tmp_path / "convert" / "test.json")["annotations"][0]["bbox"] == [2.0, 3.0, 18.0, 9.0]


def test_voc_with_one_folder_alone(make: Make, tiny_folder: Path, tmp_path: Path) -> None:
    mine = voc(tmp_path / "mine", tiny_folder)
    assert sum(counts(make("local-voc", path=str(mine))).values()) == 10


@pytest.mark.parametrize(
    ("dataset", "local", "message"),
    [
        ("local-coco", {"path": "none"}, r"your data in the folder .*none, found none; check local\.path"),
        ("local-coco", {}, r"local\.train of the recipe to name a COCO file"),
        ("local-coco", {"train": "annotations/none.json"}, "cannot be read"),
        ("local-coco", {"train": "annotations/train.json", "images": "test"}, r"found 4 of them .*`images`"),
        ("local-voc", {}, r"expected XML annotations in .*Annotations, found none"),
    ],
)
def test_what_is_missing_is_named(
    make: Make, tiny_folder: Path, dataset: str, local: dict[str, str], message: str
) -> None:
    with pytest.raises((FileError, InputError), match=message) as caught:
        make(dataset, **({"path": str(tiny_folder)} | local))
    assert "\n" not in str(caught.value)


def test_a_recipe_without_a_folder_says_so(out: Path, tmp_path: Path) -> None:
    params = parse_params({"recipe": "own", "recipes": {"own": {"dataset": "local-coco"}}})
    with pytest.raises(InputError, match="expected `local` of the recipe to name the folder of local-coco, found null"):
        download(params, out, mirror=None, cache=tmp_path / "cache")


@pytest.mark.parametrize(
    ("local", "message"),
    [
        ({}, "local.path` in params.yaml: expected a value, found none"),
        ({"path": "x", "test_fraction": 0.0}, "local.test_fraction` in params.yaml: expected a number of more than 0"),
        ({"path": "x", "annotations": "y"}, "unknown setting"),
    ],
)
def test_settings_are_checked(local: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_params({"recipe": "own", "recipes": {"own": {"dataset": "local-coco", "local": local}}})


def test_what_is_wrong_in_a_coco_file_is_left_for_convert_to_count(make: Make, tiny_folder: Path) -> None:
    path = tiny_folder / "annotations" / "train.json"
    document = read_json(path)
    document["annotations"][0]["bbox"] = [2.0, 3.0, -5.0, 10.0]
    write_json(path, document)
    summary = make("local-coco", path=str(tiny_folder), train="annotations/train.json", test="annotations/test.json")
    assert summary["changes"]["train"]["dropped"] == {"without area": 1}


def test_a_coco_file_of_a_tool_becomes_one_that_this_project_reads(
    make: Make, tiny_folder: Path, tmp_path: Path
) -> None:
    plain = make("local-coco", path=str(tiny_folder), train="annotations/train.json", test="annotations/test.json")
    copies = sha256_tree(tmp_path / "convert")
    for split in ("train", "test"):
        path = tiny_folder / "annotations" / f"{split}.json"
        document = read_json(path)
        document["categories"].append({"id": 99, "name": "root"})
        for image in document["images"]:
            image |= {"id": str(image["id"]), "file_name": f"C:\\old\\{image['file_name']}"}
            del image["width"]
        for row in document["annotations"]:
            row["image_id"] = str(row["image_id"])
            x, y, w, h = row["bbox"]
            row["bbox"] = [x, y, x + w, y + h]
        write_json(path, document)
    named = {"train": "annotations/train.json", "test": "annotations/test.json", "boxes": "xyxy"}
    again = make("local-coco", path=str(tiny_folder), **named)
    assert again == plain
    assert sha256_tree(tmp_path / "convert") == copies


def test_images_that_are_not_there_are_left_out_and_told(
    make: Make, tiny_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tiny_folder / "train" / "004.png").unlink()
    found = counts(make("local-coco", path=str(tiny_folder), train="annotations/train.json", images="train"))
    assert sum(found.values()) == 29
    assert "names 1 image that cannot be found" in caplog.text
