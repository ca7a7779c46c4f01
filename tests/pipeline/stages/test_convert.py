"""Published and simulated data become records; copies are found by pixels and never leak into validation."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pytest

from pipeline.datasets.catalogue import CATALOGUE, CocoSplit, Source
from pipeline.downloads.extract import extract
from pipeline.stage import SPLITS
from pipeline.stages.convert import convert
from refinedet.boxes import as_boxes
from refinedet.data.coco import SIMULATED, read_record
from refinedet.data.simulation.scene import write_simulated
from refinedet.data.simulation.spec import SceneSpec
from refinedet.errors import FileError, InputError
from refinedet.files import read_json, sha256_tree, write_json

LEAKED = ["000001", "000011", "000229", "000389", "000501", "000631", "000639", "000641", "000739", "001121"]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "convert"


def file_names(out: Path, split: str) -> list[str]:
    return [image.file_name for image in read_record(out / f"{split}.json").images]


def edit(path: Path, change: Any) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    change(document)
    path.write_text(json.dumps(document), encoding="utf-8")


@pytest.mark.usefixtures("tiny")
def test_a_published_set_becomes_three_records(tiny_folder: Path, out: Path) -> None:
    convert("tiny", 0.3, tiny_folder, out)
    train, val, test = (file_names(out, split) for split in SPLITS)
    assert sorted(train + val) == [f"train/{i:03d}.png" for i in range(30)]
    assert val
    assert test == [f"test/{i:03d}.png" for i in range(4)]
    record = read_record(out / "train.json")
    assert [image.id for image in record.images] == list(range(1, len(train) + 1))
    assert record.classes == ("ship",)
    assert record.boxes[1].tolist() == [[2, 3, 22, 13]]
    assert record.labels[1].tolist() == [0], "category 0 is a class like any other"


def test_corners_that_name_pixels_are_moved_to_their_centres(
    tiny: Source, tiny_folder: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    splits = {split: CocoSplit(f"annotations/{split}.json", split, corners_at=0.5) for split in ("train", "test")}
    monkeypatch.setitem(CATALOGUE, "tiny", replace(tiny, splits=splits))
    edit(tiny_folder / "annotations/train.json", lambda d: d["annotations"][0].update(bbox=[50, 3, 10, 10]))
    convert("tiny", 0.0, tiny_folder, out)
    boxes = read_record(out / "train.json").boxes
    assert boxes[1].tolist() == [[50.5, 3.5, 60, 13.5]], "and stay within the picture"
    assert boxes[2].tolist() == [[2.5, 3.5, 22.5, 13.5]]


@pytest.mark.usefixtures("tiny")
def test_copies_are_reported_within_and_across_splits(
    tiny_folder: Path, out: Path, caplog: pytest.LogCaptureFixture
) -> None:
    convert("tiny", 0.3, tiny_folder, out)
    assert "1 of 4 test images are also in training or validation, so measures on test are too high" in caplog.text
    duplicates = read_json(out / "summary.json")["duplicates"]
    assert duplicates["within"] == [["train/007.png", "train/008.png"]]
    assert duplicates["across"] == [["test: test/001.png", "train: train/003.png"]]


def test_copies_of_training_images_in_a_published_val_are_warned_of(
    tiny: Source, tiny_folder: Path, out: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    splits = {"train": tiny.splits["train"], "val": tiny.splits["test"], "test": tiny.splits["test"]}
    monkeypatch.setitem(CATALOGUE, "tiny", replace(tiny, splits=splits))
    convert("tiny", 0.0, tiny_folder, out)
    assert "1 of 4 validation images are also in training, so measures on val are too high" in caplog.text


@pytest.mark.usefixtures("tiny")
def test_parts_of_the_test_split_are_joined_by_file_name(tiny_folder: Path, out: Path) -> None:
    """Their files number the images otherwise than the test file."""
    convert("tiny", 0.3, tiny_folder, out)
    assert read_json(out / "subsets.json") == {
        "inshore": ["test/001.png", "test/003.png"],
        "offshore": ["test/000.png", "test/002.png"],
        "leaked": ["test/001.png"],
    }


@pytest.mark.usefixtures("tiny")
def test_what_reading_changed_is_in_the_summary(tiny_folder: Path, out: Path) -> None:
    def spoil(document: Any) -> None:
        document["annotations"][0]["bbox"] = [1, 1, 0, 5]
        document["annotations"][1]["bbox"] = [50, 1, 20, 5]

    edit(tiny_folder / "annotations/test.json", spoil)
    convert("tiny", 0.3, tiny_folder, out)
    summary = read_json(out / "summary.json")
    assert summary["changes"]["test"] == {"dropped": {"without area": 1}, "clipped": 1}
    assert summary["changes"]["train"] == {"dropped": {}, "clipped": 0}
    assert summary["splits"]["test"] == {"images": 4, "boxes": 3, "ignored": 0, "without_boxes": 1}


@pytest.mark.usefixtures("tiny")
def test_the_order_of_the_annotation_file_changes_no_byte(tiny_folder: Path, tmp_path: Path) -> None:
    convert("tiny", 0.3, tiny_folder, tmp_path / "a")
    edit(tiny_folder / "annotations/train.json", lambda document: document["images"].reverse())
    convert("tiny", 0.3, tiny_folder, tmp_path / "b")
    assert sha256_tree(tmp_path / "a") == sha256_tree(tmp_path / "b")


@pytest.mark.usefixtures("tiny")
def test_no_validation_split_is_cut_at_fraction_zero(tiny_folder: Path, out: Path) -> None:
    convert("tiny", 0.0, tiny_folder, out)
    assert file_names(out, "val") == []
    assert len(file_names(out, "train")) == 30


@pytest.mark.parametrize(
    ("path", "change", "error", "message"),
    [
        pytest.param(
            "annotations/test.json",
            lambda d: d["images"][0].update(width=61),
            InputError,
            "to be 61 x 40 pixels .* found 60 x 40",
            id="size that is not the image's",
        ),
        pytest.param(
            "annotations/test.json",
            lambda d: d["images"][0].update(file_name="gone.png"),
            FileError,
            r"gone\.png",
            id="image that is not there",
        ),
        pytest.param(
            "annotations/near.json",
            lambda d: d["images"][0].update(file_name="999.png"),
            InputError,
            r"\['999\.png'\] that are none",
            id="part that lists a stranger",
        ),
        pytest.param(
            "annotations/test.json",
            lambda d: d["categories"][0].update(name="boat"),
            InputError,
            "the same classes in every split",
            id="classes that differ",
        ),
    ],
)
@pytest.mark.usefixtures("tiny")
def test_a_set_that_contradicts_itself_is_refused(
    tiny_folder: Path, out: Path, path: str, change: Any, error: type[Exception], message: str
) -> None:
    edit(tiny_folder / path, change)
    with pytest.raises(error, match=message):
        convert("tiny", 0.3, tiny_folder, out)
    assert not out.exists()


@pytest.mark.usefixtures("tiny")
def test_several_unusable_images_are_named_in_one_sentence(tiny_folder: Path, out: Path) -> None:
    for name in ("train/004.png", "test/002.png", "test/003.png"):
        (tiny_folder / name).unlink()
    with pytest.raises(FileError, match=r"004\.png.*; 2 more images cannot be used either, such as test/002\.png"):
        convert("tiny", 0.3, tiny_folder, out)
    assert not out.exists()


@pytest.fixture
def simulated(tmp_path: Path) -> Path:
    folder = tmp_path / "download"
    for seed, split in enumerate(SPLITS):
        write_simulated(
            SceneSpec(width_px=320, height_px=256, ships=3, seed=seed), folder / SIMULATED / split / "scene_000.tif"
        )
    return folder


def test_simulated_scenes_keep_their_split_and_exact_truth(simulated: Path, out: Path) -> None:
    convert("simulated", 0.5, simulated, out)
    for split in SPLITS:
        record = read_record(out / f"{split}.json")
        assert [i.file_name for i in record.images] == [f"simulated/{split}/scene_000.tif"]
        truth = read_json(simulated / SIMULATED / split / "scene_000.truth.geojson")
        expected = as_boxes([feature["properties"]["bbox_px"] for feature in truth["features"]])
        np.testing.assert_array_equal(record.boxes[1], expected)
        assert len(expected) == 3
    assert not (out / "subsets.json").exists()


def test_truth_beyond_a_scene_is_clipped_or_dropped(simulated: Path, out: Path) -> None:
    path = simulated / SIMULATED / "test" / "scene_000.truth.geojson"
    truth = read_json(path)
    truth["features"][0]["properties"]["bbox_px"] = [300, 10, 330, 20]
    truth["features"][1]["properties"]["bbox_px"] = [320, 10, 330, 20]
    write_json(path, truth)
    convert("simulated", 0.5, simulated, out)
    record = read_record(out / "test.json")
    assert record.boxes[1][0].tolist() == [300, 10, 320, 20]
    assert len(record.boxes[1]) == 2
    changes = read_json(out / "summary.json")["changes"]
    assert changes["simulated test"] == {"dropped": {"outside the image": 1}, "clipped": 1}
    assert changes["simulated train"] == {"dropped": {}, "clipped": 0}


@pytest.mark.usefixtures("tiny")
def test_simulated_scenes_are_added_to_the_splits_of_a_published_set(tiny_folder: Path, out: Path) -> None:
    convert("tiny", 0.3, tiny_folder, out)
    alone = {split: file_names(out, split) for split in SPLITS}
    for seed, split in enumerate(("train", "val")):
        path = tiny_folder / SIMULATED / split / "scene_000.tif"
        write_simulated(SceneSpec(width_px=320, height_px=256, ships=3, seed=seed), path)
    convert("tiny", 0.3, tiny_folder, out)
    added = {split: [name for name in file_names(out, split) if name not in alone[split]] for split in SPLITS}
    assert added == {"train": ["simulated/train/scene_000.tif"], "val": ["simulated/val/scene_000.tif"], "test": []}
    assert all(set(alone[split]) <= set(file_names(out, split)) for split in SPLITS)
    record = read_record(out / "val.json")
    (scene,) = (image for image in record.images if image.file_name.startswith("simulated"))
    hulls = read_json(tiny_folder / SIMULATED / "val" / "scene_000.truth.geojson")["features"]
    outside = record.boxes[scene.id] - as_boxes([hull["properties"]["bbox_px"] for hull in hulls])
    np.testing.assert_allclose(outside, [[-0.4, -0.4, 0.4, 0.4]] * 3, atol=1e-3, err_msg="as people draw boxes")


def test_a_folder_without_any_data_is_one_clear_error(tmp_path: Path, out: Path) -> None:
    with pytest.raises(FileError, match="found neither"):
        convert("simulated", 0.5, tmp_path, out)


@pytest.mark.usefixtures("tiny")
def test_training_images_are_limited_and_the_other_splits_are_not(tiny_folder: Path, tmp_path: Path, out: Path) -> None:
    convert("tiny", 0.3, tiny_folder, tmp_path / "whole")
    convert("tiny", 0.3, tiny_folder, out, train_images=5)
    assert len(file_names(out, "train")) == 5
    assert set(file_names(out, "train")) < set(file_names(tmp_path / "whole", "train"))
    for split in ("val", "test"):
        assert file_names(out, split) == file_names(tmp_path / "whole", split)


def test_real_ssdd(ssdd_archive: Path, tmp_path: Path, out: Path) -> None:
    (tmp_path / "download").mkdir()
    extract(ssdd_archive, tmp_path / "download", below=CATALOGUE["ssdd"].files[0].folder)
    convert("ssdd", 0.1, tmp_path / "download", out)
    summary, subsets = read_json(out / "summary.json"), read_json(out / "subsets.json")
    assert summary["splits"]["train"]["images"] + summary["splits"]["val"]["images"] == 928
    assert 70 <= summary["splits"]["val"]["images"] <= 115
    assert summary["splits"]["test"] == {"images": 232, "boxes": 544, "ignored": 0, "without_boxes": 0}
    assert summary["changes"] == {name: {"dropped": {}, "clipped": 0} for name in ("train", "test")}
    assert [PurePosixPath(name).stem for name in subsets["leaked"]] == LEAKED
    assert sorted(subsets["inshore"] + subsets["offshore"]) == file_names(out, "test")
    assert len(subsets["inshore"]) == 46
    groups = summary["duplicates"]
    val = set(file_names(out, "val"))
    assert not any(name.startswith("val:") for group in groups["across"] for name in group)
    assert all(len(val & set(group)) in (0, len(group)) for group in groups["within"])
    assert len(groups["within"]) >= 12
