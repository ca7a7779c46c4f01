"""What the command line's tests share: a way to run it, weights without a network, and a scene."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from cli.app import app
from refinedet import raster
from refinedet.config import ModelConfig, Radiometry, TileConfig, TrainedOn
from refinedet.model import checkpoint
from refinedet.predictors import predictor
from refinedet.runtimes import choice

Run = Callable[..., Result]
Box = tuple[int, int, int, int]


def sentences(ran: Result) -> list[str]:
    """Lines on stderr, without the notes that a test scene has no time and no speckle."""
    usual = "its ships is unknown", "its calm sea varies by only"
    return [line for line in ran.stderr.strip().splitlines() if not any(text in line for text in usual)]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in an empty folder; arguments are made strings."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> Result:
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return call


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bright_blobs: Any) -> Path:
    """A checkpoint whose network sees bright blobs: they need not be ships, so that all windows are looked at."""
    path = tmp_path / "model.safetensors"
    tile = {"tile_px": 64, "overlap_px": 48, "whole_factor": 3}  # windows are twice as large
    header = checkpoint.Header(
        ModelConfig(), ("blob",), Radiometry(), {}, trained_on=TrainedOn(TileConfig.from_dict(tile))
    )
    monkeypatch.setattr(checkpoint, "read_header", lambda given: header if given == path else pytest.fail(str(given)))
    monkeypatch.setattr(predictor.TorchPredictor, "load", lambda *_, **__: bright_blobs)
    monkeypatch.setattr(choice, "resolve_runtime", lambda *_, **__: "torch")
    path.write_bytes(b"stand-in")
    return path


@pytest.fixture
def ships() -> tuple[Box, ...]:
    """Boxes of the ships of `scene`, in pixels; a test may ask for others."""
    return ((20, 30, 40, 38), (150, 120, 162, 150))


@pytest.fixture
def scene(tmp_path: Path, ships: tuple[Box, ...]) -> Path:
    """A scene of dim sea with `ships` as bright rectangles."""
    pixels = np.random.default_rng(1).integers(90, 110, (220, 300)).astype(np.uint16)
    for x1, y1, x2, y2 in ships:
        pixels[y1:y2, x1:x2] = 1000
    raster.write_scene(tmp_path / "scene.tif", pixels, crs="EPSG:32633", transform=(10.0, 0, 5e5, 0, -10.0, 5.3e6))
    return tmp_path / "scene.tif"
