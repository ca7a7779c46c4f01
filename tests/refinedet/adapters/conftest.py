"""Fixtures of the tests of adapters: chips with bright ships, and ONNX files of a few nodes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

SHIPS = ((10, 20, 30, 28), (40, 5, 46, 25))
MakeOnnx = Callable[..., Path]


@pytest.fixture
def chips() -> list[np.ndarray]:
    """Chips of several sizes, in grey and in colour: each dark, with two ships, and one without any."""
    shapes = [(64, 64), (48, 80), (64, 64, 3), (64, 64), (50, 50)]
    made = [np.random.default_rng(i).integers(1, 60, shape, dtype=np.uint8) for i, shape in enumerate(shapes)]
    for chip in made[:-1]:
        for x1, y1, x2, y2 in SHIPS:
            chip[y1:y2, x1:x2] = 250
    return made


@pytest.fixture
def make_onnx(tmp_path: Path) -> MakeOnnx:
    """Write a graph that gives constant `outputs` for every input; a free axis of its input is a word."""
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")

    def make(
        outputs: dict[str, Any],
        shape: tuple[int | str, ...] = (1, 3, 64, 64),
        dtype: Any = np.float32,
        metadata: dict[str, str] | None = None,
    ) -> Path:
        arrays = {name: np.asarray(values) for name, values in outputs.items()}
        types = {name: onnx.helper.np_dtype_to_tensor_dtype(array.dtype) for name, array in arrays.items()}
        graph = onnx.helper.make_graph(
            [
                onnx.helper.make_node("Constant", [], [name], value=onnx.numpy_helper.from_array(array, name))
                for name, array in arrays.items()
            ],
            "constant",
            [onnx.helper.make_tensor_value_info("image", onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), shape)],
            [onnx.helper.make_tensor_value_info(name, types[name], array.shape) for name, array in arrays.items()],
        )
        return save_graph(graph, tmp_path / "model.onnx", metadata)

    return make


@pytest.fixture
def cells_onnx(tmp_path: Path) -> Path:
    """A raw YOLO graph that sees: each cell of 8 x 8 pixels of its free input is as much a ship as it is bright.

    Output (B, 5, N): centre and size of the cell in canvas pixels, then its brightest value.
    """
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    node, info = onnx.helper.make_node, onnx.helper.make_tensor_value_info
    constants = {
        "red": np.array([0]),
        "eight": np.array(8.0, np.float32),
        "half": np.array(0.5, np.float32),
        "table": np.array([0, 5, -1]),
        "zero": np.array(0, np.float32),
    }
    nodes = [
        node("Gather", ["image", "red"], ["grey"], axis=1),
        node("MaxPool", ["grey"], ["score"], kernel_shape=[8, 8], strides=[8, 8]),
        node("Mul", ["score", "zero"], ["nothing"]),
        node("Add", ["nothing", "eight"], ["size"]),
        # the running sum of ones counts columns and rows
        *_counted("x", 3),
        *_counted("y", 2),
        node("Concat", ["x", "y", "size", "size", "score"], ["maps"], axis=1),
        node("Reshape", ["maps", "table"], ["output0"]),
    ]
    graph = onnx.helper.make_graph(
        nodes,
        "cells",
        [info("image", onnx.TensorProto.FLOAT, ["batch", 3, "height", "width"])],
        [info("output0", onnx.TensorProto.FLOAT, ["batch", 5, "cells"])],
        [onnx.numpy_helper.from_array(value, name) for name, value in constants.items()]
        + [onnx.numpy_helper.from_array(np.array(axis), f"axis_{axis}") for axis in (2, 3)],
    )
    return save_graph(graph, tmp_path / "cells.onnx", {"names": "{0: 'vessel'}"})


def _counted(name: str, axis: int) -> list[Any]:
    """Nodes for the middle of each cell along an axis, in pixels: (running sum of 8) - 4."""
    import onnx

    node = onnx.helper.make_node
    return [
        node("CumSum", ["size", f"axis_{axis}"], [f"{name}_ends"]),
        node("Mul", ["size", "half"], [f"{name}_half"]),
        node("Sub", [f"{name}_ends", f"{name}_half"], [name]),
    ]


def save_graph(graph: Any, path: Path, metadata: dict[str, str] | None = None, extra: tuple[Any, ...] = ()) -> Path:
    """Write a graph as an ONNX file."""
    import onnx

    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17), *extra], ir_version=8)
    onnx.helper.set_model_props(model, metadata or {})
    path.write_bytes(model.SerializeToString())
    return path
