"""Predictor protocol from chips to detections, shared by scene detection, evaluation and training."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from refinedet.config import ModelConfig, PostprocessConfig, Radiometry
from refinedet.config.inference import FloatPrecision, TorchMode
from refinedet.detections import Detections
from refinedet.errors import InputError
from refinedet.tiling import Letterbox, letterbox

if TYPE_CHECKING:
    from refinedet.model.network import RefineDet

Chip = NDArray[np.uint8]
"""One 8-bit chip, (H, W) for a single band or (H, W, 3) for RGB; any size."""

Device = str
"""`auto`, `cpu`, `cuda` or `cuda:N`."""


class Predictor(Protocol):
    """Object finder for chips, which `detect_scene` takes.

    A chip is uint8, one band (H, W) or RGB (H, W, 3), of any size. It is a window, a smaller one in a narrow scene, or
    a small scene as a whole. Results must not depend on how chips are grouped into calls, and equal chips must get
    equal results. Resuming, batches and byte-equal files rely on both.

    Adapters for other networks: `TorchvisionPredictor`, `OnnxPredictor`, `UltralyticsPredictor`. To write your own,
    see docs/howto/own-detector.md.
    """

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names by label, without background."""
        ...

    @property
    def radiometry(self) -> Radiometry:
        """Conversion of scene pixels to the 8 bits that it expects."""
        ...

    def predict(self, chips: Sequence[Chip]) -> list[Detections]:
        """Detections of each chip, in that chip's own pixels, in the order of `chips`; they may be empty.

        `Detections.of` makes them: boxes (N, 4) float32 xyxy half-open, scores (N,) in [0, 1], labels (N,) into
        `classes`.
        """
        ...


@runtime_checkable
class PartPredictor(Predictor, Protocol):
    """Predictor that also takes parts of windows, so that `detect_scene` passes no more pixels than it must."""

    def predict_parts(self, chips: Sequence[Chip], whole_px: int) -> list[Detections]:
        """Find ships in chips at the scale that a chip with a long side of `whole_px` would have."""
        ...


def resolve_device(name: Device) -> str:
    """Resolve the name of a device; `auto` becomes `cuda` if a GPU is found, else `cpu`.

    Raises:
        InputError: a GPU is asked for and there is none, or the name is unknown.
    """
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    kind, _, number = name.partition(":")
    if name not in ("cpu", "cuda") and not (kind == "cuda" and number.isdecimal()):
        raise InputError(f"expected device auto, cpu, cuda, cuda:N or all, found '{name}'")
    if kind == "cuda" and not torch.cuda.is_available():
        raise InputError(f"expected a GPU for device '{name}', found none; use `device=\"cpu\"` or auto")
    if int(number or 0) >= max(1, torch.cuda.device_count()):
        raise InputError(
            f"expected a GPU for device '{name}', found {torch.cuda.device_count()}, numbered from 0; name one of them"
        )
    return name


def resolve_devices(name: Device) -> list[str]:
    """Resolve the name of devices that work together; `all` is every GPU, or the CPU without any.

    Raises:
        InputError: as `resolve_device`.
    """
    import torch

    if name != "all":
        return [resolve_device(name)]
    return [f"cuda:{number}" for number in range(torch.cuda.device_count())] or ["cpu"]


def batch_for(device: str) -> int:
    """Number of chips per pass of the network that suits a resolved device.

    On two cores, EfficientNet-Lite0 at 512 pixels took 83 ms a chip in passes of one or two and 103 ms in passes of
    eight, with 0.9, 1.0 and 2.0 GB of memory in all. A GPU needs more chips at once to be busy; at about 0.1 GB per
    chip, 32 fit into small GPUs (estimated, not measured).
    """
    return 32 if device.startswith("cuda") else 2


class CanvasPredictor(ABC):
    """Predictor for a network that takes canvases. It letterboxes chips and returns boxes in chip pixels.

    A subclass detects on canvases of one size. The canvas of a chip never depends on its neighbours.
    """

    gray_bands = 3
    """Bands of the canvas of a single-band chip: 3 equal bands, or 1 for a network that takes both."""

    def __init__(
        self,
        model: ModelConfig,
        *,
        classes: tuple[str, ...],
        radiometry: Radiometry,
        batch_size: int,
        postprocess: PostprocessConfig,
    ) -> None:
        if batch_size < 1:
            raise InputError(f"expected a batch size of at least 1, found {batch_size}")
        self.classes, self.radiometry, self.batch_size = classes, radiometry, batch_size
        self.postprocess = postprocess
        self.input_px, self._stride = model.input_px, model.strides[-1]

    def predict(self, chips: Sequence[Chip]) -> list[Detections]:
        """Detections of each chip, in that chip's own pixels, in the order of `chips`."""
        return self.predict_at(chips, [self.input_px] * len(chips), self.postprocess)

    def predict_parts(self, chips: Sequence[Chip], whole_px: int) -> list[Detections]:
        """Find ships in chips at the scale that a chip with a long side of `whole_px` would have."""
        sides = [round(max(chip.shape[:2]) * self.input_px / whole_px) for chip in chips]
        return self.predict_at(chips, sides, self.postprocess)

    def predict_at(
        self, chips: Sequence[Chip], long_sides_px: Sequence[int], postprocess: PostprocessConfig
    ) -> list[Detections]:
        """Find ships in chips whose long sides are scaled to the given lengths instead of the network's input."""
        sizes = zip(chips, long_sides_px, strict=True)
        boxes = [letterbox(c.shape[1], c.shape[0], side, self._stride) for c, side in sizes]
        results: list[Detections] = [Detections.empty()] * len(chips)
        for batch in self._batches(boxes):
            first = boxes[batch[0]]
            bands = 3 if any(chips[i].ndim == 3 for i in batch) else self.gray_bands
            canvases = self._empty(len(batch), bands, first.canvas_height, first.canvas_width)
            for canvas, i in zip(canvases, batch, strict=True):
                fill_canvas(canvas, chips[i], boxes[i])
            sizes_wh = np.array([[boxes[i].width, boxes[i].height] for i in batch])
            found = self._detect(canvases, sizes_wh, postprocess)
            for index, detections in zip(batch, found, strict=True):
                results[index] = _to_chip(detections, boxes[index], chips[index])
        return results

    @abstractmethod
    def _detect(
        self, canvases: NDArray[np.uint8], sizes_wh: NDArray[np.int64], config: PostprocessConfig
    ) -> list[Detections]:
        """Detections on canvases (B, 3, H, W), in their pixels; `sizes_wh` (B, 2) are the sizes of their chips.

        If all chips have one band, the canvases have `gray_bands`.
        """

    def _empty(self, *shape: int) -> NDArray[np.uint8]:
        """Make an array for canvases."""
        return np.empty(shape, np.uint8)

    def _batches(self, boxes: list[Letterbox]) -> Iterator[list[int]]:
        """Yield indices of chips that share a canvas size."""
        groups: dict[tuple[int, int], list[int]] = {}
        for index, box in enumerate(boxes):
            groups.setdefault((box.canvas_width, box.canvas_height), []).append(index)
        for (width, height), members in groups.items():
            larger = width * height / self.input_px**2  # an enlarged canvas takes that much more memory
            count = max(1, int(self.batch_size / max(1.0, larger)))
            for start in range(0, len(members), count):
                yield members[start : start + count]


