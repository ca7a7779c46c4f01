"""Images are found where they are, and never confused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.datasets.labels.images import ImageFinder, finder_around, images_below, name_parts, names_by_stem
from refinedet.errors import FileError, InputError

Put = Callable[..., None]


def finder(root: Path, *folders: str) -> ImageFinder:
    return ImageFinder(root / "ann.json", [root / name for name in (".", *folders)], [root])


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("images\\c0.png", ("images", "c0.png")),
        ("D:\\chips\\c0.png", ("chips", "c0.png")),
        ("/home/me/c0.png", ("home", "me", "c0.png")),
        ("../../upload/c0.png", ("upload", "c0.png")),
        ("file:///data/c0.png", ("data", "c0.png")),
        ("/data/local-files/?d=my%20chips/c0.png", ("my chips", "c0.png")),
        ("https://host/my%20chips/c0.png?X-Amz-Signature=ab%2Fcd.png", ("host", "my chips", "c0.png")),
        ("..", ()),
    ],
)
def test_parts_of_names_of_other_machines(name: str, parts: tuple[str, ...]) -> None:
    assert name_parts(name) == parts


@pytest.mark.parametrize("name", ["images\\c0.png", "/home/me/old/c0.png", "C:\\x\\c0.png", "../up/c0.png", "c0.png"])
def test_an_image_of_another_machine_is_the_one_of_its_name_here(tmp_path: Path, put_images: Put, name: str) -> None:
    put_images(tmp_path / "deep" / "images", "c0.png")
    found, missing = finder(tmp_path).find([name])
    assert found == {name: tmp_path / "deep/images/c0.png"}
    assert missing == []


def test_equal_names_in_two_folders_are_told_apart_by_the_folder(tmp_path: Path, put_images: Put) -> None:
    put_images(tmp_path / "a", "c0.png")
    put_images(tmp_path / "b", "c0.png", seed=9)
    names = ["/home/me/a/c0.png", "/home/me/b/c0.png"]
    assert finder(tmp_path).find(names)[0] == {names[0]: tmp_path / "a/c0.png", names[1]: tmp_path / "b/c0.png"}


def test_equal_names_that_nothing_tells_apart_are_refused(tmp_path: Path, put_images: Put) -> None:
    put_images(tmp_path / "a", "c0.png")
    put_images(tmp_path / "b", "c0.png", seed=9)
    with pytest.raises(InputError, match=r"one image c0\.png for .*a/c0\.png and .*b/c0\.png; name their folder in"):
        finder(tmp_path).find(["c0.png"])
    with pytest.raises(InputError, match="one image c0"):
        finder(tmp_path, "a", "b").find(["c0.png"])


def test_copies_of_one_image_are_no_riddle(tmp_path: Path, put_images: Put) -> None:
    put_images(tmp_path / "a", "c0.png")
    put_images(tmp_path / "b", "c0.png")
    assert finder(tmp_path).find(["c0.png"])[0] == {"c0.png": tmp_path / "a/c0.png"}


def test_an_image_beside_the_labels_is_meant_before_any_other(tmp_path: Path, put_images: Put) -> None:
    put_images(tmp_path, "c0.png")
    put_images(tmp_path / "images", "c0.png", seed=9)
    one = finder(tmp_path, "images")
    assert one.find(["c0.png"])[0] == {"c0.png": tmp_path / "c0.png"}
    assert one.moved == []


def test_chips_of_an_earlier_training_and_hidden_files_are_no_images_of_the_user(
    tmp_path: Path, put_images: Put
) -> None:
    put_images(tmp_path / "trained" / "tile" / "train", "c0.png")
    put_images(tmp_path / "mine" / "tile", "c1.png", "._c1.png")
    for name in ("convert", "tile"):
        (tmp_path / "trained" / name).mkdir(exist_ok=True)
        (tmp_path / "trained" / name / "summary.json").write_text("{}", encoding="utf-8")
    assert list(images_below(tmp_path)) == [tmp_path / "mine/tile/c1.png"]


def test_a_search_among_too_many_files_is_refused_and_one_in_a_named_folder_is_not(
    tmp_path: Path, put_images: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.datasets.labels.images.MOST_FILES", 3)
    put_images(tmp_path / "deep" / "er", "c0.png", "c1.png", "c2.png")
    assert names_by_stem(tmp_path, None).keys() == {"c0", "c1", "c2"}
    put_images(tmp_path / "z" / "one" / "more", "c3.png")
    with pytest.raises(InputError, match=r"at most 3 files below .*, found more; name the folder .* in `images`"):
        names_by_stem(tmp_path, None)
    assert names_by_stem(tmp_path, tmp_path).keys() == {"c0", "c1", "c2", "c3"}
    with pytest.raises(InputError, match="at most 3 files"):
        ImageFinder(tmp_path / "a.json", [tmp_path], [tmp_path], most_files=3).find(["c3.png"])
    assert finder_around(tmp_path / "a.json", tmp_path).find(["c3.png"])[1] == []


def test_a_deep_folder_is_searched(tmp_path: Path, put_images: Put) -> None:
    deep = tmp_path.joinpath(*"abcdefghij")
    put_images(deep, "c0.png")
    assert list(images_below(tmp_path)) == [deep / "c0.png"]


def test_images_of_another_suffix_are_named(tmp_path: Path, put_images: Put) -> None:
    put_images(tmp_path / "deep", "c0.png")
    with pytest.raises(FileError, match=r"none for c0\.jpg\); c0\.png is there: correct the suffixes"):
        finder(tmp_path).find(["c0.jpg"])
    with pytest.raises(FileError, match=r"none for c1\.jpg\); name their folder in `images`"):
        finder(tmp_path).find(["c1.jpg"])


@pytest.mark.parametrize(
    ("labels", "images"),
    [
        (".", "."),
        (".", "images"),
        ("labels", "JPEGImages"),
        ("labelTxt-v1.5", "images"),
        ("Annotations", "."),
        ("json", "images/val"),
    ],
)
def test_usual_folders_around_labels_are_searched(tmp_path: Path, put_images: Put, labels: str, images: str) -> None:
    put_images(tmp_path / images, "c0.png")
    found, _ = finder_around(tmp_path / labels / "instances_val.json", None, "val").find(["c0.png"])
    assert found == {"c0.png": tmp_path / images / "c0.png"}
    elsewhere = tmp_path / "elsewhere"
    put_images(elsewhere, "c0.png", seed=7)
    assert finder_around(tmp_path / labels / "a.json", elsewhere).find(["c0.png"])[0] == {
        "c0.png": elsewhere / "c0.png"
    }


def test_names_in_other_letters_lead_to_their_image(tmp_path: Path, put_images: Put) -> None:
    put_images(tmp_path, "c1.png", "c2.png")
    found, missing = finder(tmp_path).find(["C1.PNG", "c2.png"])
    assert {name: place.name for name, place in found.items()} == {"C1.PNG": "c1.png", "c2.png": "c2.png"}
    assert missing == []
