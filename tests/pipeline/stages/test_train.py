"""The train stage as a program: alone, as two processes, from given weights, and when it diverges."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from ruamel.yaml import YAML

from pipeline.stage import TRAINED_ON
from refinedet.boxes import as_boxes
from refinedet.config import PixelSizes, TileConfig, TrainedOn
from refinedet.data.coco import Annotated, build_record, write_record
from refinedet.files import sha256_file, write_json
from refinedet.model.checkpoint import read_header
from refinedet.training.fit import LAST_GOOD

ROOT = Path(__file__).resolve().parents[3]

RECIPE: dict[str, Any] = {
    "dataset": "made",
    "model": {"backbone_weights": "none", "input_px": 64, "tcb_channels": 8},
    "train": {
        "epochs": 2,
        "batch_size": 2,
        "canvas_width": 64,
        "canvas_height": 64,
        "workers": 0,
        "precision": "fp32",
        "optimizer": "sgd",
        "freeze_batch_norm": True,
        "augment": {"mosaic": 0.0, "mosaic_off_epochs": 0},
    },
    "evaluate": {"postprocess": {"nms_iou": 0.4}},
}

CUT = TrainedOn(TileConfig(64, 16), PixelSizes(8.0, 12.0, 10.0))

pytestmark = pytest.mark.timeout(600)


def write_chips(folder: Path, split: str, count: int) -> None:
    """`count` chips of 64 x 64 pixels with a bright ship each, their record, and what stage tile says of them."""
    rng = np.random.default_rng(count)
    images = []
    (folder / split).mkdir(parents=True)
    for index in range(count):
        x, y = rng.integers(2, 40, 2).tolist()
        pixels = rng.integers(0, 60, (64, 64), dtype=np.uint8)
        pixels[y : y + 12, x : x + 20] = 250
        name = f"{split}/{index}.png"
        Image.fromarray(pixels).save(folder / name)
        boxes = as_boxes([[x, y, x + 20, y + 12]])
        images.append(Annotated(name, 64, 64, boxes, np.zeros(1, np.int64), np.zeros(1, bool)))
    write_record(folder / f"{split}.json", build_record(images, ("ship",)))
    write_json(folder / TRAINED_ON, CUT.to_dict())


def train(folder: Path, changes: dict[str, Any] | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the stage with changed training settings and additional environment variables."""
    recipe = {**RECIPE, "train": {**RECIPE["train"], **(changes or {})}}
    YAML().dump({"recipe": "made", "recipes": {"made": recipe}}, folder / "params.yaml")
    unset = ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME", "DVC_EXP_NAME", "REFINEDET_TORCHRUN", "WORLD_SIZE")
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    environment |= {"PYTHONPATH": str(ROOT), "GIT_CEILING_DIRECTORIES": str(folder.parent), **variables}
    command = [sys.executable, "-m", "pipeline.stages.train"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def runs(folder: Path) -> list[Any]:
    """Every MLflow run of a folder, the newest first."""
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
    return list(client.search_runs([e.experiment_id for e in client.search_experiments()]))


def history(folder: Path) -> list[dict[str, float]]:
    """Values that the last training recorded in each epoch."""
    content: list[dict[str, float]] = json.loads((folder / "outputs/train/history.json").read_text(encoding="utf-8"))
    return content


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project folder in which two processes have trained."""
    folder = tmp_path_factory.mktemp("project")
    write_chips(folder / "outputs/tile", "train", 4)
    write_chips(folder / "outputs/tile", "val", 3)  # not even: one process has one more
    YAML().dump({"stages": {"train": {"cmd": "x", "deps": ["outputs/tile"]}}}, folder / "dvc.yaml")
    done = train(folder, REFINEDET_TORCHRUN="--standalone --nproc_per_node 2", OMP_NUM_THREADS="1")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("epoch 2/2 done") == 1  # one process tells
    return folder


@pytest.mark.slow
def test_two_processes_make_one_checkpoint_and_one_run(trained: Path) -> None:
    (run,) = runs(trained)
    assert run.info.status == "FINISHED"
    assert run.data.tags["processes"] == "2"
    assert run.data.tags["checkpoint_sha256"] == sha256_file(trained / "outputs/train/model.safetensors")
    assert [row["epoch"] for row in history(trained)] == [1, 2]
    header = read_header(trained / "outputs/train/model.safetensors")
    assert header.postprocess.nms_iou == 0.4
    assert "init" not in header.provenance
    assert header.provenance["operating_score_on"] == {"made": 3}
    # chips shown at 0.6 to 1.6 times their size, as the recipe has it by default
    assert header.trained_on == TrainedOn(CUT.windows, PixelSizes(5.0, 20.0, 10.0))
    assert list((trained / ".refinedet/resume").iterdir()) == []


@pytest.mark.slow
def test_one_process_measures_what_two_do(trained: Path) -> None:
    pair = history(trained)
    done = train(trained)
    assert done.returncode == 0, done.stderr
    for ours, expected in zip(pair, history(trained), strict=True):
        assert ours == pytest.approx(expected, rel=1e-4, abs=1e-6)
    assert len(runs(trained)) == 2


@pytest.mark.slow
def test_a_diverged_training_from_given_weights_says_what_is_left(trained: Path) -> None:
    given = trained / "given.safetensors"
    given.write_bytes((trained / "outputs/train/model.safetensors").read_bytes())
    # the first epoch is one step of the warm-up, and its weights are still finite
    changes = {"init": given.name, "lr": 1e36, "warmup_epochs": 1.0, "epochs": 3, "batch_size": 4}
    done = train(trained, {**changes, "momentum": 0.0, "weight_decay": 0.0})
    assert done.returncode == 1
    sentence = done.stderr.strip().splitlines()[-1]
    assert "the training has diverged" in sentence
    assert f"training starts from the weights {given.name}" in done.stderr
    assert runs(trained)[0].info.status == "FAILED"
    kept = Path(sentence.rsplit(" in ", 1)[1])
    assert kept.name == LAST_GOOD
    assert read_header(kept).provenance["init"] == sha256_file(given)


def test_no_chips_to_validate_on_are_said_before_the_training(tmp_path: Path) -> None:
    write_chips(tmp_path / "outputs/tile", "train", 2)
    write_chips(tmp_path / "outputs/tile", "val", 0)
    YAML().dump({"stages": {"train": {"cmd": "x", "deps": ["outputs/tile"]}}}, tmp_path / "dvc.yaml")
    done = train(tmp_path)
    assert done.returncode == 1
    assert "expected chips to validate on in outputs/tile/val.json, found none; raise `convert.val_f" in done.stderr
    assert "epoch 1" not in done.stderr
