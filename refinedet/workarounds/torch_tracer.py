"""The older exporter of torch, without its warnings.

Problem: `torch.export` takes minutes over a network with free heights and widths, so ONNX files are made by the tracer.
    That warns of its age, and of every Python number on its way. Tests hold its graph against the network.
Upstream: no report was found; it shows as the time of `refinedet export` with `dynamo=True`.
Versions: torch 2.14.
Remove: when `dynamo=True` exports the default network in seconds.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def silent_tracer() -> Iterator[None]:
    """Ignore all warnings of Python inside; they belong to all threads at once."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
