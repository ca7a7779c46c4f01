"""From raw outputs to detections, against hand-made outputs and torchvision's NMS."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torchvision.ops import nms

from refinedet.config import PostprocessConfig
from refinedet.detections import Detections
from refinedet.model.box_coder import to_cxcywh
from refinedet.model.network import RawOutputs
from refinedet.model.postprocess import calibrated, decoded
from refinedet.model.suppression.tensors import pick, suppress_picked

PLAIN = PostprocessConfig(voting_iou=None, score_min=0.05)
SIZE = torch.tensor([[100, 80]])


def raw(boxes: list[list[float]], scores: list[float], objectness: list[float] | None = None) -> RawOutputs:
    """Outputs whose decoded boxes are `boxes`, of one image and one class."""
    count = len(boxes)
    centred = to_cxcywh(torch.tensor(boxes).reshape(-1, 4))
    return RawOutputs(
        centred,
        torch.logit(torch.tensor(objectness or [0.9] * count))[None],
        torch.zeros(1, count, 4),
        torch.logit(torch.tensor(scores))[None, :, None],
        torch.zeros(1, count, 4),
    )


def postprocess(outputs: RawOutputs, sizes_wh: torch.Tensor, config: PostprocessConfig) -> list[Detections]:
    """Detections of each image, by the steps of a pass."""
    return suppress_picked(pick(*decoded(outputs, config), sizes_wh, config), config)


def test_strong_box_suppresses_its_copy_and_results_are_sorted() -> None:
    found = postprocess(raw([[50, 50, 60, 60], [0, 0, 10, 10], [1, 0, 11, 10]], [0.5, 0.8, 0.9]), SIZE, PLAIN)[0]
    assert found.scores.tolist() == pytest.approx([0.9, 0.5])
    assert found.boxes_xyxy.tolist() == pytest.approx(torch.tensor([[1, 0, 11, 10], [50, 50, 60, 60]]).float().numpy())


def test_rejected_anchors_never_become_detections() -> None:
    found = postprocess(raw([[0, 0, 10, 10]], [0.9], objectness=[0.009]), SIZE, PLAIN)[0]
    assert len(found) == 0


def test_boxes_are_clipped_to_the_chip_and_those_in_the_padding_vanish() -> None:
    found = postprocess(raw([[90, 70, 120, 90], [101, 0, 110, 10]], [0.9, 0.9]), SIZE, PLAIN)[0]
    assert found.boxes_xyxy.tolist() == [[90, 70, 100, 80]]


def test_voting_moves_a_box_to_the_weighted_mean_of_its_neighbours() -> None:
    config = replace(PLAIN, voting_iou=0.6)
    found = postprocess(raw([[0, 0, 10, 10], [0, 0, 12, 10]], [0.75, 0.25]), SIZE, config)[0]
    assert found.boxes_xyxy[0].tolist() == pytest.approx([0, 0, 10.5, 10])


def test_nothing_found_is_an_empty_result() -> None:
    found = postprocess(raw([[0, 0, 10, 10]], [0.01]), SIZE, PLAIN)[0]
    assert found.boxes_xyxy.shape == (0, 4)


def test_agrees_with_torchvision_nms_image_by_image() -> None:
    generator = torch.Generator().manual_seed(3)
    corner = torch.rand(2, 200, 2, generator=generator) * 60
    boxes = torch.cat([corner, corner + 5 + torch.rand(2, 200, 2, generator=generator) * 20], dim=-1)
    scores = torch.rand(2, 200, generator=generator) * 0.9 + 0.06
    parts = [raw(b.tolist(), s.tolist()) for b, s in zip(boxes, scores, strict=True)]
    for part, box, score in zip(parts, boxes, scores, strict=True):
        found = postprocess(part, torch.tensor([[200, 200]]), PLAIN)[0]
        expected = box[nms(box, score, PLAIN.nms_iou)]
        torch.testing.assert_close(torch.from_numpy(found.boxes_xyxy), expected, atol=1e-4, rtol=0)


def test_images_of_a_batch_do_not_meet() -> None:
    one = raw([[0, 0, 10, 10]], [0.9])
    both = RawOutputs(
        *[
            one.anchors_cxcywh,
            *(
                getattr(one, f).repeat(2, *[1] * (getattr(one, f).ndim - 1))
                for f in ("arm_logits", "arm_deltas", "odm_logits", "odm_deltas")
            ),
        ]
    )
    assert [len(d) for d in postprocess(both, SIZE.repeat(2, 1), PLAIN)] == [1, 1]


def test_operating_score_and_slope_shift_the_logits_by_size() -> None:
    sides = torch.tensor([4.0, 8.0, 16.0, 32.0, 200.0])
    boxes = torch.stack([torch.zeros(5), torch.zeros(5), sides * 2, sides / 2], dim=1)
    config = PostprocessConfig(operating_score=0.4, size_slope=0.5)
    shifted = calibrated(torch.zeros(5, 2), boxes, config)
    at_middle = torch.tensor(0.4).logit()
    expected = -at_middle - 0.5 * torch.tensor([-1.0, -1.0, 0.0, 1.0, 1.0])
    torch.testing.assert_close(shifted, expected[:, None].expand(5, 2))
    flat = calibrated(torch.zeros(5, 2), boxes, replace(config, size_slope=0.0))
    torch.testing.assert_close(flat, (-at_middle).expand(5, 2))


def test_a_small_box_is_reported_from_a_lower_score_on() -> None:
    config = PostprocessConfig(size_slope=1.0, score_min=0.5, voting_iou=None)
    found = postprocess(raw([[0, 0, 8, 8], [20, 20, 52, 52]], [0.4, 0.6]), torch.tensor([[64, 64]]), config)[0]
    assert found.boxes_xyxy[:, 2].tolist() == pytest.approx([8], abs=1e-3)
    odds = 0.4 / 0.6 * math.e  # a slope of one is one unit of the logit
    assert found.scores.tolist() == pytest.approx([odds / (1 + odds)], abs=1e-4)
