"""NMS, soft-NMS and box voting, against plain loops over boxes."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torchvision.ops import nms

from refinedet.boxes import iou
from refinedet.config import SuppressionConfig
from refinedet.detections import Detections
from refinedet.model.suppression.arrays import Candidates, suppress

PLAIN = SuppressionConfig(voting_iou=None)
SOFT = [replace(PLAIN, suppression="soft_linear"), replace(PLAIN, suppression="soft_gaussian", sigma=0.4)]


def crowd(seed: int, images: int = 3, count: int = 60) -> Candidates:
    """Boxes of two classes in loose clusters; the last image has none."""
    rng = np.random.default_rng(seed)
    place = rng.uniform(0, 60, (8, 2))[rng.integers(0, 8, count)] + rng.normal(0, 3, (count, 2))
    boxes = np.hstack([place, place + rng.uniform(10, 25, (count, 2))]).astype(np.float32)
    scores = rng.uniform(0.02, 0.99, count).astype(np.float32)
    image, label = rng.integers(0, max(1, images - 1), count), rng.integers(0, 2, count)
    return Candidates(image, boxes, scores, label)


def of_image(found: Candidates, index: int) -> Candidates:
    mine = found.images == index
    return Candidates(found.images[mine] * 0, found.boxes_xyxy[mine], found.scores[mine], found.labels[mine])


def slow_soft_nms(found: Candidates, config: SuppressionConfig) -> list[tuple[float, int, bool]]:
    """(score, index, head) of the boxes of one image, class by class, box by box (Bodla et al. 2017, figure 3)."""
    out: list[tuple[float, int, bool]] = []
    boxes, labels = found.boxes_xyxy, found.labels.tolist()
    for label in set(labels):
        scores = {i: float(found.scores[i]) for i in range(len(labels)) if labels[i] == label}
        heads: list[int] = []
        while scores:
            best = max(scores, key=lambda i: scores[i])
            score = scores.pop(best)
            head = all(iou(boxes[[best]], boxes[[h]])[0, 0] <= config.nms_iou for h in heads)
            heads += [best] if head else []
            out.append((score, best, head))
            for i in scores:
                overlap = float(iou(boxes[[best]], boxes[[i]])[0, 0])
                if config.suppression == "soft_gaussian":
                    scores[i] *= math.exp(-(overlap**2) / config.sigma)
                elif overlap > config.nms_iou:
                    scores[i] *= 1 - overlap
    return sorted((s, i, h) for s, i, h in out if s >= config.score_min)[::-1][: config.max_detections]


def slow_vote(found: Candidates, index: int, voting_iou: float) -> np.ndarray:
    boxes, scores = found.boxes_xyxy.astype(np.float64), found.scores.astype(np.float64)
    overlap = iou(found.boxes_xyxy[[index]], found.boxes_xyxy)[0]
    voters = (overlap >= voting_iou) & (found.labels == found.labels[index])
    return np.average(boxes[voters], axis=0, weights=scores[voters])


@pytest.mark.parametrize("config", SOFT, ids=lambda c: c.suppression)
@pytest.mark.parametrize("voting_iou", [None, 0.5])
@pytest.mark.parametrize("limit", [300, 7])
def test_soft_nms_equals_the_slow_one(config: SuppressionConfig, voting_iou: float | None, limit: int) -> None:
    config = replace(config, voting_iou=voting_iou, max_detections=limit)
    for seed in range(5):
        candidates = crowd(seed)
        for index, found in enumerate(suppress(candidates, 3, config)):
            alone = of_image(candidates, index)
            expected = slow_soft_nms(alone, config)
            assert found.scores.tolist() == pytest.approx([s for s, _, _ in expected], abs=1e-5)
            boxes = [
                slow_vote(alone, i, voting_iou) if head and voting_iou else alone.boxes_xyxy[i]
                for _, i, head in expected
            ]
            np.testing.assert_allclose(found.boxes_xyxy, np.reshape(boxes, (-1, 4)), atol=1e-3)
            assert found.labels.tolist() == [int(alone.labels[i]) for _, i, _ in expected]


@pytest.mark.parametrize("suppression", ["nms", "soft_linear", "soft_gaussian", "none"])
def test_an_image_does_not_depend_on_its_batch_nor_on_the_order_of_boxes(suppression: str) -> None:
    config = SuppressionConfig.from_dict({"suppression": suppression})
    candidates = crowd(9)
    together = suppress(candidates, 3, config)
    shuffle = np.random.default_rng(1).permutation(len(candidates.scores))
    parts = (candidates.images, candidates.boxes_xyxy, candidates.scores, candidates.labels)
    shuffled = suppress(Candidates(*(part[shuffle] for part in parts)), 3, config)
    for index in range(3):
        alone = suppress(of_image(candidates, index), 1, config)[0]
        for other in (alone, shuffled[index]):
            np.testing.assert_allclose(other.boxes_xyxy, together[index].boxes_xyxy, atol=1e-4)
            np.testing.assert_array_equal(other.scores, together[index].scores)


@pytest.mark.parametrize("suppression", ["nms", "soft_linear", "soft_gaussian", "none"])
@pytest.mark.parametrize("lowest", [0.3, 0.7, 0.98])
@pytest.mark.parametrize("limit", [300, 4])
def test_leaving_out_the_weak_changes_nothing_about_the_strong(suppression: str, lowest: float, limit: int) -> None:
    config = SuppressionConfig.from_dict({"suppression": suppression, "max_detections": limit})
    for seed in range(4):
        candidates = crowd(seed)
        all_, strong = (suppress(candidates, 3, replace(config, keep_min=low)) for low in (0.0, lowest))
        for one, other in zip(all_, strong, strict=True):
            expected = one.above(lowest)
            np.testing.assert_array_equal(other.boxes_xyxy, expected.boxes_xyxy)
            np.testing.assert_array_equal(other.scores, expected.scores)


def test_nms_is_that_of_torchvision_class_by_class() -> None:
    candidates = of_image(crowd(4), 0)
    found = suppress(candidates, 1, PLAIN)[0]
    for label in (0, 1):
        mine = candidates.labels == label
        boxes, scores = candidates.boxes_xyxy[mine], candidates.scores[mine]
        kept = nms(torch.from_numpy(boxes), torch.from_numpy(scores), PLAIN.nms_iou).numpy()
        np.testing.assert_array_equal(found.keep(found.labels == label).boxes_xyxy, boxes[kept])


@pytest.mark.parametrize("suppression", ["nms", "soft_linear", "soft_gaussian", "none"])
def test_a_limit_keeps_the_strongest_of_each_image_and_changes_nothing_else(suppression: str) -> None:
    config = SuppressionConfig.from_dict({"suppression": suppression})
    everything = suppress(crowd(6), 3, config)
    for whole, few in zip(everything, suppress(crowd(6), 3, replace(config, max_detections=4)), strict=True):
        np.testing.assert_array_equal(few.scores, whole.scores[:4])
        np.testing.assert_allclose(few.boxes_xyxy, whole.boxes_xyxy[:4], atol=1e-4)


@pytest.mark.parametrize("suppression", ["soft_linear", "soft_gaussian"])
def test_soft_voting_moves_the_boxes_that_nms_keeps_and_no_others(suppression: str) -> None:
    candidates = Candidates(
        np.zeros(3, np.int64),
        np.array([[0, 0, 10, 10], [0, 0, 12, 10], [50, 50, 60, 60]], np.float32),
        np.array([0.75, 0.25, 0.5], np.float32),
        np.zeros(3, np.int64),
    )
    config = SuppressionConfig.from_dict({"suppression": suppression})
    first, second, third = suppress(candidates, 1, config)[0].boxes_xyxy.tolist()
    assert first == pytest.approx([0, 0, 10.5, 10])
    assert (second, third) == ([50, 50, 60, 60], [0, 0, 12, 10])


def test_none_keeps_every_box_as_it_is() -> None:
    candidates = of_image(crowd(2), 0)
    found = suppress(candidates, 1, replace(PLAIN, suppression="none", voting_iou=0.5))[0]
    expected = Detections.of(candidates.boxes_xyxy, candidates.scores, candidates.labels)
    np.testing.assert_array_equal(found.boxes_xyxy, expected.boxes_xyxy)


@pytest.mark.parametrize("suppression", ["nms", "soft_linear", "soft_gaussian", "none"])
def test_nothing_stays_nothing_and_weak_boxes_are_dropped(suppression: str) -> None:
    config = SuppressionConfig.from_dict({"suppression": suppression, "score_min": 0.5})
    empty = of_image(crowd(1), 2)
    assert [len(found) for found in suppress(empty, 2, config)] == [0, 0]
    weak = of_image(crowd(1), 0)
    found = suppress(Candidates(weak.images, weak.boxes_xyxy, weak.scores * np.float32(0.4), weak.labels), 1, config)[0]
    assert len(found) == 0


def test_two_boxes_of_score_zero_survive_a_score_min_of_zero() -> None:
    box, zeros = np.tile(np.array([0, 0, 10, 10], np.float32), (3, 1)), np.zeros(3, np.int64)
    config = SuppressionConfig(suppression="soft_linear", score_min=0.0, voting_iou=None)
    found = suppress(Candidates(zeros, box, np.array([0.9, 0.8, 0.7], np.float32), zeros), 1, config)[0]
    assert found.scores.tolist() == pytest.approx([0.9, 0, 0]), "each candidate is picked once, and once only"


@pytest.mark.parametrize("config", [SuppressionConfig(), *SOFT], ids=lambda c: c.suppression)
def test_an_image_gets_the_same_whatever_shares_its_batch(config: SuppressionConfig) -> None:
    """Also in the last bit: boxes are never moved apart, which would round them."""
    many = crowd(3, images=9, count=900)
    many = replace(many, boxes_xyxy=many.boxes_xyxy * np.float32(37.3), labels=np.arange(900) % 80)
    together = suppress(many, 9, config)
    for image in range(9):
        (alone,) = suppress(of_image(many, image), 1, config)
        for a, b in zip((alone.boxes_xyxy, alone.scores, alone.labels), _arrays(together[image]), strict=True):
            np.testing.assert_array_equal(a, b)


def _arrays(found: Detections) -> tuple[np.ndarray, ...]:
    return found.boxes_xyxy, found.scores, found.labels


def test_a_box_votes_for_itself_whatever_its_score() -> None:
    boxes = np.array([[0.1, 0.2, 10.3, 9.7], [50.0, 50.0, 60.0, 60.0]], np.float32)
    lone = Candidates(np.zeros(2, np.int64), boxes, np.array([0.0, 0.5], np.float32), np.zeros(2, np.int64))
    (found,) = suppress(lone, 1, SuppressionConfig(score_min=0.0, voting_iou=1.0))
    np.testing.assert_allclose(np.sort(found.boxes_xyxy, axis=0), np.sort(boxes, axis=0), rtol=1e-6)
