"""Checkpoint as an MLflow model: code, weights, signature and an example in one folder, without pickle."""

from __future__ import annotations

import logging
import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import refinedet
from pipeline.params import Params
from pipeline.tracking.run_names import registered_name
from pipeline.tracking.runs import MlflowTracker
from pipeline.tracking.store import first_line
from pipeline.workarounds.mlflow_type_hints import silent_model
from refinedet.files import sha256_file

if TYPE_CHECKING:
    from mlflow.models import ModelSignature

logger = logging.getLogger(__name__)

SOURCE = Path(__file__).with_name("served_model.py")
"""File that MLflow runs to make the model."""

_PACKAGES = ("mlflow", "torch", "torchvision", "timm", "numpy", "pillow", "safetensors", "pandas", "pydantic")
_NOT_PACKED = shutil.ignore_patterns("__pycache__", "*.safetensors", "*.pyc", "_cli", "_pipeline")
"""Files that are left out; the last two exist only in an installed wheel: setup.py."""


def log_detector(tracker: MlflowTracker, params: Params, checkpoint: Path, example: Path) -> None:
    """Keep the checkpoint as a model that MLflow can serve, with the image file of a chip as its example.

    If MLflow cannot make the model, this function warns and returns, so that the training does not fail.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "model"
        try:
            save_pyfunc(checkpoint, example, folder)
        except Exception as error:  # noqa: BLE001 - whatever MLflow runs into
            logger.warning("MLflow run %s has no model to serve: %s", tracker.run_id, first_line(error))
            return
        tracker.log_model(folder, registered_name(params), {"checkpoint_sha256": sha256_file(checkpoint)})


def save_pyfunc(checkpoint: Path, example: Path, folder: Path) -> None:
    """Write the model of `checkpoint` to `folder`, which must not exist; `example` is the image file of a chip.

    Raises:
        OSError: it cannot be written.
        MlflowException: MLflow refuses it.
    """
    with tempfile.TemporaryDirectory() as temporary, silent_model():
        import mlflow.pyfunc
        import pandas as pd

        from pipeline.tracking.served_model import IMAGE, SCORE_MIN

        sources = Path(temporary) / "refinedet"
        shutil.copytree(Path(refinedet.__file__).parent, sources, ignore=_NOT_PACKED)
        mlflow.pyfunc.save_model(
            str(folder),
            python_model=str(SOURCE),
            artifacts={"checkpoint": str(checkpoint)},
            code_paths=[str(sources)],
            signature=_signature(),
            input_example=(pd.DataFrame({IMAGE: [example.read_bytes()]}), {SCORE_MIN: 0.5}),
            pip_requirements=[f"{name}=={version(name).partition('+')[0]}" for name in _PACKAGES],
        )


def _signature() -> ModelSignature:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema
    from mlflow.types.schema import Array, Object, Property

    from pipeline.tracking.served_model import DETECTIONS, IMAGE, SCORE_MIN

    numbers = [Property(name, DataType.double) for name in ("x1", "y1", "x2", "y2", "score")]
    detection = Object([*numbers, Property("label", DataType.string)])
    return ModelSignature(
        inputs=Schema([ColSpec(DataType.binary, IMAGE)]),
        outputs=Schema([ColSpec(Array(detection), DETECTIONS)]),
        params=ParamSchema([ParamSpec(SCORE_MIN, DataType.double, 0.5)]),
    )
