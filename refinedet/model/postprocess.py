"""Postprocessing of RawOutputs to detections: objectness filter, decode and suppression of a whole batch."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from refinedet.config import PostprocessConfig
from refinedet.detections import Detections
from refinedet.model.box_coder import decode, to_xyxy
from refinedet.model.network import RawOutputs
from refinedet.model.suppression import strongest, suppress


def postprocess(raw: RawOutputs, sizes_wh: Tensor, config: PostprocessConfig) -> list[Detections]:
    """Detections of each image of the batch, in canvas pixels, clipped to the chip.

    Args:
        raw: outputs of the network.
        sizes_wh: (B, 2) width and height of each chip on the canvas, without padding.
        config: thresholds.
    """
    boxes, scores = (part.float().cpu().numpy() for part in decoded(raw, config))
    return suppress(strongest(boxes, scores, sizes_wh.cpu().numpy(), config), len(scores), config)


def decoded(raw: RawOutputs, config: PostprocessConfig) -> tuple[Tensor, Tensor]:
    """Decode the box (B, N, 4) xyxy and class scores (B, N, K) of every anchor; the score of background is 0.

    An exported graph ends after this step.
    """
    scores = (raw.odm_logits - math.log(config.operating_score / (1 - config.operating_score))).sigmoid()
    objects = raw.arm_logits.sigmoid() > config.objectness_min
    refined = decode(raw.anchors_cxcywh, raw.arm_deltas)
    return to_xyxy(decode(refined, raw.odm_deltas)), torch.where(objects[..., None], scores, 0.0)
