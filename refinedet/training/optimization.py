"""Optimiser, learning rate, precision, and the exponential moving average (EMA) of the weights."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

from refinedet.config import TrainConfig

_FINAL_LR = 0.01
_STEPS_AT = (2 / 3, 8 / 9)
_STEP_FACTOR = 0.1


def build_optimizer(model: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    """SGD or AdamW; no weight decay on norms and biases."""
    decayed = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    groups: list[dict[str, Any]] = [{"params": decayed}, {"params": others, "weight_decay": 0.0}]
    if config.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=config.lr, momentum=config.momentum, weight_decay=config.weight_decay)
    return torch.optim.AdamW(groups, lr=config.lr, weight_decay=config.weight_decay)


def learning_rate(progress: float, config: TrainConfig) -> float:
    """Learning rate after `progress` epochs, fractions included."""
    warm = min(1.0, (progress + 1e-3) / config.warmup_epochs) if config.warmup_epochs else 1.0
    share = progress / config.epochs
    if config.schedule == "step":
        return config.lr * warm * _STEP_FACTOR ** sum(share >= at for at in _STEPS_AT)
    return config.lr * warm * (_FINAL_LR + (1 - _FINAL_LR) * (1 + math.cos(math.pi * min(share, 1.0))) / 2)


def autocast_dtype(config: TrainConfig, device: str) -> torch.dtype | None:
    """Data type of autocast: bf16 if asked for, or if `auto` finds a processor or GPU that has it; None is fp32."""
    if config.precision == "auto":
        on_gpu = device != "cpu" and torch.cuda.is_bf16_supported()
        on_cpu = device == "cpu" and torch.cpu._is_avx512_bf16_supported()  # noqa: SLF001 - no public question for it
        return torch.bfloat16 if on_gpu or on_cpu else None
    return torch.bfloat16 if config.precision == "bf16" else None


@torch.no_grad()
def update_ema(ema: nn.Module, model: nn.Module, decay: float, step: int) -> None:
    """Update the exponential moving average (EMA) of the weights; it moves faster at first, to forget the initial ones.

    Args:
        ema: network of the same shape, changed in place.
        model: the network that is trained.
        decay: share of the EMA that a step keeps after many steps, in [0, 1).
        step: steps before this one.
    """
    keep = min(decay, (1 + step) / (10 + step))
    pairs = list(zip(ema.state_dict().values(), model.state_dict().values(), strict=True))
    slow, live = zip(*(p for p in pairs if p[0].dtype.is_floating_point), strict=True)
    torch._foreach_lerp_(slow, live, 1 - keep)  # all together, as torch.optim.swa_utils does
    for counter, newest in pairs:
        if not counter.dtype.is_floating_point:
            counter.copy_(newest)
