"""Fusion of each convolution with the batch normalisation after it: faster inference, not for training."""

from __future__ import annotations

import copy
from itertools import pairwise

import torch
from torch import nn
from torch.nn.utils import fuse_conv_bn_eval

from refinedet.model.network import RawOutputs, RefineDet
from refinedet.model.norms import batch_norms

_NEAR = 1e-4
"""Largest difference that counts as rounding, as a share of the largest output; 3e-6 was measured."""


def fuse_conv_bn(model: RefineDet) -> RefineDet:
    """Fuse each batch norm into the convolution before it, in a copy for evaluation.

    A norm is assumed to follow the convolution that its parent lists just before it. timm's networks and ours are
    written that way. A check on one small picture follows: if the outputs of the copy differ, the unchanged network is
    returned.
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
    """Compare the outputs of two networks on one picture without flat areas; true if they are equal up to rounding."""
    side = one.config.strides[-1]
    device = one.get_buffer("mean").device
    picture = torch.linspace(0, 997, 3 * side * 2 * side, device=device).remainder(256).reshape(1, 3, side, 2 * side)
    return all(_near(a, b) for a, b in zip(_outputs(one(picture)), _outputs(other(picture)), strict=True))


def _outputs(raw: RawOutputs) -> tuple[torch.Tensor, ...]:
    return raw.arm_logits, raw.arm_deltas, raw.odm_logits, raw.odm_deltas


def _near(one: torch.Tensor, other: torch.Tensor) -> bool:
    return bool((one - other).abs().max() <= _NEAR * one.abs().max().clamp(min=1))
