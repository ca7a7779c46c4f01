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

    `giou`: generalised IoU (Rezatofighi et al. 2019). `ciou`: complete IoU (Zheng et al. 2020). `smooth_l1`: the sum
    over the four encoded offsets (RefineDet, section 4, loss function).

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
        # A tiny box very far away has equal corners in float32, so it has no aspect ratio and its gradient is NaN.
        # The truth replaces it: its offsets lie beyond the limits of decode(), where the gradient is zero anyway.
        solid = (boxes[:, 2:] > boxes[:, :2]).all(1, keepdim=True)
        boxes = torch.where(solid, boxes, truth_xyxy)
    loss: Tensor = (complete_box_iou_loss if kind == "ciou" else generalized_box_iou_loss)(boxes, truth_xyxy)
    return loss


def paired_iou(a_xyxy: Tensor, b_xyxy: Tensor) -> Tensor:
    """IoU of each box of `a` (..., 4) with its partner in `b`, after broadcasting; 0 for two boxes without an area."""
    union = box_area(a_xyxy) + box_area(b_xyxy)
    shared = shared_area(a_xyxy, b_xyxy)
    return shared / (union - shared).clamp(min=torch.finfo(union.dtype).tiny)


def shared_area(a_xyxy: Tensor, b_xyxy: Tensor) -> Tensor:
    """Shared area of each box of `a` (..., 4) and its partner in `b`, after broadcasting.

    It is computed edge by edge, because operations on a last axis of two are several times slower.
    """
    a_left, a_top, a_right, a_bottom = a_xyxy.unbind(-1)
    b_left, b_top, b_right, b_bottom = b_xyxy.unbind(-1)
    width = torch.minimum(a_right, b_right) - torch.maximum(a_left, b_left)
    height = torch.minimum(a_bottom, b_bottom) - torch.maximum(a_top, b_top)
    return width.clamp(min=0) * height.clamp(min=0)


def box_area(boxes_xyxy: Tensor) -> Tensor:
    """Areas (...) of boxes (..., 4)."""
    left, top, right, bottom = boxes_xyxy.unbind(-1)
    return (right - left) * (bottom - top)
