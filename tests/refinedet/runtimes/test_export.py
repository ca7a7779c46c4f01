"""Exported graphs against the network in torch, on shapes other than the one they were traced on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from refinedet import extras
from refinedet.config import ModelConfig
from refinedet.errors import FileError, MissingExtra
from refinedet.files import sha256_file
from refinedet.model.checkpoint import load_model, read_header
from refinedet.runtimes.export import DecodedRefineDet, export
from refinedet.runtimes.exported import SUFFIXES, Format
from refinedet.runtimes.graphs import open_graph

WriteNetwork = Callable[[Path, ModelConfig], Path]

SHAPES = [(1, 128, 128), (3, 64, 192), (2, 256, 64)]
OTHERS = {
    "plain": ModelConfig(
        backbone_weights="none", tcb_channels=8, input_px=64, align_conv="none", refined_anchors=False, arm_channels=8
    ),
    "detail, oracle backend": ModelConfig(
        backbone_weights="none", tcb_channels=8, input_px=64, detail=True, tcb_norm="batch", align_backend="torchvision"
    ),
}


def assert_equal_to_torch(weights: Path, path: Path) -> None:
    network = DecodedRefineDet(*load_model(weights)).eval()
    graph = open_graph(path)
    for seed, (batch, height, width) in enumerate(SHAPES):
        canvases = np.random.default_rng(seed).integers(0, 255, (batch, 3, height, width), dtype=np.uint8)
        with torch.no_grad():
            boxes, scores = (part.numpy() for part in network(torch.from_numpy(canvases)))
        found_boxes, found_scores = graph.run(canvases)
        assert (scores == 0).any(), "anchors that the ARM rejects"
        assert scores.std() > 0.01, "and others"
        sizes = (boxes[..., 2:] - boxes[..., :2]).max(axis=2)
        assert (np.abs(found_boxes - boxes).max(axis=2) <= 2e-3 + 1e-4 * sizes).all()
        # on the objectness limit itself, a rounding decides
        settled = (found_scores == 0) == (scores == 0)
        assert settled.mean() > 0.999
        np.testing.assert_allclose(found_scores[settled], scores[settled], atol=1e-4)


def test_a_graph_gives_what_torch_gives_on_any_batch_and_canvas(network: Path, exported: Path) -> None:
    assert_equal_to_torch(network, exported)


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.slow
def test_so_do_other_members_of_the_family(name: str, tmp_path: Path, write_network: WriteNetwork) -> None:
    pytest.importorskip("onnxruntime")
    weights = write_network(tmp_path / "other.safetensors", OTHERS[name])
    assert_equal_to_torch(weights, export(weights, tmp_path / "other.onnx", "onnx"))


def test_a_file_knows_all_that_its_checkpoint_knows(network: Path, exported: Path) -> None:
    told = open_graph(exported).exported
    assert told.header == read_header(network)
    assert told.weights_sha256 == sha256_file(network)


@pytest.mark.parametrize("format", ["onnx", "openvino"])
@pytest.mark.slow
def test_equal_checkpoints_give_equal_bytes_and_nothing_else_is_left(
    network: Path, tmp_path: Path, format: Format
) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip({"onnx": "onnxruntime"}.get(format, format))
    suffix = SUFFIXES[format]
    for folder in ("a", "b"):
        export(network, tmp_path / folder / f"x{suffix}", format)
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert names == (["x.onnx"] if format == "onnx" else ["x.bin", "x.xml"])
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_no_checkpoint_no_export(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="expected a checkpoint"):
        export(tmp_path / "none.safetensors", tmp_path / "none.onnx", "onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_package_is_named_with_its_pip_line(
    network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(extras, "import_module", missing)
    with pytest.raises(MissingExtra, match=r"expected onnx for an export, .*pip install 'refinedet\[train\]'"):
        export(network, tmp_path / "x.onnx", "onnx")
