"""Choice of the runtime: a fixed order of the installed ones, never a timing."""

from __future__ import annotations

import ctypes
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Literal

Runtime = Literal["torch", "onnx", "openvino"]

_NEEDS: dict[Runtime, tuple[str, ...]] = {"openvino": ("openvino", "onnx"), "onnx": ("onnxruntime", "onnx")}
"""Packages of each runtime, in the order of preference; torch comes last and is always installed."""


def resolve_runtime(asked: Literal["auto"] | Runtime, device: str) -> Runtime:
    """Resolve the runtime `asked`; `auto` is the first of openvino, onnx and torch that is installed.

    If the device is, or would be, a GPU, `auto` is torch, because the other two are meant for processors.
    """
    if asked != "auto":
        return asked
    if device not in ("auto", "cpu") or (device == "auto" and gpu_for_torch()):
        return "torch"
    return next((name for name, packages in _NEEDS.items() if all(map(find_spec, packages))), "torch")


def gpu_for_torch() -> bool:
    """True if there is an NVIDIA GPU and a torch that can use it; this does not load torch."""
    try:
        if version("torch").endswith("+cpu"):
            return False
        driver = ctypes.CDLL("libcuda.so.1")
        count = ctypes.c_int()
        return bool(driver.cuInit(0) == 0 and driver.cuDeviceGetCount(ctypes.byref(count)) == 0 and count.value > 0)
    except (OSError, AttributeError, PackageNotFoundError):
        return False
