"""Choice of the runtime: the first installed one in a fixed order, independent of speed."""

from __future__ import annotations

import ctypes
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

from refinedet.extras import installed

Runtime = Literal["torch", "onnx", "openvino"]

_NEEDS: dict[Runtime, str] = {"openvino": "openvino", "onnx": "onnxruntime"}
"""Package of each runtime, in the order of preference; torch comes last."""


def resolve_runtime(asked: Literal["auto"] | Runtime, device: str, *, has_graph: bool) -> Runtime:
    """Resolve the runtime `asked`; `auto` is the first of openvino, onnx and torch that is installed.

    If the device is, or would be, a GPU, `auto` is torch, because the other two are meant for processors. Weights
    without a graph (`has_graph` false) need an export with the package onnx; if only torch is installed, `auto` is
    torch.
    """
    if asked != "auto":
        return asked
    if device not in ("auto", "cpu") or (device == "auto" and gpu_for_torch()):
        return "torch"
    if not has_graph and installed("torch") and not installed("onnx"):
        return "torch"
    return next((name for name, package in _NEEDS.items() if installed(package)), "torch")


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
