"""Two processes train as one does: equal gradients, losses and weights, whatever chips each of them meets."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from refinedet.boxes import as_boxes
from refinedet.config import AugmentConfig, ModelConfig, TrainConfig
from refinedet.data.coco import Annotated, build_record, write_record
from refinedet.data.dataset import EpochSampler
from refinedet.errors import InputError
from refinedet.model.network import RefineDet
from refinedet.model.norms import batch_norms, freeze_batch_norm, synchronised
from refinedet.training.distributed import (
    all_gather,
    average,
    check_same,
    loss_normaliser,
    mean,
    process_group,
    shard_for_rank,
)

SCRIPT = Path(__file__).with_name("one_process.py")
SECONDS = 240

LITE0 = ModelConfig(backbone_weights="none", tcb_channels=8, input_px=64)
STEP = TrainConfig(
    epochs=1,
    batch_size=4,
    canvas_width=64,
    canvas_height=64,
    workers=0,
    precision="fp32",
    warmup_epochs=0,
    optimizer="sgd",
    lr=1e-3,
    grad_clip_norm=1e9,
    freeze_batch_norm=True,
    augment=replace(AugmentConfig(), mosaic_off_epochs=1),
)
VGG16 = replace(LITE0, backbone="vgg16")
VGG16_STEP = replace(STEP, freeze_batch_norm=False)  # it has no norm to freeze
CURVE = replace(STEP, epochs=3, batch_size=2, lr=1e-4, grad_clip_norm=10.0)

JOBS: dict[str, dict[str, Any] | None] = {
    "one step": {"record": "all.json", "model": LITE0.to_dict(), "train": STEP.to_dict()},
    "one step of vgg16": {"record": "all.json", "model": VGG16.to_dict(), "train": VGG16_STEP.to_dict()},
    "curve": {"record": "all.json", "model": LITE0.to_dict(), "train": CURVE.to_dict()},
    "one ship": {"record": "one.json", "model": LITE0.to_dict(), "train": CURVE.to_dict()},
    "batch norm": {
        "record": "all.json",
        "model": LITE0.to_dict(),
        "train": replace(CURVE, freeze_batch_norm=False, canvas_width=128).to_dict(),
    },
    "talk": None,
}


def script() -> ModuleType:
    """one_process.py as a module."""
    spec = importlib.util.spec_from_file_location("one_process", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write_chips(folder: Path) -> None:
    """Four chips with two ships each, and records of all of them and of one ship alone."""
    rng = np.random.default_rng(0)
    records: dict[str, list[Annotated]] = {"all": [], "one": []}
    for index in range(4):
        pixels = rng.integers(0, 60, (128, 128), dtype=np.uint8)
        boxes = [[x, y, x + 24, y + 14] for x, y in rng.integers(4, 100, (2, 2)).tolist()]
        for x1, y1, x2, y2 in boxes:
            pixels[y1:y2, x1:x2] = 250
        Image.fromarray(pixels).save(folder / f"{index}.png")
        for name, kept in (("all", boxes), ("one", boxes[:1] if index == 0 else [])):
            count = len(kept)
            records[name].append(
                Annotated(f"{index}.png", 128, 128, as_boxes(kept), np.zeros(count, np.int64), np.zeros(count, bool))
            )
    for name, images in records.items():
        write_record(folder / f"{name}.json", build_record(images, ("ship",)))


def start(folder: Path, out: Path, number: int, port: int) -> subprocess.Popen[str]:
    """Process `number` of two, as torchrun would start it."""
    told = {"RANK": number, "LOCAL_RANK": number, "WORLD_SIZE": 2, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), str(folder), str(out)],
        env={**os.environ, **{name: str(value) for name, value in told.items()}},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with what two processes ended with in `pair`, and one alone in `alone`."""
    folder = tmp_path_factory.mktemp("jobs")
    write_chips(folder)
    (folder / "jobs.json").write_text(json.dumps(JOBS), encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    pair = [start(folder, folder / "pair", number, port) for number in range(2)]
    script().main(folder, folder / "alone")
    try:
        for process in pair:
            output, _ = process.communicate(timeout=SECONDS)
            assert process.returncode == 0, output
    finally:
        for process in pair:
            process.kill()
    return folder


def result(outcome: Path, who: str, job: str, number: int = 0) -> dict[str, Any]:
    """Result of process `number`."""
    content: dict[str, Any] = torch.load(outcome / who / job / f"result{number}.pt", weights_only=True)
    return content


def distance(a: Tensor, b: Tensor) -> float:
    """Norm of the difference of two tensors, relative to that of the second."""
    return float((a - b).norm() / b.norm().clamp(min=1e-12))


@pytest.mark.parametrize("job", ["one step", "one step of vgg16"])
def test_two_processes_have_the_gradient_of_one_with_the_whole_batch(outcome: Path, job: str) -> None:
    alone = result(outcome, "alone", job)["gradients"]
    for number in range(2):
        gradients = result(outcome, "pair", job, number)["gradients"]
        assert max(distance(gradients[name], alone[name]) for name in alone) < 1e-5


@pytest.mark.parametrize("job", ["curve", "one ship"])
def test_losses_and_weights_are_those_of_one_process(outcome: Path, job: str) -> None:
    alone, pair = result(outcome, "alone", job), result(outcome, "pair", job)
    assert len(pair["history"]) == CURVE.epochs
    for ours, expected in zip(pair["history"], alone["history"], strict=True):
        assert ours == pytest.approx(expected, rel=1e-4)  # rounding grows from step to step
    flat = [torch.cat([w.flatten() for w in r["weights"].values() if w.is_floating_point()]) for r in (pair, alone)]
    assert distance(*flat) < 1e-5


@pytest.mark.parametrize("job", ["curve", "one ship", "batch norm"])
def test_all_processes_end_with_equal_weights_and_running_means(outcome: Path, job: str) -> None:
    first, second = (result(outcome, "pair", job, number) for number in range(2))
    for what in ("weights", "ema"):
        for name, weights in first[what].items():
            assert torch.equal(weights, second[what][name]), name
    assert first["history"] == second["history"]
    assert [row["val_spread"] for row in first["history"]] == [0.0] * CURVE.epochs


def test_batch_statistics_come_from_the_whole_batch(outcome: Path) -> None:
    alone, pair = (result(outcome, who, "batch norm") for who in ("alone", "pair"))
    name = "backbone.body.bn1.running_mean"
    start_of_training = torch.zeros_like(alone["weights"][name])
    assert not torch.allclose(alone["weights"][name], start_of_training, atol=1e-4)
    # the mean of the parts' means is the mean of the batch; the weights themselves drift apart a little
    torch.testing.assert_close(pair["weights"][name], alone["weights"][name], rtol=0.05, atol=1e-3)


def test_one_process_writes_and_tells(outcome: Path) -> None:
    assert result(outcome, "pair", "curve", 0)["told"] == [1, 2, 3]
    assert result(outcome, "pair", "curve", 1)["told"] == []


def test_a_training_goes_on_with_another_number_of_processes(outcome: Path, tmp_path: Path) -> None:
    shutil.copy(outcome / "pair" / "curve" / "first.pt", tmp_path / "state.pt")
    job = JOBS["curve"]
    assert job is not None
    again = script().train(outcome, job, tmp_path)
    whole = result(outcome, "alone", "curve")
    assert again["told"] == [1, 2, 3]  # the first one again: telling may have been what was interrupted
    assert [row["loss"] for row in again["history"]] == pytest.approx([r["loss"] for r in whole["history"]], rel=1e-4)


def test_each_image_is_somebodys_and_only_one_decides(outcome: Path) -> None:
    for number in range(2):
        talk = result(outcome, "pair", "talk", number)
        assert talk["images"] == {0: "0", 1: "1", 2: "0", 3: "1", 4: "0", 5: "1", 6: "0"}
        assert (talk["broadcast"], talk["size"]) == (0, 2)
        assert "expected the same settings in all 2 processes, found 2" in talk["refused"]


@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_parts_make_the_batches_of_one_process(ranks: int) -> None:
    whole = list(EpochSampler(40, 8, seed=1))
    parts = [list(EpochSampler(40, 8, seed=1, rank=rank, ranks=ranks)) for rank in range(ranks)]
    assert [[key for part in batch for key in part] for batch in zip(*parts, strict=True)] == whole


@pytest.mark.parametrize(("length", "batch_size"), [(40, 16), (4, 6)])
def test_a_batch_that_cannot_be_shared_evenly_is_refused(length: int, batch_size: int) -> None:
    with pytest.raises(InputError, match="expected a batch that 3 processes share evenly"):
        EpochSampler(length, batch_size, seed=1, rank=0, ranks=3)


def test_alone_nothing_is_sent() -> None:
    tensor = torch.tensor([2.0, 4.0])
    average([tensor])
    with process_group("cpu") as device:
        assert device == "cpu"
    assert torch.equal(mean(tensor), torch.tensor([2.0, 4.0]))
    assert (loss_normaliser(torch.tensor(0.25)), loss_normaliser(torch.tensor(7.0))) == (1, 7)
    assert (list(shard_for_rank([1, 2, 3])), all_gather({1: "a"})) == ([1, 2, 3], {1: "a"})
    check_same("anything", "settings")


def test_frozen_batch_norm_keeps_its_statistics_and_learns_its_scale(outcome: Path) -> None:
    fresh = RefineDet(LITE0).state_dict()
    trained = result(outcome, "alone", "curve")
    for name in ("running_mean", "running_var"):
        assert torch.equal(trained["weights"][f"backbone.body.bn1.{name}"], fresh[f"backbone.body.bn1.{name}"])
    assert trained["gradients"]["backbone.body.bn1.weight"].abs().sum() > 0


def test_freezing_and_synchronising_find_every_norm() -> None:
    model = RefineDet(LITE0).train()
    count = len(batch_norms(model))
    freeze_batch_norm(model)
    assert not any(norm.training for norm in batch_norms(model))
    names = list(model.state_dict())
    image = torch.rand(1, 3, 64, 64) * 255
    with torch.inference_mode():
        before = model.eval()(image).odm_logits
        converted = synchronised(model)
        torch.testing.assert_close(converted(image).odm_logits, before, rtol=0, atol=0)  # activations are still there
    assert sum(isinstance(m, torch.nn.SyncBatchNorm) for m in converted.modules()) == count
    assert list(converted.state_dict()) == names
