"""Several processes that train one network (torchrun): who this one is, and what they tell one another.

Alone, without a process group, each function does what is right for a single process, at no cost. With one, every
process must call the same functions in the same order: most of them wait for all.
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
def joined(device: str) -> Iterator[str]:
    """Join the processes that torchrun started with this one, and leave them at the end; alone, do nothing.

    They talk through gloo on CPUs, and through nccl where their tensors are on GPUs.

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
    distributed.destroy_process_group()  # not after an error: the others may be waiting, and torchrun ends them


def rank() -> int:
    """Number of this process, from 0."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def size() -> int:
    """Number of processes."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def is_first() -> bool:
    """Whether this is the process that writes files and records the run."""
    return rank() == 0


def parallel(model: nn.Module) -> nn.Module:
    """`model`, called through DDP where there are several processes; its weights and buffers become the first one's.

    DDP copies the first process's buffers again before each call: `average` them after it, so that the batches of the
    others count in them too.
    """
    return model if size() == 1 else DistributedDataParallel(model, gradient_as_bucket_view=True)


def loss_normaliser(total: Tensor) -> Tensor:
    """What a process divides its loss by, where all losses together are divided by `total`, at least 1.

    DDP averages the gradients of R processes. Each divides its sum by `total` over all processes and multiplies by R,
    and so that average is the gradient of the one process that has the whole batch.

    Args:
        total: this process's part, a scalar without gradient.
    """
    if size() == 1:
        return total.clamp(min=1)
    everywhere = total.detach().float()  # a copy, or a tensor that nobody else needs
    distributed.all_reduce(everywhere)
    return everywhere.clamp(min=1) / size()


def mean(values: Tensor) -> Tensor:
    """Mean over the processes, element by element; without gradient."""
    if size() == 1:
        return values.detach()
    values = values.detach().clone()
    distributed.all_reduce(values)
    return values / size()


def average(tensors: Sequence[Tensor]) -> None:
    """Set each of `tensors` to its mean over the processes, in one message."""
    if size() == 1 or not tensors:
        return
    means = torch.split(mean(torch.cat([t.flatten() for t in tensors])), [t.numel() for t in tensors])
    for tensor, new in zip(tensors, means, strict=True):
        tensor.copy_(new.view_as(tensor))


def from_first(make: Callable[[], T]) -> T:
    """What `make` returns in the first process, told to all; elsewhere it is not called."""
    if size() == 1:
        return make()
    told = [make() if is_first() else None]
    distributed.broadcast_object_list(told, src=0)
    return cast("T", told[0])


def share(items: Sequence[T]) -> Sequence[T]:
    """This process's part of a list: each item belongs to exactly one process."""
    return items[rank() :: size()]


def gathered(part: Mapping[int, T]) -> dict[int, T]:
    """The parts of all processes, put together; their keys must differ."""
    if size() == 1:
        return dict(part)
    parts: list[Mapping[int, T]] = [{}] * size()
    distributed.all_gather_object(parts, dict(part))
    return {key: value for one in parts for key, value in one.items()}


def check_same(value: str, what: str) -> None:
    """Raise InputError in every process unless all have the same `value`, a hash of `what`."""
    found = set(gathered({rank(): value}).values())
    if len(found) > 1:
        raise InputError(
            f"expected the same {what} in all {size()} processes, found {len(found)} different ones; "
            "give every machine the same checkout, settings and data"
        )
