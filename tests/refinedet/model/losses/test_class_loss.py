"""Class losses by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from refinedet.config import LossConfig
from refinedet.config.loss import Classification
from refinedet.model.losses.class_loss import class_loss, hardest_negatives
from refinedet.model.losses.matching import BACKGROUND, IGNORE


def loss(logits: list[float], target: list[float], matched: list[int], kind: Classification) -> float:
    """Loss of one image and one class."""
    shaped = (torch.tensor(x).reshape(1, -1, 1) for x in (logits, target))
    return class_loss(*shaped, torch.tensor([matched]), kind, LossConfig()).item()


def test_focal_by_hand() -> None:
    # at logit 0, p is 1/2: alpha (1 - p)^2 ln 2 for the positive, (1 - alpha) p^2 ln 2 for the negative
    assert loss([0.0, 0.0], [1.0, 0.0], [0, BACKGROUND], "focal") == pytest.approx(math.log(2) / 4, rel=1e-5)


def test_quality_by_hand() -> None:
    # |1/2 - q|^2 times the cross entropy, which is ln 2 at logit 0 whatever q is; nothing at q = p
    assert loss([0.0, 0.0], [0.9, 0.5], [0, 0], "quality") == pytest.approx(0.16 * math.log(2), rel=1e-5)


@pytest.mark.parametrize("kind", ["quality", "focal", "hard_negative"])
def test_ignored_anchors_cost_nothing(kind: Classification) -> None:
    assert loss([8.0, -8.0], [0.0, 1.0], [IGNORE, 0], kind) == loss([-8.0], [1.0], [0], kind)


def test_hard_negatives_by_hand() -> None:
    logits = [-4.0, 3.0, 2.0, 1.0, 0.0, 5.0]  # one positive, four negatives of which three are learnt, one ignored
    matched = [0, BACKGROUND, BACKGROUND, BACKGROUND, BACKGROUND, IGNORE]
    expected = sum(math.log(1 + math.exp(x)) for x in (4, 3, 2, 1))
    assert loss(logits, [1.0] + 5 * [0.0], matched, "hard_negative") == pytest.approx(expected, rel=1e-5)


def chosen(values: list[list[float]], matched: list[list[int]], per_positive: int) -> list[list[bool]]:
    picked: list[list[bool]] = hardest_negatives(torch.tensor(values), torch.tensor(matched), per_positive).tolist()
    return picked


def test_each_image_has_negatives_for_its_own_positives() -> None:
    values = [[9.0, 4, 3, 2, 1], [1.0, 2, 3, 4, 9]]
    one_and_two = [[0, -1, -1, -1, -1], [-1, -1, -1, 1, 2]]
    assert chosen(values, one_and_two, 1) == [[False, True, False, False, False], [False, True, True, False, False]]


def test_an_image_without_positives_still_teaches_what_is_no_ship() -> None:
    assert chosen([[1.0, 3, 2, 0]], [[-1, -1, -1, IGNORE]], 2) == [[False, True, True, False]]


def test_no_more_negatives_than_there_are() -> None:
    assert chosen([[1.0, 3, 2]], [[0, -1, IGNORE]], 3) == [[False, True, False]]
    assert chosen([[1.0, 3, 2]], [[IGNORE] * 3], 3) == [[False] * 3]


def test_of_several_classes_the_summed_loss_ranks() -> None:
    logits: Tensor = torch.tensor([[[0.0, 0.0], [3.0, -9.0], [2.9, 2.9], [-9.0, -9.0]]])
    matched = torch.tensor([[0, BACKGROUND, BACKGROUND, BACKGROUND]])
    target = torch.tensor([[[1.0, 0.0], [0, 0], [0, 0], [0, 0]]])
    found = class_loss(logits, target, matched, "hard_negative", LossConfig(negatives_per_positive=1))
    expected = F.binary_cross_entropy_with_logits(logits[:, [0, 2]], target[:, [0, 2]], reduction="sum")
    torch.testing.assert_close(found, expected)
