"""Chips are what detection would see: same windows, same limits, same pixels; truth moves with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pipeline.datasets.splits import stable_draw
from pipeline.params import TileParams
from pipeline.stage import SPLITS, TRAINED_ON
from pipeline.stages.convert import convert
from pipeline.stages.tile import tile
from refinedet.boxes import as_boxes, shift
from refinedet.config import PixelSizes, TileConfig, TrainConfig, TrainedOn
from refinedet.data.coco import read_record
from refinedet.data.dataset import ChipDataset
from refinedet.data.shards import read_chip
from refinedet.errors import InputError
from refinedet.files import read_json, sha256_tree
from refinedet.raster import open_scene
from refinedet.stretch.stretch_limits import scene_limits
from refinedet.stretch.stretching import Stretch
from refinedet.tiling import Window, boxes_in_window, windows
from tests.pipeline.stages.tile_project import RADIOMETRY, WINDOWS, Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_what_chips_were_cut_from_lies_beside_them(project: Project) -> None:
    project.add("train", "a.tif", noise(300, 300), [[10, 10, 40, 40]])
    project.cut()
    assert TrainedOn.from_dict(read_json(project.out / TRAINED_ON)) == TrainedOn(WINDOWS)
    sizes = PixelSizes(1.0, 15.0)
    tile(TileParams(WINDOWS), RADIOMETRY, project.source, project.records, project.out, sizes)
    assert TrainedOn.from_dict(read_json(project.out / TRAINED_ON)) == TrainedOn(WINDOWS, sizes)


def noise(height: int, width: int, seed: int = 0, dtype: type = np.uint16) -> NDArray[Any]:
    return np.random.default_rng(seed).integers(1, 250 if dtype == np.uint8 else 4000, (height, width)).astype(dtype)


def test_a_small_image_is_one_whole_chip_with_its_pixels(project: Project) -> None:
    grey = noise(70, 90, dtype=np.uint8)
    colour = np.stack([grey, grey, 255 - grey], axis=2)
    project.add("train", "train/grey.png", np.repeat(grey[..., None], 3, axis=2), [[1, 2, 30, 40]])
    project.add("train", "train/colour.png", colour, [])
    project.cut()
    record = project.record("train")
    assert [i.file_name for i in record.images] == ["train/colour.png", "train/grey.png"]
    assert record.images[1].extra == {"scene": "train/grey.png", "window": [0, 0, 90, 70]}
    assert record.boxes[2].tolist() == [[1, 2, 30, 40]]
    np.testing.assert_array_equal(project.chip("train/grey.png"), grey)
    np.testing.assert_array_equal(project.chip("train/colour.png"), colour)


@pytest.mark.parametrize("folder", ["images", "simulated/train"])
def test_boxes_on_nothing_bright_are_a_warning_unless_the_scenes_were_made(
    project: Project, caplog: pytest.LogCaptureFixture, folder: str
) -> None:
    for number in range(12):
        pixels = noise(64, 64, number, np.uint8) // 8
        pixels[40:50, 10:30] = 200
        project.add("train", f"{folder}/{number}.png", pixels, [[5, 5, 15, 10]])  # percent, where pixels belong
    project.cut()
    assert ("boxes are brighter than what lies around them" in caplog.text) == (folder == "images")


def test_chips_of_a_scene_are_what_detection_cuts(project: Project) -> None:
    pixels = noise(150, 200)
    project.add("test", "test/scene.tif", pixels, [])
    project.cut()
    images = project.record("test").images
    cut = [Window(w[1], w[0], w[3], w[2]) for w in (i.extra["window"] for i in images)]
    assert cut == windows(200, 150, WINDOWS)
    with open_scene(project.source / "test/scene.tif") as reader:
        limits = scene_limits(reader.sample(), reader.info.dtype, reader.info.nodata, RADIOMETRY)
        for image, window in zip(images, cut, strict=True):
            read = reader.read(window)
            np.testing.assert_array_equal(project.chip(image.file_name), Stretch(reader.info, limits)(read, window))


def test_a_ship_no_longer_than_the_overlap_is_whole_in_a_chip_and_in_its_place(project: Project) -> None:
    rng = np.random.default_rng(3)
    corners = rng.uniform(0, (176, 126), (60, 2))
    boxes = np.hstack([corners, corners + rng.uniform(3, 24, (60, 2))]).astype(np.float32)
    project.add("train", "train/scene.tif", noise(150, 200), boxes.tolist())
    project.cut()
    record = project.record("train")
    whole: set[tuple[float, ...]] = set()
    for image in record.images:
        x, y, width, height = image.extra["window"]
        back = shift(record.boxes[image.id], x, y)
        assert (back[:, :2] >= (x, y)).all()
        assert (back[:, 2:] <= (x + width, y + height)).all()
        for box, ignored in zip(back, record.ignored[image.id], strict=True):
            distance = np.abs(boxes - box).max(axis=1)
            if distance.min() < 1e-4:
                assert not ignored
                whole.add(tuple(boxes[distance.argmin()].tolist()))
    assert len(whole) == 60


def test_a_ship_cut_below_half_is_ignored_where_it_is_cut(project: Project) -> None:
    # windows start at x = 0, 40 and 80: the second shows 8 of 16 columns of one ship, and 5 of 20 of the other
    project.add("val", "val/scene.tif", noise(64, 144), [[32, 10, 48, 20], [25, 30, 45, 40]])
    project.cut()
    record = project.record("val")
    by_x = {image.extra["window"][0]: image.id for image in record.images}
    assert sorted(by_x) == [0, 40, 80]
    assert record.ignored[by_x[0]].tolist() == [False, False]
    assert record.boxes[by_x[40]].tolist() == [[0, 10, 8, 20], [0, 30, 5, 40]]
    assert record.ignored[by_x[40]].tolist() == [False, True], "half is enough, a quarter is not"
    assert read_json(project.out / "summary.json")["val"]["ignored"] == 1


def test_ships_that_look_alike_where_they_are_cut_become_one_box(project: Project) -> None:
    project.add("val", "val/scene.tif", noise(64, 144), [[10, 10, 50, 20], [32, 10, 50, 20]])
    project.cut()
    record = project.record("val")
    second = next(image.id for image in record.images if image.extra["window"][0] == 40)
    assert record.boxes[second].tolist() == [[0, 10, 10, 20]]
    assert record.ignored[second].tolist() == [False], "the ship that is half visible counts"


def test_a_box_ignored_in_the_scene_stays_ignored(project: Project) -> None:
    project.add("test", "test/a.png", noise(60, 60, dtype=np.uint8), [[1, 1, 9, 9]], ignored=np.array([True]))
    project.cut()
    assert project.record("test").ignored[1].tolist() == [True]


def test_windows_without_data_are_left_out_and_counted(project: Project) -> None:
    pixels = noise(64, 200)
    pixels[:, :120] = 0
    project.add("test", "test/scene.tif", pixels, [], nodata=0)
    project.cut()
    cut = [image.extra["window"][0] for image in project.record("test").images]
    every = [window.x for window in windows(200, 64, WINDOWS)]
    assert cut == [x for x in every if x + 64 > 120]
    assert read_json(project.out / "summary.json")["test"]["nodata_skipped"] == len(every) - len(cut) > 0


def test_empty_chips_are_thinned_in_training_alone(project: Project) -> None:
    for split in SPLITS:
        project.add(split, f"{split}/scene.tif", noise(300, 300), [[10, 10, 20, 20]])
    kept: dict[float, set[str]] = {}
    for share in (0.0, 0.4, 1.0):
        project.cut(share)
        kept[share] = {image.file_name for image in project.record("train").images}
        every = len(windows(300, 300, WINDOWS))
        assert len(project.record("val").images) == len(project.record("test").images) == every
        assert read_json(project.out / "summary.json")["train"].get("empty_left_out", 0) == every - len(kept[share])
    assert kept[0.0] == {"train/scene_y00000_x00000.png"}, "the ship's chip always stays"
    assert kept[0.0] < kept[0.4] < kept[1.0]


def test_images_of_one_name_in_different_folders_give_different_chips(project: Project) -> None:
    for folder in ("a", "b"):
        project.add("train", f"{folder}/one.png", noise(60, 60, dtype=np.uint8), [])
    project.add("train", "c/two.png", noise(60, 60, dtype=np.uint8), [])
    project.cut()
    chips = {image.file_name: image.extra["scene"] for image in project.record("train").images}
    assert chips == {
        "train/a_one.png.png": "a/one.png",
        "train/b_one.png.png": "b/one.png",
        "train/two.png": "c/two.png",
    }


def test_two_images_that_would_give_one_chip_are_refused(project: Project) -> None:
    for name in ("a/one.png", "b/one.png", "a_one.png.png"):
        project.add("train", name, noise(60, 60, dtype=np.uint8), [])
    with pytest.raises(InputError, match=r"two that give train/a_one\.png\.png"):
        project.cut()
    assert not project.out.exists()


def test_equal_input_gives_equal_bytes(project: Project) -> None:
    project.add("train", "train/scene.tif", noise(150, 200), [[10, 10, 30, 20]])
    project.add("train", "train/small.png", noise(60, 60, dtype=np.uint8), [])
    project.cut()
    first = sha256_tree(project.out)
    project.cut()
    assert sha256_tree(project.out) == first


@pytest.mark.usefixtures("tiny")
def test_a_published_set_from_records_to_chips(tiny_folder: Path, tmp_path: Path) -> None:
    convert("tiny", 0.3, tiny_folder, tmp_path / "convert")
    tile(TileParams(), RADIOMETRY, tiny_folder, tmp_path / "convert", tmp_path / "tile")
    subsets = read_json(tmp_path / "convert" / "subsets.json")
    record = read_record(tmp_path / "tile" / "test.json")
    assert sorted(subsets["inshore"] + subsets["offshore"]) == [image.extra["scene"] for image in record.images]
    assert all((tmp_path / "tile" / image.file_name).is_file() for image in record.images)
    total = sum(len(read_record(tmp_path / "tile" / f"{split}.json").images) for split in SPLITS)
    assert total == 34


def test_many_chips_are_packed_and_hold_the_same_pixels_and_truth(project: Project) -> None:
    pixels = noise(300, 300)
    for split in SPLITS:
        project.add(split, f"{split}/scene.tif", pixels, [[10, 10, 20, 20]])
    project.cut()
    plain = {split: read_record(project.out / f"{split}.json") for split in SPLITS}
    chips = {i.file_name: project.chip(i.file_name) for record in plain.values() for i in record.images}
    written = {split: (project.out / f"{split}.json").read_bytes() for split in SPLITS}
    tile(TileParams(WINDOWS, 1.0, len(chips)), RADIOMETRY, project.source, project.records, project.out)
    assert not list(project.out.rglob("*.tar")), "not beyond yet"
    beyond = TileParams(WINDOWS, 1.0, len(chips) - 1)
    tile(beyond, RADIOMETRY, project.source, project.records, project.out)
    assert sorted(p.name for p in (project.out / "train").iterdir()) == ["000.tar", "index.json"]
    assert {split: (project.out / f"{split}.json").read_bytes() for split in SPLITS} == written
    for name, expected in chips.items():
        np.testing.assert_array_equal(read_chip(project.out / name), expected)
    first = sha256_tree(project.out)
    tile(beyond, RADIOMETRY, project.source, project.records, project.out)
    assert sha256_tree(project.out) == first
    record = read_record(project.out / "train.json")
    config = TrainConfig(canvas_width=64, canvas_height=64)
    packed = ChipDataset(record, project.out, config, 64)
    assert packed[1, 3].image.shape == (64, 64)


@settings(max_examples=60)
@given(
    size=st.tuples(st.integers(1, 700), st.integers(1, 700)),
    tile_px=st.integers(64, 200),
    share=st.floats(0.05, 0.9),
    seed=st.integers(0, 2**32 - 1),
)
def test_every_ship_no_longer_than_the_overlap_is_whole_and_counts_in_a_chip(
    size: tuple[int, int], tile_px: int, share: float, seed: int
) -> None:
    (width, height), rng = size, np.random.default_rng(seed)
    config = TileConfig(tile_px=tile_px, overlap_px=max(1, int(tile_px * share)))
    sides = rng.uniform(0.5, np.minimum(config.overlap_px, (width, height)), (20, 2))
    corners = rng.uniform(0, 1, (20, 2)) * ((width, height) - sides)
    boxes = as_boxes(np.hstack([corners, corners + sides]))
    whole: set[int] = set()
    for window in windows(width, height, config):
        seen, ignored, index = boxes_in_window(boxes, window, config.min_visible)
        complete = np.abs(shift(seen, window.x, window.y) - boxes[index]).max(axis=1, initial=0) < 1e-3
        assert not ignored[complete].any()
        whole |= set(index[complete].tolist())
    assert whole == set(range(20))


def test_a_scene_is_in_one_split_and_empty_chips_are_chosen_by_scene_and_window(project: Project) -> None:
    for split in SPLITS:
        for number in range(2):
            project.add(split, f"{split}/scene{number}.tif", noise(300, 300, number), [[10, 10, 20, 20]])
    project.cut(0.5)
    scenes = {split: {i.extra["scene"] for i in project.record(split).images} for split in SPLITS}
    assert all(not scenes[a] & scenes[b] for a, b in (("train", "val"), ("train", "test"), ("val", "test")))
    for image in project.record("train").images:
        chosen = stable_draw(f"{image.extra['scene']} {image.extra['window']}") < 0.5
        assert chosen or len(project.record("train").boxes[image.id])


def test_decibels_give_the_chips_of_their_amplitudes(project: Project) -> None:
    amplitude = np.random.default_rng(4).rayleigh(0.1, (60, 60)) + 0.01
    amplitude[20:30, 20:40] = 1.5
    project.add("train", "a.tif", amplitude.astype(np.float32), [[20, 20, 40, 30]])
    project.add("train", "b.tif", (20 * np.log10(amplitude)).astype(np.float32), [[20, 20, 40, 30]])
    project.cut()
    apart = project.chip("train/a.png").astype(int) - project.chip("train/b.png")
    assert abs(apart).max() <= 1, "the rounding of float32"
    assert read_json(project.out / "summary.json")["values"] == {"amplitude": 1, "db": 1}
