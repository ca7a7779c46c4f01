"""Non-maximum suppression on NumPy arrays: the result of torchvision, without torch. N boxes, K kept."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from refinedet.boxes import Boxes, area


def nms(boxes_xyxy: Boxes, scores: NDArray[np.float32], iou_max: float) -> NDArray[np.int64]:
    """Indices (K,) of the kept boxes, by falling score: no stronger kept box has an IoU above `iou_max` with them.

    Of two boxes with equal scores, the earlier one counts as stronger. The indices equal those of
    `torchvision.ops.nms`: both take the same float32 steps in the same order, and do not round the limit to float32.

    Args:
        boxes_xyxy: (N, 4).
        scores: (N,).
        iou_max: within (0, 1].
    """
    order = np.argsort(-scores, kind="stable")
    limit = np.float64(iou_max)  # a NumPy scalar, so that the comparison is in float64
    rest = np.vstack([boxes_xyxy[order].T, area(boxes_xyxy[order])])  # (5, N): x1, y1, x2, y2, area
    kept = []
    while len(order):
        kept.append(order[0])
        x1, y1, x2, y2, own = rest[:, 0]
        rest, order = rest[:, 1:], order[1:]
        wide = np.maximum(np.minimum(x2, rest[2]) - np.maximum(x1, rest[0]), 0)
        high = np.maximum(np.minimum(y2, rest[3]) - np.maximum(y1, rest[1]), 0)
        shared = wide * high
        with np.errstate(invalid="ignore", divide="ignore"):  # boxes without an area: NaN, which is above no limit
            apart = ~(shared / (own + rest[4] - shared) > limit)
        if not apart.all():
            rest, order = rest[:, apart], order[apart]
    return np.array(kept, np.int64)
