"""Merge of the detections of overlapping windows into ships. Pure, and independent of the order of windows.

1. Views: each detection of a window is one view of a ship. A view that ends at an inner border of its window is cut
   there, and the ship continues outside.
2. Match: two views from different windows show one ship if they agree in the part that both windows see. Pairs are
   accepted from the best agreement down. A ship has at most one view per window, so two ships moored side by side stay
   separate.
3. Resolve: a ship with whole views gets the view from the window whose own pixels are nearest. A ship without a whole
   view is joined from its fragments.
4. Own: each window owns the pixels nearest to its centre. A ship is dropped if the window that owns its centre would
   contain it whole but does not see it. A fragment is dropped if only windows that do not own its centre see it.

A ship no longer than the overlap is whole in the window that owns its centre. Time is near-linear in the detections.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from refinedet.detections import Detections
from refinedet.scene.windows.seams import OUTWARD, Flags, Rects, SeamGrid, cut_sides, touch_px
from refinedet.tiling import Window

_REACH_PX = 2.0
"""Margin by which the common part of two windows is grown to compare cut views, so that windows may also just touch."""
SAME_IOU = 0.3
"""Least IoU of two whole views that may show one ship."""
SAME_CENTRE_PX = 4.0
"""Largest distance of the centres that replaces the least IoU, because one pixel decides the IoU of a small ship."""
_SAME_CUT_IOS = 0.3
"""Least intersection over the smaller of a cut view and another that may show one ship."""
_SLACK_PX = 4.0
"""Extra tolerance between two views, in addition to the error `touch_px` of a side in one view."""
INSIDE = 0.7
"""Least share of a fragment without a partner that another ship must cover for the fragment to be part of that ship."""
_SEAM_SLACK_PX = 8.0
"""Distance beyond its own pixels at which a window still counts as the owner, because windows may place a centre
differently."""


@dataclass(frozen=True, slots=True)
class Merged:
    """Ships of a scene, sorted like any Detections, with (N,) masks in the same order."""

    detections: Detections
    joined: Flags
    """(N,) true if the box is joined from fragments, because no window holds the ship whole."""
    cut: Flags
    """(N,) true if the ship continues beyond the box, but the window on that side shows nothing of it."""
    by_polarisation: NDArray[np.float32] | None = None
    """(N, 2) score in each polarisation, NaN if it does not show the ship; None if one polarisation was searched."""

    def __len__(self) -> int:
        return len(self.detections)

    @property
    def stronger(self) -> NDArray[np.intp]:
        """(N,) index of the polarisation with the higher score, which gives the box."""
        if self.by_polarisation is None:
            return np.zeros(len(self), np.intp)
        return np.asarray(np.nan_to_num(self.by_polarisation).argmax(axis=1), np.intp)

    def only(self, mask: Flags) -> Merged:
        """Ships for which `mask` (N,) is true, order unchanged."""
        scores = None if self.by_polarisation is None else self.by_polarisation[mask]
        return Merged(self.detections.keep(mask), self.joined[mask], self.cut[mask], scores)


@dataclass(frozen=True, slots=True)
class _Views:
    """All detections of all windows, in a canonical order."""

    boxes: Rects
    scores: NDArray[np.float64]
    labels: NDArray[np.int64]
    window: NDArray[np.intp]
    """(N,) index in the grid of the window of each view."""
    cut: Flags
    """(N, 4) true for a side (left, top, right, bottom) at which the box is cut."""
    seen: Rects
    """(N, 4) boxes with their cut sides moved just beyond the border, where the ship is known to continue."""


@dataclass(frozen=True, slots=True)
class _Ships:
    boxes: Rects
    scores: NDArray[np.float64]
    labels: NDArray[np.int64]
    joined: Flags
    cut: Flags

    @property
    def lone(self) -> Flags:
        """(S,) fragments without a partner."""
        return np.asarray(self.cut & ~self.joined, np.bool_)

    def keep(self, mask: Flags) -> _Ships:
        return _Ships(self.boxes[mask], self.scores[mask], self.labels[mask], self.joined[mask], self.cut[mask])


def merge_windows(parts: Sequence[tuple[Window, Detections]], grid: Sequence[Window]) -> Merged:
    """Merge the detections of windows into ships of the scene.

    Args:
        parts: windows with their detections, in scene pixels; windows without detections may be omitted. No two
            detections of one window and class may show one ship; the predictor ensures this.
        grid: all windows of the scene, as `tiling.windows` gives them.
    """
    seams = SeamGrid(grid)
    views = _views(parts, seams)
    cluster = _match(views, seams)
    ships = _resolve(views, cluster, seams)
    ships = ships.keep(_answered(ships, views, cluster, seams))
    return _merged(ships.keep(~_loose_fragments(ships)))


def _views(parts: Sequence[tuple[Window, Detections]], seams: SeamGrid) -> _Views:
    ordered = sorted((p for p in parts if len(p[1])), key=lambda part: part[0])
    if not ordered:
        nothing = np.zeros(0)
        none = np.zeros((0, 4))
        return _Views(none, nothing, nothing.astype(np.int64), nothing.astype(np.intp), none.astype(bool), none)
    detections = [detections for _, detections in ordered]
    boxes = np.concatenate([d.boxes_xyxy for d in detections]).astype(np.float64)
    window = np.repeat([seams.index[w] for w, _ in ordered], [len(d) for d in detections]).astype(np.intp)
    rects = seams.rects[window]
    cut = cut_sides(boxes, rects, seams.inner(rects))
    return _Views(
        boxes=boxes,
        scores=np.concatenate([d.scores for d in detections]).astype(np.float64),
        labels=np.concatenate([d.labels for d in detections]),
        window=window,
        cut=cut,
        seen=np.where(cut, rects + OUTWARD * _REACH_PX, boxes),
    )


def _match(views: _Views, seams: SeamGrid) -> NDArray[np.intp]:
    """(N,) number of the ship that each view shows: 0, 1, ... without gaps, in the order of first views."""
    first, second = _agreeing_pairs(views, seams)
    root = list(range(len(views.boxes)))
    windows = [{int(window)} for window in views.window]

    def find(view: int) -> int:
        while root[view] != view:
            root[view] = root[root[view]]
            view = root[view]
        return view

    for i, j in zip(first.tolist(), second.tolist(), strict=True):
        a, b = sorted((find(i), find(j)))
        if a != b and windows[a].isdisjoint(windows[b]):
            root[b] = a
            windows[a] |= windows[b]
    roots = np.array([find(view) for view in range(len(root))], np.intp)
    return np.asarray(np.unique(roots, return_inverse=True)[1], np.intp)


def _agreeing_pairs(views: _Views, seams: SeamGrid) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pairs of views from different windows that may show one ship, best agreement first."""
    grown = shapely.box(*(views.seen + OUTWARD * _REACH_PX).T)
    i, j = shapely.STRtree(grown).query(grown)
    apart = (i < j) & (views.window[i] != views.window[j]) & (views.labels[i] == views.labels[j])
    i, j = i[apart], j[apart]
    rect_i, rect_j = seams.rects[views.window[i]], seams.rects[views.window[j]]
    faces_i, faces_j = _facing(views.cut[i], rect_i, rect_j), _facing(views.cut[j], rect_j, rect_i)
    facing = faces_i.any(axis=1) | faces_j.any(axis=1)
    shared = _intersection(rect_i, rect_j)
    meet = (shared[:, 2:] >= shared[:, :2]).all(axis=1)
    common = shared + OUTWARD * _REACH_PX
    visible_i, visible_j = _intersection(views.seen[i], common), _intersection(views.seen[j], common)
    goes_on = _goes_on(views.boxes[i], rect_i, faces_i, views.seen[j]) & _goes_on(
        views.boxes[j], rect_j, faces_j, views.seen[i]
    )
    gap = (views.boxes[i] - views.boxes[j]).reshape(-1, 2, 2).mean(axis=1)
    distance = np.hypot(gap[:, 0], gap[:, 1])
    iou_whole, _ = iou_and_ios(views.boxes[i], views.boxes[j])
    iou_cut, ios_cut = iou_and_ios(visible_i, visible_j)
    same = np.where(
        facing, meet & goes_on & (ios_cut >= _SAME_CUT_IOS), (iou_whole >= SAME_IOU) | (distance <= SAME_CENTRE_PX)
    )
    order = np.lexsort((j, i, distance, -iou_cut, -iou_whole))
    order = order[same[order]]
    return i[order], j[order]


