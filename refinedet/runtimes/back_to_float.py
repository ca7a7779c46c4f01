"""Return of layers of an 8-bit graph to floats, and distance of a graph from its float form.

A layer returns to floats without another calibration: it gets the weights, the bias and the input of the float form.
With all layers in floats, the results are those of the float form.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinedet.runtimes.exported import INPUT, LAYERS, OUTPUTS
from refinedet.runtimes.graphs import Answer, openvino

Canvases = Sequence[Callable[[], NDArray[np.uint8]]]
"""Functions that each make one canvas (1, 3, H, W). They may be called several times, so that no canvas is kept."""

_SEEN = 0.1
"""Lowest score, in either graph, of an anchor that counts for the distance."""
_SHAPES = ("Pad", "Reshape", "Transpose")
"""Operations that change no value, which may lie between a layer and the rounding of its input."""
_EXACT = {"INFERENCE_PRECISION_HINT": "f32"}


def layers_of(model: Any) -> list[str]:
    """Names of the layers with weights, from the input to the outputs."""
    return [node.get_friendly_name() for node in model.get_ordered_ops() if node.get_type_name() in LAYERS]


def blocks_of(model: Any) -> dict[str, list[str]]:
    """Layers by block of the network, such as one inverted residual or one head.

    The name of a layer is the path of its module, followed by the operation. The block is the nearest enclosing module
    with a number, or else the module of the layer.
    """
    found: dict[str, list[str]] = {}
    for name in layers_of(model):
        found.setdefault(_block(name), []).append(name)
    return found


def _block(name: str) -> str:
    module, _, _ = name.rpartition("/")
    holder, _, _ = module.rpartition("/")
    while holder and not re.search(r"\.\d+$", holder):
        holder, _, _ = holder.rpartition("/")
    return holder or module


def put_back(model: Any, source: Any, names: Collection[str]) -> None:
    """Make layers of the 8-bit graph `model` compute in floats; `source` is its float form, with plain constants."""
    originals = {node.get_friendly_name(): node for node in source.get_ordered_ops()}
    for node in model.get_ordered_ops():
        if node.get_friendly_name() not in names:
            continue
        original = originals[node.get_friendly_name()]
        _copy(original.input_value(1), node.input(1))
        place = node.input(0)
        while place.get_source_output().get_node().get_type_name() in _SHAPES:
            place = place.get_source_output().get_node().input(0)
        rounded = place.get_source_output().get_node()
        if rounded.get_type_name() == "FakeQuantize":
            place.replace_source_output(rounded.input_value(0))
        bias, theirs = _bias(node), _bias(original)
        if bias is not None and theirs is not None:
            _copy(theirs.get_source_output(), bias)


def _copy(constant: Any, place: Any) -> None:
    """Replace an input of a node by a copy of a constant of another model."""
    data = constant.get_node().get_data().copy()
    place.replace_source_output(openvino().op.Constant(data).output(0))


def _bias(layer: Any) -> Any:
    """Input of the addition after a layer that holds its constant bias; None if the layer has no bias."""
    users = [user.get_node() for user in layer.output(0).get_target_inputs()]
    for user in users:
        if user.get_type_name() == "Add" and user.input_value(1).get_node().get_type_name() == "Constant":
            return user.input(1)
    return None


def answers(model: Any, canvases: Canvases) -> list[Answer]:
    """Boxes and scores of each canvas, from a model in memory."""
    request = openvino().Core().compile_model(model, "CPU", _EXACT).create_infer_request()
    found = []
    for make in canvases:
        request.infer({INPUT: make()})
        boxes, scores = (request.get_tensor(name).data.copy() for name in OUTPUTS)
        found.append((boxes, scores))
    return found


def distance(ours: Sequence[Answer], theirs: Sequence[Answer]) -> float:
    """Mean difference of two graphs: per anchor, the larger of the change of the score and of the box (1 - IoU).

    Only anchors that score in either graph count. The distance is in [0, 1]: 0 for equal graphs, or without anchors.
    """
    parts = [_changes(*one, *other) for one, other in zip(ours, theirs, strict=True)]
    changes = np.concatenate(parts) if parts else np.zeros(0)
    return float(changes.mean()) if len(changes) else 0.0


def _changes(
    boxes: NDArray[np.float32], scores: NDArray[np.float32], boxes2: NDArray[np.float32], scores2: NDArray[np.float32]
) -> NDArray[np.float64]:
    seen = np.maximum(scores, scores2).max(axis=2) >= _SEEN
    score = np.abs(scores.astype(np.float64) - scores2).max(axis=2)[seen]
    a, b = boxes[seen].astype(np.float64), boxes2[seen].astype(np.float64)
    sides = np.clip(np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2]), 0, None)
    common = sides.prod(axis=1)
    whole = (a[:, 2:] - a[:, :2]).prod(axis=1) + (b[:, 2:] - b[:, :2]).prod(axis=1) - common
    overlap = np.divide(common, whole, out=np.ones_like(common), where=whole > 0)
    found: NDArray[np.float64] = np.maximum(score, 1 - overlap)
    return found
