"""The predictors of one call of `refinedet detect`: a checkpoint on each device, or somebody else's ONNX file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.detect_options import DetectOptions
from refinedet.config import MultiscaleConfig, TileConfig
from refinedet.errors import InputError
from refinedet.files import sha256_file
from refinedet.weights import shipped_weights

if TYPE_CHECKING:
    from refinedet.predictor import Predictor

_WEAKEST = 1e-3
"""Score below which a foreign detector is not listened to, whatever is asked for."""


@dataclass(frozen=True, slots=True)
class Team:
    """Predictors that share the work, and what goes with them."""

    predictors: list[Predictor]
    """Equal but for their devices."""
    devices: list[str]
    tile: TileConfig
    """Windows of the size that the network was trained on, unless asked otherwise."""
    weights: Path
    made_by: dict[str, Any]
    """What decides the detections, for the journal."""


def team(options: DetectOptions) -> Team:
    """Load what `options` asks for.

    Raises:
        RefineDetError: the weights or the device cannot be used.
    """
    weights = options.weights or shipped_weights()
    if weights.suffix.lower() == ".onnx":
        return _onnx(weights, options)
    from refinedet.memory import keep_freed_memory
    from refinedet.model.checkpoint import read_header
    from refinedet.multiscale import MultiscalePredictor
    from refinedet.predictor import TorchPredictor, resolve_devices

    keep_freed_memory()
    header, devices = read_header(weights), resolve_devices(options.device)
    _exact_gpus(devices)
    lowest = min(header.postprocess.score_min, options.score_min)
    asked = replace(header.postprocess, score_min=lowest)
    predictors: list[Predictor] = []
    passes = options.multiscale and MultiscaleConfig.preset(options.multiscale)
    for device in devices:
        loaded = TorchPredictor.load(weights, device=device, batch_size=options.batch_size, postprocess=asked)
        predictors.append(MultiscalePredictor(loaded, passes) if passes else loaded)
    tile = options.tile(TileConfig.from_dict(header.provenance.get("tile", {})))
    made_by = {"weights": sha256_file(weights), "score_min": lowest, "multiscale": options.multiscale}
    return Team(predictors, devices, tile, weights, made_by)


def _exact_gpus(devices: list[str]) -> None:
    """Let GPUs convolve in float32, as processors do: by default they round to 10 bits, and boxes move."""
    if any(device.startswith("cuda") for device in devices):
        import torch

        torch.backends.cudnn.allow_tf32 = False


def _onnx(path: Path, options: DetectOptions) -> Team:
    """An ONNX file is somebody else's detector: its classes are those in its metadata, its windows the default ones."""
    from refinedet.adapters.common import SCORE_MIN
    from refinedet.adapters.onnx import OnnxPredictor
    from refinedet.predictor import batch_for

    if options.multiscale is not None:
        raise InputError(f"expected a checkpoint (.safetensors) for --multiscale, found {path}; leave the option out")
    lowest = max(_WEAKEST, min(SCORE_MIN, options.score_min / 2))  # half: fragments enter the merge, too
    batch_size = options.batch_size or batch_for(options.device)
    predictor = OnnxPredictor(path, score_min=lowest, device=options.device, batch_size=batch_size)
    made_by = {"weights": sha256_file(path), "score_min": lowest, "multiscale": None}
    return Team([predictor], [options.device], options.tile(TileConfig()), path, made_by)
