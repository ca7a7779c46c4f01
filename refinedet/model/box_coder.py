"""Coding of boxes as offsets to anchors, with the paper's variances. Torch tensors, last axis 4.

Source: RefineDet (Zhang et al., CVPR 2018), after SSD; variances 0.1 for the centre and 0.2 for the size.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

CENTRE_VARIANCE = 0.1
SIZE_VARIANCE = 0.2

MAX_CENTRE_DELTA = 10_000.0 / CENTRE_VARIANCE
MAX_SIZE_DELTA = math.log(1000.0) / SIZE_VARIANCE
"""Largest offsets, in both directions. A box moves by at most 10,000 anchor sides and is 1/1000 to 1000 times as large
as its anchor, so an extreme value gives neither infinity nor a box without an area."""


def decode(anchors_cxcywh: Tensor, deltas: Tensor) -> Tensor:
    """Apply offsets to anchors: (..., 4) [cx, cy, w, h] and (..., 4) [dx, dy, dw, dh] to (..., 4) [cx, cy, w, h]."""
    move = deltas[..., :2].clamp(-MAX_CENTRE_DELTA, MAX_CENTRE_DELTA)
    grow = deltas[..., 2:].clamp(-MAX_SIZE_DELTA, MAX_SIZE_DELTA)
    centre = anchors_cxcywh[..., :2] + CENTRE_VARIANCE * move * anchors_cxcywh[..., 2:]
    size = anchors_cxcywh[..., 2:] * torch.exp(SIZE_VARIANCE * grow)
    return torch.cat([centre, size], dim=-1)


def encode(anchors_cxcywh: Tensor, boxes_cxcywh: Tensor) -> Tensor:
    """Compute the offsets from each anchor to its box, the inverse of `decode`. Sizes must be positive."""
    centre = (boxes_cxcywh[..., :2] - anchors_cxcywh[..., :2]) / (CENTRE_VARIANCE * anchors_cxcywh[..., 2:])
    size = torch.log(boxes_cxcywh[..., 2:] / anchors_cxcywh[..., 2:]) / SIZE_VARIANCE
    return torch.cat([centre, size], dim=-1)


def to_xyxy(boxes_cxcywh: Tensor) -> Tensor:
    """Convert [cx, cy, w, h] to [x1, y1, x2, y2], last axis 4."""
    half = boxes_cxcywh[..., 2:] / 2
    return torch.cat([boxes_cxcywh[..., :2] - half, boxes_cxcywh[..., :2] + half], dim=-1)


def to_cxcywh(boxes_xyxy: Tensor) -> Tensor:
    """Convert [x1, y1, x2, y2] to [cx, cy, w, h], last axis 4."""
    centre = (boxes_xyxy[..., :2] + boxes_xyxy[..., 2:]) / 2
    return torch.cat([centre, boxes_xyxy[..., 2:] - boxes_xyxy[..., :2]], dim=-1)
