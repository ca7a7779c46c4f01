"""Deferred import of packages that other packages import without need.

Problem: rasterio imports boto3 if it is installed, although this project reads buckets itself. scipy looks at every
name of numpy, which imports numpy.f2py and numpy.testing. Together they are a tenth of the imports of `detect`.
Upstream: no report was found. (importlib's LazyLoader reads a module at its second import already.)
Versions: rasterio 1.4, scipy 1.17, numpy 2.4.
Remove: when rasterio imports boto3 only for its own sessions, and scipy.ndimage only the parts of numpy that it uses.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from threading import Lock
from types import ModuleType
from typing import Any


def read_boto3_when_used() -> None:
    """Let rasterio import boto3 without loading it."""
    _read_when_used("boto3")


def read_parts_of_numpy_when_used() -> None:
    """Let scipy import parts of numpy without loading them."""
    _read_when_used("numpy.f2py")
    _read_when_used("numpy.testing")


def _read_when_used(name: str) -> None:
    """Register a module that is loaded when one of its names is first used."""
    if name in sys.modules or find_spec(name) is None:
        return

    def found(asked: str) -> Any:
        with lock:
            if sys.modules.get(name) is stand_in:
                del sys.modules[name]
        return getattr(import_module(name), asked)

    lock, stand_in = Lock(), ModuleType(name)
    stand_in.__getattr__ = found  # type: ignore[method-assign] # Python's own way (PEP 562)
    sys.modules[name] = stand_in
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, stand_in)
