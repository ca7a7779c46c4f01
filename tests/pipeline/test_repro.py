"""The real pipeline, end to end: `dvc repro` on small simulated scenes in a fresh checkout, interrupted, resumed."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]

SMALL: dict[str, dict[str, Any]] = {
    "scenes": {"train": 3, "val": 1, "test": 1, "width_px": 320, "height_px": 256, "ships": 6},
    "model": {"input_px": 192, "tcb_channels": 16, "arm_channels": 0, "backbone_weights": "none"},
    "train": {"epochs": 2, "batch_size": 2, "canvas_width": 128, "canvas_height": 128},
}
"""Changes to the recipe of the simulated data set that make it quick, and worthless as a detector."""


class Project:
    """A fresh checkout of this project with its own git and DVC."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        listed = self._git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "-z").split("\0")
        for name in filter(None, listed):
            if (ROOT / name).is_file() and not name.startswith(("tests/", "docs/")):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, folder / name)
        (folder / "dvc.lock").unlink(missing_ok=True)
        self.change(**SMALL)
        self._git(folder, "init", "-q")
        self._git(folder, "add", "-A")
        self._git(folder, "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", "start")

    def change(self, **sections: dict[str, Any]) -> None:
        """Set values in params.yaml."""
        yaml, path = YAML(), self.folder / "params.yaml"
        content = yaml.load(path)
        for section, values in sections.items():
            content["recipes"]["simulated"][section].update(values)
        yaml.dump(content, path)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Run dvc in a session of its own, as a terminal would."""
        unset = ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME", "DVC_EXP_NAME", "REFINEDET_MIRROR")
        environment = {k: v for k, v in os.environ.items() if k not in unset}
        environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
        return subprocess.Popen(
            [sys.executable, "-m", "dvc", *words],
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            # a test run in the background ignores Ctrl-C, and its children would inherit that
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL) and None,  # noqa: PLW1509 - one thread
        )

    def dvc(self, *words: str) -> str:
        """Run dvc to its end; what it printed."""
        process = self.start(*words)
        output, _ = process.communicate()
        assert process.returncode == 0, output
        return output

    def json(self, name: str) -> Any:
        """Content of a file in outputs."""
        return json.loads((self.folder / "outputs" / name).read_text(encoding="utf-8"))

    @property
    def states(self) -> list[Path]:
        """Resume states of trainings in progress."""
        return sorted((self.folder / ".refinedet" / "resume").glob("*/state.pt"))

    @staticmethod
    def _git(folder: Path, *words: str) -> str:
        return subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project in which `dvc repro` has run once."""
    made = Project(tmp_path_factory.mktemp("checkout"))
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
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "killed"])
def test_an_interrupted_training_goes_on_and_another_one_does_not(project: Project, how: signal.Signals) -> None:
    keys = set(project.json("train/metrics.json")["val"])
    project.change(train={"seed": 10 + how, "epochs": 12, "lr": 0.001})
    process = project.start("repro", "train")
    wait_for(lambda: bool(project.states))
    stop(process, how)
    assert len(project.states) == 1
    kept = project.states[0]

    project.change(train={"lr": 0.003, "epochs": 3})  # another training: the state is not its own
    output = project.dvc("repro", "train")
    assert "resuming after epoch" not in output
    assert project.states == [kept]

    project.change(train={"lr": 0.001, "epochs": 12})
    output = project.dvc("repro", "train")
    assert "resuming after epoch" in output
    assert [row["epoch"] for row in project.json("train/history.json")] == list(range(1, 13))
    assert set(project.json("train/metrics.json")["val"]) == keys
    assert project.states == []
