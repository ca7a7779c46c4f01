"""RawOutputs to detections: objectness filter, decode, NMS and box voting, for a whole batch at once."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor
from torchvision.ops import batched_nms, box_iou

from refinedet.config import PostprocessConfig
from refinedet.detections import Detections
from refinedet.model.box_coder import decode, to_xyxy
from refinedet.model.network import RawOutputs


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
    image, label, boxes, score = image[solid], label[solid], boxes[solid], score[solid]
    group = image * scores.shape[2] + label
    kept = batched_nms(boxes, score, group, config.nms_iou)
    voted = boxes[kept] if config.voting_iou is None else _vote(boxes, score, group, kept, config.voting_iou)
    results = []
    for index in range(len(scores)):
        mine = image[kept] == index
        found = Detections.of(*(x[mine].cpu().numpy() for x in (voted, score[kept], label[kept])))
        results.append(found.keep(np.arange(len(found)) < config.max_detections))
    return results


def _strongest(scores: Tensor, keep: Tensor, limit: int) -> tuple[Tensor, Tensor, Tensor]:
    """Indices (image, anchor, class) of the `limit` strongest kept scores of each image."""
    classes = scores.shape[2]
    flat = torch.where(keep, scores, -1.0).flatten(1)
    best, index = flat.topk(min(limit, flat.shape[1]), dim=1)
    image, rank = (best >= 0).nonzero(as_tuple=True)
    picked = index[image, rank]
    return image, picked // classes, picked % classes


def _vote(boxes: Tensor, score: Tensor, group: Tensor, kept: Tensor, voting_iou: float) -> Tensor:
    """Score-weighted mean of the boxes of the same image and class that overlap each kept box (Gidaris 2015)."""
    if not len(kept):
        return boxes[kept]
    neighbours = (box_iou(boxes[kept], boxes) >= voting_iou) & (group[kept][:, None] == group)
    weight = neighbours * score
    voted: Tensor = weight @ boxes / weight.sum(1, keepdim=True)
    return voted