def _facing(cut: Flags, own: Rects, other: Rects) -> Flags:
    """(M, 4) true for a cut side of a view that lies inside the window of the other view."""
    return np.asarray(cut & ((other - own) * OUTWARD > 0), np.bool_)


def _goes_on(boxes: Rects, rects: Rects, faces: Flags, other: Rects) -> Flags:
    """(M,) true if the other view of a pair reaches across all borders at which the first one is cut and faces it."""
    across = (other - rects) * OUTWARD >= -touch_px(boxes) - _SLACK_PX
    return np.asarray((across | ~faces).all(axis=1), np.bool_)


def _resolve(views: _Views, cluster: NDArray[np.intp], seams: SeamGrid) -> _Ships:
    """Ships of the clusters: the whole view nearest to its window's own pixels, or else the join of all views."""
    whole = np.asarray(~views.cut.any(axis=1), np.bool_)
    outside = seams.outside_px(views.boxes, views.window)
    order = np.lexsort((-views.scores, outside, ~whole, cluster))
    _, first = np.unique(cluster[order], return_index=True)
    best = order[first]
    ships = _Ships(
        views.boxes[best],
        views.scores[best],
        views.labels[best],
        np.zeros(len(best), np.bool_),
        np.zeros(len(best), np.bool_),
    )
    members = _members(cluster)
    for ship in np.flatnonzero(~whole[best]):
        shown = members[ship]
        ships.boxes[ship], ships.joined[ship], ships.cut[ship] = _join(views.boxes[shown], views.cut[shown])
        ships.scores[ship] = views.scores[shown].max()
    return ships


