"""Stage train: from chips to one checkpoint. An interrupted training resumes where it stopped if nothing has changed.

Several processes train together if torchrun starts the stage, or if REFINEDET_TORCHRUN has options for torchrun:
docs/training/distributed.md.
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
from pathlib import Path
from typing import Any

import torch

from pipeline.downloads.disk import need_room_to_keep
from pipeline.params import Params, load_params, stage_dependencies
from pipeline.provenance.state import state_files
from pipeline.stage import OUTPUTS, TRAINED_ON, local_state, run_stage
from pipeline.tracking.pyfunc import log_detector
from pipeline.tracking.run_names import epoch_metrics
from pipeline.tracking.runs import MlflowTracker, remember_run
from pipeline.tracking.system_metrics import sampled
from refinedet.config import ModelConfig, TrainedOn
from refinedet.data.coco import BESIDE, Record, read_record
from refinedet.errors import InputError
from refinedet.files import read_json, sha256_file, sha256_tree, write_json
from refinedet.model.checkpoint import Header, means_ship, read_header
from refinedet.model.initial import initial_checkpoint, load_initial, other_classes
from refinedet.model.network import RefineDet
from refinedet.predictors.predictor import resolve_device
from refinedet.training.distributed import check_same, is_first, process_group, world_size
from refinedet.training.recipe import HISTORY, MODEL, STATE, Training, write_finished
from refinedet.training.state import Row

logger = logging.getLogger(__name__)

_LAUNCH = "REFINEDET_TORCHRUN"


@dataclass(frozen=True, slots=True)
class Places:
    """Folders that a training reads and writes, with the hashes of its inputs."""

    chips: Path
    """Output of stage tile."""
    out: Path
    """Folder that is replaced as a whole: model.safetensors, history.json, metrics.json."""
    inputs_sha256: dict[str, str]
    """Name -> hash of the inputs that the weights depend on besides the settings: chips and code."""


def main() -> None:
    """Train with the settings of params.yaml and write outputs/train."""
    train(load_params(), Places(OUTPUTS / "tile", OUTPUTS / "train", dependency_hashes()))


def train(params: Params, places: Places) -> None:
    """Train, or resume an interrupted training with equal settings and inputs, and track the run in MLflow.

    Raises:
        FileError: chips or initial weights are missing or damaged.
        InputError: chips or initial weights do not fit the settings.
        RefineDetError: the training diverged; the message names the last good checkpoint.
    """
    with process_group(resolve_device("auto")) as device:
        if not is_first():
            logging.disable(logging.WARNING)  # one process reports progress, all processes report errors
        _train(params, places, device)


def launch() -> None:
    """Become `torchrun <options> -m <this module>` if REFINEDET_TORCHRUN holds options."""
    options = os.environ.get(_LAUNCH)
    if options and "WORLD_SIZE" not in os.environ and __spec__ is not None:
        command = [sys.executable, "-m", "torch.distributed.run", *shlex.split(options), "-m", __spec__.name]
        os.execv(sys.executable, command)  # noqa: S606 - the user's own words, without a shell


def _train(params: Params, places: Places, device: str) -> None:
    training = prepare(params, places)
    check_same(training.key, "settings, code and inputs")
    resume = local_state("resume") / training.key
    counts = len(training.train.images), len(training.val.images), training.key[:12]
    logger.info("%d training and %d validation chips; resume state %s", *counts)
    model = initial_network(params, training.train.classes).to(device)
    with _tracked(params, resume, places.chips) as tracker:

        def on_epoch(row: Row) -> None:
            if tracker is not None:
                tracker.log_metrics(epoch_metrics(row), step=int(row["epoch"]))

        state = training.fit(model, resume / STATE, on_epoch)
        header = training.finished(state)
        if tracker is not None:
            write_finished(state, header, places.out)
            checkpoint = places.out / MODEL
            tracker.log_artifact(checkpoint)
            tags = {"checkpoint_sha256": sha256_file(checkpoint), "resume_key": training.key}
            tracker.set_tags(tags | {"processes": f"{world_size()}"})
            log_detector(tracker, params, checkpoint, places.chips / training.val.images[0].file_name)
            _keep_state(tracker, params, read=False)
            remember_run(checkpoint, tracker.run_id)
            tracker.require_kept()
            if params.versioned:
                need_room_to_keep(places.out)
            shutil.rmtree(resume, ignore_errors=True)


def prepare(params: Params, places: Places) -> Training:
    """Read the chips, and build the header of the checkpoint as far as it is known before training.

    Raises:
        FileError, InputError: as `train`.
    """
    train, val = (read_record(places.chips / f"{split}.json") for split in ("train", "val"))
    if not val.images:
        raise InputError(
            f"expected chips to validate on in {places.chips / 'val.json'}, found none; raise `convert.val_fraction` "
            "or `scenes.val` of the recipe, or name images for validation"
        )
    header = Header(
        _network_config(params, train.classes),
        train.classes,
        params.radiometry,
        _provenance(params, places, train, val),
        postprocess=params.postprocess,
        trained_on=_trained_on(params, places.chips, train.classes),
    )
    return Training(train, val, places.chips, header, _origins(params, val))


def _origins(params: Params, val: Record) -> dict[str, int]:
    """Number of validation chips on which scores are calibrated: of the data set, and of scenes of real samples."""
    chips = val.without_simulated().images
    return dict(Counter(str(image.extra.get(BESIDE, params.dataset)) for image in chips))


def _network_config(params: Params, classes: tuple[str, ...]) -> ModelConfig:
    config = replace(params.model, num_classes=len(classes))
    return config if params.train.init is None else replace(config, backbone_weights="none")


def initial_network(params: Params, classes: tuple[str, ...]) -> RefineDet:
    """Network that training starts from, on the CPU: equal for equal settings.

    Raises:
        FileError, InputError: as `train`.
    """
    torch.manual_seed(params.train.seed)
    model = RefineDet(_network_config(params, classes))
    if params.train.init is not None:
        path = initial_checkpoint(params.train.init)
        fresh = load_initial(model, path)
        if (other := other_classes(path, classes)) is not None:
            logger.warning(other)
        logger.info("training starts from the weights %s", params.train.init)
        if fresh:
            logger.info("these tensors are not in them, and start with fresh weights: %s", ", ".join(fresh))
    return model


@contextmanager
def _tracked(params: Params, resume: Path, chips: Path) -> Iterator[MlflowTracker | None]:
    """MLflow run of this training: a new run, or that of the interrupted training with this key.

    It is None in all processes except the first.
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
        if run_id is None and (resume / HISTORY).is_file():  # a training from elsewhere; its last epoch is logged later
            for row in read_json(resume / HISTORY)[:-1]:
                tracker.log_metrics(epoch_metrics(row), step=int(row["epoch"]))
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
    """Pixel sizes and windows of the training data; a chip scaled to half its size has pixels twice as large."""
    path, augment, init = chips / TRAINED_ON, params.train.augment, params.train.init
    other_name = len(classes) == 1 and not means_ship(classes)
    ships = other_name and init is not None and read_header(initial_checkpoint(init)).finds_ships
    cut = replace(TrainedOn.from_dict(read_json(path), str(path)), ships=ships)
    if cut.gsd_m is None:
        return cut
    least, most = cut.gsd_m.min_m / max(1.0, augment.scale_max), cut.gsd_m.max_m / min(1.0, augment.scale_min)
    return replace(cut, gsd_m=replace(cut.gsd_m, min_m=round(least, 2), max_m=round(most, 2)))


def dependency_hashes() -> dict[str, str]:
    """SHA-256 of each file and folder that DVC counts as an input of this stage: chips and code."""
    paths = [Path(name) for name in stage_dependencies("train")]
    return {path.as_posix(): sha256_tree(path) if path.is_dir() else sha256_file(path) for path in paths}


if __name__ == "__main__":
    launch()
    run_stage(main)
