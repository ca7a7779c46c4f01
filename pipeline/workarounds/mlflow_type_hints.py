"""Warnings of MLflow when it saves a model, kept out of the log.

Problem: MLflow warns of models without type hints when it loads one, and also of its own code.
Upstream: no report was found; it shows as warnings at the end of every training.
Versions: MLflow 3.17.
Remove: when a model that has a signature needs no type hints.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def silent_model() -> Iterator[None]:
    """Ignore all warnings of Python within the block; they are shared by all threads."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
