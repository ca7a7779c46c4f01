"""fit(): epochs of training with warm-up, mixed precision, a running mean of the weights, and exact resume."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from refinedet.config import TrainConfig
from refinedet.data.dataset import ChipDataset, EpochSampler, collate
from refinedet.errors import RefineDetError
from refinedet.files import atomic_path
from refinedet.memory import keep_freed_memory
from refinedet.model.anchors import level_sizes
from refinedet.model.loss import Target, detection_losses
from refinedet.model.network import RefineDet

logger = logging.getLogger(__name__)

Row = dict[str, float]
"""One epoch: `epoch` (from 1), `lr`, mean of each loss, `loss`, and what `validate` measured."""

_LOG_SECONDS = 20.0
_FINAL_LR = 0.01
_STEPS_AT = (2 / 3, 8 / 9)
_STEP_FACTOR = 0.1


class Tracker(Protocol):
    """Where a run is recorded: what fit() and the stages tell of it."""

    def log_params(self, params: dict[str, object]) -> None:
        """Settings, once."""
        ...

    def log_metrics(self, metrics: dict[str, float], step: int) -> None:
        """Numbers of one epoch."""
        ...

    def log_artifact(self, path: str | Path, folder: str | None = None) -> None:
        """Keep a copy of a file."""
        ...

    def set_tags(self, tags: dict[str, str]) -> None:
        """Words to find the run by."""
        ...


@dataclass(slots=True)
class TrainState:
    """Everything that the next epoch depends on."""

    model: RefineDet
    ema: RefineDet
    optimizer: torch.optim.Optimizer
    epoch: int
    """Epochs finished."""
    history: list[Row]

    def save(self, path: Path) -> None:
        """Write atomically, tensors and plain values only."""
        content = {
            "model": self.model.state_dict(),
            "ema": self.ema.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "epoch": self.epoch,
            "history": self.history,
        }
        with atomic_path(path) as temporary:
            torch.save(content, temporary)

    def load(self, path: Path) -> None:
        """Go on from a state of the same run."""
        content = torch.load(path, map_location="cpu", weights_only=True)
        self.model.load_state_dict(content["model"])
        self.ema.load_state_dict(content["ema"])
        self.optimizer.load_state_dict(content["optimizer"])
        self.epoch, self.history = content["epoch"], content["history"]


def fit(
    model: RefineDet,
    dataset: ChipDataset,
    validate: Callable[[RefineDet], dict[str, float]],
    *,
    state_path: Path,
    device: str,
    on_epoch: Callable[[Row], None],
) -> TrainState:
    """Train to the end of `dataset.config`, going on from `state_path` where that file is.

    The state is saved after every epoch, so an interrupted run ends with the weights of an uninterrupted one.

    Args:
        model: fresh network; its weights are replaced on resume.
        dataset: augmented chips and the settings of the run.
        validate: measures the running mean of the weights on *val*.
        state_path: where the state lives between epochs; the caller keys it to params, inputs and code.
        device: `cpu` or `cuda`.
        on_epoch: told each finished epoch, in order; after a resume only the new ones.

    Raises:
        RefineDetError: the loss is no longer finite.
    """
    config = dataset.config
    torch.manual_seed(config.seed)
    keep_freed_memory()
    model = model.to(device).to(memory_format=torch.channels_last)
    state = TrainState(
        model, deepcopy(model).requires_grad_(requires_grad=False), build_optimizer(model, config), 0, []
    )
    if state_path.is_file():
        state.load(state_path)
        logger.info("resuming after epoch %d of %d", state.epoch, config.epochs)
    sampler = EpochSampler(len(dataset), config.batch_size, config.seed)
    loader: DataLoader[Any] = DataLoader(
        dataset,
        batch_sampler=sampler,
        collate_fn=collate,
        num_workers=config.workers,
        persistent_workers=False,
        pin_memory=device != "cpu",
    )
    started = time.monotonic()
    first = state.epoch
    for epoch in range(first, config.epochs):
        sampler.epoch = epoch
        row = _train_epoch(state, loader, config, device)
        row |= {f"val_{k}": v for k, v in validate(state.ema).items()}
        state.epoch = epoch + 1
        state.history.append({"epoch": float(state.epoch), **row})
        state.save(state_path)
        on_epoch(state.history[-1])
        left = (time.monotonic() - started) / (state.epoch - first) * (config.epochs - state.epoch)
        logger.info("epoch %d/%d done: %s; about %s left", state.epoch, config.epochs, _text(row), _minutes(left))
    return state


def build_optimizer(model: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    """SGD or AdamW; no weight decay on norms and biases."""
    decayed = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    groups: list[dict[str, Any]] = [{"params": decayed}, {"params": others, "weight_decay": 0.0}]
    if config.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=config.lr, momentum=config.momentum, weight_decay=config.weight_decay)
    return torch.optim.AdamW(groups, lr=config.lr, weight_decay=config.weight_decay)


def learning_rate(progress: float, config: TrainConfig) -> float:
    """Learning rate at `progress`, epochs done so far including fractions."""
    warm = min(1.0, (progress + 1e-3) / config.warmup_epochs) if config.warmup_epochs else 1.0
    share = progress / config.epochs
    if config.schedule == "step":
        return config.lr * warm * _STEP_FACTOR ** sum(share >= at for at in _STEPS_AT)
    return config.lr * warm * (_FINAL_LR + (1 - _FINAL_LR) * (1 + math.cos(math.pi * min(share, 1.0))) / 2)


def autocast_dtype(config: TrainConfig, device: str) -> torch.dtype | None:
    """bf16 where asked for, or where `auto` finds a processor or GPU that has it; None is fp32."""
    if config.precision == "auto":
        on_gpu = device != "cpu" and torch.cuda.is_bf16_supported()
        on_cpu = device == "cpu" and torch.cpu._is_avx512_bf16_supported()  # noqa: SLF001 - no public question for it
        return torch.bfloat16 if on_gpu or on_cpu else None
    return torch.bfloat16 if config.precision == "bf16" else None


def _train_epoch(state: TrainState, loader: DataLoader[Any], config: TrainConfig, device: str) -> Row:
    state.model.train()
    sums: dict[str, float] = {}
    sizes = level_sizes(config.canvas_height, config.canvas_width, state.model.config)
    for step, (images, targets) in enumerate(_on_device(loader, device)):
        progress = state.epoch + step / len(loader)
        for group in state.optimizer.param_groups:
            group["lr"] = learning_rate(progress, config)
        losses = _step(state, images, targets, sizes, config)
        _update_mean(state, config.ema_decay, state.epoch * len(loader) + step)
        for name, value in losses.items():
            sums[name] = sums.get(name, 0.0) + value
    means = {k: v / len(loader) for k, v in sums.items()}
    return {"lr": learning_rate(state.epoch + 1, config), "loss": sum(means.values()), **means}


def _step(
    state: TrainState, images: Tensor, targets: list[Target], sizes: list[int], config: TrainConfig
) -> dict[str, float]:
    dtype = autocast_dtype(config, images.device.type)
    with torch.autocast(images.device.type, dtype=dtype, enabled=dtype is not None):
        raw = state.model(images)
    losses = detection_losses(raw, targets, sizes, config.loss)
    total = torch.stack(list(losses.values())).sum()
    state.optimizer.zero_grad()
    total.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    norm = nn.utils.clip_grad_norm_(state.model.parameters(), config.grad_clip_norm)
    if not (total.isfinite() and norm.isfinite()):
        raise RefineDetError(
            f"expected a finite loss and gradient, found {total.item()} and {norm.item()} in epoch {state.epoch + 1}: "
            "the training has diverged; lower the learning rate or lengthen the warm-up (nothing of this epoch is kept)"
        )
    state.optimizer.step()
    return {k: v.item() for k, v in losses.items()}


def _on_device(loader: DataLoader[Any], device: str) -> Iterator[tuple[Tensor, list[Target]]]:
    """Batches as tensors on `device`, with a line of progress now and then."""
    started = logged = time.monotonic()
    seen = 0
    for images, samples in loader:
        yield (
            images.to(device, non_blocking=True),
            [
                Target(
                    torch.from_numpy(s.boxes_xyxy[~s.ignored]).to(device),
                    torch.from_numpy(s.labels[~s.ignored]).to(device),
                    torch.from_numpy(s.boxes_xyxy[s.ignored]).to(device),
                )
                for s in samples
            ],
        )
        seen += len(images)
        now = time.monotonic()
        if now - logged > _LOG_SECONDS:
            logged = now
            rate = seen / (now - started)
            total = len(loader) * len(images)
            logger.info("  %d/%d chips, %.1f a second, %s left", seen, total, rate, _minutes((total - seen) / rate))


@torch.no_grad()
def _update_mean(state: TrainState, decay: float, step: int) -> None:
    """Move the running mean towards the weights; faster at first, so that it forgets where it began."""
    keep = min(decay, (1 + step) / (10 + step))
    live = state.model.state_dict()
    for name, mean in state.ema.state_dict().items():
        if mean.dtype.is_floating_point:
            mean.lerp_(live[name], 1 - keep)
        else:
            mean.copy_(live[name])


def _text(row: Row) -> str:
    return ", ".join(f"{k} {v:.4g}" for k, v in row.items())


def _minutes(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
