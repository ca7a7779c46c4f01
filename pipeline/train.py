"""Stage train: chips in, one checkpoint out. Interrupted, it goes on where it stopped, if nothing has changed since."""

from __future__ import annotations

import json
import logging
import shutil
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np

from pipeline.params import Params, load_params, stage_dependencies
from pipeline.stage import OUTPUTS, local_state, run_stage
from pipeline.tracking import MlflowTracker, remember_run
from refinedet.data.coco import Record, read_record
from refinedet.data.dataset import ChipDataset, read_chip
from refinedet.detections import Detections
from refinedet.files import atomic_folder, json_text, sha256_file, sha256_tree, write_json
from refinedet.metrics import coco_metrics
from refinedet.model.checkpoint import Header, save_checkpoint
from refinedet.model.network import RefineDet
from refinedet.predictor import TorchPredictor, resolve_device
from refinedet.scene.score import Score, match_boxes
from refinedet.training import Row, TrainState, fit

logger = logging.getLogger(__name__)

CHIPS = OUTPUTS / "tile"
TRAIN = OUTPUTS / "train"
_F1_SLACK = 0.003


def main() -> None:
    """Train as params.yaml says and write outputs/train."""
    params = load_params()
    train, val = read_record(CHIPS / "train.json"), read_record(CHIPS / "val.json")
    inputs = _dependency_hashes()
    key = _key(params, inputs)
    resume = local_state("resume") / key
    logger.info("%d training and %d validation chips; resume state %s", len(train.images), len(val.images), key[:12])
    tracker = _tracker(params, resume)
    try:
        state = _fit(params, (train, val), resume, tracker)
    except BaseException:
        tracker.close("KILLED" if isinstance(sys.exception(), KeyboardInterrupt) else "FAILED")
        raise
    provenance = {
        "dataset": params.dataset,
        "inputs_sha256": inputs,
        "chips": {"train": len(train.images), "val": len(val.images)},
        "train": params.train.to_dict(),
        "tile": params.tile.windows.to_dict(),
        "val": _val_metrics(state.history[-1]),
        "weights": "running mean (EMA) of the last epoch" if params.train.ema_decay else "last epoch",
    }
    operating = operating_score(val, _predict(state.ema, params, val))
    logger.info("best F1 on val at a score of %.2f, which detection will call 0.5", operating)
    header = Header(state.ema.config, train.classes, params.radiometry, provenance, operating)
    _write(state, header)
    checkpoint = TRAIN / "model.safetensors"
    tracker.log_artifact(checkpoint)
    tracker.set_tags({"checkpoint_sha256": sha256_file(checkpoint), "resume_key": key})
    remember_run(checkpoint, tracker.run_id)
    tracker.close("FINISHED")
    shutil.rmtree(resume, ignore_errors=True)


def _fit(params: Params, records: tuple[Record, Record], resume: Path, tracker: MlflowTracker) -> TrainState:
    train, val = records
    device = resolve_device("auto")
    config = params.model.__class__.from_dict({**params.model.to_dict(), "num_classes": len(train.classes)})

    def validate(model: RefineDet) -> dict[str, float]:
        metrics = coco_metrics(val, _predict(model, params, val))
        return {k: v for k, v in metrics.items() if v is not None}

    def on_epoch(row: Row) -> None:
        tracker.log_metrics({k: v for k, v in row.items() if k != "epoch"}, step=int(row["epoch"]))

    dataset = ChipDataset(train, CHIPS, params.train, params.model.input_px)
    return fit(RefineDet(config), dataset, validate, state_path=resume / "state.pt", device=device, on_epoch=on_epoch)


def _predict(model: RefineDet, params: Params, record: Record) -> dict[int, Detections]:
    """Detections of every chip of a record, by image id."""
    predictor = TorchPredictor(
        model, classes=record.classes, radiometry=params.radiometry, postprocess=params.postprocess
    )
    found = predictor.predict([read_chip(CHIPS / image.file_name) for image in record.images])
    return dict(zip([image.id for image in record.images], found, strict=True))


def operating_score(truth: Record, detections: dict[int, Detections]) -> float:
    """The score at which F1 is best, by the match rule of `refinedet score`; the middle where several are as good."""
    thresholds = np.arange(5, 96, 2) / 100
    f1 = np.array([_f1(truth, detections, threshold) for threshold in thresholds])
    return float(round(np.mean(thresholds[f1 >= f1.max() - _F1_SLACK]), 3))


def _f1(truth: Record, detections: dict[int, Detections], threshold: float) -> float:
    scores = [match_boxes(d.above(threshold), truth.boxes[i][~truth.ignored[i]]) for i, d in detections.items()]
    return Score(sum(s.tp for s in scores), sum(s.fp for s in scores), sum(s.fn for s in scores)).f1


def _tracker(params: Params, resume: Path) -> MlflowTracker:
    """The MLflow run of this training: a new one, or the one that an interrupted training with this key began."""
    remembered = resume / "run.json"
    run_id = json.loads(remembered.read_text(encoding="utf-8"))["run_id"] if remembered.is_file() else None
    tracker = MlflowTracker.start(params, run_id=run_id)
    write_json(remembered, {"run_id": tracker.run_id})
    return tracker


def _write(state: TrainState, header: Header) -> None:
    with atomic_folder(TRAIN) as folder:
        save_checkpoint(folder / "model.safetensors", state.ema.state_dict(), header)
        write_json(folder / "history.json", state.history)
        write_json(folder / "metrics.json", {"val": header.provenance["val"]})


def _val_metrics(row: Row) -> dict[str, float]:
    return {k.removeprefix("val_"): v for k, v in row.items() if k.startswith("val_")}


def _key(params: Params, inputs: dict[str, str]) -> str:
    """What a resumable state belongs to: a change in any setting, input or line of code that matters makes another."""
    settings = (params.model, params.train, params.postprocess, params.radiometry)
    content = {"settings": [s.to_dict() for s in settings], "dataset": params.dataset, "inputs": inputs}
    return sha256(json_text(content).encode()).hexdigest()


def _dependency_hashes() -> dict[str, str]:
    """SHA-256 of each file and folder that DVC counts as an input of this stage: chips and code."""
    paths = [Path(name) for name in stage_dependencies("train")]
    return {path.as_posix(): sha256_tree(path) if path.is_dir() else sha256_file(path) for path in paths}


if __name__ == "__main__":
    run_stage(main)
