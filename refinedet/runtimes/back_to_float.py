"""Layers of a graph in 8 bits that compute in floats again, and how far the graph is from its float form.

A layer is put back without another calibration: its weights, its bias and its input become those of the float form.
With all layers back, the numbers are those of the float form.
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
"""Functions that each make one canvas (1, 3, H, W); they may be called several times, so that none has to be kept."""

_SEEN = 0.1
"""Lowest score, in either graph, of an anchor that counts for the distance."""
_SHAPES = ("Pad", "Reshape", "Transpose")
"""Operations between a layer and the rounding of its input that change no value."""
_EXACT = {"INFERENCE_PRECISION_HINT": "f32"}


def layers_of(model: Any) -> list[str]:
    """Names of the layers with weights, from the input to the outputs."""
    return [node.get_friendly_name() for node in model.get_ordered_ops() if node.get_type_name() in LAYERS]


def blocks_of(model: Any) -> dict[str, list[str]]:
    """Layers by the block of the network that they are part of, such as one inverted residual or one head.

    The name of a layer is the path of its module with the operation behind it. The block is the nearest module around
    it that has a number, else the layer's own module.
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
    """Let layers of `model`, a graph in 8 bits, compute in floats; `source` is its float form, with plain constants."""
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
    """Let an input of a node be a copy of a constant of another model."""
    data = constant.get_node().get_data().copy()
    place.replace_source_output(openvino().op.Constant(data).output(0))


def _bias(layer: Any) -> Any:
    """Input of the addition after a layer that is its constant bias; None without one."""
    users = [user.get_node() for user in layer.output(0).get_target_inputs()]
    for user in users:
        if user.get_type_name() == "Add" and user.input_value(1).get_node().get_type_name() == "Constant":
            return user.input(1)
    return None


def answers(model: Any, canvases: Canvases) -> list[Answer]:
    """Boxes and scores of each canvas, by a model in memory."""
    request = openvino().Core().compile_model(model, "CPU", _EXACT).create_infer_request()
    found = []
    for make in canvases:
        request.infer({INPUT: make()})
        boxes, scores = (request.get_tensor(name).data.copy() for name in OUTPUTS)
        found.append((boxes, scores))
    return found


def distance(ours: Sequence[Answer], theirs: Sequence[Answer]) -> float:
    """Mean over the anchors that either graph sees: change of the score, or of the box (1 - IoU), whichever is more.

    It is 0 for equal graphs, 1 at most, and 0 where nothing is seen.
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
