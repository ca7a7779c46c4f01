"""Classification losses with one sigmoid for each class: objectness of the ARM (K = 1), classes of the ODM.

B batch, N anchors, K classes.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision.ops import sigmoid_focal_loss

from refinedet.config import LossConfig
from refinedet.config.loss import Classification
from refinedet.model.losses.matching import BACKGROUND, IGNORE


def class_loss(logits: Tensor, target: Tensor, matched: Tensor, kind: Classification, config: LossConfig) -> Tensor:
    """Sum of the classification loss over all anchors that are not ignored, a scalar.

    `quality`: quality focal loss (Li et al. 2020, equation 3). `focal`: focal loss (Lin et al. 2017, equation 5).
    `hard_negative`: cross entropy of the positives and of the hardest negatives of each image (RefineDet, section 4).
    The published code takes the cross entropy of a softmax over K + 1 (in the ARM, 2) outputs. This one is the binary
    cross entropy of K (in the ARM, 1) sigmoids, summed over them, because the heads of all recipes predict sigmoids.

    Args:
        logits: (B, N, K).
        target: (B, N, K) in [0, 1]; all 0 for an anchor without a ship.
        matched: (B, N) index of the ship, BACKGROUND or IGNORE.
        kind: which loss.
        config: focal_gamma, focal_alpha and negatives_per_positive.
    """
    learned = matched != IGNORE
    if kind == "focal":
        loss = sigmoid_focal_loss(logits, target, config.focal_alpha, config.focal_gamma)
    else:
        loss = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    if kind == "quality":
        loss = loss * (logits.sigmoid().detach() - target).abs() ** config.focal_gamma
    if kind == "hard_negative":
        learned = (matched >= 0) | hardest_negatives(loss.detach().sum(-1), matched, config.negatives_per_positive)
    total: Tensor = (loss * learned[..., None]).sum()
    return total


def hardest_negatives(loss: Tensor, matched: Tensor, per_positive: int) -> Tensor:
    """Select the background anchors of greatest loss: `per_positive` for each positive of the same image.

    An image without positives counts as if it had one, so that it still trains the background. The published data have
    no such image.

    Args:
        loss: (B, N), at least 0.
        matched: (B, N) index of the ship, BACKGROUND or IGNORE.
        per_positive: at least 1.

    Returns:
        (B, N) bool.
    """
    background = matched == BACKGROUND
    wanted = per_positive * (matched >= 0).sum(1, keepdim=True).clamp(min=1)
    order = torch.where(background, loss, -1.0).argsort(dim=1, descending=True, stable=True)
    first = torch.arange(loss.shape[1], device=loss.device) < wanted
    return torch.zeros_like(background).scatter(1, order, first) & background
