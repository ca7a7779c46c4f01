"""Ways to run the network for benchmarks/speed/gpu.py: torch, ONNX Runtime and OpenVINO, on a GPU or a processor."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinedet.errors import InputError
from refinedet.predictors.predictor import TorchPredictor
from refinedet.runtimes.exported import INPUT, OUTPUTS
from refinedet.runtimes.graphs import Answer, OnnxGraph, openvino
from refinedet.runtimes.predictor import ExportedPredictor
from refinedet.weights import shipped_graph, shipped_weights


@dataclass(frozen=True, slots=True)
class Way:
    """Way to run the network."""

    name: str
    precision: str
    device: str
    load: Callable[[], Any]
    """Function that loads a predictor whose `batch_size` can be set."""
    callers: int = 1
    """Threads that call it side by side."""
    slow: bool = False
    """True if each batch size takes a minute to prepare."""


def all_ways(device: str, precisions: Sequence[str]) -> Iterator[Way]:
    """Ways on a device, the slow ones last. On a processor, the other engines use it too, so that all code is tried."""
    on_gpu = device != "cpu"
    for mode in ("graph", "eager", "compile"):
        if mode == "compile":
            yield from _others(device)
        for precision in precisions:
            load = partial(_torch, device, precision, mode)
            yield Way(f"torch {mode}", precision, device, load, 2 if on_gpu else 1, slow=mode == "compile")


def _others(device: str) -> Iterator[Way]:
    graph = _graph_file()
    yield Way("ONNX Runtime, one by one", "fp32", device, lambda: ExportedPredictor(_onnx(OnnxGraph, graph, device)))
    yield Way("ONNX Runtime, batches", "fp32", device, lambda: ExportedPredictor(_onnx(_InBatches, graph, device)))
    place = "CPU" if device == "cpu" else "GPU"
    for precision in ("f32", "f16"):
        load = partial(_openvino, graph, place, precision)
        yield Way("OpenVINO, batches", precision.replace("f", "fp"), place.lower(), load)


def _graph_file() -> Path:
    graph = shipped_graph(shipped_weights())
    assert graph is not None, "the package carries the graph of its weights"
    return graph


def _torch(device: str, precision: str, mode: str) -> TorchPredictor:
    return TorchPredictor.load(shipped_weights(), device=device, precision=precision, torch_mode=mode)  # type: ignore[arg-type]  # names of this script


def _onnx(kind: type[OnnxGraph], path: Path, device: str) -> OnnxGraph:
    return kind(path, device=device, precision="fp32")


def _openvino(path: Path, device: str, precision: str) -> ExportedPredictor:
    return ExportedPredictor(_OpenVinoInBatches(path, device, precision))


class _InBatches(OnnxGraph):
    """Graph in ONNX Runtime that takes its canvases at once, which a processor does not gain from."""

    def run(self, canvases: NDArray[np.uint8]) -> Answer:
        """Run the graph on canvases (B, 3, H, W)."""
        boxes, scores = self._session.run(list(OUTPUTS), {INPUT: canvases})
        return boxes, scores


class _OpenVinoInBatches:
    """Graph in OpenVINO on one of its devices, compiled for each shape of a batch."""

    runtime, callers = "openvino", 1

    def __init__(self, path: Path, device: str, precision: str) -> None:
        self._core = openvino().Core()
        if device not in {name.partition(".")[0] for name in self._core.available_devices}:
            raise InputError(f"OpenVINO has no device {device} here")
        self.device, self.precision = device, precision
        self.exported = OnnxGraph(path, device="cpu", precision="fp32").exported
        self._path, self._settings = path, {"INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "THROUGHPUT"}
        self._compiled: dict[tuple[int, ...], Any] = {}

    def prepare(self) -> None:
        """Do nothing, because the first batch of a shape compiles."""

    def close(self) -> None:
        """Free what was compiled."""
        self._compiled.clear()

    def run(self, canvases: NDArray[np.uint8]) -> Answer:
        """Run the graph on canvases (B, 3, H, W)."""
        if canvases.shape not in self._compiled:
            model = self._core.read_model(self._path)
            model.reshape(list(canvases.shape))
            self._compiled[canvases.shape] = self._core.compile_model(model, self.device, self._settings)
        found = self._compiled[canvases.shape]({INPUT: canvases})
        boxes, scores = (np.asarray(found[name], np.float32) for name in OUTPUTS)
        return boxes, scores
