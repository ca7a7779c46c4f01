"""RawOutputs to detections: objectness filter, decode and suppression, for a whole batch at once."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from refinedet.config import PostprocessConfig
from refinedet.detections import Detections
from refinedet.model.box_coder import decode, to_xyxy
from refinedet.model.network import RawOutputs
from refinedet.model.suppression import Candidates, suppress


def postprocess(raw: RawOutputs, sizes_wh: Tensor, config: PostprocessConfig) -> list[Detections]:
    """Detections of each image of the batch, in canvas pixels, clipped to the chip.

    Args:
        raw: what the network says.
        sizes_wh: (B, 2) width and height of each chip on the canvas, without padding.
        config: thresholds.
    """
    scores = (raw.odm_logits - math.log(config.operating_score / (1 - config.operating_score))).sigmoid()
    objectness = raw.arm_logits.sigmoid()
    keep = (objectness > config.objectness_min)[..., None] & (scores >= config.score_min)
    image, anchor, label = _strongest(scores, keep, config.pre_nms)
    refined = decode(raw.anchors_cxcywh[anchor], raw.arm_deltas[image, anchor])
    boxes = to_xyxy(decode(refined, raw.odm_deltas[image, anchor]))
    boxes = torch.minimum(boxes.clamp(min=0), sizes_wh.to(boxes)[image].repeat(1, 2))
    score = scores[image, anchor, label]
    solid = (boxes[:, 2:] - boxes[:, :2]).min(1).values > 0  # padding may hold a box that clips to nothing
    return suppress(Candidates(image[solid], boxes[solid], score[solid], label[solid]), len(scores), config)


def _strongest(scores: Tensor, keep: Tensor, limit: int) -> tuple[Tensor, Tensor, Tensor]:
    """Indices (image, anchor, class) of the `limit` strongest kept scores of each image."""
    classes = scores.shape[2]
    flat = torch.where(keep, scores, -1.0).flatten(1)
    best, index = flat.topk(min(limit, flat.shape[1]), dim=1)
    image, rank = (best >= 0).nonzero(as_tuple=True)
    picked = index[image, rank]
    return image, picked // classes, picked % classes
