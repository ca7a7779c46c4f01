"""The catalogue says of each data set where it is, what it is and on what terms, without contradictions."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

import pytest

from pipeline.datasets.catalogue import CATALOGUE, VOC_CLASSES, CocoSplit, Source, VocSplit, pixel_sizes
from refinedet.config import PixelSizes

SOURCES = pytest.mark.parametrize("source", CATALOGUE.values(), ids=CATALOGUE)


def named_paths(source: Source) -> list[str]:
    """Every path within the data set that the entry names."""
    found = list(source.subsets.values())
    for split in source.splits.values():
        found += split.image_sets if isinstance(split, VocSplit) else (split.annotations, f"{split.images}/x")
    return found


PUBLISHED = pytest.mark.parametrize(
    "source", [source for source in CATALOGUE.values() if not source.manual and source.files]
)


@pytest.mark.parametrize(
    ("dataset", "simulates", "expected"),
    [
        ("ssdd", False, PixelSizes(1.0, 15.0)),
        ("ssdd", True, PixelSizes(1.0, 15.0, 10.0)),
        ("simulated", True, PixelSizes(10.0, 10.0, 10.0)),
        ("ls-ssdd-v1.0", True, PixelSizes(10.0, 10.0, 10.0)),
        ("hrsid", True, PixelSizes(0.5, 10.0, 10.0)),
        ("voc2007", False, None),
        ("local-coco", True, None),  # half of it is not known
        ("made", False, None),
    ],
)
def test_pixel_sizes_are_those_of_all_parts(dataset: str, simulates: bool, expected: PixelSizes | None) -> None:
    assert pixel_sizes(dataset, simulates=simulates) == expected


@SOURCES
def test_an_entry_is_complete(source: Source) -> None:
    assert {"train", "test"} <= set(source.splits) <= {"train", "val", "test"}
    assert source.licence
    assert source.citation
    assert source.sha256
    assert source.title
    assert source.split_rule
    assert source.page or source.prepared
    assert bool(source.classes) != (source.prepared in {"coco", "voc"}), "yours say them"
    for split in source.splits.values():
        if isinstance(split, VocSplit):
            assert split.classes == source.classes


@SOURCES
def test_no_archive_lands_on_another_one(source: Source) -> None:
    folders = [archive.into for archive in source.files]
    assert len(set(folders)) == len(folders)
    assert "" not in folders or len(folders) == 1, "the data set's own folder would be replaced with all in it"
    assert not any(PurePosixPath(folder).is_absolute() or "/" in folder or ".." in folder for folder in folders)


@SOURCES
def test_every_path_is_in_what_an_archive_brings(source: Source) -> None:
    folders = {archive.into for archive in source.files} or {""}
    assert folders == {""} or {PurePosixPath(path).parts[0] for path in named_paths(source)} <= folders


@PUBLISHED
def test_every_archive_that_a_program_fetches_can_be_verified_and_its_size_is_known(source: Source) -> None:
    for archive in source.files:
        assert archive.sha256 or archive.md5
        assert archive.size_bytes
        assert archive.sha256 is None or re.fullmatch("[0-9a-f]{64}", archive.sha256)
        assert archive.md5 is None or re.fullmatch("[0-9a-f]{32}", archive.md5)
        assert archive.url is None or archive.url.startswith(("http://", "https://"))


@SOURCES
def test_what_a_person_fetches_has_one_archive_no_address_and_no_guessed_sum(source: Source) -> None:
    if source.manual is not None:
        (archive,) = source.files
        assert (archive.url, archive.sha256, archive.md5) == (None, None, None)
        assert archive.folder in source.manual.what
        assert source.sha256 == archive.sum == "recorded on first download, not verified by us"


def test_sizes_add_up_and_an_unknown_one_stays_unknown() -> None:
    assert CATALOGUE["voc2007"].size_bytes == 911_052_800
    assert CATALOGUE["hrsid"].size_bytes is None
    assert CATALOGUE["local-coco"].size_bytes is None


def test_equal_archives_are_equal_everywhere() -> None:
    """The download cache knows an archive by its name."""
    by_name = {archive.name: archive for source in CATALOGUE.values() for archive in source.files}
    assert all(by_name[archive.name] == archive for source in CATALOGUE.values() for archive in source.files)


def test_the_voc_classes_are_twenty_in_alphabetical_order() -> None:
    assert len(set(VOC_CLASSES)) == 20
    assert list(VOC_CLASSES) == sorted(VOC_CLASSES)


def test_what_pins_the_content_is_named_for_one_archive_and_for_several() -> None:
    assert re.fullmatch("[0-9a-f]{64}", CATALOGUE["ssdd"].sha256)
    assert "VOCtest_06-Nov-2007.tar: md5 b6e924de25625d8de591ea690078ad9f" in CATALOGUE["voc0712"].sha256


def test_07_and_12_train_together_and_2007_tests() -> None:
    train, test = (CATALOGUE["voc0712"].splits[name] for name in ("train", "test"))
    assert isinstance(train, VocSplit)
    assert train.image_sets == (
        "trainval2007/VOC2007/ImageSets/Main/trainval.txt",
        "trainval2012/VOC2012/ImageSets/Main/trainval.txt",
    )
    assert test == CATALOGUE["voc2007"].splits["test"]


def test_coco_is_judged_on_val() -> None:
    assert CATALOGUE["coco2017"].splits["test"] == CocoSplit("annotations/instances_val2017.json", "val2017")
