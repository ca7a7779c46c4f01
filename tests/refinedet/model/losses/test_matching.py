"""Matching: by hand where it can be done, against plain loops, and defined for boxes that nothing can learn."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from torchvision.ops import box_iou

from refinedet.config import ModelConfig
from refinedet.model.anchors import anchors, level_sizes
from refinedet.model.box_coder import to_xyxy
from refinedet.model.losses.matching import BACKGROUND, IGNORE, inside_ignored, match_atss, match_iou

CONFIG = ModelConfig(backbone_weights="none")
SIZES = level_sizes(64, 64, CONFIG)
ANCHORS = anchors(64, 64, CONFIG)
CORNERS = to_xyxy(ANCHORS)

COORDINATES = st.floats(-80, 150, width=32)
ANY_BOXES = st.lists(st.tuples(COORDINATES, COORDINATES, COORDINATES, COORDINATES), max_size=6)
"""Inside and outside the canvas, thin, inverted and without an area."""


def tensor(boxes: list[tuple[float, ...]]) -> Tensor:
    return torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)


def claimed_one_by_one(matched: list[int], overlap: Tensor) -> list[int]:
    """The rule of the claims, as a loop: each ship in turn takes the box that it overlaps most."""
    for ship in range(overlap.shape[1]):
        best = int(overlap[:, ship].argmax())
        if overlap[best, ship] > 0:
            matched[best] = ship
    return matched


def test_every_ship_has_an_anchor_in_both_steps() -> None:
    ships = tensor([(1, 1, 3, 60), (30, 30, 33, 32), (0, 0, 64, 64)])  # thin, tiny, huge
    assert set(match_atss(ANCHORS, SIZES, ships, 9).tolist()) == {BACKGROUND, 0, 1, 2}
    assert {0, 1, 2} <= set(match_iou(CORNERS, ships, 0.5, 0.4).tolist())


def test_thresholds_by_hand() -> None:
    boxes = tensor([(0, 0, 10, 10), (0, 0, 10, 6), (0, 0, 10, 4.5), (0, 0, 10, 3)])  # IoU 1, 0.6, 0.45, 0.3
    ship = tensor([(0, 0, 10, 10)])
    assert match_iou(boxes, ship, 0.5, 0.4).tolist() == [0, 0, IGNORE, BACKGROUND]
    assert match_iou(boxes, ship, 0.5, 0.5).tolist() == [0, 0, BACKGROUND, BACKGROUND]


@given(st.lists(ANY_BOXES, min_size=2, max_size=3))
def test_a_batch_is_its_images_one_by_one(images: list[list[tuple[float, ...]]]) -> None:
    """Images with fewer ships are filled up with boxes of zeros."""
    ships = [tensor(values) for values in images]
    batch = pad_sequence(ships, batch_first=True)
    for row, own in zip(match_atss(ANCHORS, SIZES, batch, 9), ships, strict=True):
        assert row.tolist() == match_atss(ANCHORS, SIZES, own, 9).tolist()
    for row, own in zip(match_iou(CORNERS.expand(len(ships), -1, -1), batch, 0.5, 0.4), ships, strict=True):
        assert row.tolist() == match_iou(CORNERS, own, 0.5, 0.4).tolist()
    for row, own in zip(inside_ignored(CORNERS, batch), ships, strict=True):
        assert row.tolist() == inside_ignored(CORNERS, own).tolist()


def test_of_two_ships_that_want_one_box_the_later_has_it() -> None:
    boxes = tensor([(0, 0, 10, 10), (20, 20, 30, 30)])
    twins = tensor([(0, 0, 4, 4), (1, 1, 5, 5), (50, 50, 60, 60)])  # both overlap only the first box; the last one none
    assert match_iou(boxes, twins, 0.5, 0.4).tolist() == [1, BACKGROUND]
    assert match_iou(boxes, twins.flip(0), 0.5, 0.4).tolist() == [2, BACKGROUND]


@given(ANY_BOXES)
def test_matching_by_iou_is_the_plain_loop(values: list[tuple[float, ...]]) -> None:
    ships = tensor(values)
    overlap = box_iou(CORNERS, ships).nan_to_num()
    plain = []
    for row in overlap:
        best = float(row.max()) if len(ships) else 0.0
        plain.append(int(row.argmax()) if best >= 0.5 else IGNORE if best >= 0.4 else BACKGROUND)
    assert match_iou(CORNERS, ships, 0.5, 0.4).tolist() == claimed_one_by_one(plain, overlap)


@given(ANY_BOXES.filter(len))
def test_adaptive_matching_is_the_plain_loop(values: list[tuple[float, ...]]) -> None:
    """Algorithm 1 of the ATSS paper, ship by ship; only distances are taken together, so that ties fall equally."""
    ships = tensor(values)
    overlap = box_iou(CORNERS, ships).nan_to_num()
    x, y = (ANCHORS[:, None, :2] - (ships[:, :2] + ships[:, 2:]) / 2).unbind(-1)
    distances = (x * x + y * y).split(SIZES)  # rounded as in the code, or near ties would fall otherwise
    starts = [sum(SIZES[:level]) for level in range(len(SIZES))]
    closest = [d.topk(min(4, len(d)), dim=0, largest=False).indices for d in distances]
    nearest = torch.cat([start + level for start, level in zip(starts, closest, strict=True)])
    least = overlap.gather(0, nearest).mean(0) + overlap.gather(0, nearest).std(0, correction=0)
    plain, highest = [BACKGROUND] * len(ANCHORS), [-1.0] * len(ANCHORS)
    for ship, (x1, y1, x2, y2) in enumerate(ships.tolist()):
        for index in nearest[:, ship].tolist():
            x, y = ANCHORS[index, :2].tolist()
            iou = float(overlap[index, ship])
            if overlap[index, ship] >= least[ship] and x1 < x < x2 and y1 < y < y2 and iou > highest[index]:
                plain[index], highest[index] = ship, iou
    assert match_atss(ANCHORS, SIZES, ships, 4).tolist() == claimed_one_by_one(plain, overlap)


@pytest.mark.parametrize(
    "box",
    [(20, 20, 20, 40), (20, 20, 20, 20), (40, 40, 20, 20), (40, 20, 20, 40), (-900, 0, -800, 40), (500, 0, 600, 40)],
    ids=["no width", "a point", "inverted", "inverted in x", "outside, before", "outside, behind"],
)
def test_a_box_that_nothing_overlaps_is_learnt_by_nothing(box: tuple[float, ...]) -> None:
    ships = tensor([box, (10, 10, 40, 40)])
    assert set(match_atss(ANCHORS, SIZES, ships, 9).tolist()) == {BACKGROUND, 1}
    assert set(match_iou(CORNERS, ships, 0.5, 0.5).tolist()) == {BACKGROUND, 1}


def test_a_box_whose_area_cancels_takes_no_ship_from_another() -> None:
    boxes = tensor([(0, 0, 10, 12), (0, 0, 10, 10)])
    ships = tensor([(0, 0, 10, 12), (30, 0, 20, 10)])  # the second is inverted: its area and the last box's add up to 0
    assert match_iou(boxes, ships, 0.5, 0.4).tolist() == [0, 0]


def test_ignored_regions_swallow_the_boxes_that_lie_in_them() -> None:
    boxes = tensor([(0, 0, 4, 4), (0, 0, 40, 4)])  # inside; a tenth inside
    assert inside_ignored(boxes, tensor([(0, 0, 4, 8)])).tolist() == [True, False]
    assert inside_ignored(boxes, torch.zeros(0, 4)).tolist() == [False, False]
