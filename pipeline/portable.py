"""Train a recipe on another machine: `python -m pipeline.portable pack|train|take`.

    python -m pipeline.portable pack training.zip          here, after `dvc repro tile`: chips, settings, first weights
    python -m pipeline.portable train training.zip --out DIR --minutes 10          there, repeated until it is finished
    python -m pipeline.portable take DIR                   here: then `dvc repro` continues or keeps the training

The other machine needs this code and a GPU if there is one, but no DVC, no MLflow and no git.
"""

from __future__ import annotations

import argparse
import logging
import shutil
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipeline.provenance.origin import package_sha256
from pipeline.stage import OUTPUTS, local_state, run_stage
from refinedet.data.coco import SIMULATED
from refinedet.errors import FileError, InputError
from refinedet.files import atomic_folder, read_json, write_json
from refinedet.model.checkpoint import load_model, read_header
from refinedet.model.network import RefineDet
from refinedet.predictors.predictor import resolve_device
from refinedet.system.concurrency import usable_cores
from refinedet.training.fit import LAST_GOOD
from refinedet.training.optimization import build_optimizer
from refinedet.training.pack import LARGEST_BYTES, Contents, read_pack, write_pack
from refinedet.training.recipe import HISTORY, MODEL, STATE, Training, write_finished
from refinedet.training.state import Row, TrainState

logger = logging.getLogger(__name__)

_RESUME = "resume"
_FINISHED = "train"
_MOST_WORKERS = 8


def pack(path: Path, *, largest_bytes: int = LARGEST_BYTES, all_weights: bool = False, all_chips: bool = False) -> None:
    """Pack the training of the project in the current folder into the file `path`.

    Raises:
        FileError: the chips of stage tile are missing, or a file is damaged.
        InputError: the file would be larger than `largest_bytes`.
    """
    from pipeline.params import load_params
    from pipeline.stages.download import scene_specs
    from pipeline.stages.train import initial_network

    training, params = _of_project(), load_params()
    contents = Contents(package_sha256(), all_weights=all_weights, largest_bytes=largest_bytes)
    if not all_chips:
        scenes = {} if params.scenes is None else scene_specs(params.scenes)
        simulated = {f"{SIMULATED}/{name}": spec for name, spec in scenes.items()}
        contents = replace(contents, sources=OUTPUTS / "download", simulated=simulated)
    write_pack(path, training, initial_network(params, training.train.classes), contents)


class _Stopped(Exception):  # noqa: N818 - no error: the time is over
    """The time limit of the training is reached."""


@dataclass(slots=True)
class _Clock:
    """Time limit of a training, checked after each epoch."""

    seconds: float
    path: Path
    """File that holds the rows of the finished epochs."""
    began: float = field(default_factory=time.monotonic)
    longest: float = 0.0
    last: float = field(default_factory=time.monotonic)
    rows: dict[int, Row] = field(default_factory=dict)

    def __call__(self, row: Row) -> None:
        """Store the row of an epoch; stop if the time left is shorter than the longest epoch."""
        now, epoch = time.monotonic(), int(row["epoch"])
        spent, self.last = now - self.last, now
        if epoch in self.rows:  # repeated after a resume
            return
        self.longest = max(self.longest, spent)
        self.rows[epoch] = row
        write_json(self.path, [self.rows[known] for known in sorted(self.rows)])
        if now - self.began + self.longest > self.seconds:
            raise _Stopped


def train(path: Path, out: Path, *, minutes: float, workers: int | None = None) -> bool:
    """Train the pack `path` in folder `out`, or resume there; stop after the last epoch that ends in time.

    A call trains at least one epoch. The schedule covers all epochs, however often training stops.

    Args:
        path: file that `pack` wrote.
        out: folder of the chips, the state, and, at the end, the files of stage train.
        minutes: time limit of this call.
        workers: processes that prepare batches; None: one per core except one, at most 8.

    Returns:
        True if the training is finished.

    Raises:
        FileError, InputError, RefineDetError: as `read_pack` and `Training.fit`; or the code differs from the code of
            the pack.
    """
    began = time.monotonic()
    training, weights, code = read_pack(path, out / "tile")
    if code != package_sha256():
        raise InputError(
            f"expected the code that packed {path}, found another version of refinedet and pipeline; pack again with "
            "this one, or train with that one"
        )
    device = resolve_device("auto")
    workers = max(1, min(_MOST_WORKERS, usable_cores() - 1)) if workers is None else workers
    logger.info("training on %s for %g minutes, with %d workers", device, minutes, workers)
    model = RefineDet(replace(training.header.model, backbone_weights="none"))
    model.load_state_dict(weights)
    resume = out / _RESUME / training.key
    known = read_json(resume / HISTORY) if (resume / HISTORY).is_file() else []
    clock = _Clock(60 * minutes, resume / HISTORY, began, rows={int(row["epoch"]): row for row in known})
    epochs = training.config.epochs
    try:
        state = training.fit(model.to(device), resume / STATE, clock, workers=workers)
    except _Stopped:
        done = max(clock.rows)
        if done < epochs:
            logger.info("time is over after epoch %d of %d: the same command goes on. Here are", done, epochs)
            logger.info("  %s, the weights so far, and %s, the state", resume / LAST_GOOD, resume / STATE)
            return False
        state = training.fit(model, resume / STATE, lambda _: None, workers=workers)
    write_finished(state, training.finished(state), out / _FINISHED)
    logger.info("finished: %s; `python -m pipeline.portable take %s` in the project", out / _FINISHED / MODEL, out)
    return True


