"""Communication of several processes that train one network (torchrun).

Without a process group, each function works for a single process, at no cost. With a group, every process must call the
same functions in the same order, because most functions wait for all processes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar, cast

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from refinedet.errors import InputError

T = TypeVar("T")


@contextmanager
def process_group(device: str) -> Iterator[str]:
    """Join the processes that torchrun started, and leave them at the end; a single process does nothing.

    Messages go through gloo on CPUs, and through nccl for tensors on GPUs.

    Args:
        device: `cpu` or `cuda`.

    Yields:
        This process's own device: `cpu`, or `cuda:N` with N counted on its machine.

    Raises:
        InputError: more processes than GPUs on this machine.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield device
        return
    if device == "cuda":
        local, gpus = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
        if local >= gpus:
            raise InputError(
                f"expected at most one process for each GPU of a machine, found process {local + 1} and {gpus} GPUs; "
                "lower --nproc_per_node"
            )
        device = f"cuda:{local}"
        torch.cuda.set_device(local)
    distributed.init_process_group("gloo" if device == "cpu" else "cpu:gloo,cuda:nccl")
    yield device
    distributed.destroy_process_group()  # not after an error: other processes may be waiting, and torchrun ends them


def rank() -> int:
    """Number of this process, from 0."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def world_size() -> int:
    """Number of processes."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def is_first() -> bool:
    """True in the process that writes files and logs the run."""
    return rank() == 0


def parallel(model: nn.Module) -> nn.Module:
    """Wrap `model` in DDP if there are several processes; it gets the weights and buffers of the first one.

    DDP copies the first process's buffers again before each call. Call `average` on the buffers afterwards, so that the
    batches of the other processes count too.
    """
    return model if world_size() == 1 else DistributedDataParallel(model, gradient_as_bucket_view=True)


def loss_normaliser(total: Tensor) -> Tensor:
    """Divisor of this process's loss: `total` over all processes, at least 1, divided by their number.

    DDP averages the gradients of R processes. Each process divides its sum by `total` over all processes and multiplies
    it by R. The average is then the gradient of a single process with the whole batch.

    Args:
        total: this process's part, a scalar without gradient.
    """
    if world_size() == 1:
        return total.clamp(min=1)
    everywhere = total.detach().float()  # a copy, or a tensor that is not used elsewhere
    distributed.all_reduce(everywhere)
    return everywhere.clamp(min=1) / world_size()


def mean(values: Tensor) -> Tensor:
    """Mean over the processes, element by element; without gradient."""
    if world_size() == 1:
        return values.detach()
    values = values.detach().clone()
    distributed.all_reduce(values)
    return values / world_size()


def average(tensors: Sequence[Tensor]) -> None:
    """Set each of `tensors` to its mean over the processes, in one message."""
    if world_size() == 1 or not tensors:
        return
    means = torch.split(mean(torch.cat([t.flatten() for t in tensors])), [t.numel() for t in tensors])
    for tensor, new in zip(tensors, means, strict=True):
        tensor.copy_(new.view_as(tensor))


def broadcast(make: Callable[[], T]) -> T:
    """Call `make` in the first process alone and return its result in all."""
    if world_size() == 1:
        return make()
    sent = [make() if is_first() else None]
    distributed.broadcast_object_list(sent, src=0)
    return cast("T", sent[0])


def shard_for_rank(items: Sequence[T]) -> Sequence[T]:
    """Items of this process; each item belongs to exactly one process."""
    return items[rank() :: world_size()]


def all_gather(part: Mapping[int, T]) -> dict[int, T]:
    """Collect the parts of all processes in each of them; their keys must differ."""
    if world_size() == 1:
        return dict(part)
    parts: list[Mapping[int, T]] = [{}] * world_size()
    distributed.all_gather_object(parts, dict(part))
    return {key: value for one in parts for key, value in one.items()}


def check_same(value: str, what: str) -> None:
    """Raise InputError in every process unless all have the same `value`, a hash of `what`."""
    found = set(all_gather({rank(): value}).values())
    if len(found) > 1:
        raise InputError(
            f"expected the same {what} in all {world_size()} processes, found {len(found)} different ones; "
            "give every machine the same checkout, settings and data"
        )
