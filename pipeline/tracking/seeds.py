"""Several seeds of a recipe, each as a DVC experiment, under one parent run with mean and standard deviation.

    python -m pipeline.tracking.seeds --recipe ssdd --seeds 1 2 3 [-S recipes.ssdd.train.epochs=20 ...]

A seed that was trained before with these settings, data and code comes from DVC's cache. params.yaml stays unchanged.
"""

from __future__ import annotations

import argparse
import logging
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from pipeline.params import load_params
from pipeline.stage import OUTPUTS, run_stage
from pipeline.tracking.groups import group
from pipeline.tracking.runs import run_of
from refinedet.errors import FileError, InputError, RefineDetError
from refinedet.files import atomic_path

logger = logging.getLogger(__name__)

PARAMS = Path("params.yaml")


def run_experiment(changes: Sequence[str], words: Sequence[str] = (), *, run_name: str | None = None) -> str | None:
    """Run `dvc exp run` in the current folder with changed settings (`name=value`); return its MLflow run.

    params.yaml is restored, because `-S` leaves its changes there for the next experiment.

    Raises:
        RefineDetError: the experiment failed; its output has the reason.
    """
    command = [sys.executable, "-m", "dvc", "exp", "run", *(w for change in changes for w in ("-S", change)), *words]
    named = {} if run_name is None else {"MLFLOW_RUN_NAME": run_name}
    before = PARAMS.read_bytes()
    try:
        subprocess.run(command, check=True, stdout=sys.stderr, env={**os.environ, **named})  # noqa: S603 - our own words
    except subprocess.CalledProcessError as error:
        raise RefineDetError(
            f"expected the experiment {' '.join(changes)} to finish, but it failed; see above"
        ) from error
    finally:
        with atomic_path(PARAMS) as temporary:
            temporary.write_bytes(before)
    checkpoint = OUTPUTS / "train" / "model.safetensors"
    return run_of(checkpoint) if checkpoint.is_file() else None


def try_to_group(name: str, runs: Sequence[str | None]) -> None:
    """Group the known runs; if the store is not reachable, log a warning and return."""
    known = [run for run in runs if run is not None]
    try:
        group(name, known)
    except (FileError, InputError) as error:
        logger.warning("not grouped under '%s' in MLflow: %s", name, error)


def run_seeds(seeds: Sequence[int], recipe: str, changes: Sequence[str]) -> None:
    """Train and evaluate `recipe` with each seed, and add each run to the group in MLflow.

    Raises:
        InputError: a seed is named twice, which would make the standard deviation too small.
        RefineDetError: an experiment failed.
    """
    if len(set(seeds)) < len(seeds):
        raise InputError(f"expected different seeds, found {' '.join(map(str, seeds))}; name each once")
    name, runs = f"{recipe} seeds", []
    for seed in seeds:
        chosen = [f"recipe={recipe}", f"recipes.{recipe}.train.seed={seed}", *changes]
        runs.append(run_experiment(chosen, run_name=f"{recipe} seed {seed}"))
        try_to_group(name, runs)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", nargs="+", type=int, required=True)
    parser.add_argument("--recipe", help="default: the active one of params.yaml")
    parser.add_argument(
        "-S", dest="changes", action="append", default=[], metavar="NAME=VALUE", help="a setting of DVC"
    )
    arguments = parser.parse_args()
    run_seeds(arguments.seeds, arguments.recipe or load_params().recipe, arguments.changes)


if __name__ == "__main__":
    run_stage(main)