def take(out: Path) -> None:
    """Take a training from `out` into the project in the current folder, as the state that stage train resumes.

    A finished training needs only the folder `train` of `out`, an unfinished one only the folder `resume`.

    Raises:
        FileError: there is no training in `out`.
        InputError: it has other settings, chips or code, or the project has its own state.
    """
    training = _of_project()
    state = local_state("resume") / training.key
    if state.exists():
        raise InputError(f"expected no state of this training in the project, found {state}; remove it first")
    finished, unfinished = out / _FINISHED / MODEL, out / _RESUME / training.key
    if finished.is_file():
        _check_same(training, finished)
        with atomic_folder(state) as folder:
            _finished_state(training, out / _FINISHED, folder / STATE).save()
            shutil.copy(out / _FINISHED / HISTORY, folder / HISTORY)
    elif (unfinished / STATE).is_file():
        with atomic_folder(state) as folder:
            for name in (STATE, LAST_GOOD, HISTORY):
                shutil.copy(unfinished / name, folder / name)
    else:
        others = sorted(place.parent.name[:12] for place in (out / _RESUME).glob(f"*/{STATE}"))
        found = f"those of {', '.join(others)}" if others else "none"
        raise FileError(
            f"expected the state of this project's training ({training.key[:12]}) in {out}, found {found}; settings, "
            "chips and code must be those that were packed"
        )
    logger.info("taken; `dvc repro` goes on from %s", state)


def _of_project() -> Training:
    """Training of the project in the current folder."""
    from pipeline.params import load_params
    from pipeline.stages.train import Places, dependency_hashes, prepare

    if not (OUTPUTS / "tile" / "train.json").is_file():
        raise FileError(f"expected the chips of stage tile in {OUTPUTS / 'tile'}, found none; run `dvc repro tile`")
    return prepare(load_params(), Places(OUTPUTS / "tile", OUTPUTS / "train", dependency_hashes()))


def _check_same(training: Training, checkpoint: Path) -> None:
    """Compare the header of a finished checkpoint with the project's training."""
    header = read_header(checkpoint)
    found_out = {"val", "operating_score_on"}
    known = {name: value for name, value in header.provenance.items() if name not in found_out}
    ours = training.header
    same = replace(header, provenance=known, operating_score=ours.operating_score, size_slope=ours.size_slope)
    if same.to_dict() != ours.to_dict():
        raise InputError(
            f"expected a checkpoint of this project's training in {checkpoint}, found one of other settings, chips or "
            "code; restore those that were packed"
        )


def _finished_state(training: Training, folder: Path, path: Path) -> TrainState:
    """State after the last epoch, from its checkpoint: later steps only use the average of the weights."""
    model, _ = load_model(folder / MODEL)
    optimizer = build_optimizer(model, training.config)
    return TrainState(model, model, optimizer, training.config.epochs, read_json(folder / HISTORY), path)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    packing = verbs.add_parser("pack", help="the training of this project into one file")
    packing.add_argument("file", type=Path)
    packing.add_argument("--largest-mib", type=float, default=LARGEST_BYTES / (1 << 20), help="refuse a larger file")
    packing.add_argument("--all-weights", action="store_true", help="also weights that the seed draws again")
    packing.add_argument("--all-chips", action="store_true", help="chips as they are: much larger")
    training = verbs.add_parser("train", help="what is packed, or go on with it")
    training.add_argument("file", type=Path)
    training.add_argument("--out", type=Path, required=True, help="folder of chips, state and result")
    training.add_argument("--minutes", type=float, default=float("inf"), help="time limit; default: none")
    training.add_argument("--workers", type=int, help="processes that prepare batches")
    taking = verbs.add_parser("take", help="a training from elsewhere into this project")
    taking.add_argument("folder", type=Path)
    asked = parser.parse_args()
    if asked.verb == "pack":
        largest = round(asked.largest_mib * (1 << 20))
        pack(asked.file, largest_bytes=largest, all_weights=asked.all_weights, all_chips=asked.all_chips)
    elif asked.verb == "train":
        train(asked.file, asked.out, minutes=asked.minutes, workers=asked.workers)
    else:
        take(asked.folder)


if __name__ == "__main__":
    run_stage(main)
