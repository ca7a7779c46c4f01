"""Older exporter of torch (the tracer), without its warnings.

Problem: `torch.export` takes minutes for a network with free heights and widths, so the tracer makes ONNX files. It
warns that it is deprecated, and of every Python number that it meets. Tests compare its graph with the network.
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
    """Ignore all warnings of Python within the block; they are shared by all threads."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
