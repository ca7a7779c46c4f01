"""Weights of an OpenVINO model as plain constants, before NNCF sees them.

Problem: NNCF takes the axes of weights from the constant itself, not from the reshape behind it. A depthwise
    convolution's weights come reshaped from ONNX, so each of its scales would span several channels.
Upstream: https://github.com/openvinotoolkit/nncf/pull/2076 is similar (a reshape computed by ShapeOf); no report of
this case was found. It shows in `test_each_channel_of_a_depthwise_convolution_has_its_own_scale`.
Versions: NNCF 3.4, OpenVINO 2026.4.
Remove: when that test passes without it.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any


def fold_constants(model: Any) -> None:
    """Replace all operations of an OpenVINO model that need no input by constants, in place."""
    passes = import_module("openvino.passes")
    manager = passes.Manager()
    manager.register_pass(passes.ConstantFolding())
    manager.run_passes(model)
