"""Trained detector as an MLflow model: logged with its run, and registered as a version."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.tracking.store import is_remote

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel

MODEL_NAME = "detector"
"""Name of the model within its run."""


def send_model(client: MlflowClient, run_id: str, folder: Path, content: dict[str, Any]) -> None:
    """Log `folder` as the model of the run and register it as `content["name"]`; existing parts stay.

    Raises:
        MlflowException: the server refuses it.
    """
    from mlflow.entities import LoggedModelOutput

    run = client.get_run(run_id)
    experiment = run.info.experiment_id
    found = client.search_logged_models([experiment], f"source_run_id = '{run_id}' AND name = '{MODEL_NAME}'")
    model = found[0] if found else client.create_logged_model(experiment, MODEL_NAME, run_id, model_type="pyfunc")
    if model.status != "READY":
        client.log_model_artifacts(model.model_id, str(folder))
        client.finalize_logged_model(model.model_id, "READY")
    linked = [] if run.outputs is None else [output.model_id for output in run.outputs.model_outputs]
    if model.model_id not in linked:  # the link is refused a second time
        client.log_outputs(run_id, [LoggedModelOutput(model.model_id, step=0)])
    _register(client, run_id, model, content)


def _register(client: MlflowClient, run_id: str, model: LoggedModel, content: dict[str, Any]) -> None:
    from mlflow.exceptions import MlflowException

    name = content["name"]
    try:
        client.create_registered_model(name, description="Finds objects in 8-bit chips: refinedet")
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    known = client.search_model_versions(f"run_id = '{run_id}'")
    if not any(version.name == name for version in known):
        # a server resolves the id; without one MLflow would look for it in the default store of the current folder
        source = f"models:/{model.model_id}" if is_remote(client.tracking_uri) else model.artifact_location
        origin = {"run_id": run_id, "model_id": model.model_id, "tags": content["tags"]}
        client.create_model_version(name, source, await_creation_for=0, **origin)
