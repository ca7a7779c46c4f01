"""Parity of an exported file with its checkpoint: differences in pixels and scores, measured on chips."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from refinedet.errors import InputError
from refinedet.model.postprocess import decoded
from refinedet.predictors.predictor import CanvasPredictor, Chip, TorchPredictor, on_canvas
from refinedet.runtimes.predictor import ExportedPredictor
from refinedet.tiling import letterbox

_SHOWN = 0.05
"""Lowest score of a box, in torch or in the file, at which its distance counts."""


def parity(torch_predictor: TorchPredictor, exported: ExportedPredictor, chips: Sequence[Chip]) -> dict[str, Any]:
    """Measure the differences between two predictors of one checkpoint.

    Args:
        torch_predictor: the checkpoint in torch, fp32 on the CPU.
        exported: the exported file.
        chips: chips that both predict, one at a time.

    Returns:
        `px_max`, the largest distance between sides of boxes among anchors with a score of at least 0.05, in canvas
        pixels; `score_max`, the largest difference of scores among all anchors; `boxes_compared`; `chips`; and after
        suppression `detections` (count in torch, count in the file), `unmatched`, and `detections_px_max` of the
        matched ones.

    Raises:
        InputError: no chips were given.
    """
    if not chips:
        raise InputError("expected at least one chip to compare on, found none")
    px, score, compared = 0.0, 0.0, 0
    for chip in chips:
        canvas = _canvas(exported, exported.graph.exported.header.model.strides[-1], chip)
        ours, theirs = _anchors(torch_predictor, canvas), exported.graph.run(canvas)
        seen = np.maximum(ours[1], theirs[1]).max(axis=2) >= _SHOWN
        px = max(px, float(np.abs(ours[0] - theirs[0])[seen].max(initial=0)))
        score = max(score, float(np.abs(ours[1] - theirs[1]).max()))
        compared += int(seen.sum())
    report = {"chips": len(chips), "boxes_compared": compared, "px_max": px, "score_max": score}
    return report | _after_suppression(torch_predictor, exported, chips)


def _canvas(predictor: CanvasPredictor, stride: int, chip: Chip) -> NDArray[np.uint8]:
    """Canvas (1, 3, H, W) of a chip for a predictor."""
    return on_canvas(chip, letterbox(chip.shape[1], chip.shape[0], predictor.input_px, stride))[None]


def _anchors(predictor: TorchPredictor, canvas: NDArray[np.uint8]) -> tuple[Any, Any]:
    """Compute boxes and scores of all anchors, in torch."""
    with torch.inference_mode():
        boxes, scores = decoded(predictor.model.eval()(torch.from_numpy(canvas)), predictor.postprocess)
    return boxes.numpy(), scores.numpy()


def _after_suppression(a: TorchPredictor, b: ExportedPredictor, chips: Sequence[Chip]) -> dict[str, Any]:
    """Compare the detections of both, each matched to the nearest of the same class."""
    counts, unmatched, px = [0, 0], 0, 0.0
    for ours, theirs in zip(a.predict(chips), b.predict(chips), strict=True):
        counts = [counts[0] + len(ours), counts[1] + len(theirs)]
        apart = np.abs(ours.boxes_xyxy[:, None] - theirs.boxes_xyxy[None]).max(axis=2)
        apart[ours.labels[:, None] != theirs.labels[None]] = np.inf
        nearest = apart.min(axis=1, initial=np.inf)
        near = nearest < 1
        unmatched += int((~near).sum()) + max(0, len(theirs) - len(ours))
        px = max(px, float(nearest[near].max(initial=0)))
    return {"detections": counts, "unmatched": unmatched, "detections_px_max": px}
