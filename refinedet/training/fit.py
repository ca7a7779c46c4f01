"""Training loop `fit()`: epochs with an exponential moving average (EMA) of the weights, and exact resume."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from refinedet.config import TrainConfig
from refinedet.data.dataset import ChipDataset, EpochSampler, collate
from refinedet.errors import InputError, RefineDetError
from refinedet.model.anchors import level_sizes
from refinedet.model.checkpoint import Header, save_checkpoint
from refinedet.model.losses.loss import Target, detection_losses
from refinedet.model.network import RawOutputs, RefineDet
from refinedet.model.norms import batch_norms, freeze_batch_norm, synchronised
from refinedet.training.distributed import (
    average,
    broadcast,
    is_first,
    loss_normaliser,
    mean,
    parallel,
    rank,
    world_size,
)
from refinedet.training.forward import EagerForward, Forward, GraphedForward, uses_cuda_graph
from refinedet.training.optimization import build_optimizer, learning_rate, update_ema
from refinedet.training.state import Row, TrainState
from refinedet.workarounds.malloc import keep_freed_memory

logger = logging.getLogger(__name__)

LAST_GOOD = "last_good.safetensors"
"""Checkpoint of the last finished epoch, beside the state of a training in progress."""

_LOG_SECONDS = 20.0
_EXPLODED = 10.0
_ABSURD = 100.0
"""Mean loss of a first epoch that has surely diverged; all recipes begin below 20."""


def fit(
    model: RefineDet,
    dataset: ChipDataset,
    validate: Callable[[RefineDet], dict[str, float]],
    *,
    state_path: Path,
    header: Header,
    on_epoch: Callable[[Row], None],
) -> TrainState:
    """Train to the end of `dataset.config`; go on from `state_path` if that file exists.

    The state is saved after every epoch, so an interrupted run ends with the weights of an uninterrupted one. The
    checkpoint `last_good.safetensors` beside it holds the EMA of the last finished epoch, ready to detect with. Neither
    file is ever written with a weight that is not finite.

    Within `distributed.process_group`, all processes call this function. Each trains on its part of every batch, and
    all end with equal weights. The number of processes may change on a resume.

    Args:
        model: network on the device to train on; its weights are replaced on resume.
        dataset: augmented chips and the settings of the run.
        validate: measures the EMA of the weights on *val*, after the epochs that the settings name; called in every
            process, with an equal result in all.
        state_path: file of the state between epochs; the caller names it by a key of params, inputs and code. Only the
            first process reads and writes it.
        header: header of `last_good.safetensors`; its provenance gets the `epoch`.
        on_epoch: called with each finished epoch, in order, in the first process alone. After a resume it gets the last
            one again, because the interruption may have come between saving and this call.

    Raises:
        RefineDetError: the training has diverged, so the loss or a weight is not finite or too high; or a worker died.
        InputError: the batch cannot be shared or is too small for batch normalisation, or no CUDA graph is possible.
    """
    config, device = dataset.config, next(model.parameters()).device
    sampler = EpochSampler(len(dataset), config.batch_size, config.seed, rank=rank(), ranks=world_size())
    state, forward = _begin(model, config, state_path)
    if state.history and is_first():
        on_epoch(state.history[-1])
    loader: DataLoader[Any] = DataLoader(
        dataset,
        batch_sampler=sampler,
        collate_fn=collate,
        num_workers=config.workers,
        persistent_workers=config.workers > 0,  # a fork for each epoch would copy the parent's memory again
        pin_memory=device.type != "cpu" and isinstance(forward, EagerForward),  # its thread would disturb a recording
    )
    started, first = time.monotonic(), state.epoch
    for epoch in range(first, config.epochs):
        sampler.epoch = epoch
        row = _train_epoch(state, forward, loader, config)
        _check_progress(state, row["loss"], config)
        state.epoch = epoch + 1
        if config.is_validated(state.epoch):
            row |= {f"val_{k}": v for k, v in validate(state.ema).items()}
        state.history.append({"epoch": float(state.epoch), **row})
        if is_first():
            _keep(state, header)
            on_epoch(state.history[-1])
        left = (time.monotonic() - started) / (state.epoch - first) * (config.epochs - state.epoch)
        logger.info("epoch %d/%d done: %s; about %s left", state.epoch, config.epochs, _text(row), _minutes(left))
    return state


def _begin(model: RefineDet, config: TrainConfig, path: Path) -> tuple[TrainState, Forward]:
    """State of a training, fresh or resumed, and its forward pass; weights are equal in all processes."""
    device = next(model.parameters()).device
    if config.sync_batch_norm and device.type == "cpu":
        raise InputError(
            "expected GPUs for sync_batch_norm, found a CPU; set it to false, or use freeze_batch_norm, "
            "which needs no statistics of the batch"
        )
    if config.warmup_epochs >= config.epochs:
        logger.warning(
            "the warm-up is as long as the training (`warmup_epochs` is %g, `epochs` is %d), so the learning rate "
            "never reaches `lr`, %g; raise `epochs`",
            *(config.warmup_epochs, config.epochs, config.lr),
        )
    torch.manual_seed(config.seed)
    keep_freed_memory()
    model = model.to(memory_format=torch.channels_last)
    model = synchronised(model) if config.sync_batch_norm else model
    forward: Forward
    if uses_cuda_graph(config, device):
        forward = GraphedForward(model, config)
    else:
        forward = EagerForward(parallel(model), config)
    ema = deepcopy(model).requires_grad_(requires_grad=False)
    state = TrainState(model, ema, build_optimizer(model, config), 0, [], path)
    content = broadcast(state.read)
    if content is not None:
        state.restore(content)
        logger.info("resuming after epoch %d of %d", state.epoch, config.epochs)
    return state, forward


def _keep(state: TrainState, header: Header) -> None:
    """Write the finished epoch: first its checkpoint, then the state from which the next epoch starts."""
    of_epoch = replace(header, provenance={**header.provenance, "epoch": state.epoch})
    save_checkpoint(state.path.with_name(LAST_GOOD), state.ema.state_dict(), of_epoch)
    state.save()


@contextmanager
def _living_workers() -> Iterator[None]:
    """Raise one sentence if a process that prepares batches dies."""
    try:
        yield
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        raise RefineDetError(
            "expected the processes that prepare batches to go on, found that one was ended, perhaps because memory "
            "was short; free memory and start again: training continues after the last finished epoch"
        ) from error


@_living_workers()
def _train_epoch(state: TrainState, forward: Forward, loader: DataLoader[Any], config: TrainConfig) -> Row:
    model = state.model.train()
    if config.freeze_batch_norm:
        freeze_batch_norm(model)
    statistics = [t for n in batch_norms(model) if n.training for t in (n.running_mean, n.running_var) if t is not None]
    sizes = level_sizes(*config.canvas(state.epoch)[::-1], model.config)
    device = next(model.parameters()).device
    sums: dict[str, float] = {}
    for step, (images, targets) in enumerate(_on_device(loader, device)):
        progress = state.epoch + step / len(loader)
        for group in state.optimizer.param_groups:
            group["lr"] = learning_rate(progress, config)
        raw = _called(forward, images)
        losses = _step(state, detection_losses(raw, targets, sizes, config.loss, loss_normaliser), config)
        average(statistics)
        update_ema(state.ema, model, config.ema_decay, state.epoch * len(loader) + step)
        for name, value in losses.items():
            sums[name] = sums.get(name, 0.0) + value
    means = {k: v / len(loader) for k, v in sums.items()}
    return {"lr": learning_rate(state.epoch + 1, config), "loss": sum(means.values()), **means}


def _called(forward: Forward, images: Tensor) -> RawOutputs:
    try:
        return forward(images)
    except ValueError as error:
        if "more than 1 value per channel" not in str(error):
            raise
        raise InputError(
            "expected more than one cell of the coarsest level in a process's part of a batch, for batch "
            f"normalisation, found one, of {len(images)} chip of {images.shape[3]} x {images.shape[2]} px; "
            "raise batch_size or the canvas, or set freeze_batch_norm"
        ) from error


def _step(state: TrainState, losses: dict[str, Tensor], config: TrainConfig) -> dict[str, float]:
    """Update the weights; return the losses of the whole batch."""
    each = torch.stack(list(losses.values()))
    state.optimizer.zero_grad()
    each.sum().backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
    norm = nn.utils.clip_grad_norm_(state.model.parameters(), config.grad_clip_norm)
    each = mean(each)
    if not (each.isfinite().all() and norm.isfinite()):
        raise _diverged(state, "a finite loss and gradient", f"{each.sum().item()} and {norm.item()}", config)
    state.optimizer.step()
    return dict(zip(losses, each.tolist(), strict=True))


def _check_progress(state: TrainState, loss: float, config: TrainConfig) -> None:
    """Raise an error if the training has diverged.

    Losses are means over positives, so they are of the order of one. Every epoch sees the same chips. A mean loss above
    1, above that of the first epoch and many times the best one shows that the training has diverged.
    """
    for name, weights in (*state.model.state_dict().items(), *state.ema.state_dict().items()):
        if not weights.isfinite().all():
            raise _diverged(state, "finite weights", f"NaN or infinity in '{name}'", config)
    known = [row["loss"] for row in state.history]
    most = max(1.0, known[0], _EXPLODED * min(known)) if known else _ABSURD
    if loss > most:
        raise _diverged(state, f"a mean loss of at most {most:.4g}", f"{loss:.4g}", config)


def _diverged(state: TrainState, expected: str, found: str, config: TrainConfig) -> RefineDetError:
    kept = "no epoch was finished, so there are no good weights to keep"
    if state.epoch:
        kept = f"the last good weights, of epoch {state.epoch}, are in {state.path.with_name(LAST_GOOD)}"
    return RefineDetError(
        f"expected {expected}, found {found} in epoch {state.epoch + 1}: the training has diverged; lower the learning "
        f"rate (lr, now {config.lr:g}) or lengthen the warm-up; {kept}"
    )


def _on_device(loader: DataLoader[Any], device: torch.device) -> Iterator[tuple[Tensor, list[Target]]]:
    """Move batches to `device`; log a line of progress now and then."""
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
            rate, total = seen / (now - started), len(loader) * len(images)
            logger.info("  %d/%d chips, %.1f a second, %s left", seen, total, rate, _minutes((total - seen) / rate))


def _text(row: Row) -> str:
    return ", ".join(f"{k} {v:.4g}" for k, v in row.items())


def _minutes(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
