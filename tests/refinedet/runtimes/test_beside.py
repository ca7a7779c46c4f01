"""Graphs beside a checkpoint: half a megabyte, the checkpoint's own weights, and its numbers in both engines."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from refinedet.config import ModelConfig
from refinedet.data.coco import Annotated, build_record
from refinedet.data.simulation.chips import simulated_chips
from refinedet.errors import FileError, InputError, RefineDetError
from refinedet.evaluation.agreement import median_move_px
from refinedet.files import sha256_file
from refinedet.model.checkpoint import load_model, read_header, save_checkpoint
from refinedet.predictors.predictor import TorchPredictor
from refinedet.runtimes import beside
from refinedet.runtimes.beside import export_beside
from refinedet.runtimes.choice import Runtime
from refinedet.runtimes.export import DecodedRefineDet
from refinedet.runtimes.exported import weights_of
from refinedet.runtimes.graphs import open_graph
from refinedet.runtimes.parity import parity
from refinedet.runtimes.predictor import ExportedPredictor
from refinedet.weights import shipped_graph, shipped_weights

WriteNetwork = Callable[[Path, ModelConfig], Path]
ENGINES: list[Runtime] = ["openvino", "onnx"]


@pytest.fixture(scope="module")
def halved(network: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint with convolutions in float16, as the shipped one, and its graph beside it."""
    path = tmp_path_factory.mktemp("beside") / "half.safetensors"
    weights = {name: tensor.half() if tensor.ndim > 1 else tensor for name, tensor in load_file(network).items()}
    save_checkpoint(path, weights, read_header(network))
    export_beside(path)
    return path


@pytest.mark.parametrize("engine", ENGINES)
def test_the_graph_gives_what_torch_gives_and_knows_its_checkpoint(halved: Path, engine: Runtime) -> None:
    pytest.importorskip({"onnx": "onnxruntime"}.get(engine, engine))
    graph = open_graph(halved.with_suffix(".onnx"), runtime=engine)
    assert graph.runtime == engine
    assert graph.exported.header == read_header(halved)
    assert graph.exported.weights_sha256 == sha256_file(halved)
    network = DecodedRefineDet(*load_model(halved)).eval()
    canvases = np.random.default_rng(0).integers(0, 255, (2, 3, 64, 192), dtype=np.uint8)
    with torch.no_grad():
        boxes, scores = (part.numpy() for part in network(torch.from_numpy(canvases)))
    found_boxes, found_scores = graph.run(canvases)
    settled = (found_scores == 0) == (scores == 0)  # on the objectness limit itself, a rounding decides
    assert settled.mean() > 0.999
    assert scores.std() > 0.01
    np.testing.assert_allclose(found_scores[settled], scores[settled], atol=1e-4)
    np.testing.assert_allclose(found_boxes, boxes, atol=0.01, rtol=1e-4)


def test_its_weights_are_those_of_the_checkpoint_beside_it(halved: Path, tmp_path: Path) -> None:
    graph, weights = tmp_path / "half.onnx", tmp_path / "half.safetensors"
    shutil.copy(halved.with_suffix(".onnx"), graph)
    assert graph.stat().st_size < halved.stat().st_size / 4
    assert weights_of(graph) == weights
    with pytest.raises(RefineDetError, match=r"half\.onnx"):
        open_graph(graph, runtime="openvino").run(np.zeros((1, 3, 128, 128), np.uint8))
    shutil.copy(halved, weights)
    open_graph(graph, runtime="openvino").run(np.zeros((1, 3, 128, 128), np.uint8))


@pytest.mark.slow
def test_equal_checkpoints_give_equal_graphs(halved: Path, tmp_path: Path) -> None:
    copy = tmp_path / halved.name
    shutil.copy(halved, copy)
    assert export_beside(copy).read_bytes() == halved.with_suffix(".onnx").read_bytes()


@pytest.mark.slow
def test_a_graph_with_weights_of_its_own_is_refused(
    halved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / halved.name
    shutil.copy(halved, copy)
    monkeypatch.setattr(beside, "_tensors", lambda _: {})
    with pytest.raises(InputError, match="expected a graph whose weights are those of"):
        export_beside(copy)
    with pytest.raises(InputError, match="suffix"):
        export_beside(tmp_path / "a.bin")
    with pytest.raises(FileError, match="expected a checkpoint"):
        export_beside(tmp_path / "none.safetensors")
    assert [path.name for path in tmp_path.iterdir()] == [halved.name]


@pytest.mark.parametrize("engine", ENGINES)
def test_the_shipped_graph_is_that_of_the_shipped_checkpoint(engine: Runtime) -> None:
    """Run `python -m pipeline.package_weights --graphs-only refinedet/weights/...safetensors` if this fails."""
    pytest.importorskip({"onnx": "onnxruntime"}.get(engine, engine))
    weights = shipped_weights()
    path = shipped_graph(weights)
    assert path is not None
    graph = open_graph(path, runtime=engine)
    assert graph.exported.weights_sha256 == sha256_file(weights)
    assert graph.exported.header == read_header(weights)
    found = parity(TorchPredictor.load(weights, device="cpu"), ExportedPredictor(graph), simulated_chips()[:1])
    assert found["boxes_compared"] > 0
    assert found["px_max"] < 0.01
    assert found["score_max"] < 1e-4
    assert found["unmatched"] == 0


def test_the_shipped_graph_in_8_bits_is_that_of_the_shipped_checkpoint() -> None:
    path = shipped_graph(shipped_weights(), "int8")
    if path is None:
        pytest.skip("the package has no graph in 8 bits")
    own = shipped_graph(shipped_weights())
    assert own is not None
    graph = open_graph(path)
    assert graph.precision == "int8"
    assert graph.exported.weights_sha256 == sha256_file(shipped_weights())
    chips = simulated_chips()[:2]
    floats = ExportedPredictor(open_graph(own, runtime="openvino")).predict(chips)
    eights = ExportedPredictor(graph).predict(chips)
    nothing = np.zeros((0, 4), np.float32), np.zeros(0, np.int64), np.zeros(0, np.bool_)
    shapes = [chip.shape for chip in chips]
    record = build_record([Annotated(f"{i}.png", one[1], one[0], *nothing) for i, one in enumerate(shapes)], ("ship",))
    ids = [image.id for image in record.images]
    assert sum(len(one) for one in floats) > 0
    assert median_move_px(record, dict(zip(ids, floats, strict=True)), dict(zip(ids, eights, strict=True))) < 0.5


def test_the_files_of_the_network_are_small() -> None:
    own = shipped_weights()
    files = [path for path in own.parent.glob(f"{own.stem}*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 25e6


def test_only_the_shipped_checkpoint_has_a_graph_wherever_it_lies(tmp_path: Path) -> None:
    weights = shipped_weights()
    copy, other = tmp_path / "copy.safetensors", tmp_path / "other.safetensors"
    shutil.copy(weights, copy)
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    other.write_bytes(content)
    assert shipped_graph(weights) is not None
    assert shipped_graph(copy) == shipped_graph(weights)
    assert shipped_graph(other) is None
    assert shipped_graph(tmp_path / "none.safetensors") is None
