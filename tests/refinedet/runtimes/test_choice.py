"""Choice of the runtime `auto`: a fixed order of the installed ones."""

from __future__ import annotations

import pytest

from refinedet.runtimes import choice
from refinedet.runtimes.choice import gpu_for_torch, resolve_runtime


@pytest.mark.parametrize(
    ("packages", "has_graph", "expected"),
    [
        ({"openvino", "onnxruntime", "onnx", "torch"}, False, "openvino"),
        ({"onnxruntime", "onnx", "torch"}, False, "onnx"),
        ({"openvino", "onnxruntime", "torch"}, False, "torch"),  # nothing to export with
        ({"openvino"}, False, "openvino"),  # an export may be kept; else the error says what is missing
        ({"openvino", "onnxruntime"}, True, "openvino"),
        ({"onnxruntime"}, True, "onnx"),
        (set(), True, "torch"),
    ],
)
def test_auto_is_the_first_that_is_installed(
    packages: set[str], has_graph: bool, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "installed", packages.__contains__)
    monkeypatch.setattr(choice, "gpu_for_torch", lambda: False)
    assert resolve_runtime("auto", "cpu", has_graph=has_graph) == expected
    assert resolve_runtime("auto", "auto", has_graph=has_graph) == expected
    assert resolve_runtime("onnx", "cpu", has_graph=has_graph) == "onnx", "what is asked for is never replaced"


@pytest.mark.parametrize("device", ["cuda", "cuda:1", "all"])
def test_a_gpu_is_torchs(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert resolve_runtime("auto", device, has_graph=True) == "torch"
    monkeypatch.setattr(choice, "gpu_for_torch", lambda: True)
    assert resolve_runtime("auto", "auto", has_graph=True) == "torch"
    assert resolve_runtime("auto", "cpu", has_graph=True) != "torch"


def test_a_torch_without_cuda_has_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "version", lambda _: "2.14.1+cpu")
    monkeypatch.setattr(choice.ctypes, "CDLL", lambda _: pytest.fail("not asked"))
    assert not gpu_for_torch()


def test_no_driver_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr(choice, "version", lambda _: "2.14.1")
    monkeypatch.setattr(choice.ctypes, "CDLL", missing)
    assert not gpu_for_torch()