def _join(boxes: Rects, cut: Flags) -> tuple[NDArray[np.float64], bool, bool]:
    """Box around fragments; true if it is larger than each of them; true if the ship continues beyond it."""
    outward = boxes * OUTWARD
    ends = outward.max(axis=0)
    box = ends * OUTWARD
    error = touch_px(box[None])[0] + _SLACK_PX
    joined = bool((ends - outward > error).any(axis=1).all())
    known_end = np.where(cut, -np.inf, outward).max(axis=0)
    return box, joined, bool((known_end < ends - error).any())


def _members(cluster: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    order = np.argsort(cluster, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(cluster[order])) + 1)


def _answered(ships: _Ships, views: _Views, cluster: NDArray[np.intp], seams: SeamGrid) -> Flags:
    """(S,) true for ships that stay by the rule of ownership."""
    near = seams.outside_px(ships.boxes[cluster], views.window) <= _SEAM_SLACK_PX
    seen_by_owner = np.bincount(cluster[near], minlength=len(ships.boxes)) > 0
    owner = seams.rects[seams.owner(ships.boxes)]
    owner_cuts_it = cut_sides(ships.boxes, owner, seams.inner(owner)).any(axis=1)
    return np.asarray(seen_by_owner | (owner_cuts_it & ~ships.lone), np.bool_)


def _loose_fragments(ships: _Ships) -> Flags:
    """(S,) fragments without a partner that lie within another ship of their class, as parts of that ship."""
    index, solid = np.flatnonzero(ships.lone), np.flatnonzero(~ships.lone)
    i, j = shapely.STRtree(shapely.box(*ships.boxes[solid].T)).query(shapely.box(*ships.boxes[index].T))
    i, j = index[i], solid[j]
    inside = _area(_intersection(ships.boxes[i], ships.boxes[j])) >= INSIDE * _area(ships.boxes[i])
    bits = np.zeros(len(ships.boxes), np.bool_)
    bits[i[inside & (ships.labels[i] == ships.labels[j])]] = True
    return bits


def _merged(ships: _Ships) -> Merged:
    order = order_of(ships.scores, ships.boxes, ships.labels, ships.joined, ships.cut)
    detections = Detections.of(ships.boxes[order], ships.scores[order], ships.labels[order])
    return Merged(detections, ships.joined[order], ships.cut[order])


def order_of(
    scores: NDArray[np.floating], boxes: Rects, labels: NDArray[np.integer], joined: Flags, cut: Flags
) -> NDArray[np.intp]:
    """Order of ships as in Detections: descending score, then y1, x1, y2, x2, label, and last the flags."""
    x1, y1, x2, y2 = boxes.T
    return np.asarray(np.lexsort((cut, joined, labels, x2, y2, x1, y1, -scores)), np.intp)


def _intersection(a: Rects, b: Rects) -> Rects:
    return np.concatenate([np.maximum(a[:, :2], b[:, :2]), np.minimum(a[:, 2:], b[:, 2:])], axis=1)


def _area(rects: Rects) -> NDArray[np.float64]:
    return np.asarray(np.clip(rects[:, 2:] - rects[:, :2], 0, None).prod(axis=1), np.float64)


def iou_and_ios(a: Rects, b: Rects) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """IoU and intersection over the smaller, (M,) each, of boxes pair by pair; 0 for empty ones."""
    both, area_a, area_b = _area(_intersection(a, b)), _area(a), _area(b)
    tiny = np.finfo(np.float64).tiny
    return both / np.maximum(area_a + area_b - both, tiny), both / np.maximum(np.minimum(area_a, area_b), tiny)
