"""Training on odd chips and at absurd learning rates: no weight that is not finite is ever written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch
from PIL import Image

from refinedet.boxes import as_boxes
from refinedet.config import AugmentConfig, ModelConfig, PostprocessConfig, Radiometry, TrainConfig
from refinedet.data.coco import Annotated, Record, build_record
from refinedet.data.dataset import ChipDataset
from refinedet.errors import InputError, RefineDetError
from refinedet.model.checkpoint import Header, read_header
from refinedet.model.network import RefineDet
from refinedet.predictors.predictor import TorchPredictor
from refinedet.training.fit import LAST_GOOD, _check_progress, fit
from refinedet.training.state import TrainState

MODEL = ModelConfig(backbone_weights="none", tcb_channels=8, input_px=128)
HEADER = Header(MODEL, ("ship",), Radiometry(), {"dataset": "made"}, 0.4, postprocess=PostprocessConfig(nms_iou=0.3))
TRAIN = TrainConfig(
    epochs=2,
    batch_size=2,
    canvas_width=128,
    canvas_height=128,
    workers=0,
    precision="fp32",
    warmup_epochs=0.5,
    augment=replace(AugmentConfig(), mosaic_off_epochs=1),
)
SHIP, SPECK = [40, 30, 64, 44], [50, 50, 51, 51]


def chips(folder: Path, boxes: list[list[int]], *, ignored: bool = False, count: int = 4) -> tuple[Record, Path]:
    """`count` chips with the same boxes."""
    rng = np.random.default_rng(0)
    images = []
    for index in range(count):
        pixels = rng.integers(0, 60, (128, 128), dtype=np.uint8)
        for x1, y1, x2, y2 in boxes:
            pixels[y1:y2, x1:x2] = 250
        Image.fromarray(pixels).save(folder / f"{index}.png")
        flags = np.full(len(boxes), ignored)
        images.append(Annotated(f"{index}.png", 128, 128, as_boxes(boxes), np.zeros(len(boxes), np.int64), flags))
    return build_record(images, ("ship",)), folder


def train(made: tuple[Record, Path], config: TrainConfig = TRAIN, device: str = "cpu") -> TrainState:
    torch.manual_seed(0)
    dataset = ChipDataset(*made, config, MODEL.input_px)
    path = made[1] / "resume" / "state.pt"
    model = RefineDet(MODEL).to(device)
    return fit(model, dataset, lambda _: {}, state_path=path, header=HEADER, on_epoch=lambda _: None)


def tensors(content: object) -> Iterator[torch.Tensor]:
    """All tensors in a nest of dictionaries and lists."""
    if isinstance(content, torch.Tensor):
        yield content
    elif isinstance(content, dict):
        for value in content.values():
            yield from tensors(value)
    elif isinstance(content, list):
        for value in content:
            yield from tensors(value)


def assert_finite_files(folder: Path) -> None:
    """Nothing in the files of a training is NaN or infinite."""
    content = torch.load(folder / "resume" / "state.pt", weights_only=True)
    assert all(t.isfinite().all() for t in tensors(content))
    predictor = TorchPredictor.load(folder / "resume" / LAST_GOOD)
    assert all(t.isfinite().all() for t in predictor.model.state_dict().values())


@pytest.mark.parametrize(
    ("boxes", "ignored", "changes"),
    [
        ([SHIP], False, {"batch_size": 1}),
        ([], False, {}),
        ([SPECK], False, {}),
        ([SHIP, SPECK], True, {}),
        ([SHIP], False, {"optimizer": "sgd", "lr": 1e-2, "ema_decay": 0.0}),
    ],
    ids=["1-image batches", "no ships", "boxes of 1 px", "all boxes crowd", "sgd without mean"],
)
def test_odd_chips_train_to_finite_weights(
    tmp_path: Path, boxes: list[list[int]], ignored: bool, changes: dict[str, object]
) -> None:
    made = chips(tmp_path, boxes, ignored=ignored)
    state = train(made, replace(TRAIN, **changes))  # type: ignore[arg-type]
    assert len(state.history) == TRAIN.epochs
    assert all(np.isfinite(row["loss"]) for row in state.history)
    assert_finite_files(tmp_path)


@pytest.mark.parametrize(("factor", "diverges"), [(10, False), (1000, True), (1e9, True)])
@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
@pytest.mark.slow
def test_a_learning_rate_too_high_never_writes_what_is_not_finite(
    tmp_path: Path, factor: float, diverges: bool, optimizer: Literal["adamw", "sgd"]
) -> None:
    made = chips(tmp_path, [SHIP])
    usual = replace(TRAIN, epochs=1, optimizer=optimizer)
    train(made, usual)
    with pytest.raises(RefineDetError, match="has diverged; lower the learning rate") if diverges else nullcontext():
        train(made, replace(usual, epochs=4, lr=factor * usual.lr))
    assert_finite_files(tmp_path)


def test_a_run_that_diverges_later_names_its_last_good_checkpoint(tmp_path: Path) -> None:
    made = chips(tmp_path, [SHIP])
    train(made, replace(TRAIN, epochs=1))
    good = (tmp_path / "resume" / LAST_GOOD).read_bytes()
    with pytest.raises(
        RefineDetError, match=r"diverged.* weights, of epoch 1, are in .*last_good\.safetensors"
    ) as caught:
        train(made, replace(TRAIN, lr=1e30))
    path = Path(str(caught.value).rsplit(" in ", 1)[1])
    assert path.read_bytes() == good
    assert (read_header(path).provenance, read_header(path).operating_score) == ({"dataset": "made", "epoch": 1}, 0.4)
    predictor = TorchPredictor.load(path)
    assert predictor.postprocess == replace(HEADER.postprocess, operating_score=0.4)
    assert len(predictor.predict([np.zeros((128, 128), np.uint8)])) == 1


def test_a_run_that_diverges_at_once_leaves_nothing(tmp_path: Path) -> None:
    made = chips(tmp_path, [SHIP])
    with pytest.raises(RefineDetError, match=r"in epoch 1: .*diverged.*no epoch was finished, so there are no good"):
        train(made, replace(TRAIN, lr=1e30, warmup_epochs=0))
    assert not (tmp_path / "resume").exists()


def test_weights_that_are_lost_in_the_last_step_are_found(tmp_path: Path) -> None:
    made = chips(tmp_path, [SHIP], count=2)  # one step an epoch: no later step meets what it did
    config = replace(TRAIN, optimizer="sgd", lr=1e38, weight_decay=1e3, warmup_epochs=0)
    with pytest.raises(RefineDetError, match=r"expected finite weights, found NaN or infinity in '.*' in epoch 1"):
        train(made, config)
    assert not (tmp_path / "resume").exists()


@pytest.mark.parametrize(
    ("history", "loss", "stops"),
    [
        ([], 90.0, False),
        ([], 110.0, True),  # no recipe's first epoch is like that, so it is no baseline for the next
        ([5.0], 49.0, False),
        ([5.0], 51.0, True),
        ([5.0, 1.0], 11.0, True),
        ([5.0, 0.1], 4.0, False),  # a loss near zero may rise again: it is still better than at first
        ([1e-4, 1e-5], 0.5, False),  # and less than 1 for a ship is no explosion
        ([1e-4, 1e-5], 1.5, True),
    ],
)
def test_a_finite_explosion_is_no_training(tmp_path: Path, history: list[float], loss: float, stops: bool) -> None:
    state = train(chips(tmp_path, [SHIP], count=2), replace(TRAIN, epochs=1))
    state.history = [{"loss": known} for known in history]
    with pytest.raises(RefineDetError, match="a mean loss of at most") if stops else nullcontext():
        _check_progress(state, loss, TRAIN)


def test_one_chip_of_one_cell_cannot_be_normalised(tmp_path: Path) -> None:
    made = chips(tmp_path, [SHIP])
    config = replace(TRAIN, batch_size=1, canvas_width=64, canvas_height=64)
    with pytest.raises(InputError, match=r"expected more than one cell of the coarsest level.*1 chip of 64 x 64"):
        train(made, config)
    assert len(train(made, replace(config, freeze_batch_norm=True, epochs=1)).history) == 1


def test_synchronised_norms_need_gpus(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected GPUs for sync_batch_norm, found a CPU"):
        train(chips(tmp_path, [SHIP]), replace(TRAIN, sync_batch_norm=True))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_synchronised_norms_train_on_a_gpu(tmp_path: Path) -> None:
    config = replace(TRAIN, sync_batch_norm=True, epochs=1)
    assert np.isfinite(train(chips(tmp_path, [SHIP]), config, device="cuda").history[0]["loss"])
