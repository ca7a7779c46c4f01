"""Candidates and suppression as tensors: the answers of the NumPy ones, whatever the batch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from refinedet.config import PostprocessConfig
from refinedet.detections import Detections
from refinedet.model.suppression import tensors
from refinedet.model.suppression.arrays import strongest, suppress
from refinedet.model.suppression.tensors import pick, suppress_picked

PLAIN = PostprocessConfig(score_min=0.05, pre_nms=90)
CONFIGS = [
    PLAIN,
    replace(PLAIN, voting_iou=None),
    replace(PLAIN, keep_min=0.4),
    replace(PLAIN, max_detections=4),
    replace(PLAIN, pre_nms=7),
    replace(PLAIN, score_min=0.0),
    replace(PLAIN, suppression="none", max_detections=5),
    replace(PLAIN, suppression="soft_linear"),
    replace(PLAIN, suppression="soft_gaussian", keep_min=0.2),
]
SIZES = np.array([[64, 64], [50, 64], [64, 40], [64, 64]])


def outputs(seed: int, config: PostprocessConfig, count: int = 150) -> tuple[torch.Tensor, torch.Tensor]:
    """Boxes (4, N, 4) in loose clusters and scores (4, N, 2); the last image has nothing.

    Many scores are equal, unless few detections are kept: which of two equal ones is the last one kept is open.
    """
    rng = np.random.default_rng(seed)
    place = rng.uniform(-5, 60, (8, 2))[rng.integers(0, 8, (4, count))] + rng.normal(0, 2, (4, count, 2))
    boxes = np.concatenate([place, place + rng.uniform(5, 20, (4, count, 2))], axis=2)
    digits = 2 if config.max_detections == PLAIN.max_detections else 7
    scores = np.round(rng.uniform(0, 0.99, (4, count, 2)) ** 3, digits)
    scores[3] = 0
    return torch.tensor(boxes, dtype=torch.float32), torch.tensor(scores, dtype=torch.float32)


def on_tensors(seed: int, config: PostprocessConfig) -> list[Detections]:
    return suppress_picked(pick(*outputs(seed, config), torch.from_numpy(SIZES), config), config)


def assert_equal(found: list[Detections], wanted: list[Detections]) -> None:
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(one.scores, other.scores)
        np.testing.assert_array_equal(one.labels, other.labels)
        np.testing.assert_allclose(one.boxes_xyxy, other.boxes_xyxy, rtol=0, atol=1e-5)


@pytest.mark.parametrize("config", CONFIGS, ids=lambda c: f"{c.suppression} {c.pre_nms} {c.keep_min}")
def test_tensors_give_the_answers_of_arrays(config: PostprocessConfig) -> None:
    for seed in range(6):
        boxes, scores = (part.numpy() for part in outputs(seed, config))
        wanted = suppress(strongest(boxes, scores, SIZES, config), 4, config)
        assert [len(one) > 0 for one in wanted] == [True, True, True, False]
        assert_equal(on_tensors(seed, config), wanted)


def test_few_pairs_at_once_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = on_tensors(3, PLAIN)
    monkeypatch.setattr(tensors, "_MOST_PAIRS", 1)
    assert_equal(on_tensors(3, PLAIN), whole)


def test_a_long_chain_of_boxes_is_suppressed_as_one_after_the_other() -> None:
    left = torch.arange(40.0)
    boxes = torch.stack([left, torch.zeros(40), left + 4, torch.full((40,), 10.0)], dim=1)[None]
    scores = torch.linspace(0.9, 0.5, 40)[None, :, None]
    config = PostprocessConfig(voting_iou=None)
    found = suppress_picked(pick(boxes, scores, torch.tensor([[64, 64]]), config), config)[0]
    assert found.boxes_xyxy[:, 0].tolist() == list(range(0, 40, 2))  # each second one covers 0.6 of the next


def test_a_box_that_is_no_number_leaves_the_others_alone() -> None:
    boxes = torch.tensor([[[float("nan")] * 4, [0, 0, 10, 10], [1, 0, 10, 10]]])
    config, scores = PostprocessConfig(score_min=0.1), torch.tensor([[[0.9], [0.8], [0.7]]])
    found = suppress_picked(pick(boxes, scores, torch.tensor([[64, 64]]), config), config)
    assert found[0].scores.tolist() == pytest.approx([0.8])
    assert np.isfinite(found[0].boxes_xyxy).all()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_gives_the_answers_of_the_processor() -> None:
    for config in CONFIGS:
        boxes, scores = (part.cuda() for part in outputs(1, config))
        found = suppress_picked(pick(boxes, scores, torch.from_numpy(SIZES).cuda(), config), config)
        assert_equal(found, on_tensors(1, config))
