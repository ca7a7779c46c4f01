"""Fixtures of the tests of runtimes: a small network that finds something everywhere, and its exports."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from refinedet.config import ModelConfig, PostprocessConfig, Radiometry
from refinedet.model import checkpoint
from refinedet.model.network import RefineDet
from refinedet.predictors.predictor import Chip
from refinedet.runtimes.export import export

SMALL = ModelConfig(backbone_weights="none", tcb_channels=8, input_px=128, num_classes=2)
EVERYTHING = PostprocessConfig(objectness_min=0.02, score_min=0.0, max_detections=40)


def _write_network(path: Path, config: ModelConfig) -> Path:
    """A checkpoint of an untrained network whose boxes are moved, stretched and scored by what it sees."""
    torch.manual_seed(0)
    model = RefineDet(config)
    for name, parameter in model.named_parameters():
        if name.startswith(("arm.", "odm.")) and name.endswith("weight"):
            torch.nn.init.normal_(parameter, std=0.02 if name.startswith("arm.") else 1.0)
    classes = tuple(f"class {label}" for label in range(config.num_classes))
    header = checkpoint.Header(config, classes, Radiometry(low_percentile=2.0), {"seed": 0}, 0.03, 0.4, EVERYTHING)
    checkpoint.save_checkpoint(path, model.state_dict(), header)
    return path


@pytest.fixture
def write_network() -> Callable[[Path, ModelConfig], Path]:
    """Write a checkpoint of an untrained network of the given kind."""
    return _write_network


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint."""
    return _write_network(tmp_path_factory.mktemp("network") / "small.safetensors", SMALL)


@pytest.fixture(scope="session", params=["onnx", "openvino"])
def exported(request: pytest.FixtureRequest, network: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its export, in each format."""
    pytest.importorskip("onnx")
    pytest.importorskip({"onnx": "onnxruntime"}.get(request.param, request.param))
    suffix = {"onnx": ".onnx", "openvino": ".xml"}[request.param]
    return export(network, tmp_path_factory.mktemp(request.param) / f"small{suffix}", request.param)


@pytest.fixture
def chips() -> list[Chip]:
    """Chips of several sizes, in grey and in colour, nine of them of one size."""
    shapes = [(50, 80), (128, 128), (30, 200, 3), (1, 1), *[(128, 120)] * 9]
    return [np.random.default_rng(i).integers(0, 255, shape, dtype=np.uint8) for i, shape in enumerate(shapes)]
