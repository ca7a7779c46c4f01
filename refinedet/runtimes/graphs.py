"""Exported files in the engine that runs them. B chips, N anchors, K classes. Nothing here imports torch.

Every canvas goes through the graph on its own, so its numbers do not depend on the other canvases of the call, not even
in the last bit. On a processor that is no slower than whole batches, because one canvas fills the caches.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from refinedet.errors import FileError, InputError, MissingExtra
from refinedet.files import move_file
from refinedet.runtimes.compiled import CompiledModels
from refinedet.runtimes.exported import INPUT, KEY, OUTPUTS, Exported, weights_of
from refinedet.runtimes.onnx_session import first_line, open_session
from refinedet.system.concurrency import usable_cores
from refinedet.tiling import PART_SIDES, WINDOW_TILES
from refinedet.workarounds.openvino.core import kept_core
from refinedet.workarounds.openvino.first_use import BINDING
from refinedet.workarounds.openvino.telemetry import import_without_telemetry

if TYPE_CHECKING:
    from refinedet.runtimes.choice import Runtime

_STREAMS_MAX = 8
"""Most canvases at once; each takes memory of its own, and a call of the default batch size has no more of them."""

_ONNX_METADATA = "framework"
"""Key of OpenVINO's runtime information under which it keeps the metadata of an ONNX file."""

