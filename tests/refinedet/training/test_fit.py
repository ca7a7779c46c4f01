"""fit(): exact resume, schedules, and a clear end where the loss is no longer finite."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from refinedet.boxes import as_boxes
from refinedet.config import AugmentConfig, ModelConfig, PostprocessConfig, Radiometry, TrainConfig
from refinedet.data.coco import Annotated, Record, build_record
from refinedet.data.dataset import ChipDataset, EpochSampler, collate
from refinedet.data.shards import read_chip
from refinedet.errors import FileError, InputError, RefineDetError
from refinedet.model.checkpoint import Header
from refinedet.model.network import RefineDet
from refinedet.training.fit import fit
from refinedet.training.optimization import autocast_dtype, learning_rate, update_ema
from refinedet.training.state import Row, TrainState

MODEL = ModelConfig(backbone_weights="none", tcb_channels=8, input_px=64)
HEADER = Header(MODEL, ("ship",), Radiometry(), {"dataset": "made"}, postprocess=PostprocessConfig(nms_iou=0.3))
TRAIN = TrainConfig(
    epochs=3,
    batch_size=2,
    canvas_width=64,
    canvas_height=64,
    workers=0,
    precision="fp32",
    warmup_epochs=0.5,
    augment=replace(AugmentConfig(), mosaic_off_epochs=1),
)


@pytest.fixture
def chips(tmp_path: Path) -> tuple[Record, Path]:
    """Four chips with a bright ship each, the last one empty."""
    rng = np.random.default_rng(0)
    images = []
    for index in range(4):
        pixels = rng.integers(0, 60, (64, 64), dtype=np.uint8)
        x, y = rng.integers(4, 40, 2).tolist()
        boxes = [] if index == 3 else [[x, y, x + 16, y + 9]]
        for x1, y1, x2, y2 in boxes:
            pixels[y1:y2, x1:x2] = 250
        Image.fromarray(pixels).save(tmp_path / f"{index}.png")
        count = len(boxes)
        images.append(
            Annotated(f"{index}.png", 64, 64, as_boxes(boxes), np.zeros(count, np.int64), np.zeros(count, bool))
        )
    return build_record(images, ("ship",)), tmp_path


def run(chips: tuple[Record, Path], state_path: Path, config: TrainConfig = TRAIN, stop_after: int = 99) -> TrainState:
    """Train; raise KeyboardInterrupt after `stop_after` epochs, as Ctrl-C would."""

    def on_epoch(row: Row) -> None:
        TOLD.append(row["epoch"])
        if row["epoch"] >= stop_after:
            raise KeyboardInterrupt

    torch.manual_seed(0)
    dataset = ChipDataset(*chips, config, MODEL.input_px)
    return fit(
        RefineDet(MODEL), dataset, lambda _: {"AP": 1.0}, state_path=state_path, header=HEADER, on_epoch=on_epoch
    )


TOLD: list[float] = []
"""Epochs that `run` was told of, in order."""


def test_the_last_epoch_is_validated_and_every_nth_before_it(chips: tuple[Record, Path], tmp_path: Path) -> None:
    state = run(chips, tmp_path / "state.pt", replace(TRAIN, epochs=5, validate_every=2))
    assert [row["epoch"] for row in state.history if any(name.startswith("val_") for name in row)] == [2, 4, 5]


@pytest.mark.parametrize(("step", "kept"), [(0, 0.1), (999, 0.9)])
def test_the_moving_average_moves_towards_the_weights(step: int, kept: float) -> None:
    mean, live = nn.BatchNorm1d(1), nn.BatchNorm1d(1)
    with torch.no_grad():
        live.weight.fill_(3)
        live.running_mean.fill_(10), live.num_batches_tracked.fill_(7)
    update_ema(mean, live, 0.9, step)
    assert mean.weight.item() == pytest.approx(kept * 1 + (1 - kept) * 3)
    assert mean.running_mean.item() == pytest.approx((1 - kept) * 10)
    assert mean.num_batches_tracked.item() == 7


def test_a_training_on_a_canvas_that_grows_ends_like_any_other(chips: tuple[Record, Path], tmp_path: Path) -> None:
    config = replace(TRAIN, canvas_width=128, early_canvas=(64, 64))
    state = run(chips, tmp_path / "state.pt", config)
    assert [row["epoch"] for row in state.history] == [1, 2, 3]
    assert all(np.isfinite(row["loss"]) for row in state.history)


def test_an_interrupted_run_ends_with_the_weights_of_an_uninterrupted_one(
    chips: tuple[Record, Path], tmp_path: Path
) -> None:
    whole = run(chips, tmp_path / "whole" / "state.pt")
    with pytest.raises(KeyboardInterrupt):
        run(chips, tmp_path / "cut" / "state.pt", stop_after=1)
    TOLD.clear()
    resumed = run(chips, tmp_path / "cut" / "state.pt")
    assert TOLD == [1, 2, 3]  # the first one again: telling may have been what was interrupted
    assert resumed.history == whole.history
    for name, weights in whole.ema.state_dict().items():
        assert torch.equal(weights, resumed.ema.state_dict()[name]), name


def test_workers_do_not_change_the_batches(chips: tuple[Record, Path]) -> None:
    keys = [key for batch in EpochSampler(4, 2, seed=1) for key in batch]
    first, again = (ChipDataset(*chips, TRAIN, MODEL.input_px) for _ in range(2))
    forwards = collate([first[k] for k in keys])[0]
    backwards = collate([again[k] for k in reversed(keys)])[0].flip(0)
    assert torch.equal(forwards, backwards)


def test_every_epoch_has_its_own_order_and_samples(chips: tuple[Record, Path]) -> None:
    sampler = EpochSampler(40, 8, seed=1)
    first = list(sampler)
    sampler.epoch = 1
    second = list(sampler)
    assert [k[1] for b in first for k in b] != [k[1] for b in second for k in b]
    dataset = ChipDataset(*chips, TRAIN, MODEL.input_px)
    assert not np.array_equal(dataset[(0, 0)].image, dataset[(1, 0)].image)


def test_a_worker_that_dies_is_one_sentence(
    chips: tuple[Record, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ChipDataset, "__getitem__", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
    with pytest.raises(RefineDetError, match="one was ended, perhaps because memory was short; free memory"):
        run(chips, tmp_path / "state.pt", replace(TRAIN, workers=1))


@pytest.mark.parametrize(("warmup_epochs", "warns"), [(0.5, False), (1.0, True), (7.0, True)])
def test_a_warm_up_as_long_as_the_training_is_warned_of(
    chips: tuple[Record, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture, warmup_epochs: float, *, warns: bool
) -> None:
    run(chips, tmp_path / "state.pt", replace(TRAIN, epochs=1, warmup_epochs=warmup_epochs))
    assert ("so the learning rate never reaches `lr`, 0.001" in caplog.text) == warns


def test_fewer_chips_than_a_batch_still_train(chips: tuple[Record, Path], tmp_path: Path) -> None:
    config = replace(TRAIN, batch_size=16, epochs=1)
    assert len(run(chips, tmp_path / "s.pt", config).history) == 1


def test_a_diverged_run_says_so_and_keeps_the_last_good_state(chips: tuple[Record, Path], tmp_path: Path) -> None:
    path = tmp_path / "state.pt"
    with pytest.raises(KeyboardInterrupt):
        run(chips, path, stop_after=1)
    good = path.read_bytes()
    with pytest.raises(RefineDetError, match="diverged"):
        run(chips, path, replace(TRAIN, lr=1e30))
    assert path.read_bytes() == good


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("cosine", [0.0, 0.5, 1.0, 0.5, 0.01]),  # start, half of the warm-up, its end, about halfway, the end
        ("step", [0.0, 0.5, 1.0, 1.0, 0.01]),
    ],
)
def test_learning_rates(schedule: str, expected: list[float]) -> None:
    config = TrainConfig(epochs=100, lr=1.0, warmup_epochs=1.0, schedule=schedule)  # type: ignore[arg-type]
    rates = [learning_rate(progress, config) for progress in (0.0, 0.5, 1.0, 50.0, 100.0)]
    assert rates == pytest.approx(expected, abs=0.012)


def test_precision_is_what_was_asked_for() -> None:
    assert autocast_dtype(replace(TRAIN, precision="fp32"), "cpu") is None
    assert autocast_dtype(replace(TRAIN, precision="bf16"), "cpu") is torch.bfloat16


def test_sgd_with_steps_runs(chips: tuple[Record, Path], tmp_path: Path) -> None:
    config = replace(TRAIN, optimizer="sgd", schedule="step", ema_decay=0.0, lr=1e-3, epochs=1)
    state = run(chips, tmp_path / "s.pt", config)
    for name, weights in state.model.state_dict().items():
        assert torch.allclose(weights.float(), state.ema.state_dict()[name].float()), name


def test_no_chips_and_damaged_chips_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="found none"):
        ChipDataset(build_record([], ("ship",)), tmp_path, TRAIN, 64)
    (tmp_path / "bad.png").write_bytes(b"no image")
    with pytest.raises(FileError, match=r"bad\.png"):
        read_chip(tmp_path / "bad.png")
