"""State of a training between epochs, and the log that it writes to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch

from refinedet.files import atomic_path
from refinedet.model.network import RefineDet

Row = dict[str, float]
"""One epoch: `epoch` (from 1), `lr`, mean of each loss, `loss`, and the metrics of `validate` if it was validated."""


class Tracker(Protocol):
    """Log of a run, which `fit()` and the stages write to."""

    def log_params(self, params: dict[str, object]) -> None:
        """Record the settings, once."""
        ...

    def log_metrics(self, metrics: dict[str, float], step: int) -> None:
        """Record the metrics of one epoch."""
        ...

    def log_artifact(self, path: str | Path, folder: str | None = None) -> None:
        """Keep a copy of a file."""
        ...

    def set_tags(self, tags: dict[str, str]) -> None:
        """Record tags by which the run can be found."""
        ...


@dataclass(slots=True)
class TrainState:
    """Everything that the next epoch depends on."""

    model: RefineDet
    ema: RefineDet
    optimizer: torch.optim.Optimizer
    epoch: int
    """Epochs finished."""
    history: list[Row]
    path: Path
    """File of the state between epochs."""

    def save(self) -> None:
        """Write atomically, tensors and plain values only."""
        content = {
            "model": self.model.state_dict(),
            "ema": self.ema.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "epoch": self.epoch,
            "history": self.history,
        }
        with atomic_path(self.path) as temporary:
            torch.save(content, temporary)

    def read(self) -> dict[str, Any] | None:
        """Content of the file that `save` wrote, on the CPU; None if there is no file."""
        if not self.path.is_file():
            return None
        content: dict[str, Any] = torch.load(self.path, map_location="cpu", weights_only=True)
        return content

    def restore(self, content: dict[str, Any]) -> None:
        """Restore the state from the result of `read`."""
        self.model.load_state_dict(content["model"])
        self.ema.load_state_dict(content["ema"])
        self.optimizer.load_state_dict(content["optimizer"])
        self.epoch, self.history = content["epoch"], content["history"]
