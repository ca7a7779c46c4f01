"""Search of scenes, as the training of the weights decides it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from refinedet.config import ModelConfig, Radiometry, TileConfig, TrainedOn
from refinedet.config.options.detect import DetectorSettings, WindowSettings
from refinedet.detection.loading import Loaded, load_torch
from refinedet.detection.search import settle
from refinedet.model.checkpoint import Header
from refinedet.predictors import predictor
from refinedet.scene.windows.overlap import LONGEST_SHIP_M
from refinedet.scene.windows.prescreen import K


@pytest.mark.parametrize(
    ("name", "from_ships", "as_ships"), [("ship", False, True), ("vessel", True, True), ("vessel", False, False)]
)
def test_a_class_from_weights_of_ships_is_searched_for_as_ships(name: str, from_ships: bool, as_ships: bool) -> None:
    trained_on = TrainedOn(TileConfig(64, 16), ships=from_ships)
    header = Header(ModelConfig(), (name,), Radiometry(), {}, trained_on=trained_on)
    search = settle(Loaded([], ("cpu",), header, "torch", "fp32"), DetectorSettings(), WindowSettings())
    assert (search.prescreen, search.ship_m) == ((K, LONGEST_SHIP_M) if as_ships else (None, None))


@pytest.mark.parametrize(("asked", "expected"), [(None, (32, None)), (5, (5, 5))])
def test_a_gpu_gets_whole_batches_of_windows(
    asked: int | None, expected: tuple[int | None, int | None], monkeypatch: pytest.MonkeyPatch, tiny_network: Path
) -> None:
    real = predictor.TorchPredictor.load
    monkeypatch.setattr(predictor, "resolve_devices", lambda name: [name])
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    modes = []

    def load(weights: Path, *, device: str, torch_mode: str, **more: Any) -> Any:
        modes.append((device, torch_mode))
        return real(weights, device="cpu", **more)

    monkeypatch.setattr(predictor.TorchPredictor, "load", load)
    settings = [DetectorSettings(batch_size=asked, device=device) for device in ("cuda", "cpu")]
    loaded = [load_torch(tiny_network, one) for one in settings]
    assert modes == [("cuda", "graph"), ("cpu", "eager")]
    assert [len(one.predictors) for one in loaded] == [2, 1], "two threads for a GPU"
    searches = [settle(one, given, WindowSettings()) for one, given in zip(loaded, settings, strict=True)]
    assert tuple(search.batch_size for search in searches) == expected
    assert not torch.backends.cudnn.allow_tf32
