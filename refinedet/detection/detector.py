"""Detector: weights with their runtime, devices and windows, loaded once for many scenes."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from refinedet.config import StretchChoice
from refinedet.config.inference import TorchMode
from refinedet.config.options.detect import (
    DetectorSettings,
    MultiscalePreset,
    PrecisionChoice,
    RuntimeChoice,
    WindowSettings,
)
from refinedet.detection.loading import (
    Loaded,
    check_runtime,
    check_torch_alone,
    is_export,
    load_exported,
    load_foreign,
    load_torch,
    weights_sha256,
)
from refinedet.detection.search import Search, prescreens, settle
from refinedet.errors import FileError, InputError
from refinedet.files import sha256_file
from refinedet.radiometry import check_choice
from refinedet.runtimes.processor import instructions_for_8_bits
from refinedet.weights import shipped_graph, shipped_weights

if TYPE_CHECKING:
    from refinedet.runtimes.choice import Runtime
    from refinedet.runtimes.graphs import Graph, GraphPrecision

_LOGGER = logging.getLogger(__name__)
_IN_8_BITS = (
    "the network computed in 8 bits, which is faster on this processor ({}); boxes and scores differ a little from "
    'those in floats; set `precision="fp32"` to compute in floats'
)


class Detector:
    """Detector that is ready for scenes. Make one with `load`, and use it as a context manager to close it.

    >>> with Detector.load() as detector:  # doctest: +SKIP
    ...     for scene in scenes:
    ...         refinedet.find_ships(scene, detector=detector)
    """

    def __init__(
        self, settings: DetectorSettings, weights: Path, loaded: Loaded, *, graph: Graph | None = None
    ) -> None:
        """Take loaded networks; `load` calls this."""
        self.settings, self.weights = settings, weights
        self.weights_sha256 = weights_sha256(weights)
        self._loaded, self._graph = loaded, graph
        self._graph_sha256: str | None = None
        self._classes = tuple(loaded.predictors[0].classes)
        self._open = True

    @classmethod
    def load(  # noqa: PLR0913 - settings by keyword
        cls,
        weights: str | Path | None = None,
        *,
        runtime: RuntimeChoice = "auto",
        device: str = "auto",
        precision: PrecisionChoice = "auto",
        multiscale: MultiscalePreset | None = None,
        batch_size: int | None = None,
        torch_mode: TorchMode = "auto",
    ) -> Self:
        """Load a checkpoint (.safetensors), an export of one (.onnx, .xml), or an ONNX detector of other make.

        Args:
            weights: the file; None: the weights that come with the package.
            runtime: engine that runs the network; auto: torch on a GPU, else the first of openvino, onnx and torch that
                is installed, and torch where no export can be made.
            device: auto, cpu, cuda, cuda:N, or all: every GPU at once.
            precision: auto, fp32, bf16, fp16 (torch alone) or int8. auto is that of the file; of the package's weights
                it is int8 on a processor with AVX2, VNNI or AMX, by openvino, in one pass; else it is fp32.
            multiscale: preset of passes at other sizes and mirrored; None: one pass.
            batch_size: windows per pass of the network; None: what suits the device.
            torch_mode: how torch runs the network: eager, graph, compile, or auto: graph on a GPU, else eager.

        Raises:
            FileError: a file is missing or damaged.
            InputError: the file holds no detector, or the runtime, device or precision cannot be used with it.
            MissingExtra: the runtime is not installed.
        """
        path = None if weights is None else Path(weights).expanduser()
        return cls.of(DetectorSettings(path, multiscale, batch_size, device, runtime, precision, torch_mode))

    @classmethod
    def of(cls, settings: DetectorSettings) -> Self:
        """Load the detector that the settings name.

        Raises:
            RefineDetError: as `load`.
        """
        from refinedet.runtimes.choice import resolve_runtime

        weights = settings.weights or shipped_weights()
        suffix = weights.suffix.lower()
        if suffix == ".xml" or (suffix == ".onnx" and is_export(weights)):
            runtime: Runtime = "onnx" if suffix == ".onnx" else "openvino"
            check_runtime(settings, runtime, weights)
            return cls._exported(settings, weights, weights, runtime)
        if suffix == ".onnx":
            check_runtime(settings, "onnx", weights)
            return cls(settings, weights, load_foreign(weights, settings))
        asked_for = settings.precision == "int8"
        small = _in_8_bits(settings, weights) if asked_for else _auto_in_8_bits(settings, weights)
        shipped = small or shipped_graph(weights)
        engine: RuntimeChoice = "openvino" if small else settings.runtime
        runtime = resolve_runtime(engine, settings.device, has_graph=shipped is not None)
        if runtime == "torch":
            return cls(settings, weights, load_torch(weights, settings))
        if shipped is not None:
            return cls._exported(settings, weights, shipped, runtime)
        from refinedet.model.checkpoint import read_header
        from refinedet.runtimes.cache import cached_export

        read_header(weights)  # a file that is no checkpoint is refused before anything is exported
        try:
            exported = cached_export(weights, runtime)
        except FileError as error:
            if settings.runtime != "auto":
                raise
            _LOGGER.warning("torch runs the network instead of %s: %s", runtime, error)
            return cls(settings, weights, load_torch(weights, settings))
        return cls._exported(settings, weights, exported, runtime)

    @classmethod
    def _exported(cls, settings: DetectorSettings, weights: Path, path: Path, runtime: Runtime) -> Self:
        """Load `path`, an exported file, which is `weights` itself or was made from it.

        Raises:
            FileError: it was made from other weights.
            InputError: it is in floats, and 8 bits are asked for, or the other way round; or a setting is for torch
                alone.
        """
        from refinedet.runtimes.graphs import open_graph

        check_torch_alone(settings, runtime)
        low: GraphPrecision = "bf16" if settings.precision == "bf16" else "fp32"
        device = "auto" if settings.device == "all" else settings.device
        graph = open_graph(path, runtime=runtime, device=device, precision=low, keep=True)
        if path != weights and graph.exported.weights_sha256 != sha256_file(weights):
            raise FileError(
                f"expected a graph of {weights} at {path}, found one of other weights; install refinedet again"
            )
        if settings.precision == "int8" and graph.precision != "int8":
            raise InputError(
                f'expected a file in 8 bits for `precision="int8"`, found {path}, which is in floats; '
                "`refinedet export` makes one"
            )
        if settings.precision == "fp32" and graph.precision == "int8":
            raise InputError(
                f'expected a file in floats for `precision="fp32"`, found {path}, which is in 8 bits; name the '
                "checkpoint as `weights`, or leave the setting out"
            )
        found = cls(settings, weights, load_exported(graph, runtime, settings), graph=graph)
        if path != weights and graph.precision == "int8":  # one checkpoint may have several graphs in 8 bits
            found._graph_sha256 = weights_sha256(path)
        return found

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names by label."""
        return self._classes

    @property
    def devices(self) -> tuple[str, ...]:
        """Devices that the network runs on."""
        return self._loaded.devices

    @property
    def runtime(self) -> Runtime:
        """Engine that runs the network."""
        return self._loaded.runtime

    @property
    def precision(self) -> str:
        """Number format of the network: fp32, bf16, fp16 or int8."""
        return self._loaded.precision

    @property
    def torch_mode(self) -> str | None:
        """Mode in which torch runs the network: eager, graph or compile; None: another runtime runs it."""
        return self._loaded.torch_mode

    @property
    def identity(self) -> dict[str, Any]:
        """Identity of the detector, as JSON values: everything that decides its detections."""
        found = {
            "weights": self.weights_sha256,
            "runtime": self.runtime,
            "precision": self.precision,
            "multiscale": self.settings.multiscale,
        }
        return found if self._graph_sha256 is None else found | {"graph": self._graph_sha256}

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on what was chosen where the settings were silent, and may show in results."""
        if self.settings.precision != "auto" or self._graph_sha256 is None:
            return ()
        return (_IN_8_BITS.format(" and ".join(instructions_for_8_bits())),)

    def search(self, windows: WindowSettings | None = None) -> Search:
        """Settle the search of scenes; where the settings are silent, the training of the weights decides.

        Raises:
            InputError: the detector is closed, or the windows do not fit together.
        """
        self.check_open()
        windows = windows or WindowSettings()
        if self._graph is not None and prescreens(windows, self._loaded.header):
            self._graph.prepare()  # in the background: the caller imports and opens meanwhile
        return settle(self._loaded, self.settings, windows)

    def check_stretch(self, choice: StretchChoice) -> None:
        """Check that the weights know the stretch that a run asks for; a detector of other make takes any.

        Raises:
            InputError: they were trained with another one.
        """
        if self._loaded.header is not None:
            check_choice(choice, self._loaded.header.radiometry)

    def check_open(self) -> None:
        """Check that the detector can be used.

        Raises:
            InputError: it is closed.
        """
        if not self._open:
            raise InputError("expected a detector that is open, found a closed one; load it again")

    def close(self) -> None:
        """Free the network; the detector cannot be used any more. A second call does nothing."""
        if self._open:
            self._open = False
            if self._graph is not None:
                self._graph.close()
            self._loaded = replace(self._loaded, predictors=[])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _in_8_bits(settings: DetectorSettings, weights: Path) -> Path:
    """Path of the graph in 8 bits of a checkpoint.

    Raises:
        InputError: there is none, or another runtime is asked for.
    """
    check_runtime(settings, "openvino", weights)
    graph = shipped_graph(weights, "int8")
    if graph is None:
        raise InputError(
            f'expected a graph in 8 bits of {weights} for `precision="int8"`, found none; `refinedet export` makes '
            "one, which is then named as `weights`"
        )
    return graph


def _auto_in_8_bits(settings: DetectorSettings, weights: Path) -> Path | None:
    """Path of the graph in 8 bits that `precision="auto"` takes; None: it takes floats.

    It takes floats for passes at other sizes, whose user wants exactness, and where 8 bits are not faster.
    """
    from refinedet.runtimes.choice import resolve_runtime

    if settings.precision != "auto" or settings.multiscale is not None or not instructions_for_8_bits():
        return None
    graph = shipped_graph(weights, "int8")
    if graph is None or resolve_runtime(settings.runtime, settings.device, has_graph=True) != "openvino":
        return None
    return graph
