"""Stage train: from chips to one checkpoint. An interrupted training goes on where it stopped, if nothing has changed.

Several processes train together if torchrun starts it, or if REFINEDET_TORCHRUN has its options: docs/distributed.md.
"""

from __future__ import annotations

import json
import logging
import os
import shlex
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pipeline.downloads.disk import need_room_to_keep
from pipeline.params import Params, load_params, stage_dependencies
from pipeline.provenance.state import state_files
from pipeline.stage import OUTPUTS, REAL, SIMULATED, TRAINED_ON, local_state, run_stage
from pipeline.tracking.pyfunc import log_detector
from pipeline.tracking.run_names import epoch_metrics
from pipeline.tracking.runs import MlflowTracker, remember_run
from pipeline.tracking.system_metrics import sampled
from refinedet.config import TrainedOn
from refinedet.data.coco import Record, read_record
from refinedet.data.dataset import ChipDataset
from refinedet.detections import Detections
from refinedet.evaluation.metrics import coco_metrics, match
from refinedet.evaluation.predictions import predict_chips
from refinedet.files import atomic_folder, json_text, read_json, sha256_file, sha256_tree, write_json
from refinedet.model.checkpoint import Header, means_ship, read_header, save_checkpoint
from refinedet.model.initial import initial_checkpoint, load_initial
from refinedet.model.network import RefineDet
from refinedet.predictors.predictor import TorchPredictor, resolve_device
from refinedet.training.distributed import (
    all_gather,
    broadcast,
    check_same,
    is_first,
    process_group,
    shard_for_rank,
    world_size,
)
from refinedet.training.fit import fit
from refinedet.training.state import Row, TrainState

logger = logging.getLogger(__name__)

_F1_SLACK, _F1_IOU = 0.003, 0.3
_LAUNCH = "REFINEDET_TORCHRUN"


@dataclass(frozen=True, slots=True)
class Places:
    """Folders that a training reads and writes, with the hashes of its inputs."""

    chips: Path
    """Output of stage tile."""
    out: Path
    """Folder that is replaced as a whole: model.safetensors, history.json, metrics.json."""
    inputs_sha256: dict[str, str]
    """Name -> hash of all that the weights depend on besides the settings: chips and code."""


def main() -> None:
    """Train as params.yaml says and write outputs/train."""
    train(load_params(), Places(OUTPUTS / "tile", OUTPUTS / "train", _dependency_hashes()))


def train(params: Params, places: Places) -> None:
    """Train, or go on with an interrupted training of equal settings and inputs, and track the run in MLflow.

    Raises:
        FileError: chips or initial weights are missing or damaged.
        InputError: they do not fit the settings.
        RefineDetError: the training diverged; the message names the last good checkpoint.
    """
    with process_group(resolve_device("auto")) as device:
        if not is_first():
            logging.disable(logging.WARNING)  # one process reports progress, all report errors
        _train(params, places, device)


def launch() -> None:
    """Become `torchrun <options> -m <this module>` where REFINEDET_TORCHRUN holds options."""
    options = os.environ.get(_LAUNCH)
    if options and "WORLD_SIZE" not in os.environ and __spec__ is not None:
        command = [sys.executable, "-m", "torch.distributed.run", *shlex.split(options), "-m", __spec__.name]
        os.execv(sys.executable, command)  # noqa: S606 - the user's own words, without a shell


