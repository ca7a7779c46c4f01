"""Boxes and scores from RawOutputs: objectness filter, decoding, and calibration of the scores."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from refinedet.config import PostprocessConfig
from refinedet.model.box_coder import decode, to_xyxy
from refinedet.model.network import RawOutputs

_SIDE_PX, _LEAST_SIDE_PX, _MOST_SIDE_PX = 16.0, 8.0, 32.0
"""Side (root of the area) of the box for which the operating score holds; the sides between which the score shifts."""


def decoded(raw: RawOutputs, config: PostprocessConfig) -> tuple[Tensor, Tensor]:
    """Decode the box (B, N, 4) xyxy and class scores (B, N, K) of every anchor; the score of background is 0.

    An exported graph ends after this step.
    """
    objects = raw.arm_logits.sigmoid() > config.objectness_min
    refined = decode(raw.anchors_cxcywh, raw.arm_deltas)
    boxes = to_xyxy(decode(refined, raw.odm_deltas))
    scores = calibrated(raw.odm_logits, boxes, config).sigmoid()
    return boxes, torch.where(objects[..., None], scores, 0.0)


def calibrated(logits: Tensor, boxes_xyxy: Tensor, config: PostprocessConfig) -> Tensor:
    """Shift the logits (..., N, K) of scores so that the operating score of each box (..., N, 4) becomes 0.

    The boxes are in pixels of the canvas.
    """
    shift = math.log(config.operating_score / (1 - config.operating_score))
    if config.size_slope == 0:
        return logits - shift
    width, height = (boxes_xyxy[..., 2:] - boxes_xyxy[..., :2]).unbind(-1)
    area = (width * height).clamp(_LEAST_SIDE_PX**2, _MOST_SIDE_PX**2) / _SIDE_PX**2
    return logits - shift - config.size_slope * torch.log2(area)[..., None] / 2
