"""page.py: the chosen experiment, and the tags and view that MLflow gets for it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.mlflow_ui.page import prepare_page
from pipeline.mlflow_ui.view import VIEW_TAG
from pipeline.params import parse_params
from pipeline.tracking.groups import group
from pipeline.tracking.runs import MlflowTracker
from refinedet.errors import FileError, InputError
from tests.pipeline.mlflow_server import MlflowServer, client_of

PAGE = "/#/experiments/{}/runs?workflowType=machine_learning&viewStateShareKey=refinedet&compareRunsMode="


def trained(dataset: str, seed: int = 1) -> str:
    """A finished run on a data set."""
    recipe = {"dataset": dataset, "train": {"seed": seed}}
    tracker = MlflowTracker.start(parse_params({"recipe": dataset, "recipes": {dataset: recipe}}))
    tracker.log_metrics({"test/AP": 50.0 + seed}, step=0)
    tracker.close()
    return tracker.run_id


def choose(dataset: str) -> None:
    """Make a recipe of this data set the active one."""
    Path("params.yaml").write_text(f"recipe: r\nrecipes: {{r: {{dataset: {dataset}}}}}\n")


def test_the_active_recipe_or_a_name_leads_to_its_experiment(project: Path) -> None:
    for dataset in ("hrsid", "ssdd"):
        trained(dataset)
    client = client_of(project)
    ids = {e.name: e.experiment_id for e in client.search_experiments()}
    assert prepare_page().experiment == "refinedet-ssdd", "without params.yaml the last one"
    choose("hrsid")
    page = prepare_page()
    assert (page.experiment, page.runs, page.server) == ("refinedet-hrsid", 1, None)
    table = "http://x" + PAGE.format(ids["refinedet-hrsid"])
    assert page.addresses("http://x") == {"table": table + "TABLE", "charts": table + "CHART"}
    for name in ("ssdd", "refinedet-ssdd"):
        assert prepare_page(name).experiment_id == ids["refinedet-ssdd"]
    assert page.store == f"sqlite:///{project / 'mlflow.db'}"


def test_a_new_experiment_is_one_of_training_and_gets_the_view(project: Path) -> None:
    runs = [trained("ssdd", seed) for seed in (1, 2)]
    client = client_of(project)
    experiment = client.get_experiment_by_name("refinedet-ssdd")
    assert experiment is not None
    assert experiment.tags["mlflow.experimentKind"] == "custom_model_development"
    client.delete_experiment_tag(experiment.experiment_id, "mlflow.experimentKind")  # as older versions made them
    client.set_tag(runs[0], "mlflow.runColor", "#123456")
    parent = group("ssdd seeds", runs)
    assert prepare_page("ssdd").runs == 2, "a parent is none"
    tags = client.get_experiment(experiment.experiment_id).tags
    assert (tags["mlflow.experimentKind"], tags["mlflow.experiment.primaryMetric.name"]) == (
        *("custom_model_development", "test/AP"),
    )
    assert VIEW_TAG in tags
    colours = [client.get_run(run).data.tags["mlflow.runColor"] for run in (*runs, parent)]
    assert colours[0] == "#123456", "a colour that the user chose stays"
    assert len(set(colours)) == 3
    prepare_page("ssdd")
    assert [client.get_run(run).data.tags["mlflow.runColor"] for run in (*runs, parent)] == colours


def test_a_server_shows_its_own_page(mlflow_server: MlflowServer, monkeypatch: pytest.MonkeyPatch) -> None:
    trained("ssdd")
    page = prepare_page("ssdd")
    assert page.server == mlflow_server.url
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_server.url.replace("//", "//me:secret@") + "/")
    assert prepare_page("ssdd").server == mlflow_server.url, "no password in an address"
    mlflow_server.kill()
    with pytest.raises(FileError, match=f"expected an MLflow store at {mlflow_server.url}"):
        prepare_page("ssdd")


def test_what_is_missing_is_one_sentence(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"expected runs of any data set in .*mlflow\.db, found no run at all"):
        prepare_page()
    trained("ssdd")
    with pytest.raises(InputError, match=r"expected runs of hrsid in .*mlflow\.db, found those of ssdd; name one"):
        prepare_page("hrsid")
    shutil.move(project / "mlflow.db", project / "elsewhere.db")
    with pytest.raises(FileError, match=r"expected runs in .*/mlflow\.db, found no such file; train first"):
        prepare_page()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///other.db")
    with pytest.raises(FileError, match=r"expected runs in other\.db, found no such file"):
        prepare_page()
    assert not list(project.glob("o*.db")), "no store is made only to find it empty"
    (project / "mlflow.db").write_bytes(b"no database" * 1000)
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    with pytest.raises(FileError, match="expected an MLflow store at"):
        prepare_page()