def _train(params: Params, places: Places, device: str) -> None:
    train, val = (read_record(places.chips / f"{split}.json") for split in ("train", "val"))
    provenance, trained_on = _provenance(params, places, train, val), _trained_on(params, places.chips, train.classes)
    key = _key(params, provenance, trained_on)
    check_same(key, "settings, code and inputs")
    resume = local_state("resume") / key
    logger.info("%d training and %d validation chips; resume state %s", len(train.images), len(val.images), key[:12])
    model = _network(params, train.classes).to(device)
    header = Header(
        model.config,
        train.classes,
        params.radiometry,
        provenance,
        postprocess=params.postprocess,
        trained_on=trained_on,
    )
    with _tracked(params, resume, places.chips) as tracker:
        state = _fit(params, (train, val, places.chips), model, (resume / "state.pt", header), tracker)
        operating = operating_score(val, _predict(state.ema, params, val, places.chips))
        logger.info("best F1 on val at a score of %.2f, which detection will call 0.5", operating)
        if tracker is not None:
            told = {**provenance, "val": _val_metrics(state.history[-1]), "operating_score_on": _origins(params, val)}
            _write(state, replace(header, provenance=told, operating_score=operating), places.out)
            checkpoint = places.out / "model.safetensors"
            tracker.log_artifact(checkpoint)
            tags = {"checkpoint_sha256": sha256_file(checkpoint), "resume_key": key, "processes": f"{world_size()}"}
            tracker.set_tags(tags)
            log_detector(tracker, params, checkpoint, places.chips / val.images[0].file_name)
            _keep_state(tracker, params, read=False)
            remember_run(checkpoint, tracker.run_id)
            tracker.require_kept()
            if params.versioned:
                need_room_to_keep(places.out)
            shutil.rmtree(resume, ignore_errors=True)


def _fit(
    params: Params,
    data: tuple[Record, Record, Path],
    model: RefineDet,
    kept: tuple[Path, Header],
    tracker: MlflowTracker | None,
) -> TrainState:
    train, val, chips = data

    def validate(mean: RefineDet) -> dict[str, float]:
        found = _predict(mean, params, val, chips)
        return broadcast(lambda: {k: v for k, v in coco_metrics(val, found).items() if v is not None})

    def on_epoch(row: Row) -> None:
        if tracker is not None:
            tracker.log_metrics(epoch_metrics(row), step=int(row["epoch"]))

    dataset = ChipDataset(train, chips, params.train, params.model.input_px)
    return fit(model, dataset, validate, state_path=kept[0], header=kept[1], on_epoch=on_epoch)


def _network(params: Params, classes: tuple[str, ...]) -> RefineDet:
    """Network that training starts from, on the CPU: equal for equal settings."""
    torch.manual_seed(params.train.seed)
    config = replace(params.model, num_classes=len(classes))
    if params.train.init is None:
        return RefineDet(config)
    model = RefineDet(replace(config, backbone_weights="none"))
    fresh = load_initial(model, initial_checkpoint(params.train.init))
    logger.info("starting from %s, with fresh weights in %s", params.train.init, ", ".join(fresh) or "no tensor")
    return model


def _predict(model: RefineDet, params: Params, record: Record, chips: Path) -> dict[int, Detections]:
    """Detections of every chip, by image id; each process detects in its share of the chips, and gets all results."""
    predictor = TorchPredictor(
        model,
        classes=record.classes,
        radiometry=params.radiometry,
        device=str(next(model.parameters()).device),
        postprocess=params.postprocess,
    )
    mine: dict[int, Detections] = {}
    for part in predict_chips(predictor, shard_for_rank(record.images), chips):
        mine |= part
    known = all_gather(mine)
    return {image.id: known[image.id] for image in record.images}


def operating_score(truth: Record, detections: dict[int, Detections]) -> float:
    """Score of best F1 at IoU `_F1_IOU`; the middle where several are as good; 0.5 without any object."""
    if all(mask.all() for mask in truth.ignored.values()):
        return 0.5
    thresholds = np.arange(5, 96, 2) / 100
    f1 = np.array([_f1(truth, detections, threshold) for threshold in thresholds])
    return float(round(np.mean(thresholds[f1 >= f1.max() - _F1_SLACK]), 3))


def _origins(params: Params, val: Record) -> dict[str, int]:
    """Number of validation chips of the data set, of simulated scenes, and of scenes made of real samples."""
    folders = (str(image.extra.get("scene", "")).partition("/")[0] for image in val.images)
    return dict(Counter(folder if folder in {SIMULATED, REAL} else params.dataset for folder in folders))


