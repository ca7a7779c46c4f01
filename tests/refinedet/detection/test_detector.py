"""A detector whose export cannot be kept anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from refinedet.detection.detector import Detector
from refinedet.errors import FileError, InputError
from refinedet.files import sha256_file
from refinedet.weights import shipped_graph, shipped_weights


def test_auto_falls_back_to_torch_where_no_export_can_be_kept_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    weights = tmp_path / "other.safetensors"
    weights.write_bytes(shipped_weights().read_bytes())
    monkeypatch.setattr("refinedet.detection.detector.shipped_graph", lambda _: None)
    (tmp_path / "a file").write_text("")
    monkeypatch.setenv("REFINEDET_CACHE", str(tmp_path / "a file"))
    monkeypatch.setattr("refinedet.runtimes.choice.gpu_for_torch", lambda: False)
    with Detector.load(weights) as detector:
        assert detector.runtime == "torch"
    (record,) = caplog.records
    assert record.getMessage().startswith("torch runs the network instead of ")
    assert "name another folder with REFINEDET_CACHE" in record.getMessage()
    with pytest.raises(FileError, match="expected to keep an export"):
        Detector.load(weights, runtime="onnx")


def test_the_shipped_weights_need_no_export(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("refinedet.runtimes.choice.gpu_for_torch", lambda: False)
    monkeypatch.setattr("refinedet.runtimes.cache.cached_export", lambda *_: pytest.fail("not needed"))
    with Detector.load() as detector:
        assert (detector.runtime, detector.precision) == ("openvino", "fp32")
        assert detector.weights_sha256 == sha256_file(shipped_weights())


def test_without_torch_an_export_that_is_kept_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = tmp_path / "other.safetensors"
    weights.write_bytes(shipped_weights().read_bytes())
    kept = shipped_graph(shipped_weights())
    monkeypatch.setattr("refinedet.detection.detector.shipped_graph", lambda _: None)
    monkeypatch.setattr("refinedet.runtimes.cache.cached_export", lambda *_: kept)
    monkeypatch.setattr("refinedet.runtimes.choice.installed", "openvino".__eq__)
    with Detector.load(weights, device="cpu") as detector:
        assert detector.runtime == "openvino"


def test_a_graph_of_other_weights_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "other.safetensors"
    other.write_bytes(shipped_weights().read_bytes() + b" ")
    graph = shipped_graph(shipped_weights())
    monkeypatch.setattr("refinedet.detection.detector.shipped_graph", lambda *_: graph)
    with pytest.raises(FileError, match=r"expected a graph of .*other\.safetensors .* found one of other weights"):
        Detector.load(other, device="cpu")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, "expected a graph in 8 bits of .*other.safetensors .*, found none"),
        ({"runtime": "torch"}, "which runs by openvino"),
    ],
)
def test_8_bits_that_are_not_there_are_one_sentence(settings: dict[str, Any], told: str, tmp_path: Path) -> None:
    other = tmp_path / "other.safetensors"
    other.write_bytes(b"")
    with pytest.raises(InputError, match=told):
        Detector.load(other, precision="int8", **settings)


def test_a_float_graph_is_not_taken_for_one_in_8_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = shipped_graph(shipped_weights())
    monkeypatch.setattr("refinedet.detection.detector.shipped_graph", lambda *_: graph)
    with pytest.raises(InputError, match=r"expected a file in 8 bits .* in floats"):
        Detector.load(precision="int8")
