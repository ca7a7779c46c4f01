"""Graph beside a checkpoint: an ONNX file of half a megabyte whose weights are the checkpoint's own bytes.

ONNX calls such weights external data: file, offset and length of each tensor. Batch normalisation is not folded,
because a folded weight would be no tensor of the checkpoint; runtimes fold it when they open the file. ONNX Runtime and
OpenVINO both read the file, without torch.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinedet.errors import InputError
from refinedet.extras import load_extra
from refinedet.files import atomic_path, sha256_file
from refinedet.model.checkpoint import load_model
from refinedet.runtimes.export import DecodedRefineDet, onnx_graph, use_fused_heads
from refinedet.runtimes.exported import CHECKPOINT, KEY, SUFFIXES, Exported

_FORMATS: dict[str, type[np.floating[Any]]] = {"F16": np.float16, "F32": np.float32}
"""Supported number formats of weights in safetensors."""
_LEAST_BYTES = 256
"""Least size in bytes of a constant that is taken from the checkpoint; smaller constants stay in the graph."""
_MOST_BYTES = 1 << 20
"""Largest size in bytes of all constants that are no tensor of the checkpoint."""


@dataclass(frozen=True, slots=True)
class _Stored:
    """Place of a tensor in a file of safetensors."""

    offset: int
    length: int
    half: bool


def export_beside(weights: Path) -> Path:
    """Write the graph of a checkpoint beside it, as .onnx; equal checkpoints give equal bytes on one machine.

    Raises:
        FileError: as `model.checkpoint.load_model`.
        InputError: as there; or the checkpoint's name does not end in .safetensors, or the weights of the graph are
            not those of the checkpoint.
        MissingExtra: the package onnx is not installed.
    """
    if weights.suffix != CHECKPOINT:
        raise InputError(f"expected a checkpoint with the suffix {CHECKPOINT}, found {weights}; rename it")
    onnx = load_extra("onnx", "an export")
    model, header = load_model(weights)
    use_fused_heads(model)
    network = DecodedRefineDet(model, header).eval()
    graph = onnx.load_from_string(onnx_graph(network, header.model.strides[-1], fold=False))
    left = _point_into(onnx, graph.graph, weights)
    if left > _MOST_BYTES:
        raise InputError(
            f"expected a graph whose weights are those of {weights}, found {left / 1e6:.1f} MB of others in it; use "
            "`refinedet export` for this network"
        )
    onnx.helper.set_model_props(graph, {KEY: Exported(header, sha256_file(weights)).to_text()})
    path = weights.with_suffix(SUFFIXES["onnx"])
    with atomic_path(path) as temporary:
        temporary.write_bytes(graph.SerializeToString(deterministic=True))
    return path


def _point_into(onnx: Any, graph: Any, weights: Path) -> int:
    """Replace constants of a graph by places in a checkpoint; returns the size in bytes of all other constants."""
    stored, left, casts = _tensors(weights), 0, []
    for constant in graph.initializer:
        values = onnx.numpy_helper.to_array(constant)
        place = stored.get(_key(values)) if values.dtype == np.float32 and values.nbytes >= _LEAST_BYTES else None
        if place is None:
            left += values.nbytes
            continue
        constant.ClearField("raw_data")
        constant.data_location = onnx.TensorProto.EXTERNAL
        for key, value in (("location", weights.name), ("offset", place.offset), ("length", place.length)):
            constant.external_data.add(key=key, value=str(value))
        if place.half:
            name = constant.name
            constant.name, constant.data_type = f"{name}_half", onnx.TensorProto.FLOAT16
            casts.append(
                onnx.helper.make_node("Cast", [constant.name], [name], name=f"{name}_cast", to=onnx.TensorProto.FLOAT)
            )
    nodes = [*casts, *graph.node]
    graph.ClearField("node")
    graph.node.extend(nodes)
    return left


def _tensors(path: Path) -> dict[tuple[tuple[int, ...], bytes], _Stored]:
    """Places of the tensors of a checkpoint, by their content in float32."""
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    found = {}
    for name, told in json.loads(content[8:start]).items():
        if name == "__metadata__" or told["dtype"] not in _FORMATS:
            continue
        first, last = (start + offset for offset in told["data_offsets"])
        values = np.frombuffer(content[first:last], _FORMATS[told["dtype"]]).astype(np.float32)
        found[_key(values.reshape(told["shape"]))] = _Stored(first, last - first, told["dtype"] == "F16")
    return found


def _key(values: NDArray[np.float32]) -> tuple[tuple[int, ...], bytes]:
    return values.shape, sha256(np.ascontiguousarray(values).tobytes()).digest()
