"""Batch normalisation during training: frozen, or measured over all processes."""

from __future__ import annotations

from typing import TypeVar

from timm.layers.norm_act import convert_sync_batchnorm
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

M = TypeVar("M", bound=nn.Module)


def batch_norms(model: nn.Module) -> list[_BatchNorm]:
    """All batch normalisation layers of a network, in the order of its modules."""
    return [module for module in model.modules() if isinstance(module, _BatchNorm)]


def freeze_batch_norm(model: nn.Module) -> None:
    """Make batch normalisation use its running statistics, unchanged, in training too.

    Scale and shift stay trainable. The only effect is that a chip's outputs no longer depend on the other chips of its
    batch. `model.train()` undoes it.
    """
    for norm in batch_norms(model):
        norm.eval()


def synchronised(model: M) -> M:
    """Convert a network to batch statistics over all processes; parameters and names stay. It needs GPUs.

    This is timm's conversion, because torch's own drops the activations that timm keeps inside its norms.
    """
    converted: M = convert_sync_batchnorm(model)  # type: ignore[no-untyped-call]  # timm leaves it so
    return converted
