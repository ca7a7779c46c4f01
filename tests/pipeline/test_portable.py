"""A training packed here, trained elsewhere in parts without DVC and MLflow, and taken back."""

from __future__ import annotations

import json
import logging
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from ruamel.yaml import YAML
from safetensors.torch import load_file

from pipeline import portable
from pipeline.portable import pack, take, train
from pipeline.stage import local_state
from refinedet.errors import FileError, InputError
from refinedet.files import read_json
from refinedet.model.checkpoint import read_header
from tests.pipeline.stages.test_train import RECIPE, ROOT, runs, write_chips
from tests.pipeline.stages.test_train import train as run_stage

EPOCHS = 3


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a few chips, and its training as training.zip."""
    folder = tmp_path_factory.mktemp("project")
    write_chips(folder / "outputs/tile", "train", 4)
    write_chips(folder / "outputs/tile", "val", 2)
    YAML().dump({"stages": {"train": {"cmd": "x", "deps": ["outputs/tile"]}}}, folder / "dvc.yaml")
    recipe = {**RECIPE, "train": {**RECIPE["train"], "epochs": EPOCHS}}
    YAML().dump({"recipe": "made", "recipes": {"made": recipe}}, folder / "params.yaml")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        pack(folder / "training.zip")
    return folder


@pytest.fixture(scope="module")
def elsewhere(packed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which it was trained to the end, in one part."""
    folder = tmp_path_factory.mktemp("elsewhere")
    assert train(packed / "training.zip", folder, minutes=60, workers=0)
    return folder


def project_copy(packed: Path, folder: Path) -> Path:
    """A project of the same settings and chips, without any state."""
    return Path(
        shutil.copytree(packed, folder / "project", ignore=shutil.ignore_patterns("training.zip", ".refinedet"))
    )


def test_a_training_in_parts_ends_like_one_in_one_part(
    packed: Path, elsewhere: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for done in range(1, EPOCHS):  # no time at all: one epoch a call
        assert not train(packed / "training.zip", tmp_path, minutes=0, workers=0)
        assert f"time is over after epoch {done} of {EPOCHS}: the same command goes on" in caplog.text
        assert not (tmp_path / "train").exists()
        (state,) = tmp_path.glob("resume/*")
        assert [row["epoch"] for row in read_json(state / "history.json")] == list(range(1, done + 1))
        assert read_header(state / "last_good.safetensors").provenance["epoch"] == done
    assert train(packed / "training.zip", tmp_path, minutes=0, workers=0)
    names = ("model.safetensors", "history.json", "metrics.json")
    assert {name: (tmp_path / "train" / name).read_bytes() for name in names} == {
        name: (elsewhere / "train" / name).read_bytes() for name in names
    }


@pytest.mark.slow
def test_the_stage_makes_the_same_checkpoint(packed: Path, elsewhere: Path, tmp_path: Path) -> None:
    project = project_copy(packed, tmp_path)
    done = run_stage(project, {"epochs": EPOCHS}, OMP_NUM_THREADS=str(torch.get_num_threads()))
    assert done.returncode == 0, done.stderr
    ours, theirs = elsewhere / "train/model.safetensors", project / "outputs/train/model.safetensors"
    assert read_header(ours).to_dict() == read_header(theirs).to_dict()
    for name, weights in load_file(theirs).items():
        torch.testing.assert_close(load_file(ours)[name], weights)


@pytest.mark.parametrize("left", ["train", "resume"])
def test_the_project_takes_it_back(
    left: str, packed: Path, elsewhere: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    back = Path(shutil.copytree(elsewhere / left, tmp_path / "back" / left).parent)
    monkeypatch.chdir(project_copy(packed, tmp_path))
    take(back)
    (state,) = local_state("resume").iterdir()
    content = torch.load(state / "state.pt", weights_only=True)
    assert content["epoch"] == EPOCHS
    mean = load_file(elsewhere / "train/model.safetensors")
    assert all(torch.equal(weights, mean[name]) for name, weights in content["ema"].items())
    assert [row["epoch"] for row in content["history"]] == [1, 2, 3]
    with pytest.raises(InputError, match="expected no state of this training in the project, found"):
        take(back)


@pytest.mark.slow
def test_the_stage_goes_on_from_what_it_took(
    packed: Path, elsewhere: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = project_copy(packed, tmp_path)
    monkeypatch.chdir(project)
    take(elsewhere)
    done = run_stage(project, {"epochs": EPOCHS})
    assert done.returncode == 0, done.stderr
    assert f"resuming after epoch {EPOCHS} of {EPOCHS}" in done.stderr
    written = project / "outputs/train/model.safetensors"
    assert written.read_bytes() == (elsewhere / "train/model.safetensors").read_bytes()
    from mlflow import MlflowClient

    (run,) = runs(project)
    rows = MlflowClient(f"sqlite:///{project / 'mlflow.db'}").get_metric_history(run.info.run_id, "train/loss")
    assert [metric.step for metric in rows] == [1, 2, 3]


def test_a_training_of_other_settings_is_not_taken(
    packed: Path, elsewhere: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = project_copy(packed, tmp_path)
    settings = YAML().load(project / "params.yaml")
    settings["recipes"]["made"]["train"]["lr"] = 0.5
    YAML().dump(settings, project / "params.yaml")
    monkeypatch.chdir(project)
    with pytest.raises(InputError, match="found one of other settings, chips or code"):
        take(elsewhere)
    shutil.copytree(elsewhere / "resume", tmp_path / "back" / "resume")
    key = next((elsewhere / "resume").iterdir()).name
    with pytest.raises(
        FileError, match=rf"expected the state of this project's training .*, found those of {key[:12]}"
    ):
        take(tmp_path / "back")
    with pytest.raises(FileError, match="found none; settings"):
        take(tmp_path / "nothing")


def test_other_code_is_refused(packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portable, "package_sha256", lambda: "0" * 64)
    with pytest.raises(InputError, match="expected the code that packed"):
        train(packed / "training.zip", tmp_path, minutes=1)


def test_a_project_without_chips_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileError, match="expected the chips of stage tile in outputs/tile, found none"):
        pack(tmp_path / "training.zip")


@pytest.mark.slow
def test_training_there_needs_neither_dvc_nor_mlflow_nor_yaml() -> None:
    code = "import json, sys, pipeline.portable; print(json.dumps(sorted({m.split('.')[0] for m in sys.modules})))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {"dvc", "git", "mlflow", "rasterio", "ruamel", "typer"} & set(json.loads(done.stdout))
