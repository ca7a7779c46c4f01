"""Convolutions with the batch normalisation after them in one: less time, for looking alone, not for training."""

from __future__ import annotations

import copy
from itertools import pairwise

import torch
from torch import nn
from torch.nn.utils import fuse_conv_bn_eval

from refinedet.model.network import RawOutputs, RefineDet
from refinedet.model.norms import batch_norms

_NEAR = 1e-4
"""Difference that rounding is held to explain, as a share of the largest output; 3e-6 was seen."""


def joined(model: RefineDet) -> RefineDet:
    """A copy for evaluation, each batch norm within the convolution before it; the network itself where that is wrong.

    A norm is taken to work on the convolution that its parent lists just before it, as timm's networks and ours are
    written. Whether that holds is seen on one small picture: a network in which it does not stays as it is.
    """
    model.eval()
    copied = copy.deepcopy(model)
    for parent in list(copied.modules()):
        for (conv_name, conv), (norm_name, norm) in pairwise(list(parent.named_children())):
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d) and _fit(conv, norm):
                setattr(parent, conv_name, fuse_conv_bn_eval(conv, norm))
                setattr(parent, norm_name, getattr(norm, "act", nn.Identity()))  # timm's norms hold an activation
    return copied if len(batch_norms(copied)) < len(batch_norms(model)) and _same(model, copied) else model


def _fit(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> bool:
    return conv.out_channels == norm.num_features and norm.running_mean is not None


@torch.no_grad()
def _same(one: RefineDet, other: RefineDet) -> bool:
    """Whether two networks say the same of a picture that has something everywhere."""
    side = one.config.strides[-1]
    device = one.get_buffer("mean").device
    picture = torch.linspace(0, 997, 3 * side * 2 * side, device=device).remainder(256).reshape(1, 3, side, 2 * side)
    return all(_near(a, b) for a, b in zip(_outputs(one(picture)), _outputs(other(picture)), strict=True))


def _outputs(raw: RawOutputs) -> tuple[torch.Tensor, ...]:
    return raw.arm_logits, raw.arm_deltas, raw.odm_logits, raw.odm_deltas


def _near(one: torch.Tensor, other: torch.Tensor) -> bool:
    return bool((one - other).abs().max() <= _NEAR * one.abs().max().clamp(min=1))
