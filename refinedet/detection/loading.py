"""Networks of a detector, from a checkpoint, an export or other people's ONNX file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from refinedet.config.options.detect import DetectorSettings
from refinedet.errors import InputError
from refinedet.extras import load_extra
from refinedet.files import sha256_file

if TYPE_CHECKING:
    from refinedet.adapters.onnx import OnnxPredictor
    from refinedet.model.checkpoint import Header
    from refinedet.runtimes.choice import Runtime
    from refinedet.runtimes.graphs import Graph

_WEAKEST = 1e-3
"""Least score that other people's detectors are run with, for any lowest score of the user."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """Loaded networks on one or more devices."""

    predictors: Sequence[Any]
    """ScalablePredictors of this project; one OnnxPredictor if `header` is None."""
    devices: tuple[str, ...]
    header: Header | None
    """Header of the checkpoint; None for other people's detectors."""
    runtime: Runtime
    precision: str
    torch_mode: str | None = None
    """Mode of torch, if it is the runtime: eager, graph or compile."""
    together: int | None = None
    """Number of windows per call of a predictor; None: the default of `detect_scene`."""

    def foreign(self, score_min: float) -> OnnxPredictor:
        """Other people's detector, with its least score low enough for `score_min`."""
        from refinedet.adapters.common import SCORE_MIN

        # half, so that fragments enter the merge
        found: OnnxPredictor = self.predictors[0].with_score_min(max(_WEAKEST, min(SCORE_MIN, score_min / 2)))
        return found


def weights_sha256(path: Path) -> str:
    """Hex SHA-256 of a file of weights; for an OpenVINO export, of the .xml and the .bin with its weights."""
    beside = path.with_suffix(".bin")
    if path.suffix.lower() != ".xml" or not beside.is_file():
        return sha256_file(path)
    return sha256(f"{sha256_file(path)} {sha256_file(beside)}".encode()).hexdigest()


def load_torch(weights: Path, settings: DetectorSettings) -> Loaded:
    """Load a checkpoint into torch, once for each device; a GPU processes calls of two threads in parallel.

    Raises:
        MissingExtra: torch is not installed.
        InputError: there is no such device, or it does not support the chosen mode.
    """
    load_extra("torch", f"the network of {weights}")
    from refinedet.model.checkpoint import read_header
    from refinedet.predictors.predictor import TorchPredictor, batch_for, resolve_devices
    from refinedet.predictors.torch_passes import resolve_mode
    from refinedet.workarounds.malloc import keep_freed_memory

    keep_freed_memory()
    header, devices = read_header(weights), resolve_devices(settings.device)
    _exact_gpus(devices)
    mode, on_gpu = resolve_mode(settings.torch_mode, devices[0]), devices[0].startswith("cuda")
    precision = settings.float_precision
    loaded = [
        TorchPredictor.load(
            weights, device=device, batch_size=settings.batch_size, precision=precision, torch_mode=mode
        )
        for device in devices
    ]
    together = batch_for(devices[0]) if on_gpu else None
    return Loaded(loaded * (2 if on_gpu else 1), tuple(devices), header, "torch", precision, mode, together)


def load_exported(graph: Graph, runtime: Runtime, settings: DetectorSettings) -> Loaded:
    """Wrap an exported graph, once for each parallel call."""
    from refinedet.runtimes.predictor import ExportedPredictor
    from refinedet.system.concurrency import usable_cores
    from refinedet.tiling import WINDOW_TILES, WINDOWS_TOGETHER

    at_once = min(2 * usable_cores(), WINDOWS_TOGETHER)  # two large windows for each core
    batch_size = settings.batch_size or WINDOW_TILES**2 * at_once
    predictor = ExportedPredictor(graph, batch_size=batch_size)
    header = graph.exported.header
    return Loaded([predictor] * graph.callers, (graph.device,), header, runtime, graph.precision)


def load_foreign(path: Path, settings: DetectorSettings) -> Loaded:
    """Load other people's ONNX file; its metadata names the classes, and windows have the default size."""
    from refinedet.adapters.onnx import OnnxPredictor
    from refinedet.predictors.predictor import batch_for

    for name, given in (
        ("multiscale", settings.multiscale is not None),
        ("precision", settings.precision not in ("auto", "fp32")),
        ("torch_mode", settings.torch_mode != "auto"),
    ):
        if given:
            raise InputError(f"expected a checkpoint (.safetensors) for `{name}`, found {path}; leave the setting out")
    batch_size = settings.batch_size or batch_for(settings.device)
    predictor = OnnxPredictor(path, device=settings.device, batch_size=batch_size)
    return Loaded([predictor], (settings.device,), None, "onnx", "fp32")


def is_export(path: Path) -> bool:
    """True for an ONNX file that this project exported."""
    from refinedet.runtimes.graphs import exported_onnx

    return exported_onnx(path)


def check_runtime(settings: DetectorSettings, runtime: Runtime, weights: Path) -> None:
    """Check that the settings allow the runtime that a file needs.

    Raises:
        InputError: the settings name another runtime.
    """
    if settings.runtime not in ("auto", runtime):
        raise InputError(
            f"expected a checkpoint (.safetensors) for `runtime` {settings.runtime}, found {weights}, which runs by "
            f"{runtime}; leave the setting out"
        )


def check_torch_alone(settings: DetectorSettings, runtime: Runtime) -> None:
    """Check that no setting applies only to torch, if another runtime runs the network.

    Raises:
        InputError: a setting applies only to torch.
    """
    for name, given in (("torch_mode", settings.torch_mode != "auto"), ("precision", settings.precision == "fp16")):
        if given:
            raise InputError(
                f"expected runtime torch for `{name}` {getattr(settings, name)}, found {runtime}; use "
                '`runtime="torch"` with a checkpoint (.safetensors), or leave it out'
            )


def _exact_gpus(devices: Sequence[str]) -> None:
    """Make GPUs convolve in float32, as processors do; by default they round to 10 bits, which moves boxes."""
    if any(device.startswith("cuda") for device in devices):
        import torch

        torch.backends.cudnn.allow_tf32 = False