class TorchPredictor(CanvasPredictor):
    """Predictor of a RefineDet network in torch. On a GPU, two threads that share one keep it busy."""

    gray_bands = 1

    def __init__(  # noqa: PLR0913 - settings by keyword
        self,
        model: RefineDet,
        *,
        classes: tuple[str, ...],
        radiometry: Radiometry,
        device: Device = "auto",
        batch_size: int | None = None,
        postprocess: PostprocessConfig | None = None,
        precision: FloatPrecision = "fp32",
        torch_mode: TorchMode = "eager",
    ) -> None:
        """Take a network. With a `torch_mode` other than eager, change its tensors only in place afterwards.

        Raises:
            InputError: there is no such device, or it cannot run in that mode.
        """
        import torch

        from refinedet.predictors.torch_passes import NetworkPasses, resolve_mode

        self.device = resolve_device(device)
        super().__init__(
            model.config,
            classes=classes,
            radiometry=radiometry,
            batch_size=batch_for(self.device) if batch_size is None else batch_size,
            postprocess=postprocess or PostprocessConfig(),
        )
        self.model = model.to(self.device).to(memory_format=torch.channels_last)
        self.precision, self.torch_mode = precision, resolve_mode(torch_mode, self.device)
        self._passes = NetworkPasses(self.model, self.device, mode=self.torch_mode, precision=precision)

    @classmethod
    def load(
        cls,
        path: str | Path,
        *,
        device: Device = "auto",
        batch_size: int | None = None,
        postprocess: PostprocessConfig | None = None,
        precision: FloatPrecision = "fp32",
        torch_mode: TorchMode = "eager",
    ) -> Self:
        """Read a checkpoint.

        Its operating score and slope replace those of `postprocess`, whose default is the checkpoint's own. With
        `precision` bf16 or fp16, convolutions are in 16 bits (autocast), and boxes and scores differ a little.

        Raises:
            FileError, InputError: as `model.checkpoint.load_model` and the class itself.
        """
        from refinedet.model.checkpoint import load_model
        from refinedet.model.fusion import fuse_conv_bn

        model, header = load_model(path)
        return cls(
            fuse_conv_bn(model),
            classes=header.classes,
            radiometry=header.radiometry,
            device=device,
            batch_size=batch_size,
            postprocess=header.calibrated(postprocess),
            precision=precision,
            torch_mode=torch_mode,
        )

    def _empty(self, *shape: int) -> NDArray[np.uint8]:
        return self._passes.empty(*shape)

    def _detect(
        self, canvases: NDArray[np.uint8], sizes_wh: NDArray[np.int64], config: PostprocessConfig
    ) -> list[Detections]:
        return self._passes.detect(canvases, sizes_wh, config, self.batch_size)


def on_canvas(chip: Chip, box: Letterbox) -> NDArray[np.uint8]:
    """Letterbox a chip to a canvas (3, H, W) uint8: the scaled chip at the top left, zeros right and below."""
    canvas = np.empty((3, box.canvas_height, box.canvas_width), np.uint8)
    fill_canvas(canvas, chip, box)
    return canvas


def fill_canvas(canvas: NDArray[np.uint8], chip: Chip, box: Letterbox) -> None:
    """Letterbox a chip into a canvas (3, H, W), or (1, H, W) for a chip of a single band; all of it is written."""
    image = Image.fromarray(chip)
    if image.size != (box.width, box.height):
        image = image.resize((box.width, box.height), Image.Resampling.BILINEAR)
    pixels = np.asarray(image)
    canvas[:, : box.height, : box.width] = pixels if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
    canvas[:, box.height :] = 0
    canvas[:, : box.height, box.width :] = 0


def _to_chip(detections: Detections, box: Letterbox, chip: Chip) -> Detections:
    height, width = chip.shape[:2]
    factor = np.array([width / box.width, height / box.height] * 2, np.float32)
    return Detections.of(detections.boxes_xyxy * factor, detections.scores, detections.labels)
