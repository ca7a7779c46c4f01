"""Sets that a person fetches: what is said when they are not there, and what is looked at when they are."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.datasets.by_hand import needed_paths
from pipeline.datasets.catalogue import CATALOGUE, Source
from pipeline.params import parse_params
from pipeline.stages.convert import convert
from pipeline.stages.download import SOURCE_FILE, download
from refinedet.errors import FileError
from refinedet.files import read_json, sha256_tree, write_json

Put = Callable[[Path], Path]


def fetch_into(out: Path, name: str, cache: Path, mirror: str | None = None) -> None:
    params = parse_params({"recipe": name, "recipes": {name: {"dataset": name}}})
    download(params, out, mirror=mirror, cache=cache)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "outputs" / "download"


@pytest.fixture
def hrsid(tiny_folder: Path) -> Put:
    """Function (folder) -> the folder HRSID_JPG in it, laid out as published, with few images."""

    def put(folder: Path) -> Path:
        made = folder / "HRSID_JPG"
        for split in ("train", "test"):
            document = read_json(tiny_folder / "annotations" / f"{split}.json")
            for entry in document["images"]:
                name = f"{split}_{entry['file_name']}"
                (made / "JPEGImages").mkdir(parents=True, exist_ok=True)
                shutil.copy(tiny_folder / split / entry["file_name"], made / "JPEGImages" / name)
                entry["file_name"] = name
            write_json(made / "annotations" / f"{split}2017.json", document)
        (made / "README.txt").write_text("of no use here", encoding="utf-8")
        return made

    return put


@pytest.mark.parametrize("name", [name for name, source in CATALOGUE.items() if source.manual], ids=str)
def test_nothing_there_says_where_to_go_what_to_take_and_where_to_put_it(name: str, out: Path, cache: Path) -> None:
    source = CATALOGUE[name]
    assert source.manual is not None
    with pytest.raises(FileError) as caught:
        fetch_into(out, name, cache)
    sentence = str(caught.value)
    for part in (f"the folder {source.files[0].folder}", str(cache), source.manual.where, source.manual.what):
        assert part in sentence
    assert "\n" not in sentence
    assert not out.exists()


def test_an_unpacked_folder_is_copied_as_far_as_it_is_needed(hrsid: Put, out: Path, cache: Path) -> None:
    hrsid(cache)
    fetch_into(out, "hrsid", cache)
    assert sorted(path.name for path in out.iterdir()) == ["JPEGImages", "annotations", SOURCE_FILE]
    assert len(list((out / "JPEGImages").iterdir())) == 34
    origin = read_json(out / SOURCE_FILE)
    assert origin["known_sum"] == "recorded on first download, not verified by us"
    assert read_json(cache / "recorded.json") == {"HRSID_JPG.zip": origin["sha256"]}


@pytest.mark.parametrize(
    ("ending", "kind"), [(".zip", "zip"), (".tar", "tar"), (".tar.gz", "gztar")], ids=["zip", "tar", "tar.gz"]
)
def test_an_archive_has_the_sum_of_its_folder(
    hrsid: Put, out: Path, cache: Path, tmp_path: Path, ending: str, kind: str
) -> None:
    hrsid(cache)
    fetch_into(out, "hrsid", cache)
    first = sha256_tree(out)
    packed = shutil.make_archive(str(tmp_path / "packed"), kind, cache, "HRSID_JPG")
    shutil.rmtree(cache / "HRSID_JPG")
    shutil.move(packed, cache / f"HRSID_JPG{ending}")
    fetch_into(out, "hrsid", cache)
    assert sha256_tree(out) == first


def test_the_mirror_goes_before_the_cache(hrsid: Put, out: Path, cache: Path, tmp_path: Path) -> None:
    hrsid(tmp_path / "mirror")
    fetch_into(out, "hrsid", cache, mirror=str(tmp_path / "mirror"))
    assert (out / "annotations" / "train2017.json").is_file()


def test_a_mirror_on_the_web_serves_the_archive(
    hrsid: Put, out: Path, cache: Path, tmp_path: Path, server: Any
) -> None:
    packed = shutil.make_archive(str(tmp_path / "packed"), "zip", hrsid(tmp_path / "made").parent, "HRSID_JPG")
    server.content = Path(packed).read_bytes()
    fetch_into(out, "hrsid", cache, mirror=server.url)
    assert len(list((out / "JPEGImages").iterdir())) == 34


def test_other_content_than_the_first_is_refused_until_its_line_is_taken_out(
    hrsid: Put, out: Path, cache: Path
) -> None:
    made = hrsid(cache)
    fetch_into(out, "hrsid", cache)
    shutil.copy(made / "JPEGImages" / "train_000.png", made / "JPEGImages" / "train_001.png")
    with pytest.raises(
        FileError, match=r"SHA-256 .* as on its first download, .* take its line out of .*recorded\.json"
    ):
        fetch_into(out, "hrsid", cache)
    (cache / "recorded.json").unlink()
    fetch_into(out, "hrsid", cache)


def test_missing_and_unreadable_images_are_counted_and_named(hrsid: Put, out: Path, cache: Path) -> None:
    made = hrsid(cache)
    (made / "JPEGImages" / "train_003.png").unlink()
    half = (made / "JPEGImages" / "train_004.png").read_bytes()
    (made / "JPEGImages" / "train_004.png").write_bytes(half[: len(half) // 2])
    with pytest.raises(FileError) as caught:
        fetch_into(out, "hrsid", cache)
    assert "expected 30 files of split 'train' that can be read" in str(caught.value)
    assert "found 28 (JPEGImages/train_003.png is missing; JPEGImages/train_004.png cannot be read)" in str(
        caught.value
    )
    assert not out.exists()


def test_a_folder_without_a_part_says_which(hrsid: Put, out: Path, cache: Path) -> None:
    shutil.rmtree(hrsid(cache) / "annotations")
    with pytest.raises(FileError, match=r"expected annotations/train2017\.json in .*HRSID_JPG, found none"):
        fetch_into(out, "hrsid", cache)


def test_a_link_out_of_the_folder_is_not_followed(hrsid: Put, out: Path, cache: Path, tmp_path: Path) -> None:
    made = hrsid(cache)
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    (made / "JPEGImages" / "more.png").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(FileError, match=r"found .*more\.png, a link that leads out of it"):
        fetch_into(out, "hrsid", cache)


def test_it_is_converted_like_the_others(hrsid: Put, out: Path, cache: Path, tmp_path: Path) -> None:
    hrsid(cache)
    fetch_into(out, "hrsid", cache)
    convert("hrsid", 0.2, out, tmp_path / "convert")
    splits = read_json(tmp_path / "convert" / "summary.json")["splits"]
    assert splits["train"]["images"] + splits["val"]["images"] == 30
    assert splits["test"]["images"] == 4


def test_ls_ssdd_is_read_from_its_own_folders(tiny_folder: Path, out: Path, cache: Path, tmp_path: Path) -> None:
    made = cache / "LS-SSDD-v1.0-OPEN"
    for name in ("Annotations_sub", "JPEGImages_sub", "JPEGImages", "ImageSets/Main"):
        (made / name).mkdir(parents=True)
    ids = [f"{scene:02d}_1_{chip}" for scene in (1, 2, 11) for chip in range(4)]
    for number, image_id in enumerate(ids):
        picture = tiny_folder / "train" / f"{number + 10:03d}.png"
        shutil.copy(picture, made / "JPEGImages_sub" / f"{image_id}.jpg")  # its first bytes say what it is
        box = "<xmin>3</xmin><ymin>4</ymin><xmax>20</xmax><ymax>12</ymax>"
        (made / "Annotations_sub" / f"{image_id}.xml").write_text(
            "<annotation><size><width>60</width><height>40</height></size>"
            f"<object><name>ship</name><bndbox>{box}</bndbox></object></annotation>",
            encoding="utf-8",
        )
    for split, begin in (("train", ("01", "02")), ("test", ("11",))):
        listed = "\n".join(image_id for image_id in ids if image_id.startswith(begin))
        (made / "ImageSets" / "Main" / f"{split}.txt").write_text(listed + "\n", encoding="utf-8")
    fetch_into(out, "ls-ssdd-v1.0", cache)
    assert not (out / "JPEGImages").exists(), "the whole scenes are of no use here"
    convert("ls-ssdd-v1.0", 0.3, out, tmp_path / "convert")
    test = read_json(tmp_path / "convert" / "test.json")
    assert [image["file_name"] for image in test["images"]] == [f"JPEGImages_sub/11_1_{n}.jpg" for n in range(4)]
    assert test["annotations"][0]["bbox"] == [2.0, 3.0, 18.0, 9.0]


def test_what_is_needed_is_what_the_splits_name() -> None:
    assert needed_paths(CATALOGUE["ls-ssdd-v1.0"]) == (
        "ImageSets/Main/train.txt",
        "Annotations_sub",
        "JPEGImages_sub",
        "ImageSets/Main/test.txt",
    )
    source: Source = replace(CATALOGUE["hrsid"], subsets={"inshore": "annotations/inshore.json"})
    assert needed_paths(source)[0] == "annotations/inshore.json"
