"""Truth of the other samples: masks, XML, points, chips, and the split by name."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from refinedet.boxes import as_boxes
from refinedet.detections import Detections


def _found(boxes: list[tuple[float, float, float, float]]) -> Any:
    count = len(boxes)
    nan = np.full(count, np.nan)
    detections = Detections.of(boxes, np.linspace(0.9, 0.6, count), np.zeros(count))
    return import_module("finding").Found(detections, ((),) * count, nan, nan, nan)


def test_mask_becomes_boxes() -> None:
    marked = np.zeros((20, 30), bool)
    marked[2:5, 3:9] = marked[10:12, 20:25] = True
    assert import_module("boxed").mask_boxes(marked).tolist() == [[3, 2, 9, 5], [20, 10, 25, 12]]
    assert import_module("boxed").mask_boxes(np.zeros((5, 5), bool)).shape == (0, 4)


def test_xml_corners_count_from_one() -> None:
    text = (
        "<annotation><object><bndbox><xmin>1</xmin><ymin>5</ymin><xmax>10</xmax><ymax>9</ymax></bndbox></object>"
        "</annotation>"
    )
    assert import_module("boxed").xml_boxes(text).tolist() == [[0, 4, 10, 9]]


def test_slick_mask_tells_ships_from_land() -> None:
    mask = np.zeros((40, 60, 3), np.uint8)
    mask[10:12, 20:24] = (153, 76, 0)
    mask[30:, :10] = (0, 153, 0)
    mask[5:8, 40:50] = (0, 255, 255)
    ships, land = import_module("boxed").slick_truth(mask)
    assert ships.tolist() == [[17, 7, 27, 15]]
    assert (land[30, 12], land[30, 13], land[5, 45]) == (True, False, False)


def test_box_on_a_ship_touches_it() -> None:
    touching = import_module("boxed").touching
    ships = as_boxes([(10, 10, 20, 20), (50, 50, 54, 54)])
    found = _found([(11, 11, 19, 19), (30, 30, 80, 80), (21, 21, 29, 29)])
    assert touching(found, ships).tolist() == [[True, False], [False, True], [False, False]]
    assert touching(_found([]), ships).shape == (0, 2)


def test_points_are_found_within_their_limit() -> None:
    near = import_module("pointed").near
    hit, on = near(np.array([[10.0, 10.0], [90.0, 90.0]]), [(12, 10), (40, 40)], 4)
    assert (hit.tolist(), on.tolist()) == ([True, False], [True, False])
    hit, on = near(np.empty((0, 2)), [(12, 10)], 4)
    assert (hit.tolist(), on.tolist()) == ([False], [])
    hit, on = near(np.array([[1.0, 1.0]]), (), 4)
    assert (hit.tolist(), on.tolist()) == ([], [False])


def _saved(path: Path, pixels: Any) -> Path:
    Image.fromarray(pixels).save(path)
    return path


def test_chip_is_scaled_to_the_level_of_the_sea(tmp_path: Path) -> None:
    chips = import_module("chips")
    pixels = (50 * np.sqrt(np.random.default_rng(0).gamma(4.4, 1 / 4.4, (30, 30)))).clip(0, 255).astype(np.uint8)
    water = chips.read_chip(_saved(tmp_path / "3_5-51_8.png", pixels))
    assert float(np.median(water)) == pytest.approx(100, rel=0.06)
    pixels[:, 15:] *= 2
    beach = chips.read_chip(_saved(tmp_path / "3_5-51_8.png", pixels))
    assert float(np.median(beach[:, :15])) == pytest.approx(100, rel=0.2)
    assert chips.of_part(tmp_path / "3_5-51_8.png", "train")
    assert chips.of_part(tmp_path / "2_5-51_8.png", "decide")


def test_chip_with_a_box_in_it_is_taken() -> None:
    chips, laying = import_module("chips"), import_module("laying")
    laid = laying.lay([np.full((30, 30), 100.0)] * 3, speckle=laying.GRD, seed=0)
    inside = laid.rectangles[2, :2] + 15.0
    assert chips.taken(laid, np.array([inside, inside + 1, [1.0, 1.0]])).tolist() == [False, False, True]


def test_half_of_a_picture_is_grey(tmp_path: Path) -> None:
    pixels = np.zeros((4, 10, 3), np.uint8)
    pixels[:, 5:] = 200
    Image.fromarray(pixels).save(tmp_path / "a.png")
    half_of = import_module("shipless").half_of
    assert (half_of(tmp_path / "a.png", "left").size, half_of(tmp_path / "a.png", "left").mode) == ((5, 4), "L")
    assert np.asarray(half_of(tmp_path / "a.png", "right")).min() == 200


def test_split_is_by_name() -> None:
    split = import_module("split")
    assert split.part_of("slicks", "img_0005") == "train"
    assert split.part_of("slicks", "img_0003") == "decide"
    assert split.part_of("port_la", "port_la") == "decide"
    with pytest.raises(KeyError):
        split.part_of("unknown", "a")
    assert split.split_table().count("\n") == len(split.TRAIN) + 1


def test_names_of_the_split_exist(sample_data: Path) -> None:
    real, split = sample_data / "real", import_module("split")
    if not real.is_dir():
        pytest.skip(f"no real samples in {real}")
    for sample, names in split.TRAIN.items():
        there = {path.name for path in (real / sample).rglob("*")}
        for name in names - {"left", sample}:
            assert any(one.startswith(name) for one in there), (sample, name)
