"""Fusion of the ships found in two polarisations of a scene: each ship gets one box and two scores. Pure.

1. Match: a detection of one polarisation and one of the other show one ship if their boxes agree. Pairs are accepted
   from the best agreement down, and each detection has at most one partner.
2. Absorb: a detection without a partner that lies within a stronger ship of the other polarisation is a part of that
   ship: a bright mast in one polarisation, the whole hull in the other.
3. Fuse: a ship gets the box of the stronger polarisation.
"""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from refinedet.detections import Detections
from refinedet.scene.windows.merge import INSIDE, SAME_CENTRE_PX, SAME_IOU, Merged, iou_and_ios, order_of
from refinedet.scene.windows.seams import OUTWARD, Flags, Rects

Scores = NDArray[np.float32]
"""(N, 2) score of each ship in each polarisation; NaN if the polarisation does not show it."""


def fused_score(scores: Scores) -> NDArray[np.float32]:
    """Fused score (N,) of ships: 1 - (1 - a)(1 - b) for scores a and b.

    A ship of only one polarisation keeps its score. Two weak scores give a stronger one.
    """
    left_open = 1 - np.nan_to_num(scores.astype(np.float64))
    return np.asarray(1 - left_open.prod(axis=1), np.float32)


def fuse_polarisations(first: Merged, second: Merged) -> Merged:
    """Fuse the ships of two polarisations of one scene into ships with `by_polarisation` and a fused score.

    A ship has the flags of both.

    Args:
        first: ships in the first polarisation, weak ones too: a ship may be weak in both.
        second: ships in the second polarisation, in the same pixels.
    """
    partner = _partners(first, second)
    a = np.flatnonzero(partner >= 0)
    b = partner[a]
    without = np.ones(len(second), np.bool_)
    without[b] = False
    lone_a, lone_b = _left(first, second, partner < 0), _left(second, first, without)
    none_a, none_b = np.full(len(lone_b), -1), np.full(len(lone_a), -1)
    return _fused(first, second, np.concatenate([a, lone_a, none_a]), np.concatenate([b, none_b, lone_b]))


def _partners(first: Merged, second: Merged) -> NDArray[np.intp]:
    """(N,) index in `second` of the detection that shows the same ship; -1 without one."""
    i, j = _near(first, second)
    boxes_i, boxes_j = _boxes(first)[i], _boxes(second)[j]
    iou, ios = iou_and_ios(boxes_i, boxes_j)
    gap = (boxes_i - boxes_j).reshape(-1, 2, 2).mean(axis=1)
    distance = np.hypot(gap[:, 0], gap[:, 1])
    same = (iou >= SAME_IOU) | (distance <= SAME_CENTRE_PX) | (ios >= INSIDE)
    order = np.lexsort((j, i, distance, -iou))
    partner, taken = np.full(len(first), -1, np.intp), np.zeros(len(second), np.bool_)
    for a, b in zip(i[order[same[order]]].tolist(), j[order[same[order]]].tolist(), strict=True):
        if partner[a] < 0 and not taken[b]:
            partner[a], taken[b] = b, True
    return partner


def _left(own: Merged, other: Merged, lone: Flags) -> NDArray[np.intp]:
    """Indices of the detections without a partner that are not part of a stronger ship of the other polarisation."""
    i, j = _near(own, other)
    _, ios = iou_and_ios(_boxes(own)[i], _boxes(other)[j])
    smaller = _area(_boxes(own)[i]) <= _area(_boxes(other)[j])
    weaker = own.detections.scores[i] <= other.detections.scores[j]
    parts = np.zeros(len(own), np.bool_)
    parts[i[smaller & weaker & (ios >= INSIDE)]] = True
    return np.flatnonzero(lone & ~parts)


def _near(own: Merged, other: Merged) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pairs of one class whose boxes, grown by the largest distance of centres, intersect."""
    grown = [shapely.box(*(_boxes(one) + OUTWARD * SAME_CENTRE_PX).T) for one in (own, other)]
    i, j = shapely.STRtree(grown[1]).query(grown[0])
    alike = own.detections.labels[i] == other.detections.labels[j]
    return i[alike], j[alike]


def _fused(first: Merged, second: Merged, a: NDArray[np.intp], b: NDArray[np.intp]) -> Merged:
    """Ships from the detections with indices `a` and `b`; -1 if a polarisation does not show the ship."""
    scores = np.stack([_picked(first.detections.scores, a), _picked(second.detections.scores, b)], axis=1)
    from_first = np.nan_to_num(scores[:, 0]) >= np.nan_to_num(scores[:, 1])
    boxes = np.where(from_first[:, None], _picked(_boxes(first), a), _picked(_boxes(second), b))
    labels = np.where(a >= 0, _picked(first.detections.labels, a), _picked(second.detections.labels, b))
    joined, cut = (
        (_picked(one, a) > 0) | (_picked(two, b) > 0)
        for one, two in ((first.joined, second.joined), (first.cut, second.cut))
    )
    found = fused_score(scores.astype(np.float32))
    order = order_of(found, boxes, labels, joined, cut)
    detections = Detections.of(boxes[order], found[order], labels[order].astype(np.int64))
    return Merged(detections, joined[order], cut[order], scores[order].astype(np.float32))


def _picked(values: NDArray[np.generic], index: NDArray[np.intp]) -> NDArray[np.float64]:
    """Values with these indices as floats, NaN for -1."""
    there = np.concatenate([values.astype(np.float64), np.full((1, *values.shape[1:]), np.nan)])
    return np.asarray(there[index])


def _boxes(merged: Merged) -> Rects:
    return merged.detections.boxes_xyxy.astype(np.float64)


def _area(rects: Rects) -> NDArray[np.float64]:
    return np.asarray((rects[:, 2:] - rects[:, :2]).prod(axis=1), np.float64)
