"""One training of a recipe, from its chips to the files of a checkpoint, on any machine."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from refinedet.config import TrainConfig
from refinedet.data.coco import Record
from refinedet.data.dataset import ChipDataset
from refinedet.detections import Detections
from refinedet.evaluation.metrics import coco_metrics
from refinedet.evaluation.operating_score import operating_point
from refinedet.evaluation.predictions import predict_chips
from refinedet.files import atomic_folder, json_text, write_json
from refinedet.model.checkpoint import Header, save_checkpoint
from refinedet.model.network import RefineDet
from refinedet.predictors.predictor import TorchPredictor
from refinedet.training.distributed import all_gather, broadcast, shard_for_rank
from refinedet.training.fit import fit
from refinedet.training.state import Row, TrainState

logger = logging.getLogger(__name__)

MODEL, HISTORY, METRICS = "model.safetensors", "history.json", "metrics.json"
"""Files of a finished training: its checkpoint, its rows of all epochs, and its last measures on *val*."""

STATE = "state.pt"
"""File of a training in progress, in a folder that is named by the training's key."""


_FEW = 30
"""Number of objects of *val* below which the choice of a score is uncertain."""


@dataclass(frozen=True, slots=True)
class Training:
    """One training: its chips, and everything else that its weights depend on."""

    train: Record
    val: Record
    chips: Path
    """Folder that the file names of both records are relative to."""
    header: Header
    """Header of its checkpoint before the results are known. The provenance holds the settings, as `train`."""
    val_origins: dict[str, int]
    """Origin of the chips of *val* (such as a data set) -> their number; the header says so of its operating score."""

    @property
    def config(self) -> TrainConfig:
        """Settings of the training."""
        return TrainConfig.from_dict(self.header.provenance["train"], "the header of the training")

    @property
    def key(self) -> str:
        """Key of its state; a change in any setting, input or line of code that matters makes another key."""
        return sha256(json_text(self.header.to_dict()).encode()).hexdigest()

    def fit(
        self, model: RefineDet, state_path: Path, on_epoch: Callable[[Row], None], *, workers: int | None = None
    ) -> TrainState:
        """Train `model` to the end, or go on from `state_path`; all processes of a group call this.

        Args:
            model: network with the initial weights, on the device to train on.
            state_path: file of the state between epochs.
            on_epoch: called after each epoch, as by `refinedet.training.fit.fit`.
            workers: processes that prepare batches; the batches do not depend on it. None: as in the settings.

        Raises:
            FileError, InputError, RefineDetError: as `refinedet.training.fit.fit`.
        """

        def validate(mean: RefineDet) -> dict[str, float]:
            found = self._predict(mean)
            return broadcast(lambda: {k: v for k, v in coco_metrics(self.val, found).items() if v is not None})

        config = self.config if workers is None else replace(self.config, workers=workers)
        dataset = ChipDataset(self.train, self.chips, config, self.header.model.input_px)
        return fit(model, dataset, validate, state_path=state_path, header=self.header, on_epoch=on_epoch)

    def finished(self, state: TrainState) -> Header:
        """Header of the checkpoint of a training that `fit` has ended; all processes of a group call this."""
        val = self.val.without_simulated()
        point = operating_point(val, self._predict(state.ema), self.header.model.input_px)
        logger.info(
            "the best threshold on val is %.2f (slope by size %.1f); detection scales the scores so that it is 0.5",
            point.score,
            point.size_slope,
        )
        objects = sum(int((~ignored).sum()) for ignored in val.ignored.values())
        if objects < _FEW:
            logger.warning(
                "this threshold is uncertain, because val has few objects to choose it on (%d): "
                "label more images for val, or set `score_min` in detection",
                objects,
            )
        told = {"val": _val_metrics(state.history[-1]), "operating_score_on": self.val_origins}
        provenance = self.header.provenance | told
        return replace(self.header, provenance=provenance, operating_score=point.score, size_slope=point.size_slope)

    def _predict(self, model: RefineDet) -> dict[int, Detections]:
        """Detections of every chip of *val*, by image id; each process detects in its share and gets all results."""
        predictor = TorchPredictor(
            model,
            classes=self.header.classes,
            radiometry=self.header.radiometry,
            device=str(next(model.parameters()).device),
            postprocess=self.header.postprocess,
        )
        mine: dict[int, Detections] = {}
        for part in predict_chips(predictor, shard_for_rank(self.val.images), self.chips):
            mine |= part
        known = all_gather(mine)
        return {image.id: known[image.id] for image in self.val.images}


def write_finished(state: TrainState, header: Header, out: Path) -> None:
    """Write checkpoint, history and measures of a finished training as the folder `out`."""
    with atomic_folder(out) as folder:
        save_checkpoint(folder / MODEL, state.ema.state_dict(), header)
        write_json(folder / HISTORY, state.history)
        write_json(folder / METRICS, {"val": header.provenance["val"]})


def _val_metrics(row: Row) -> dict[str, float]:
    return {k.removeprefix("val_"): v for k, v in row.items() if k.startswith("val_")}
