"""The predictors of one call of `refinedet detect`: a checkpoint in torch or exported, or somebody else's ONNX file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cli.detect_options import DetectOptions
from refinedet.config import MultiscaleConfig, PostprocessConfig, TileConfig
from refinedet.errors import InputError
from refinedet.files import sha256_file
from refinedet.weights import shipped_weights

if TYPE_CHECKING:
    from refinedet.model.checkpoint import Header
    from refinedet.predictors.multiscale import ScalablePredictor
    from refinedet.predictors.predictor import Predictor
    from refinedet.runtimes.choice import Runtime

_WEAKEST = 1e-3
"""Score below which a foreign detector is not listened to, whatever is asked for."""


@dataclass(frozen=True, slots=True)
class Team:
    """Predictors that share the work, and what goes with them."""

    predictors: list[Predictor]
    """Equal but for their devices; the same one as often as it takes calls side by side."""
    devices: list[str]
    tile: TileConfig
    """Windows of a scene."""
    weights: Path
    made_by: dict[str, Any]
    """What decides the detections, for the journal."""
    prescreen: float | None = None
    """As in SceneChoice."""
    ship_m: float | None = None
    """As in SceneChoice."""

    @property
    def ran_by(self) -> dict[str, Any]:
        """Runtime, precision, prescreen and longest ship, for the record: what `auto` and the defaults came to."""
        ran = {name: self.made_by[name] for name in ("runtime", "precision")}
        return ran | {"prescreen": self.prescreen, "ship_m": self.ship_m}


def team(options: DetectOptions) -> Team:
    """Load what `options` asks for.

    Raises:
        RefineDetError: the weights, the runtime or the device cannot be used.
    """
    from refinedet.runtimes.choice import resolve_runtime

    weights = options.weights or shipped_weights()
    suffix = weights.suffix.lower()
    if suffix == ".xml" or (suffix == ".onnx" and _ours(weights)):
        runtime: Runtime = "onnx" if suffix == ".onnx" else "openvino"
        _check_runtime(options, runtime, weights)
        return _exported(weights, weights, runtime, options)
    if suffix == ".onnx":
        _check_runtime(options, "onnx", weights)
        return _onnx(weights, options)
    runtime = resolve_runtime(options.runtime, options.device)
    if runtime == "torch":
        return _torch(weights, options)
    from refinedet.model.checkpoint import read_header
    from refinedet.runtimes.cache import cached_export

    read_header(weights)  # what is no checkpoint is told so before anything is exported
    return _exported(weights, cached_export(weights, runtime), runtime, options)


def _torch(weights: Path, options: DetectOptions) -> Team:
    from refinedet.model.checkpoint import read_header
    from refinedet.predictors.predictor import TorchPredictor, resolve_devices
    from refinedet.workarounds.malloc import keep_freed_memory

    keep_freed_memory()
    header, devices = read_header(weights), resolve_devices(options.device)
    _exact_gpus(devices)
    asked = _asked(header, options)
    loaded = [
        TorchPredictor.load(
            weights, device=device, batch_size=options.batch_size, postprocess=asked, precision=options.precision
        )
        for device in devices
    ]
    return _team(loaded, devices, header, weights, "torch", options)


def _exported(weights: Path, path: Path, runtime: Runtime, options: DetectOptions) -> Team:
    """By an exported file: `weights` is what the user named, `path` what is run."""
    from refinedet.concurrency import usable_cores
    from refinedet.runtimes.graphs import open_graph
    from refinedet.runtimes.predictor import ExportedPredictor
    from refinedet.tiling import WINDOW_TILES

    device = "auto" if options.device == "all" else options.device
    graph = open_graph(path, device=device, precision=options.precision, keep=True)
    header = graph.exported.header
    if _prescreen(options, header.classes) is not None:
        graph.prepare()
    from refinedet.scene.detect import WINDOWS_TOGETHER  # what this imports takes as long as to prepare

    at_once = min(2 * usable_cores(), WINDOWS_TOGETHER)  # two large windows for each core
    batch_size = options.batch_size or WINDOW_TILES**2 * at_once
    predictor = ExportedPredictor(graph, batch_size=batch_size, postprocess=_asked(header, options))
    found = _team([predictor] * graph.callers, [graph.device], header, weights, runtime, options)
    return replace(found, made_by=found.made_by | {"precision": graph.precision})  # int8 is the file's, not asked for


def _asked(header: Header, options: DetectOptions) -> PostprocessConfig:
    from refinedet.scene.detect import FRAGMENT_SHARE

    lowest = min(header.postprocess.score_min, options.score_min)
    return replace(header.postprocess, score_min=lowest, keep_min=FRAGMENT_SHARE * options.score_min)


def _team(
    loaded: Sequence[ScalablePredictor],
    devices: list[str],
    header: Header,
    weights: Path,
    runtime: Runtime,
    options: DetectOptions,
) -> Team:
    prescreen = _prescreen(options, header.classes)
    trained = TileConfig.from_dict(header.provenance.get("tile", {}))
    predictors, tile = _looking(loaded, trained, options, large=prescreen is None)
    made_by = {
        "weights": sha256_file(weights),
        "score_min": _asked(header, options).score_min,
        "multiscale": options.multiscale,
        "runtime": runtime,
        "precision": options.precision,
    }
    ship_m = _longest_ship_m(options, header.classes)
    return Team(predictors, devices, tile, weights, made_by, prescreen, ship_m)


def _prescreen(options: DetectOptions, classes: tuple[str, ...] | None) -> float | None:
    """The contrast that a window must have to be looked at, if any; `classes` of a network of ours, else None."""
    from refinedet.scene.windows.prescreen import K

    return K if options.prescreen == "on" or (options.prescreen is None and classes == ("ship",)) else None


def _longest_ship_m(options: DetectOptions, classes: tuple[str, ...]) -> float | None:
    """What the overlap of windows must hold; None where others than ships are found, or the overlap is asked for."""
    from refinedet.scene.windows.overlap import LONGEST_SHIP_M

    return LONGEST_SHIP_M if options.overlap_px is None and classes == ("ship",) else None


def _looking(
    loaded: Sequence[ScalablePredictor], trained: TileConfig, options: DetectOptions, *, large: bool
) -> tuple[list[Predictor], TileConfig]:
    """How the networks look at a scene, and its windows: those of training, or larger ones where that is less work."""
    from refinedet.predictors.large_windows import LargeWindows, large_windows
    from refinedet.predictors.multiscale import MultiscalePredictor

    tile = options.tile(trained)
    if options.multiscale:
        passes = MultiscaleConfig.preset(options.multiscale)
        return [MultiscalePredictor(one, passes) for one in loaded], tile
    if options.tile_px is not None or not large:
        return list(loaded), tile
    return [LargeWindows(one, tile) for one in loaded], large_windows(tile)


def _ours(path: Path) -> bool:
    from refinedet.runtimes.graphs import exported_onnx

    return exported_onnx(path)


def _check_runtime(options: DetectOptions, runtime: Runtime, weights: Path) -> None:
    if options.runtime not in ("auto", runtime):
        raise InputError(
            f"expected a checkpoint (.safetensors) for --runtime {options.runtime}, found {weights}, which runs by "
            f"{runtime}; leave the option out"
        )


def _exact_gpus(devices: list[str]) -> None:
    """Let GPUs convolve in float32, as processors do: by default they round to 10 bits, and boxes move."""
    if any(device.startswith("cuda") for device in devices):
        import torch

        torch.backends.cudnn.allow_tf32 = False


def _onnx(path: Path, options: DetectOptions) -> Team:
    """An ONNX file is somebody else's detector: its classes are those in its metadata, its windows the default ones."""
    from refinedet.adapters.common import SCORE_MIN
    from refinedet.adapters.onnx import OnnxPredictor
    from refinedet.predictors.predictor import batch_for

    for name, given in (("--multiscale", options.multiscale is not None), ("--precision", options.precision != "fp32")):
        if given:
            raise InputError(f"expected a checkpoint (.safetensors) for {name}, found {path}; leave the option out")
    lowest = max(_WEAKEST, min(SCORE_MIN, options.score_min / 2))  # half: fragments enter the merge, too
    batch_size = options.batch_size or batch_for(options.device)
    predictor = OnnxPredictor(path, score_min=lowest, device=options.device, batch_size=batch_size)
    made_by = {"weights": sha256_file(path), "score_min": lowest, "multiscale": None}
    made_by |= {"runtime": "onnx", "precision": options.precision}
    tile = options.tile(TileConfig())
    return Team([predictor], [options.device], tile, path, made_by, _prescreen(options, None))
