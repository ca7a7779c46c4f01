"""The script for a GPU: a way that fails costs its own row, and every way is in the table."""

from __future__ import annotations

import argparse
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from refinedet.detections import Detections


class Finds:
    """A predictor that boxes the middle of each chip, moved by `px`."""

    batch_size = 1

    def __init__(self, px: float) -> None:
        self.px = px

    def predict(self, chips: Any) -> list[Detections]:
        """One box for each chip."""
        return [Detections.of([[8 + self.px, 8, 24, 24]], [0.9], [0]) for _ in chips]


@pytest.fixture
def gpu(beside_the_scripts: Path) -> Any:
    """The script."""
    assert beside_the_scripts.is_dir()
    return import_module("gpu")


@pytest.fixture
def asked() -> argparse.Namespace:
    return argparse.Namespace(
        device="cpu", batches=[1, 2], windows=4, rounds=1, quick=True, ends=time.monotonic() + 60, limit_s=60.0
    )


def row(gpu: Any, asked: argparse.Namespace, load: Any, **more: Any) -> list[Any]:
    chips = [np.zeros((32, 32), np.uint8)] * 2
    way = gpu.Way("a way", "fp16", "cpu", load, **more)
    found: list[Any] = gpu.row(asked, way, chips, chips * 2, Finds(0).predict(chips))
    return found


def test_a_row_has_times_and_the_largest_distance(gpu: Any, asked: argparse.Namespace) -> None:
    cells = row(gpu, asked, lambda: Finds(0.25), callers=2)
    assert cells[:3] == ["a way", "fp16", "cpu"]
    assert all(float(cell) > 0 for cell in cells[3:7])
    assert cells[7:11] == ["0.2500", 0, 0, "-"]


def test_a_way_that_fails_or_comes_too_late_says_so(gpu: Any, asked: argparse.Namespace) -> None:
    def fail() -> None:
        raise RuntimeError("CUDA out of memory\nwith details")

    assert row(gpu, asked, fail)[3:] == ["left out: CUDA out of memory"]
    assert row(gpu, asked, lambda: Finds(0), slow=True)[3:] == ["left out: --quick"]
    asked.ends = 0.0
    assert row(gpu, asked, lambda: Finds(0))[3:] == ["left out: after 60 s"]


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_every_way_is_in_the_table(gpu: Any, device: str) -> None:
    ways = list(gpu.all_ways(device, ("fp32", "fp16")))
    names = [(way.name, way.precision) for way in ways]
    for mode in ("graph", "eager", "compile"):
        assert {(f"torch {mode}", "fp32"), (f"torch {mode}", "fp16")} <= set(names)
    assert ("ONNX Runtime, batches", "fp32") in names
    assert ("OpenVINO, batches", "fp16") in names
    assert len(set(names)) == len(names)
    assert {way.callers for way in ways if "torch" in way.name} == {1 if device == "cpu" else 2}, (
        "as the command has it"
    )
