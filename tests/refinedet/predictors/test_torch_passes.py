"""Passes in torch: eager, as graphs and compiled, in every precision, they find the same boxes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from refinedet.config import ModelConfig, PostprocessConfig, Radiometry
from refinedet.detections import Detections
from refinedet.errors import InputError
from refinedet.model.network import RefineDet
from refinedet.predictors import torch_passes
from refinedet.predictors.cuda_graphs import Recorded, Replays, Step
from refinedet.predictors.predictor import TorchPredictor
from refinedet.predictors.torch_passes import resolve_mode

GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
CHIPS = [
    np.random.default_rng(seed).integers(0, 255, shape, dtype=np.uint8)
    for seed, shape in enumerate([(64, 64), (64, 64, 3), (50, 60), (30, 64), (64, 64), (64, 64), (64, 64)])
]


def predictor(**more: Any) -> TorchPredictor:
    """An untrained network of one class, whose boxes are all kept but for suppression."""
    torch.manual_seed(0)
    model = RefineDet(ModelConfig(backbone_weights="none", tcb_channels=8, input_px=64))
    everything = PostprocessConfig(objectness_min=0.0, score_min=0.0, max_detections=20, voting_iou=None)
    given = {"device": "cpu", "batch_size": 4, "postprocess": everything} | more
    return TorchPredictor(model, classes=("ship",), radiometry=Radiometry(), **given)


def assert_alike(found: list[Detections], wanted: list[Detections], px: float, score: float) -> None:
    """Boxes have partners of the other set nearby; nearly equal scores may change places."""
    for one, other in zip(found, wanted, strict=True):
        assert len(one) == len(other) > 0
        apart = np.abs(one.boxes_xyxy[:, None] - other.boxes_xyxy[None]).max(axis=2)
        partner = apart.argmin(axis=1)
        assert apart.min(axis=1).max() < px
        assert np.abs(one.scores - other.scores[partner]).max() < score


class Recorder:
    """A stand-in on the processor: like a graph, it computes on its own inputs and overwrites its own outputs."""

    def __init__(self, *_: object) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def __call__(self, step: Step, first: Tensor, second: Tensor) -> Recorded:
        """Record a step, as CudaRecorder does."""
        self.shapes.append(tuple(first.shape))
        outputs = tuple(torch.zeros_like(one) for one in step(first, second))

        def replay() -> None:
            for own, new in zip(outputs, step(first, second), strict=True):
                own.copy_(new)

        return Recorded(replay, (first, second), outputs)


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """Graphs on the processor, by the stand-in."""
    made = Recorder()
    eager = torch_passes.NetworkPasses.__init__

    def init(self: Any, *args: Any, mode: Any, **more: Any) -> None:
        eager(self, *args, mode=mode, **more)
        self._replays = Replays(made) if mode == "graph" else None

    monkeypatch.setattr(torch_passes.NetworkPasses, "__init__", init)
    monkeypatch.setattr(torch_passes, "resolve_mode", lambda asked, _: asked)
    return made


def test_graphs_find_what_eager_passes_find(recorder: Recorder) -> None:
    wanted = predictor().predict(CHIPS)
    graphed = predictor(torch_mode="graph")
    for _ in range(3):
        assert_alike(graphed.predict(CHIPS), wanted, 1e-3, 1e-5)
    assert recorder.shapes == [(4, 3, 64, 64), (4, 1, 64, 64)], "once each; in three bands with a chip in colour"


def test_a_batch_is_filled_up_and_the_filling_finds_nothing(recorder: Recorder) -> None:
    graphed, gray = predictor(torch_mode="graph"), [CHIPS[0]] * 3
    found = [graphed.predict(gray) for _ in range(2)]
    assert recorder.shapes == [(4, 1, 64, 64)]
    for one in found:
        assert len(one) == 3
        assert_alike(one, predictor().predict(gray), 1e-3, 1e-5)


def test_other_limits_have_graphs_of_their_own(recorder: Recorder) -> None:
    graphed = predictor(torch_mode="graph")
    every = graphed.predict(CHIPS[:1])[0]
    least = float(np.median(every.scores))
    strict = replace(graphed.postprocess, score_min=least)
    for _ in range(2):
        assert len(graphed.predict(CHIPS[:1])[0]) == len(every)
        some = graphed.predict_at(CHIPS[:1], [64], strict)[0]
        assert 0 < len(some) < len(every)
        assert some.scores.min() >= least
    assert len(recorder.shapes) == 2


def test_what_cannot_be_recorded_runs_eagerly_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    def refuse(*_: object) -> Recorded:
        raise RuntimeError("operation not permitted\nwhen stream is capturing")

    replays = Replays(refuse)
    double: Step = lambda first, second: (first * 2, second)  # noqa: E731 - a step in a line
    for value in range(3):
        assert replays("key", double, torch.tensor(value), torch.tensor(0))[0] == 2 * value
    assert caplog.messages == [
        "torch runs kernel by kernel from here on: a CUDA graph cannot be recorded (operation not permitted)"
    ]
    assert caplog.records[0].levelno == logging.WARNING


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_is_near(precision: str) -> None:
    low, wanted = predictor(precision=precision).predict(CHIPS[:3]), predictor().predict(CHIPS[:3])
    for one, other in zip(low, wanted, strict=True):
        np.testing.assert_allclose(one.scores, other.scores, atol=0.02)
        assert not np.array_equal(one.scores, other.scores), "16 bits must show"


def test_square_canvases_of_the_input_are_compiled_as_a_whole_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    shapes: list[tuple[int, ...]] = []

    def compiled(step: Callable[..., Any], *, dynamic: bool) -> Callable[..., Any]:
        assert not dynamic
        return lambda images, sizes: (shapes.append(tuple(images.shape)), step(images, sizes))[1]

    monkeypatch.setattr(torch, "compile", compiled)
    found = predictor(torch_mode="compile").predict(CHIPS)
    assert set(shapes) == {(4, 3, 64, 64), (4, 1, 64, 64)}
    assert_alike(found, predictor().predict(CHIPS), 1e-3, 1e-5)


def test_a_compiler_that_fails_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    from torch._dynamo.exc import TorchDynamoException

    def fail(*_: object) -> None:
        raise TorchDynamoException("no C++ compiler\nfound")

    monkeypatch.setattr(torch, "compile", lambda *_, **__: fail)
    with pytest.raises(InputError, match=r"torch_mode` compile, but it failed \(no C\+\+ compiler\); is there"):
        predictor(torch_mode="compile").predict(CHIPS[:1])


def test_auto_is_a_graph_on_a_gpu_alone() -> None:
    assert [resolve_mode("auto", device) for device in ("cpu", "cuda", "cuda:1")] == ["eager", "graph", "graph"]
    assert resolve_mode("compile", "cpu") == "compile"
    with pytest.raises(InputError, match="expected a CUDA GPU for `torch_mode` graph, found the device cpu"):
        predictor(torch_mode="graph")


@pytest.mark.gpu
@GPU
@pytest.mark.parametrize("mode", ["eager", "graph", "compile"])
def test_a_gpu_finds_the_boxes_of_the_processor(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)  # as the command line has it
    wanted, on_gpu = predictor().predict(CHIPS), predictor(device="cuda", torch_mode=mode)
    for _ in range(3):
        assert_alike(on_gpu.predict(CHIPS), wanted, 0.1, 1e-3)


@pytest.mark.gpu
@GPU
def test_two_threads_share_a_gpu() -> None:
    from concurrent.futures import ThreadPoolExecutor

    on_gpu = predictor(device="cuda", torch_mode="graph")
    wanted = on_gpu.predict(CHIPS)
    with ThreadPoolExecutor(2) as threads:
        for found in threads.map(lambda _: on_gpu.predict(CHIPS), range(20)):
            assert_alike(found, wanted, 0.01, 1e-4)
