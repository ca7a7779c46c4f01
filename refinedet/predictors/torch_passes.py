"""Passes of a network in torch, from canvases to detections: kernel by kernel, as CUDA graphs, or compiled.

On a GPU, three streams work side by side: one copies canvases, one runs the network, and each call has one for its
suppression. So one thread can prepare and copy canvases while the network works for another. On a processor the same
steps follow one another.
"""

from __future__ import annotations

from functools import partial
from threading import Lock
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from refinedet.config import PostprocessConfig
from refinedet.config.inference import FloatPrecision, TorchMode
from refinedet.detections import Detections
from refinedet.errors import InputError
from refinedet.model.network import RefineDet
from refinedet.model.postprocess import decoded
from refinedet.model.suppression.tensors import Picked, pick, suppress_picked
from refinedet.predictors.cuda_graphs import CudaRecorder, Outputs, Replays, Step

_LOW = {"bf16": torch.bfloat16, "fp16": torch.float16}

Mode = Literal["eager", "graph", "compile"]


def resolve_mode(asked: TorchMode, device: str) -> Mode:
    """Resolve how torch runs a network on a device; `auto` is graph on a GPU, else eager.

    Raises:
        InputError: graphs are asked for, and the device is no GPU.
    """
    on_gpu = device.startswith("cuda")
    if asked == "auto":
        return "graph" if on_gpu else "eager"
    if asked == "graph" and not on_gpu:
        raise InputError(
            f"expected a CUDA GPU for `torch_mode` graph, found the device {device}; use eager, or auto, which records "
            "graphs where there is a GPU"
        )
    return asked


class NetworkPasses:
    """Passes of one network on one device. On a GPU, several threads may share it.

    Batches are filled up to a power of two, so that there are few shapes; each shape has its graph. With mode compile,
    batches of square canvases of the network's input are filled up to the whole batch and compiled, once; other
    canvases are as in mode graph, or eager on a processor.

    Args:
        model: network on the device. From the first pass on, its tensors may only be changed in place.
        device: `cpu`, `cuda` or `cuda:N`.
        mode: eager, graph or compile.
        precision: number format of the convolutions; bf16 and fp16 by autocast.
    """

    def __init__(self, model: RefineDet, device: str, *, mode: Mode, precision: FloatPrecision) -> None:
        self._model, self._device = model, torch.device(device)
        self._mode, self._low = mode, _LOW.get(precision)
        self._compiled: dict[object, Step] = {}
        self._on_gpu = self._device.type == "cuda"
        self._replays: Replays | None = None
        self._one = Lock()
        if self._on_gpu:
            self._copying, self._working = _stream(self._device), _stream(self._device)
            self._replays = None if mode == "eager" else Replays(CudaRecorder(self._working))

    def empty(self, *shape: int) -> NDArray[np.uint8]:
        """Make an array for canvases. With a GPU its pages are pinned, so they are copied while the processor works."""
        return torch.empty(shape, dtype=torch.uint8, pin_memory=self._on_gpu).numpy()

    @torch.inference_mode()
    def detect(
        self, canvases: NDArray[np.uint8], sizes_wh: NDArray[np.int64], config: PostprocessConfig, batch_size: int
    ) -> list[Detections]:
        """Detections on canvases (B, 1 or 3, H, W) made by `empty`, in their pixels; B is at most `batch_size`.

        Raises:
            InputError: torch.compile does not work here.
        """
        self._model.eval()
        images, sizes = torch.from_numpy(canvases), torch.from_numpy(sizes_wh)
        if not self._on_gpu:
            return suppress_picked(self._picked(images, sizes, config, batch_size), config)
        with torch.cuda.device(self._device):
            picked, done = self._on_streams(images, sizes, config, batch_size)
            ending = _stream(self._device)
            with torch.cuda.stream(ending):
                ending.wait_event(done)
                for tensor in (picked.boxes_xyxy, picked.scores, picked.labels):
                    tensor.record_stream(ending)
                return suppress_picked(picked, config)  # this waits for the results: the canvases are free then

    def _on_streams(
        self, images: Tensor, sizes: Tensor, config: PostprocessConfig, batch_size: int
    ) -> tuple[Picked, torch.cuda.Event]:
        """Start copy and network; returns the tensors of their results, and the event that marks their end."""
        before = torch.cuda.current_stream(self._device)  # the weights may have been written there
        with torch.cuda.stream(self._copying):
            there = [one.to(self._device, non_blocking=True) for one in (images, sizes)]
            copied = self._copying.record_event()
        with self._one, torch.cuda.stream(self._working):
            self._working.wait_stream(before)
            self._working.wait_event(copied)
            for tensor in there:
                tensor.record_stream(self._working)
            picked = self._picked(there[0], there[1], config, batch_size)
            return picked, self._working.record_event()

    def _picked(self, images: Tensor, sizes: Tensor, config: PostprocessConfig, batch_size: int) -> Picked:
        """Strongest candidates of images (B, 1 or 3, H, W), computed as the mode says."""
        step: Step = partial(self._step, config=config)
        limits = (config.objectness_min, config.operating_score, config.size_slope, config.score_min, config.pre_nms)
        compiles = self._mode == "compile" and images.shape[2] == images.shape[3] == self._model.config.input_px
        if self._replays is None and not compiles:
            return Picked(*step(images, sizes))
        count = len(images)
        room = batch_size if compiles else min(batch_size, 1 << (count - 1).bit_length())
        filled, all_sizes = (F.pad(t, [0, 0] * (t.ndim - 1) + [0, room - count]) for t in (images, sizes))
        if compiles:
            step = self._compiled_step(limits, step)
        key = (limits, *filled.shape)
        outputs = step(filled, all_sizes) if self._replays is None else self._replays(key, step, filled, all_sizes)
        return Picked(*(one[:count] for one in outputs))

    def _step(self, images: Tensor, sizes: Tensor, *, config: PostprocessConfig) -> Outputs:
        """Network, decoding and selection, without a wait for the device; returns the fields of Picked."""
        with torch.autocast(images.device.type, self._low, enabled=self._low is not None, cache_enabled=False):
            raw = self._model(images)
        picked = pick(*decoded(raw, config), sizes, config)
        return picked.boxes_xyxy, picked.scores, picked.labels

    def _compiled_step(self, limits: object, step: Step) -> Step:
        if limits not in self._compiled:
            made = torch.compile(step, dynamic=False)
            self._compiled[limits] = partial(_compiled, made)
        return self._compiled[limits]


def _stream(device: torch.device) -> torch.cuda.Stream:
    return torch.cuda.Stream(device)  # type: ignore[no-untyped-call]  # torch leaves it untyped


def _compiled(step: Step, images: Tensor, sizes: Tensor) -> Outputs:
    """Run a compiled step; the first run compiles it."""
    from torch._dynamo.exc import TorchDynamoException

    try:
        return step(images, sizes)
    except TorchDynamoException as error:
        reason = str(error).strip().split("\n", maxsplit=1)[0]
        raise InputError(
            f"expected torch.compile to work for `torch_mode` compile, but it failed ({reason}); is there a compiler "
            "for C++? use graph on a GPU, or eager"
        ) from error
