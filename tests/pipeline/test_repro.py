"""The real pipeline, end to end: `dvc repro` on small simulated scenes in a fresh checkout, interrupted, resumed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.pipeline.project import NewProject, Project


@pytest.fixture(scope="module")
def project(new_project: NewProject, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project in which `dvc repro` has run once."""
    made = new_project(tmp_path_factory.mktemp("checkout"))
    made.dvc("repro")
    return made


@pytest.mark.timeout(600)
def test_the_first_run_makes_everything(project: Project) -> None:
    for name in (
        "train/model.safetensors",
        "report/report.html",
        "report/pr_curve.png",
        "evaluate/detections.coco.json",
    ):
        assert (project.folder / "outputs" / name).stat().st_size > 0, name
    assert {"AP", "AP50", "AP75"} <= set(project.json("evaluate/metrics.json")["test"])
    assert [row["epoch"] for row in project.json("train/history.json")] == [1, 2]
    assert (project.folder / "mlflow.db").is_file()
    assert project.states == []


def test_the_second_run_does_nothing(project: Project) -> None:
    assert "Data and pipelines are up to date" in project.dvc("status")
    output = project.dvc("repro")
    assert "Running stage" not in output


def test_metrics_plots_and_parameters_can_be_shown(project: Project) -> None:
    assert "test.AP50" in project.dvc("metrics", "show")
    assert "index.html" in project.dvc("plots", "show")
    project.change(train={"seed": 2})
    assert "recipes.simulated.train.seed" in project.dvc("params", "diff")
    project.change(train={"seed": 1})


@pytest.mark.slow
def test_a_training_parameter_reruns_training_and_what_follows_alone(project: Project) -> None:
    project.change(train={"lr": 0.002})
    output = project.dvc("repro")
    ran = [line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage")]
    assert ran == ["train", "evaluate", "report"]


def wait_for(condition: Callable[[], bool], seconds: float = 240) -> None:
    """Until `condition` holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.05)


def stop(process: subprocess.Popen[str], how: signal.Signals) -> None:
    """Send the signal, and again while nothing comes of it: Python drops a Ctrl-C that falls into a destructor."""
    while process.poll() is None:
        os.killpg(process.pid, how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=2)


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "how", [pytest.param(signal.SIGINT, id="Ctrl-C"), pytest.param(signal.SIGKILL, id="killed", marks=pytest.mark.slow)]
)
def test_an_interrupted_training_goes_on_and_another_one_does_not(project: Project, how: signal.Signals) -> None:
    keys = set(project.json("train/metrics.json")["val"])
    project.change(train={"seed": 10 + how, "epochs": 4, "lr": 0.001})
    process = project.start("repro", "train")
    wait_for(lambda: bool(project.states))
    stop(process, how)
    assert len(project.states) == 1
    kept = project.states[0]

    project.change(train={"lr": 0.003, "epochs": 1})  # another training: the state is not its own
    output = project.dvc("repro", "train")
    assert "resuming after epoch" not in output
    assert project.states == [kept]

    project.change(train={"lr": 0.001, "epochs": 4})
    output = project.dvc("repro", "train")
    assert "resuming after epoch" in output
    assert [row["epoch"] for row in project.json("train/history.json")] == list(range(1, 5))
    assert set(project.json("train/metrics.json")["val"]) == keys
    assert project.states == []
