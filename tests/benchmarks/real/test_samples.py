"""Truth of the other samples: masks, XML, points, chips, and the split by name."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.datasets.real_scenes import laying
from refinedet.boxes import as_boxes
from refinedet.detections import Detections


def _found(boxes: list[tuple[float, float, float, float]]) -> Any:
    count = len(boxes)
    nan = np.full(count, np.nan)
    detections = Detections.of(boxes, np.linspace(0.9, 0.6, count), np.zeros(count))
    return import_module("finding").Found(detections, ((),) * count, *[nan] * 5)


def test_xml_corners_count_from_one() -> None:
    text = (
        "<annotation><object><bndbox><xmin>1</xmin><ymin>5</ymin><xmax>10</xmax><ymax>9</ymax></bndbox></object>"
        "</annotation>"
    )
    assert import_module("boxed").xml_boxes(text).tolist() == [[0, 4, 10, 9]]


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


def test_chips_are_split_by_degree_of_longitude(tmp_path: Path) -> None:
    chips = import_module("chips")
    assert chips.of_part(tmp_path / "3_5-51_8.png", "train")
    assert chips.of_part(tmp_path / "2_5-51_8.png", "decide")


def test_chip_with_a_box_in_it_is_taken() -> None:
    chips = import_module("chips")
    laid = laying.lay([np.full((30, 30), 100.0)] * 3, speckle=laying.GRD, seed=0)
    inside = laid.rectangles[2, :2] + 15.0
    assert chips.taken(laid, np.array([inside, inside + 1, [1.0, 1.0]])).tolist() == [False, False, True]
