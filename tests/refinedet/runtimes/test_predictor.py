"""ExportedPredictor: torch's boxes, the same to the bit whatever shares the call."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from refinedet.config import MultiscaleConfig
from refinedet.detections import Detections
from refinedet.errors import InputError
from refinedet.predictors.multiscale import MultiscalePredictor
from refinedet.predictors.predictor import Chip, TorchPredictor
from refinedet.runtimes.graphs import OnnxGraph
from refinedet.runtimes.parity import parity
from refinedet.runtimes.predictor import ExportedPredictor


def assert_same(found: list[Detections], expected: list[Detections]) -> None:
    for one, other in zip(found, expected, strict=True):
        for name in ("boxes_xyxy", "scores", "labels"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@pytest.mark.parametrize("batch_size", [3, 8])
def test_results_are_the_same_to_the_bit_whatever_the_batch(exported: Path, chips: list[Chip], batch_size: int) -> None:
    alone = ExportedPredictor.load(exported, batch_size=1)
    one_by_one = [alone.predict([chip])[0] for chip in chips]
    assert sum(map(len, one_by_one)) > 100
    together = ExportedPredictor.load(exported, batch_size=batch_size)
    assert_same(together.predict(chips), one_by_one)
    assert_same(together.predict(chips[::-1])[::-1], one_by_one)


def test_two_runs_give_the_same(exported: Path, chips: list[Chip]) -> None:
    first, second = (ExportedPredictor.load(exported).predict(chips) for _ in range(2))
    assert_same(first, second)


def test_boxes_are_those_of_torch(network: Path, exported: Path, chips: list[Chip]) -> None:
    report = parity(TorchPredictor.load(network, device="cpu"), ExportedPredictor.load(exported), chips[:6])
    assert report["chips"] == 6
    assert report["boxes_compared"] > 500
    assert report["px_max"] < 0.05, "boxes of an untrained network are up to 2,000 pixels large"
    assert report["score_max"] < 1e-3
    assert report["detections"][0] > 100
    assert report["unmatched"] <= 0.02 * report["detections"][0], "only where scores are equal but for a rounding"


def test_parity_sees_a_difference(network: Path, exported: Path, chips: list[Chip]) -> None:
    ours, theirs = TorchPredictor.load(network, device="cpu"), ExportedPredictor.load(exported)
    for parameter in ours.model.odm.parameters():
        parameter.data *= 1.01
    report = parity(ours, theirs, chips[:2])
    assert report["px_max"] > 0.2
    assert report["score_max"] > 1e-3
    with pytest.raises(InputError, match="at least one chip"):
        parity(ours, theirs, [])


def test_other_sizes_and_mirrored_work_as_in_torch(network: Path, exported: Path, chips: list[Chip]) -> None:
    config = MultiscaleConfig.preset("light")
    ours = MultiscalePredictor(TorchPredictor.load(network, device="cpu"), config).predict(chips[1:2])[0]
    theirs = MultiscalePredictor(ExportedPredictor.load(exported), config).predict(chips[1:2])[0]
    np.testing.assert_allclose(theirs.scores[:20], ours.scores[:20], atol=1e-3)


def test_bfloat16_is_near_and_onnx_has_none(exported: Path, chips: list[Chip]) -> None:
    if exported.suffix == ".onnx":
        with pytest.raises(InputError, match='`precision="fp32"` for runtime onnx'):
            OnnxGraph(exported, device="cpu", precision="bf16")
        return
    try:
        low = ExportedPredictor.load(exported, precision="bf16")
    except InputError as error:
        pytest.skip(str(error))
    canvas = np.random.default_rng(0).integers(0, 255, (1, 3, 128, 128), dtype=np.uint8)
    full = ExportedPredictor.load(exported).graph.run(canvas)
    assert 0 < np.abs(low.graph.run(canvas)[1] - full[1]).mean() < 0.02
    assert_same(low.predict(chips), [low.predict([chip])[0] for chip in chips])


def test_a_batch_holds_at_least_one_chip(exported: Path) -> None:
    with pytest.raises(InputError, match="batch size"):
        ExportedPredictor.load(exported, batch_size=0)
    assert ExportedPredictor.load(exported).predict([]) == []