def _f1(truth: Record, detections: dict[int, Detections], threshold: float) -> float:
    matches = match(truth, detections, iou_min=_F1_IOU, score_min=threshold).values()
    counted = ((m.hits, m.false_alarms, m.misses) for m in matches)
    tp, fp, fn = (sum(map(len, column)) for column in zip(*counted, strict=True))
    return 2 * tp / max(1, 2 * tp + fp + fn)


@contextmanager
def _tracked(params: Params, resume: Path, chips: Path) -> Iterator[MlflowTracker | None]:
    """MLflow run of this training: a new one, or the one that an interrupted training with this key began.

    None in all processes but the first.
    """
    if not is_first():
        yield None
        return
    remembered = resume / "run.json"
    run_id = json.loads(remembered.read_text(encoding="utf-8"))["run_id"] if remembered.is_file() else None
    tracker = MlflowTracker.start(params, run_id=run_id)
    try:
        write_json(remembered, {"run_id": tracker.run_id})
        tracker.log_datasets(params, chips, ("train", "val"))
        _keep_state(tracker, params, wrote=False)
        with sampled(tracker.log_metrics):
            yield tracker
    except BaseException as error:
        tracker.close("KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED")
        raise
    tracker.close("FINISHED")


def _keep_state(tracker: MlflowTracker, params: Params, *, read: bool = True, wrote: bool = True) -> None:
    if params.versioned:
        with state_files("train", read=read, wrote=wrote) as files:
            for path, folder in files:
                tracker.log_artifact(path, folder)


def _write(state: TrainState, header: Header, out: Path) -> None:
    with atomic_folder(out) as folder:
        save_checkpoint(folder / "model.safetensors", state.ema.state_dict(), header)
        write_json(folder / "history.json", state.history)
        write_json(folder / "metrics.json", {"val": header.provenance["val"]})


def _val_metrics(row: Row) -> dict[str, float]:
    return {k.removeprefix("val_"): v for k, v in row.items() if k.startswith("val_")}


def _provenance(params: Params, places: Places, train: Record, val: Record) -> dict[str, Any]:
    """Facts for the checkpoint's header that are known before training."""
    init = {} if params.train.init is None else {"init": sha256_file(initial_checkpoint(params.train.init))}
    return {
        "dataset": params.dataset,
        "inputs_sha256": places.inputs_sha256,
        "chips": {"train": len(train.images), "val": len(val.images)},
        "train": params.train.to_dict(),
        "weights": "exponential moving average (EMA) of the last epoch" if params.train.ema_decay else "last epoch",
        **init,
    }


def _trained_on(params: Params, chips: Path, classes: tuple[str, ...]) -> TrainedOn:
    """Pixel sizes and windows that the weights will know; a chip at half its size shows pixels twice as large."""
    path, augment, init = chips / TRAINED_ON, params.train.augment, params.train.init
    other_name = len(classes) == 1 and not means_ship(classes)
    ships = other_name and init is not None and read_header(initial_checkpoint(init)).finds_ships
    cut = replace(TrainedOn.from_dict(read_json(path), str(path)), ships=ships)
    if cut.gsd_m is None:
        return cut
    least, most = cut.gsd_m.min_m / max(1.0, augment.scale_max), cut.gsd_m.max_m / min(1.0, augment.scale_min)
    return replace(cut, gsd_m=replace(cut.gsd_m, min_m=round(least, 2), max_m=round(most, 2)))


def _key(params: Params, provenance: dict[str, Any], trained_on: TrainedOn) -> str:
    """Key of a resumable state; a change in any setting, input or line of code that matters makes another key."""
    settings = (params.model, params.postprocess, params.radiometry, trained_on)
    return sha256(json_text([provenance, *(s.to_dict() for s in settings)]).encode()).hexdigest()


def _dependency_hashes() -> dict[str, str]:
    """SHA-256 of each file and folder that DVC counts as an input of this stage: chips and code."""
    paths = [Path(name) for name in stage_dependencies("train")]
    return {path.as_posix(): sha256_tree(path) if path.is_dir() else sha256_file(path) for path in paths}


if __name__ == "__main__":
    launch()
    run_stage(main)