GraphPrecision = Literal["fp32", "bf16"]
Answer = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Boxes (B, N, 4) xyxy in canvas pixels and class scores (B, N, K) of every anchor; a score of 0 is background."""


class Graph(Protocol):
    """Exported detector, ready to run."""

    runtime: str
    """Name of the engine."""
    device: str
    """Device that it runs on."""
    precision: str
    """Precision of the computation: int8 for an int8 file, else the one that was asked for."""
    callers: int
    """Number of threads that should call `run` side by side, so that it always has work; more may."""
    exported: Exported

    def prepare(self) -> None:
        """Compile in the background, so that the first windows of a scene do not wait."""

    def close(self) -> None:
        """End the threads of the graph and free it; it cannot run any more."""

    def run(self, canvases: NDArray[np.uint8]) -> Answer:
        """Run the graph on canvases (B, 3, H, W), B at least 1."""
        ...


def open_graph(
    path: Path,
    *,
    runtime: Runtime | None = None,
    device: str = "auto",
    precision: GraphPrecision = "fp32",
    keep: bool = False,
) -> Graph:
    """Open an exported file.

    Args:
        path: file of `refinedet export` or of `export_beside`.
        runtime: onnx or openvino; None: the engine of its suffix. OpenVINO runs a file of `export_beside`, too.
        device: device of the engine.
        precision: precision of the computation of a float file.
        keep: cache the models that OpenVINO compiles.

    Raises:
        MissingExtra: that engine is not installed.
        FileError: there is no such file, or it cannot be run.
        InputError: it is no export of this project, or the engine has no such device or precision.
    """
    if path.suffix.lower() == ".onnx" and runtime != "openvino":
        return OnnxGraph(path, device=device, precision=precision)
    return OpenVinoGraph(path, device=device, precision=precision, keep=keep)


def exported_onnx(path: Path) -> bool:
    """True if an ONNX file is an export of this project, and not another detector.

    Raises:
        MissingExtra, FileError: as `onnx_session.open_session`.
    """
    return KEY in open_session(path, "cpu").get_modelmeta().custom_metadata_map


class OnnxGraph:
    """Graph in ONNX Runtime."""

    runtime, precision, callers = "onnx", "fp32", 1

    def __init__(self, path: Path, *, device: str, precision: GraphPrecision) -> None:
        if precision != "fp32":
            raise InputError(
                f'expected `precision="fp32"` for runtime onnx, found {precision}; use `runtime="openvino"`'
            )
        self._session = open_session(path, device)
        text = self._session.get_modelmeta().custom_metadata_map.get(KEY, "")
        self.exported = Exported.from_text(text, str(path))
        on_gpu = "CUDAExecutionProvider" in self._session.get_providers()
        self.device = ("cuda" if device == "auto" else device) if on_gpu else "cpu"

    def prepare(self) -> None:
        """Do nothing, because the session is ready."""

    def close(self) -> None:
        """Free the session."""
        self._session = None

    def run(self, canvases: NDArray[np.uint8]) -> Answer:
        """Run the graph on canvases (B, 3, H, W)."""
        answers = [self._session.run(list(OUTPUTS), {INPUT: canvas[None]}) for canvas in canvases]
        boxes, scores = (np.concatenate(part) for part in zip(*answers, strict=True))
        return boxes, scores


class OpenVinoGraph:
    """Graph in OpenVINO on the processor, with one canvas at a time for each core, at most eight.

    The graph is compiled for the square canvases of windows and of their parts. It is compiled once more for canvases
    of any size when the first other canvas comes; that form takes a fifth more time.
    """

    runtime, device, callers = "openvino", "cpu", 2

    def __init__(self, path: Path, *, device: str, precision: GraphPrecision, keep: bool) -> None:
        if device not in ("auto", "cpu"):
            raise InputError(
                f"expected device auto or cpu for runtime openvino, found '{device}'; use `runtime=\"torch\"`"
            )
        if not path.is_file():
            raise FileError(f"expected an OpenVINO file at {path}, found none; check the name")
        self._path, self._vino = path, openvino()
        self._streams = min(usable_cores(), _STREAMS_MAX)
        with BINDING:
            self._core = kept_core(self._vino)
        settings = {
            "INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32",
            "PERFORMANCE_HINT": "THROUGHPUT",
            "NUM_STREAMS": str(self._streams),
            "INFERENCE_NUM_THREADS": str(usable_cores()),
            "ENABLE_CPU_PINNING": "NO",  # or every process of an archive would keep to the same first cores
        }
        with _readable(path):
            self._models = CompiledModels(self._vino, self._core, path, settings, keep=keep)
            text = self._models.metadata([KEY] if path.suffix.lower() == ".xml" else [_ONNX_METADATA, KEY])
        self.exported = Exported.from_text(text, str(path))
        if precision != "fp32" and self.exported.precision == "int8":
            raise InputError(
                f"expected precision fp32 for {path}, which is int8 itself, found {precision}; leave it out"
            )
        if precision == "bf16" and "BF16" not in self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            raise InputError('expected a processor with bfloat16 for `precision="bf16"`, found one without; use fp32')
        self.precision: str = "int8" if self.exported.precision == "int8" else precision
        self._one = Lock()
        self._requests: dict[int | None, Future[_Requests]] = {}
        self._compiler = ThreadPoolExecutor(1, thread_name_prefix="compile")

    def prepare(self) -> None:
        """Compile for windows and their smallest parts in the background."""
        *parts, whole, _ = self._usual_px()
        self._ready(whole)
        self._ready(parts[0])

    def close(self) -> None:
        """End the threads that compile and infer, and free their models."""
        self._compiler.shutdown(cancel_futures=True)
        with self._one:
            ready = [one for one in self._requests.values() if not one.cancelled() and not one.exception()]
            self._requests.clear()
        for one in ready:
            one.result().close()

    def run(self, canvases: NDArray[np.uint8]) -> Answer:
        """Run the graph on canvases (B, 3, H, W)."""
        height, width = canvases.shape[2:]
        usual = height == width and height in self._usual_px()
        answers = self._ready(height if usual else None).result().run(canvases)
        boxes, scores = (np.concatenate(part) for part in zip(*answers, strict=True))
        return boxes, scores

    def _usual_px(self) -> list[int]:
        """Sides of the square canvases of the parts of windows, windows and large windows."""
        model = self.exported.header.model
        step = model.strides[-1]
        parts = [math.ceil(share * model.input_px / step) * step for share in PART_SIDES]
        return [*parts, model.input_px, WINDOW_TILES * model.input_px]

    def _ready(self, side_px: int | None) -> Future[_Requests]:
        """Requests on the graph compiled for a square canvas, or for any canvas if `side_px` is None."""
        with self._one:
            known = self._requests.get(side_px)
            if known is None or (known.done() and known.exception()):  # what failed for lack of memory may pass later
                self._requests[side_px] = self._compiler.submit(self._compiled, side_px)
            return self._requests[side_px]

    def _compiled(self, side_px: int | None) -> _Requests:
        with _readable(self._path):
            return _Requests(self._models.get(side_px), self._streams)


class _Requests:
    """Infer requests of a compiled graph, shared by all callers; each has a thread that waits for it."""

    def __init__(self, compiled: Any, count: int) -> None:
        self.compiled = compiled
        self._idle: SimpleQueue[Any] = SimpleQueue()
        for _ in range(count):
            self._idle.put(compiled.create_infer_request())
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="infer")

    def run(self, canvases: NDArray[np.uint8]) -> list[Answer]:
        """Run the graph on each canvas; an error of any request is raised here."""
        answers = [self._pool.submit(self._look, canvas) for canvas in canvases]
        try:
            return [answer.result() for answer in answers]
        finally:
            for answer in answers:
                answer.cancel()  # those that have not begun when another one fails

    def close(self) -> None:
        """End the threads after their present canvas."""
        self._pool.shutdown()

    def _look(self, canvas: NDArray[np.uint8]) -> Answer:
        request = self._idle.get()
        try:
            with BINDING:
                request.start_async({INPUT: canvas[None]})
            request.wait()
            with BINDING:
                boxes, scores = (request.get_tensor(name).data.copy() for name in OUTPUTS)
            return boxes, scores
        finally:
            self._idle.put(request)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turn OpenVINO's errors on a damaged file into one sentence."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        raise FileError(
            f"expected a model for OpenVINO at {path} with its weights ({weights_of(path).name}) beside it, but it "
            f"cannot be run: {first_line(error)}"
        ) from error


def openvino() -> Any:
    """Import the module openvino, without usage data.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        return import_without_telemetry("openvino")
    except ImportError as error:
        raise MissingExtra("expected openvino for runtime openvino, found none; install refinedet again") from error


def move_openvino(made: Path, path: Path) -> None:
    """Move an OpenVINO file and its weights within one file system; existing files are replaced."""
    for suffix in (".bin", ".xml"):  # the .xml last: if it exists, the file is whole
        move_file(made.with_suffix(suffix), path.with_suffix(suffix))
