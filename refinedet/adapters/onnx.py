"""Predictor for ONNX files of other detectors, in ONNX Runtime (`onnx_session`)."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from refinedet.adapters.common import SCORE_MIN, Adapter, Found, Reading, class_names
from refinedet.adapters.onnx_layout import OnnxLayout, Port, plan_outputs
from refinedet.adapters.onnx_outputs import decode
from refinedet.config import Radiometry
from refinedet.errors import InputError
from refinedet.predictors.predictor import Chip, Device, on_canvas
from refinedet.runtimes.onnx_session import first_line, open_session
from refinedet.tiling import Letterbox, letterbox

_STRIDE_PX = 64
"""Divisor of the sides of free canvases: the stride of the coarsest level of common networks."""
_PROBE_PX = 512
_NAMES_CHARS = 100_000
"""Most characters of a list of class names that are read from a file."""
_IMAGES = ("float32", "float16", "uint8")
"""Types of pixels that a graph may take."""
_DTYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(double)": "float64",
    "tensor(uint8)": "uint8",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
}


class OnnxPredictor(Adapter):
    """Predictor of a detector in an ONNX file, with boxes, scores and labels as outputs, or with raw YOLO tables.

    A chip is scaled and padded right and below as in `tiling.letterbox`. The canvas has the size that the graph asks
    for, or the chip's own size rounded up to multiples of 64. `OnnxLayout` states facts that the names and
    shapes of the graph do not show.
    """

    def __init__(  # noqa: PLR0913 - settings by keyword
        self,
        path: str | Path,
        *,
        classes: Sequence[str] | None = None,
        keep: Sequence[str] | None = None,
        layout: OnnxLayout | None = None,
        score_min: float = SCORE_MIN,
        nms_iou: float = 0.5,
        radiometry: Radiometry | None = None,
        device: Device = "auto",
        batch_size: int = 8,
    ) -> None:
        """Open a file, and run it once on a blank chip, because its graph may not fix the shapes of outputs.

        Args:
            path: the file.
            classes: names by label; None is the `names` in the file's metadata, where Ultralytics puts them, else one
                class, `ship`.
            keep: names of the classes to keep; None: all.
            layout: meaning of input and outputs; None: from the graph.
            score_min: lowest score of a detection.
            nms_iou: IoU above which boxes of one class are one object, for graphs without suppression.
            radiometry: conversion of a scene to 8 bits; None is `Radiometry()`.
            device: auto, cpu or cuda; cuda needs onnxruntime-gpu.
            batch_size: chips of one run, if the graph takes more than one.

        Raises:
            MissingExtra: ONNX Runtime is not installed, or too old to be safe.
            FileError: there is no such file, or it is no ONNX graph that can be run.
            InputError: its input or outputs are not those of a detector, or a setting is out of range.
        """
        self._source = f"the ONNX file {path}"
        if not 0 < nms_iou <= 1:
            raise InputError(f"expected an IoU within (0, 1] for NMS, found {nms_iou}")
        self._session = open_session(Path(path), device)
        self._layout, self._nms_iou = layout or OnnxLayout(), nms_iou
        names = tuple(classes) if classes is not None else _names(self._session, self._source) or ("ship",)
        kept = None if keep is None else tuple(keep)
        reading = Reading(self._source, names, self._layout.first_label, kept, score_min)
        self._input = _Input.of(self._session, self._source)
        self._plan = plan_outputs(self._probe(), self._layout, len(names), self._source)
        super().__init__(reading, radiometry=radiometry, batch_size=batch_size if self._input.many else 1)

    def with_score_min(self, score_min: float) -> Self:
        """Copy this predictor with another lowest score; the session is shared."""
        changed = copy(self)
        changed._reading = replace(self._reading, score_min=score_min)  # noqa: SLF001 - its own class
        return changed

    def _probe(self) -> list[Port]:
        """Run a blank chip; return the outputs with their shapes."""
        names = [output.name for output in self._session.get_outputs()]
        arrays, _ = self._run(names, [np.zeros((_PROBE_PX, _PROBE_PX), np.uint8)])
        return [Port(name, np.shape(array), np.asarray(array).dtype.name) for name, array in arrays.items()]

    def _run(self, names: list[str], chips: list[Chip]) -> tuple[dict[str, Any], Letterbox]:
        """Compute the named outputs for chips of one size; return them with the letterbox of these chips."""
        height, width = chips[0].shape[:2]
        box = self._input.letterbox(width, height, self._layout.input_px)
        canvas = self._input.array(np.stack([on_canvas(chip, box) for chip in chips]), self._layout)
        try:
            arrays = self._session.run(names, {self._input.name: canvas})
        except Exception as error:  # ONNX Runtime's errors have no common class
            raise InputError(
                f"expected {self._source} to take an array {canvas.shape}, but it cannot: {first_line(error)}; "
                "try a batch size of 1, or another input_px in OnnxLayout"
            ) from error
        return dict(zip(names, arrays, strict=True)), box

    def _infer(self, chips: list[Chip]) -> list[Found]:
        arrays, box = self._run(self._plan.names, chips)
        limits = (self._reading.score_min, self._nms_iou)
        found = decode(arrays, self._plan, len(self.classes), *limits)
        unit = (1, 1) if self._layout.box_unit == "pixel" else (box.canvas_width, box.canvas_height)
        height, width = chips[0].shape[:2]
        factor = np.array([unit[0] * width / box.width, unit[1] * height / box.height] * 2)
        # an empty output may have any shape
        return [one._replace(boxes_xyxy=one.boxes_xyxy * factor) if len(one.scores) else one for one in found]


class _Input:
    """Image input of a graph."""

    def __init__(self, port: Port, axes: str) -> None:
        self.name, self._dtype, self._axes = port.name, port.dtype, axes
        sizes = dict(zip(axes, port.shape, strict=True))
        self.many = "B" in sizes and sizes["B"] is None
        self._height, self._width, self._channels = sizes["H"], sizes["W"], sizes["C"]

    @classmethod
    def of(cls, session: Any, source: str) -> _Input:
        """Find the image input of a session.

        Raises:
            InputError: it has several inputs, or one that takes no image.
        """
        ports = [_port(one) for one in session.get_inputs()]
        wanted = f"expected one input (B, 3, H, W) or (B, H, W, 3) with B free or 1 in {source}"
        if len(ports) != 1:
            raise InputError(f"{wanted}, found {[port.name for port in ports]}")
        shape, dtype = ports[0].shape, ports[0].dtype
        orders = [order for order in ("BCHW", "BHWC", "CHW", "HWC") if len(order) == len(shape)]
        sizes = [dict(zip(order, shape, strict=True)) for order in orders]
        # channels may be free too: then they are the first axis
        fitting = [one for one in sizes if one["C"] in (1, 3)] + [one for one in sizes[:1] if one["C"] is None]
        if not fitting or fitting[0].get("B", 1) not in (1, None) or dtype not in _IMAGES:
            raise InputError(f"{wanted}, found {ports[0].name} {shape} of {dtype}")
        return cls(ports[0], "".join(fitting[0]))

    def letterbox(self, width: int, height: int, input_px: int | None) -> Letterbox:
        """Letterbox of a chip of `width` x `height` pixels; free sides are multiples of _STRIDE_PX."""
        side = input_px or max(width, height)
        if self._width is None and self._height is None:
            return letterbox(width, height, side, _STRIDE_PX)
        scales = [limit / own for limit, own in ((self._width, width), (self._height, height)) if limit is not None]
        box = letterbox(width, height, max(1, int(max(width, height) * min(scales))), _STRIDE_PX)
        return replace(
            box, canvas_width=self._width or box.canvas_width, canvas_height=self._height or box.canvas_height
        )

    def array(self, canvas: NDArray[np.uint8], layout: OnnxLayout) -> NDArray[Any]:
        """Convert canvases (B, 3, H, W) to the array that the graph takes."""
        values: NDArray[Any] = canvas
        if self._dtype != "uint8":
            mean, std = (np.array(part, np.float32)[:, None, None] for part in (layout.mean, layout.std))
            values = (canvas.astype(np.float32) / 255 - mean) / std
        if self._channels == 1:
            values = values.mean(axis=1, keepdims=True)
        values = values if "B" in self._axes else values[0]
        values = np.moveaxis(values, -3, -1) if self._axes.endswith("HWC") else values
        return np.ascontiguousarray(values, self._dtype)


def _names(session: Any, source: str) -> tuple[str, ...]:
    """Class names in the metadata of a file; empty if there are none."""
    text: Mapping[str, str] = session.get_modelmeta().custom_metadata_map
    written = text.get("names", "")
    if not written:
        return ()
    try:
        return class_names(ast.literal_eval(written[:_NAMES_CHARS]), source)
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        raise InputError(f"expected a list of class names in the metadata of {source}; name its classes") from error


def _port(node: Any) -> Port:
    shape = tuple(size if isinstance(size, int) and size > 0 else None for size in node.shape or ())
    return Port(node.name, shape, _DTYPES.get(node.type, node.type))
