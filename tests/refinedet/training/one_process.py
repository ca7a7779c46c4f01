"""Trains one process of several: started by test_distributed.py with the variables that torchrun sets, or called alone.

A folder holds jobs.json (name -> settings) and one folder of chips for all; each process writes what it ended with.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import torch

from refinedet.config import ModelConfig, Radiometry, TrainConfig
from refinedet.data.coco import read_record
from refinedet.data.dataset import ChipDataset
from refinedet.errors import RefineDetError
from refinedet.model.checkpoint import Header
from refinedet.model.network import RefineDet
from refinedet.training.distributed import (
    all_gather,
    broadcast,
    check_same,
    is_first,
    mean,
    process_group,
    rank,
    shard_for_rank,
    world_size,
)
from refinedet.training.fit import fit
from refinedet.training.state import Row


def train(folder: Path, job: dict[str, Any], out: Path) -> dict[str, Any]:
    """Gradients of the last step, weights and history of one training; a copy of its state after the first epoch."""
    torch.manual_seed(rank())  # unequal on purpose: the first process's weights count
    model = RefineDet(ModelConfig.from_dict(job["model"]))
    record = read_record(folder / job["record"])
    dataset = ChipDataset(record, folder, TrainConfig.from_dict(job["train"]), model.config.input_px)
    header = Header(model.config, record.classes, Radiometry(), {})
    state_path = out / "state.pt"
    told = []

    def validate(network: RefineDet) -> dict[str, float]:
        weights = torch.cat([w.flatten().float() for w in network.state_dict().values()])
        return {"spread": float((weights - mean(weights)).abs().max())}

    def on_epoch(row: Row) -> None:
        told.append(row["epoch"])
        if row["epoch"] == 1:
            shutil.copy(state_path, out / "first.pt")

    state = fit(model, dataset, validate, state_path=state_path, header=header, on_epoch=on_epoch)
    return {
        "gradients": {name: p.grad for name, p in state.model.named_parameters()},
        "weights": state.model.state_dict(),
        "ema": state.ema.state_dict(),
        "history": state.history,
        "told": told,
    }


def say(out: Path) -> dict[str, Any]:
    """Results of the messages between processes."""
    images = list(range(7))
    found = all_gather({image: f"{rank()}" for image in shard_for_rank(images)})
    try:
        check_same(f"{rank()}", "settings")
    except RefineDetError as error:
        refused = str(error)
    else:
        refused = ""
    check_same("equal", "settings")
    if is_first():
        (out / "only-one").write_text("x", encoding="utf-8")
    return {"images": found, "broadcast": broadcast(rank), "refused": refused, "size": world_size()}


def main(folder: Path, out: Path) -> None:
    """Do every job of the folder."""
    torch.set_num_threads(1)
    with process_group("cpu"):
        for name, job in json.loads((folder / "jobs.json").read_text(encoding="utf-8")).items():
            (out / name).mkdir(parents=True, exist_ok=True)
            result = train(folder, job, out / name) if job else say(out / name)
            torch.save(result, out / name / f"result{rank()}.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
