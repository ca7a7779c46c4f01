"""Box regression losses of anchors that learn a ship. P positives."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision.ops import complete_box_iou_loss, generalized_box_iou_loss

from refinedet.config.loss import BoxLoss
from refinedet.model.box_coder import decode, encode, to_cxcywh, to_xyxy


def box_loss(anchors_cxcywh: Tensor, deltas: Tensor, truth_xyxy: Tensor, kind: BoxLoss) -> Tensor:
    """Loss of each positive, (P,).

    `giou`: generalised IoU (Rezatofighi et al. 2019). `ciou`: complete IoU (Zheng et al. 2020). `smooth_l1`: of the
    four encoded offsets, summed (RefineDet, section 4, loss function).

    Args:
        anchors_cxcywh: (P, 4) boxes that the offsets start from.
        deltas: (P, 4) predicted offsets.
        truth_xyxy: (P, 4) ship of each, with an area.
        kind: which loss.
    """
    if kind == "smooth_l1":
        goal = encode(anchors_cxcywh, to_cxcywh(truth_xyxy))
        return F.smooth_l1_loss(deltas, goal, reduction="none").sum(-1)
    boxes = to_xyxy(decode(anchors_cxcywh, deltas))
    if kind == "ciou":
        # A tiny box very far away has equal corners in float32, hence no aspect ratio and a slope that is no number.
        # It is taken for right: its offsets lie beyond the limits of decode(), where no slope would bring it back.
        solid = (boxes[:, 2:] > boxes[:, :2]).all(1, keepdim=True)
        boxes = torch.where(solid, boxes, truth_xyxy)
    loss: Tensor = (complete_box_iou_loss if kind == "ciou" else generalized_box_iou_loss)(boxes, truth_xyxy)
    return loss


def paired_iou(a_xyxy: Tensor, b_xyxy: Tensor) -> Tensor:
    """IoU of row i of `a` with row i of `b`, (P,)."""
    top_left, bottom_right = torch.maximum(a_xyxy[:, :2], b_xyxy[:, :2]), torch.minimum(a_xyxy[:, 2:], b_xyxy[:, 2:])
    overlap = (bottom_right - top_left).clamp(min=0).prod(-1)
    union = (a_xyxy[:, 2:] - a_xyxy[:, :2]).prod(-1) + (b_xyxy[:, 2:] - b_xyxy[:, :2]).prod(-1) - overlap
    return overlap / union.clamp(min=torch.finfo(union.dtype).tiny)
