"""The network as one CUDA graph: when it may be used, and that training does not notice."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from refinedet.boxes import as_boxes
from refinedet.config import AugmentConfig, ModelConfig, Radiometry, TrainConfig
from refinedet.data.coco import Annotated, Record, build_record
from refinedet.data.dataset import ChipDataset
from refinedet.errors import InputError
from refinedet.model.checkpoint import Header
from refinedet.model.network import RefineDet
from refinedet.training import fit as fitting
from refinedet.training import forward as module
from refinedet.training.fit import fit
from refinedet.training.forward import uses_cuda_graph
from refinedet.training.state import TrainState

MODEL = ModelConfig(backbone_weights="none", tcb_channels=8, tcb_norm="batch", input_px=64)
TRAIN = TrainConfig(
    epochs=2,
    batch_size=2,
    canvas_width=128,
    canvas_height=64,
    early_canvas=(64, 64),
    workers=0,
    precision="fp32",
    warmup_epochs=0.5,
    augment=replace(AugmentConfig(), mosaic_off_epochs=1),
)
CPU, GPU = torch.device("cpu"), torch.device("cuda")


def train(folder: Path, config: TrainConfig, device: torch.device = CPU) -> TrainState:
    """Two epochs on four chips with a ship each, on canvases of two sizes."""
    record = chips(folder)
    torch.manual_seed(0)
    model = RefineDet(MODEL).to(device)
    header = Header(MODEL, ("ship",), Radiometry(), {})
    dataset = ChipDataset(record, folder, config, MODEL.input_px)
    path = folder / f"{config.cuda_graph}-{config.precision}" / "state.pt"
    return fit(model, dataset, lambda _: {}, state_path=path, header=header, on_epoch=lambda _: None)


def chips(folder: Path) -> Record:
    rng = np.random.default_rng(0)
    images = []
    for index in range(4):
        pixels = rng.integers(0, 60, (64, 64), dtype=np.uint8)
        x, y = rng.integers(4, 40, 2).tolist()
        pixels[y : y + 9, x : x + 16] = 250
        Image.fromarray(pixels).save(folder / f"{index}.png")
        box = as_boxes([[x, y, x + 16, y + 9]])
        images.append(Annotated(f"{index}.png", 64, 64, box, np.zeros(1, np.int64), np.zeros(1, bool)))
    return build_record(images, ("ship",))


class Replayed(nn.Module):
    """A stand-in for a graph, on the processor: it warms up, then computes on its own copy of the input."""

    made: list[tuple[int, ...]]

    def __init__(self, step: Callable[[Tensor], tuple[Tensor, ...]], images: Tensor) -> None:
        super().__init__()
        self.step, self.images = step, images
        parameters = [p for p in step.parameters() if p.requires_grad]  # type: ignore[attr-defined]
        for _ in range(3):  # as torch does
            outputs = tuple(o for o in step(images) if o.requires_grad)
            torch.autograd.grad(outputs, parameters, tuple(map(torch.empty_like, outputs)), allow_unused=True)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Outputs for images of the shape that was recorded."""
        assert images.shape == self.images.shape
        self.images.copy_(images)
        return self.step(self.images)


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """Shapes for which a graph was recorded, by the stand-in."""
    shapes: list[tuple[int, ...]] = []

    def make(step: nn.Module, samples: tuple[Tensor, ...], *, allow_unused_input: bool) -> nn.Module:
        assert allow_unused_input  # the network may have weights that no output depends on
        assert not (torch.is_autocast_enabled("cpu") and torch.is_autocast_cache_enabled()), "torch refuses this"
        shapes.append(tuple(samples[0].shape))
        return Replayed(step, *samples)

    monkeypatch.setattr(torch.cuda, "make_graphed_callables", make)
    monkeypatch.setattr(fitting, "uses_cuda_graph", lambda config, _: config.cuda_graph is True)
    return shapes


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.slow
def test_a_recorded_network_trains_like_any_other(
    precision: str, recorded: list[tuple[int, ...]], tmp_path: Path
) -> None:
    config = replace(TRAIN, precision=precision)
    eager = train(tmp_path, config)
    graphed = train(tmp_path, replace(config, cuda_graph=True))
    assert recorded == [(2, 1, 64, 64), (2, 1, 64, 128)]  # once for each canvas
    assert graphed.history == eager.history
    for name, weights in eager.model.state_dict().items():  # statistics of norms too: warming up left no trace
        assert torch.equal(weights, graphed.model.state_dict()[name]), name


@pytest.mark.slow
def test_frozen_norms_stay_frozen(recorded: list[tuple[int, ...]], tmp_path: Path) -> None:
    config = replace(TRAIN, freeze_batch_norm=True)
    graphed = train(tmp_path, replace(config, cuda_graph=True))
    assert recorded
    assert graphed.history == train(tmp_path, config).history
    counts = [t for name, t in graphed.model.state_dict().items() if name.endswith("num_batches_tracked")]
    assert counts
    assert not any(map(torch.count_nonzero, counts))


def test_it_needs_one_process_on_a_gpu(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    assert TrainConfig().cuda_graph is False
    assert not uses_cuda_graph(TRAIN, GPU)
    demanded, auto = replace(TRAIN, cuda_graph=True), replace(TRAIN, cuda_graph="auto")
    assert uses_cuda_graph(demanded, GPU)
    assert uses_cuda_graph(auto, GPU)
    assert not caplog.messages
    assert not uses_cuda_graph(auto, CPU)
    assert caplog.messages == ["no CUDA graph, as there is the device cpu (`cuda_graph` auto)"]
    with pytest.raises(InputError, match="one process on a CUDA GPU for `cuda_graph`, found the device cpu; set it to"):
        uses_cuda_graph(demanded, CPU)
    monkeypatch.setattr(module, "world_size", lambda: 2)
    assert not uses_cuda_graph(auto, GPU)
    with pytest.raises(InputError, match="found 2 processes"):
        uses_cuda_graph(demanded, GPU)


def test_a_training_without_a_gpu_refuses_to_record(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="for `cuda_graph`, found the device cpu"):
        train(tmp_path, replace(TRAIN, cuda_graph=True))


@pytest.mark.parametrize("value", ["on", 2, None])
def test_other_words_are_refused(value: object) -> None:
    with pytest.raises(InputError, match="setting `cuda_graph`: expected one of 'auto', True or False"):
        TrainConfig.from_dict({"cuda_graph": value})


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_real_graph_trains_like_any_other(precision: str, tmp_path: Path) -> None:
    config = replace(TRAIN, precision=precision)
    eager = train(tmp_path, config, GPU)
    graphed = train(tmp_path, replace(config, cuda_graph=True), GPU)
    tolerance = 1e-3 if precision == "fp32" else 5e-2
    for ours, expected in zip(graphed.history, eager.history, strict=True):
        assert ours == pytest.approx(expected, rel=tolerance)
    for name, weights in eager.model.state_dict().items():
        if name.endswith("num_batches_tracked"):
            assert torch.equal(weights, graphed.model.state_dict()[name]), name
