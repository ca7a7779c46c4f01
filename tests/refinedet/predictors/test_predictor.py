"""TorchPredictor: chips of any size in, boxes in their own pixels out, whatever shares the call."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from refinedet.config import ModelConfig, PostprocessConfig, Radiometry
from refinedet.detections import Detections
from refinedet.errors import InputError
from refinedet.model.network import RefineDet
from refinedet.predictors.predictor import PartPredictor, TorchPredictor, resolve_device, resolve_devices

CHIPS = [
    np.random.default_rng(seed).integers(0, 255, shape, dtype=np.uint8)
    for seed, shape in enumerate([(50, 80), (128, 128), (30, 200, 3), (50, 81), (1, 1), (128, 120)])
]


def predictor(batch_size: int) -> TorchPredictor:
    torch.manual_seed(0)
    model = RefineDet(ModelConfig(backbone_weights="none", tcb_channels=8, input_px=128))
    everything = PostprocessConfig(objectness_min=0.0, score_min=0.0, max_detections=20)
    return TorchPredictor(
        model, classes=("ship",), radiometry=Radiometry(), device="cpu", batch_size=batch_size, postprocess=everything
    )


def assert_alike(a: Detections, b: Detections) -> None:
    np.testing.assert_allclose(a.scores, b.scores, atol=1e-3)
    np.testing.assert_allclose(a.boxes_xyxy, b.boxes_xyxy, atol=0.01)


def test_results_do_not_depend_on_batch_or_company() -> None:
    together = predictor(4).predict(CHIPS)
    for index, chip in enumerate(CHIPS):
        assert_alike(predictor(1).predict([chip])[0], together[index])


def test_boxes_lie_within_their_chip() -> None:
    for chip, found in zip(CHIPS, predictor(3).predict(CHIPS), strict=True):
        assert len(found) > 0
        assert (found.boxes_xyxy >= 0).all()
        assert (found.boxes_xyxy[:, [0, 2]] <= chip.shape[1] + 1e-3).all()
        assert (found.boxes_xyxy[:, [1, 3]] <= chip.shape[0] + 1e-3).all()


def test_a_chip_at_half_size_gives_boxes_at_half_size() -> None:
    smooth = np.tile(np.linspace(0, 255, 256), (256, 1)).astype(np.uint8)
    whole, half = predictor(1).predict([smooth, smooth[::2, ::2]])
    # the network sees both at 128 pixels; the ramp survives the resampling almost unchanged
    np.testing.assert_allclose(whole.scores[:5], half.scores[:5], atol=5e-3)


def test_a_part_is_seen_at_the_scale_of_its_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    one, seen = predictor(2), []
    detect = one._detect
    monkeypatch.setattr(one, "_detect", lambda canvases, *rest: (seen.append(canvases), detect(canvases, *rest))[1])
    chip = np.random.default_rng(3).integers(1, 255, (64, 32), dtype=np.uint8)
    assert isinstance(one, PartPredictor)
    one.predict_parts([chip], 128)
    np.testing.assert_array_equal(seen[-1][0, 0, :64, :32], chip)
    one.predict_parts([chip], 64)
    assert seen[-1].shape == (1, 1, 128, 64)
    assert_alike(one.predict_parts([chip], 64)[0], one.predict([chip])[0])


def test_no_chips_no_detections() -> None:
    assert predictor(2).predict([]) == []


@pytest.mark.parametrize("name", ["tpu", "cuda:0" if not torch.cuda.is_available() else "nonsense"])
def test_devices_that_are_not_there_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="device"):
        resolve_device(name)


@pytest.mark.parametrize("name", ["cuda:3", "cuda:-1", "cuda:x", "cuda:", "cpu:0", "gpu", "all"])
def test_only_devices_that_are_there_have_a_name(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    assert resolve_device("cuda:2") == "cuda:2"
    with pytest.raises(InputError, match="device"):
        resolve_device(name)


@pytest.mark.parametrize(("gpus", "names"), [(0, ["cpu"]), (1, ["cuda:0"]), (3, ["cuda:0", "cuda:1", "cuda:2"])])
def test_all_devices_are_every_gpu_or_else_the_processor(
    gpus: int, names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    assert resolve_devices("all") == names
    assert resolve_devices("cpu") == ["cpu"]


def test_a_batch_holds_at_least_one_chip() -> None:
    with pytest.raises(InputError, match="batch size"):
        predictor(0)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_the_gpu_finds_what_the_cpu_finds() -> None:
    on_cpu = predictor(4).predict(CHIPS[1:2])[0]
    torch.manual_seed(0)
    model = RefineDet(ModelConfig(backbone_weights="none", tcb_channels=8, input_px=128))
    everything = PostprocessConfig(objectness_min=0.0, score_min=0.0, max_detections=20)
    gpu = TorchPredictor(model, classes=("ship",), radiometry=Radiometry(), device="cuda", postprocess=everything)
    np.testing.assert_allclose(gpu.predict(CHIPS[1:2])[0].scores, on_cpu.scores, atol=1e-2)
