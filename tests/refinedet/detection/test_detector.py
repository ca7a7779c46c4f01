"""A detector whose export cannot be kept anywhere, and one in 8 bits where they pay."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from refinedet.detection.detector import Detector
from refinedet.detection.find_ships import find_ships
from refinedet.detection.loading import weights_sha256
from refinedet.errors import FileError, InputError
from refinedet.files import sha256_file
from refinedet.raster import write_scene
from refinedet.runtimes.exported import KEY, Exported
from refinedet.runtimes.graphs import openvino
from refinedet.weights import shipped_graph, shipped_weights


def test_auto_falls_back_to_torch_where_no_export_can_be_kept_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    weights = tmp_path / "other.safetensors"
    weights.write_bytes(shipped_weights().read_bytes())
    monkeypatch.setattr("refinedet.detection.detector.shipped_graph", lambda *_: None)
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
    with Detector.load(precision="fp32") as detector:
        assert (detector.runtime, detector.precision) == ("openvino", "fp32")
        assert detector.weights_sha256 == sha256_file(shipped_weights())


def test_without_torch_an_export_that_is_kept_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = tmp_path / "other.safetensors"
    weights.write_bytes(shipped_weights().read_bytes())
    kept = shipped_graph(shipped_weights())
    monkeypatch.setattr("refinedet.detection.detector.shipped_graph", lambda *_: None)
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


@pytest.fixture(scope="module")
def small_graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that says it is the package's graph in 8 bits, and computes in floats: the choice alone is tested."""
    pytest.importorskip("openvino")
    graph, path = shipped_graph(shipped_weights()), tmp_path_factory.mktemp("small") / "small_int8.xml"
    assert graph is not None
    model = openvino().Core().read_model(graph)
    exported = Exported.from_text(model.get_rt_info(["framework", KEY]).astype(str), str(graph))
    model.set_rt_info(replace(exported, precision="int8").to_text(), [KEY])
    openvino().save_model(model, path)
    return path


@pytest.fixture
def with_8_bits(small_graph: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package with a graph in 8 bits, on a processor with VNNI and without a GPU."""
    own = shipped_graph(shipped_weights())
    monkeypatch.setattr(
        "refinedet.detection.detector.shipped_graph",
        lambda _weights, precision="fp32": small_graph if precision == "int8" else own,
    )
    set_processor(monkeypatch, "amx_int8", "avx512_vnni")
    monkeypatch.setattr("refinedet.runtimes.choice.gpu_for_torch", lambda: False)


def set_processor(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    monkeypatch.setattr("refinedet.detection.detector.instructions_for_8_bits", lambda: names)


@pytest.mark.usefixtures("with_8_bits")
def test_auto_takes_8_bits_where_the_processor_has_instructions_for_them_and_says_so(small_graph: Path) -> None:
    with Detector.load() as detector:
        assert (detector.runtime, detector.precision) == ("openvino", "int8")
        assert detector.identity["precision"] == "int8"
        assert detector.identity["graph"] == weights_sha256(small_graph)
        assert detector.weights_sha256 == sha256_file(shipped_weights())
        (note,) = detector.notes
    assert "(amx_int8 and avx512_vnni)" in note
    assert 'set `precision="fp32"`' in note
    with Detector.load(precision="int8") as detector:
        assert detector.precision == "int8"
        assert detector.notes == (), "it was asked for"


@pytest.mark.usefixtures("with_8_bits")
@pytest.mark.parametrize(
    "settings", [{"precision": "fp32"}, {"runtime": "onnx"}, {"multiscale": "light"}, {"runtime": "torch"}]
)
def test_auto_takes_floats_where_something_else_is_asked_for(settings: dict[str, Any]) -> None:
    pytest.importorskip("onnxruntime")
    with Detector.load(device="cpu", **settings) as detector:
        assert detector.precision == "fp32"
        assert "graph" not in detector.identity
        assert detector.notes == ()


@pytest.mark.usefixtures("with_8_bits")
def test_without_such_instructions_auto_takes_floats_and_8_bits_can_be_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_processor(monkeypatch)
    with Detector.load() as detector:
        assert (detector.runtime, detector.precision, detector.notes) == ("openvino", "fp32", ())
    with Detector.load(precision="int8") as detector:
        assert detector.precision == "int8"


@pytest.mark.usefixtures("with_8_bits")
def test_on_a_gpu_auto_takes_floats(monkeypatch: pytest.MonkeyPatch) -> None:
    def load_torch(weights: Path, _: Any) -> None:
        raise InputError(f"torch was asked for {weights.name}")

    monkeypatch.setattr("refinedet.runtimes.choice.gpu_for_torch", lambda: True)
    monkeypatch.setattr("refinedet.detection.detector.load_torch", load_torch)
    with pytest.raises(InputError, match=f"torch was asked for {shipped_weights().name}"):
        Detector.load()


@pytest.mark.usefixtures("with_8_bits")
def test_a_file_in_8_bits_is_not_taken_for_one_in_floats(small_graph: Path) -> None:
    with pytest.raises(InputError, match=r"expected a file in floats .* in 8 bits"):
        Detector.load(small_graph, precision="fp32")


@pytest.mark.usefixtures("with_8_bits")
def test_the_record_and_the_notes_of_a_run_tell_of_8_bits(tmp_path: Path) -> None:
    scene = tmp_path / "scene.tif"
    write_scene(scene, np.random.default_rng(0).gamma(4, 25, (64, 64)).astype(np.uint16))
    run = find_ships(scene, tmp_path / "out", format="csv", quicklook=False, map=False)
    assert run.record["settings"]["precision"] == "int8"
    assert run.record["identity"]["detector"]["precision"] == "int8"
    assert any("in 8 bits" in note for note in run.notes)
    with pytest.raises(FileError, match=r"detector.precision was int8, is fp32"):
        find_ships(
            scene, tmp_path / "out", format="csv", quicklook=False, map=False, skip_existing=True, precision="fp32"
        )
