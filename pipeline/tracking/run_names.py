"""Names of a run in MLflow: its name and tags, short names of its settings and metrics, and its data sets."""

from __future__ import annotations

import getpass
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.params import Params
from pipeline.provenance.origin import data_md5
from pipeline.stage import SPLITS
from refinedet.files import read_json

CONTEXTS = dict(zip(SPLITS, ("training", "validation", "testing"), strict=True))
"""Split -> MLflow's word for its use."""

_SHORTER = {"train.augment.": "augment.", "train.loss.": "loss.", "tile.windows.": "tile.", "train.": "", "model.": ""}
"""Beginning of a setting's name -> its short form in MLflow; the first match counts. Never changed, so runs compare."""
_LEFT_OUT = {"versioned", "download.mirror"}
"""Settings that do not affect the result."""
_VALIDATED = "val_"
_BY_CHANCE = re.compile("[a-z]{5}-[a-z]{4}")
"""Pattern of a name that DVC generates, such as `puffy-bard`; such a name only becomes a tag."""


def run_name(params: Params) -> str:
    """Name of the run: `MLFLOW_RUN_NAME`, or network, window, epochs and seed.

    The name that the user gave to the DVC experiment, if any, comes first.
    """
    if given := os.environ.get("MLFLOW_RUN_NAME"):
        return given
    network, train = params.model.backbone.replace("_", "-"), params.train
    name = f"{network} {params.model.input_px} px, {train.epochs} epochs, seed {train.seed}"
    experiment = os.environ.get("DVC_EXP_NAME", "")
    return name if not experiment or _BY_CHANCE.fullmatch(experiment) else f"{experiment}: {name}"


def experiment_name(params: Params) -> str:
    """Name of the MLflow experiment; each data set has its own, so that its runs can be compared."""
    return os.environ.get("MLFLOW_EXPERIMENT_NAME") or f"refinedet-{params.dataset}"


def registered_name(params: Params) -> str:
    """Name in the model registry, which takes no slashes and colons."""
    return re.sub(r"[/:\\%\"'.]", "-", f"refinedet-{params.dataset}")


def first_tags(params: Params) -> dict[str, str]:
    """Tags for searching the run, and tags for the columns of the UI."""
    tags = {"dataset": params.dataset, "recipe": params.recipe, "mlflow.source.type": "LOCAL"}
    tags["mlflow.source.name"] = "pipeline" if params.versioned else "refinedet train"
    if experiment := os.environ.get("DVC_EXP_NAME"):
        tags["dvc_experiment"] = experiment
    try:
        tags["mlflow.user"] = getpass.getuser()
    except (KeyError, OSError):  # a container user without a name
        return tags
    return tags


def short_params(params: Params) -> dict[str, str]:
    """Settings of the run under short names, with values of one line."""
    return {_short(name): _text(value) for name, value in params.flat().items() if name not in _LEFT_OUT}


def epoch_metrics(row: Mapping[str, float]) -> dict[str, float]:
    """Metrics of an epoch under the names that MLflow groups its charts by: val/... and train/...

    Validation comes first, because MLflow's compare page draws the first metric that it received.
    """
    val = {f"val/{key.removeprefix(_VALIDATED)}": value for key, value in row.items() if key.startswith(_VALIDATED)}
    train = {f"train/{k}": value for k, value in row.items() if k != "epoch" and not k.startswith(_VALIDATED)}
    return val | train


def dataset_rows(params: Params, chips: Path, splits: tuple[str, ...]) -> list[dict[str, Any]]:
    """Chips of these splits as inputs of a run; the digest is DVC's MD5 of their folder, the profile their counts."""
    digest = data_md5(chips)
    summary_file = chips / "summary.json"
    counts = read_json(summary_file) if summary_file.is_file() else {}
    return [
        {
            "dataset": {
                "name": f"{params.dataset}-{split}",
                "digest": digest,
                "source_type": "local",
                "source": json.dumps({"uri": chips.as_posix(), "md5": digest}),
                "profile": json.dumps(counts.get(split, {})),
            },
            "context": CONTEXTS[split],
        }
        for split in splits
    ]


def _short(name: str) -> str:
    for beginning, shown in _SHORTER.items():
        if name.startswith(beginning):
            return shown + name.removeprefix(beginning)
    return name


def _text(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value)) or "none"
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
