"""Choice of the runtime `auto`: a fixed order of the installed ones."""

from __future__ import annotations

import pytest

from refinedet.runtimes import choice
from refinedet.runtimes.choice import gpu_for_torch, resolve_runtime


@pytest.mark.parametrize(
    ("installed", "expected"),
    [
        ({"openvino", "onnxruntime", "onnx"}, "openvino"),
        ({"onnxruntime", "onnx"}, "onnx"),
        ({"openvino", "onnxruntime"}, "torch"),  # nothing to export with
        (set(), "torch"),
    ],
)
def test_auto_is_the_first_that_is_installed(
    installed: set[str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "find_spec", lambda name: name if name in installed else None)
    monkeypatch.setattr(choice, "gpu_for_torch", lambda: False)
    assert resolve_runtime("auto", "cpu") == expected
    assert resolve_runtime("auto", "auto") == expected
    assert resolve_runtime("onnx", "cpu") == "onnx", "what is asked for is never replaced"


@pytest.mark.parametrize("device", ["cuda", "cuda:1", "all"])
def test_a_gpu_is_torchs(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert resolve_runtime("auto", device) == "torch"
    monkeypatch.setattr(choice, "gpu_for_torch", lambda: True)
    assert resolve_runtime("auto", "auto") == "torch"
    assert resolve_runtime("auto", "cpu") != "torch" or choice.find_spec("openvino") is None


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
