"""Forward pass of a training step: kernel by kernel, or as one CUDA graph that the GPU gets as a whole.

Losses are not part of the graph: the shapes of their tensors depend on the number of ships.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from refinedet.config import TrainConfig
from refinedet.errors import InputError
from refinedet.model.anchors import anchors
from refinedet.model.network import RawOutputs, RefineDet
from refinedet.training.distributed import world_size
from refinedet.training.optimization import autocast_dtype

logger = logging.getLogger(__name__)

Forward = Callable[[Tensor], RawOutputs]
"""Function from images (B, 1 or 3, H, W), uint8 on the device of the network, to its outputs."""


def uses_cuda_graph(config: TrainConfig, device: torch.device) -> bool:
    """True if a training on `device` computes its network as a CUDA graph.

    Raises:
        InputError: the settings demand it, and the device is no GPU or several processes train together.
    """
    if not config.cuda_graph:
        return False
    several, on_gpu = world_size() > 1, device.type == "cuda"
    if on_gpu and not several:
        return True
    found = f"{world_size()} processes" if several else f"the device {device.type}"
    if config.cuda_graph is True:
        raise InputError(
            f"expected one process on a CUDA GPU for `cuda_graph`, found {found}; set it to false, or to auto, "
            "which trains without one where there can be none"
        )
    logger.info("no CUDA graph, as there is %s (`cuda_graph` auto)", found)
    return False


class EagerForward:
    """Forward pass that launches one kernel after another, in the precision of the settings.

    Args:
        network: network of this process, or DDP's copy of it.
        config: precision of the training.
    """

    def __init__(self, network: nn.Module, config: TrainConfig) -> None:
        self._network, self._config = network, config

    def __call__(self, images: Tensor) -> RawOutputs:
        """Compute RawOutputs of images (B, 1 or 3, H, W)."""
        dtype = autocast_dtype(self._config, images.device.type)
        with torch.autocast(images.device.type, dtype=dtype, enabled=dtype is not None):
            raw: RawOutputs = self._network(images)
        return raw


class GraphedForward:
    """Forward and backward pass as one CUDA graph for each shape of a batch; the first call with a shape records it.

    The graph reads the network's own parameters and buffers where they lie. Outputs and gradients are valid until the
    next call.

    Args:
        model: network on a GPU, in training mode. From the first call on, its tensors may only be changed in place.
        config: precision of the training.
    """

    def __init__(self, model: RefineDet, config: TrainConfig) -> None:
        self._model, self._config = model, config
        self._recorded: dict[torch.Size, tuple[Callable[..., Any], Tensor]] = {}

    def __call__(self, images: Tensor) -> RawOutputs:
        """Compute RawOutputs of images (B, 1 or 3, H, W)."""
        if images.shape not in self._recorded:
            self._recorded[images.shape] = self._record(images)
            logger.info("the network is one CUDA graph for batches of %s", " x ".join(map(str, images.shape)))
        graph, anchors_cxcywh = self._recorded[images.shape]
        return RawOutputs(anchors_cxcywh, *graph(images))

    def _record(self, images: Tensor) -> tuple[Callable[..., Any], Tensor]:
        """Graph and anchors of a shape. The warm-up passes do not change the statistics of norms."""
        step = _Tensors(self._model, autocast_dtype(self._config, images.device.type))
        buffers = list(self._model.buffers())
        before = [buffer.clone() for buffer in buffers]
        graph = torch.cuda.make_graphed_callables(step, (images.clone(),), allow_unused_input=True)
        for buffer, old in zip(buffers, before, strict=True):
            buffer.copy_(old)
        height, width = images.shape[-2:]
        return graph, anchors(height, width, self._model.config, self._model.get_buffer("shapes"))


class _Tensors(nn.Module):
    """Network in the form that a graph needs: its outputs are a tuple of tensors, and autocast runs without a cache."""

    def __init__(self, network: RefineDet, dtype: torch.dtype | None) -> None:
        super().__init__()
        self.network, self.dtype = network, dtype

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Compute logits and offsets of the ARM, then those of the ODM."""
        enabled = self.dtype is not None
        with torch.autocast(images.device.type, dtype=self.dtype, enabled=enabled, cache_enabled=False):
            raw: RawOutputs = self.network(images)
        return raw.arm_logits, raw.arm_deltas, raw.odm_logits, raw.odm_deltas
