"""restore.py and verify.py, end to end: three kinds of run, and nothing left but git, MLflow and a remote in S3."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from mlflow import MlflowClient
from moto.server import ThreadedMotoServer

from pipeline.versions.lockfile import read_lock

if TYPE_CHECKING:
    from tests.pipeline.project import NewProject, Project

BUCKET = "refinedet"

SEEING: dict[str, dict[str, Any]] = {
    "scenes": {"test": 2},
    "model": {"input_px": 512, "tcb_channels": 96, "arm_channels": 96, "anchor_scale": 3.0, "detail": True},
    "train": {"init": "shipped", "epochs": 1, "lr": 0.0003, "ema_decay": 0.0},
}
"""Changes to the small recipe that make a detector which finds ships: equal zeros would prove nothing."""


@dataclass
class World:
    """A project that has run three times, its remotes, and a clone on what could be another machine."""

    project: Project
    origin: Path
    clone: Path
    runs: dict[str, str] = field(default_factory=dict)
    """Kind of run -> its id."""
    locks: dict[str, str] = field(default_factory=dict)
    """Kind of run -> dvc.lock as DVC wrote it in the end."""

    @property
    def store(self) -> str:
        """Address of the MLflow store."""
        return f"sqlite:///{self.project.folder / 'mlflow.db'}"

    def note(self, kind: str) -> None:
        """Remember the newest run under the name of its kind."""
        client = MlflowClient(self.store)
        experiments = [e.experiment_id for e in client.search_experiments()]
        self.runs[kind] = client.search_runs(experiments, order_by=["attributes.start_time DESC"])[0].info.run_id

    def refinedet(self, *words: str, status: int = 0, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run the program in the clone."""
        done = subprocess.run(
            [sys.executable, "-m", "cli.app", *words],
            cwd=folder or self.clone,
            env={**os.environ, "MLFLOW_TRACKING_URI": self.store},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """A server on loopback that behaves like S3, with an empty bucket; the keys for it are in the environment."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    address = "http://{}:{}".format(*server.get_host_and_port())
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": "us-east-1",
            "no_proxy": "127.0.0.1",
        }.items():
            patch.setenv(name, value)
        boto3.client("s3", endpoint_url=address).create_bucket(Bucket=BUCKET)
        yield address
    server.stop()


@pytest.fixture(scope="module")
def world(new_project: NewProject, tmp_path_factory: pytest.TempPathFactory, endpoint: str) -> World:
    """Three runs, pushed; then workspace and cache are wiped, and the project is cloned afresh."""
    top = tmp_path_factory.mktemp("world")
    (top / "project").mkdir()
    project = new_project(top / "project")
    project.change(**SEEING)
    (project.folder / "sea.bin").write_bytes(bytes(range(256)))
    with (project.folder / ".dvc" / "config").open("a") as config:
        config.write(
            f"    remote = store\n['remote \"store\"']\n    url = s3://{BUCKET}/dvc\n    endpointurl = {endpoint}\n"
        )
    project.commit("a remote")
    project.git("init", "-q", "--bare", str(top / "origin"))
    project.git("remote", "add", "origin", str(top / "origin"))
    project.git("push", "-q", "origin", "HEAD:main")
    made = World(project, top / "origin", top / "clone")
    _run_clean(made)
    _run_changed(made)
    _run_queued(made)
    for wiped in (".dvc/cache", ".dvc/tmp", "outputs", "pipeline", "refinedet", "cli", ".refinedet", "params.yaml"):
        shutil.rmtree(project.folder / wiped, ignore_errors=True)
    project.git("clone", "-q", "--branch", "main", str(made.origin), str(made.clone), folder=top)
    return made


def _run_clean(world: World) -> None:
    world.project.dvc("repro")
    _keep(world, "clean")
    world.project.git("add", "dvc.lock")
    world.project.git("commit", "-qm", "results")
    world.project.git("push", "-q", "origin", "HEAD:main")


def _keep(world: World, kind: str) -> None:
    world.note(kind)
    world.locks[kind] = (world.project.folder / "dvc.lock").read_text(encoding="utf-8")
    world.project.dvc("push")


def _run_changed(world: World) -> None:
    """Changed settings and code, a changed binary file, and a stage that depends on a file that git never saw."""
    folder = world.project.folder
    world.project.change(train={"seed": 5})
    (folder / "sea.bin").write_bytes(bytes(reversed(range(256))))
    (folder / "gains.bin").write_bytes(b"\x00\xff\r\n" * 9)
    (folder / "gains.bin").chmod(0o755)
    stages = (folder / "dvc.yaml").read_text(encoding="utf-8")
    code = "      - pipeline/stages/train.py\n"
    (folder / "dvc.yaml").write_text(
        stages.replace(code, f"{code}      - gains.bin\n      - sea.bin\n"), encoding="utf-8"
    )
    evaluate = folder / "pipeline" / "stages" / "evaluate.py"
    evaluate.write_text(evaluate.read_text(encoding="utf-8") + "# ein Gr\u00fc\u00df\n", encoding="utf-8")
    world.project.dvc("repro")
    _keep(world, "changed")
    world.project.git("checkout", "-q", "--", ".")
    (folder / "gains.bin").unlink()


def _run_queued(world: World) -> None:
    world.project.dvc("exp", "run", "--queue", "--name", "queued", "-S", "recipes.simulated.train.seed=7")
    world.project.dvc("exp", "run", "--run-all")
    world.note("queued")
    world.locks["queued"] = world.project.git("show", "refs/exps/" + _experiment(world) + ":dvc.lock")
    world.project.dvc("exp", "push", "origin", "queued")


def _experiment(world: World) -> str:
    names = world.project.git("for-each-ref", "--format=%(refname)", "refs/exps").split()
    return next(name.removeprefix("refs/exps/") for name in names if name.endswith("/queued"))


pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
KINDS = ("clean", "changed", "queued")


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_comes_back_whole(world: World, tmp_path: Path, kind: str) -> None:
    shutil.rmtree(world.clone / ".dvc" / "cache", ignore_errors=True)
    place = tmp_path / "there"
    done = world.refinedet("restore", world.runs[kind], str(place))
    assert "`dvc repro` has nothing to do there" in done.stdout
    assert read_lock(place / "dvc.lock") == _lock(world.locks[kind], tmp_path), "as DVC wrote it in the end"
    if kind == "changed":
        assert (place / "sea.bin").read_bytes() == bytes(reversed(range(256)))
        assert (place / "gains.bin").read_bytes() == b"\x00\xff\r\n" * 9
        assert (place / "gains.bin").stat().st_mode & 0o111
        assert (
            (place / "pipeline" / "stages" / "evaluate.py")
            .read_text(encoding="utf-8")
            .endswith("# ein Gr\u00fc\u00df\n")
        )
    verified = json.loads(world.refinedet("verify", world.runs[kind], "--dir", str(place), "--json").stdout)
    assert verified["mismatches"] == []
    assert len(verified["rows"]) > 10
    assert {row["name"]: row["now"] for row in verified["rows"]}["test/AP50"] > 20, "it finds ships"
    assert all(row["logged"] == row["now"] for row in verified["rows"])
    assert verified["detections"] == {"detections.coco.json": True}


def _lock(text: str, folder: Path) -> object:
    (folder / "expected.lock").write_text(text, encoding="utf-8")
    return read_lock(folder / "expected.lock")


def test_the_runs_differ_in_weights_and_numbers(world: World) -> None:
    client = MlflowClient(world.store)
    found = [client.get_run(run_id).data for run_id in world.runs.values()]
    assert len({run.tags["checkpoint_sha256"] for run in found}) == len(KINDS)
    assert len({run.metrics["test/AP"] for run in found}) == len(KINDS)


def test_verify_alone_leaves_nothing_behind_and_tells_a_false_number(world: World) -> None:
    run_id = world.runs["clean"]
    before = world.project.git("worktree", "list", folder=world.clone)
    assert "of what was logged" in world.refinedet("verify", run_id).stdout
    assert not list((world.clone / ".refinedet" / "verify").iterdir())
    assert world.project.git("worktree", "list", folder=world.clone) == before
    MlflowClient(world.store).log_metric(run_id, "test/AP50", 99.0)
    done = world.refinedet("verify", run_id, status=1)
    assert "differs" in done.stdout
    told = json.loads(world.refinedet("verify", run_id, "--json", "--tolerance", "100").stdout)
    assert told["mismatches"] == []


def test_a_clone_pulls_and_repro_does_nothing(world: World, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    world.project.git("clone", "-q", "--branch", "main", str(world.origin), str(clone), folder=tmp_path)
    for words in (("pull",), ("repro",)):
        done = subprocess.run(
            [sys.executable, "-m", "dvc", *words], cwd=clone, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert "Running stage" not in done.stdout


def test_what_is_missing_is_told_with_its_last_place(world: World, tmp_path: Path, endpoint: str) -> None:
    client = boto3.client("s3", endpoint_url=endpoint)
    lost = {out["md5"] for out in read_lock(world.clone / "dvc.lock")["stages"]["train"]["outs"]}
    for md5 in lost:
        client.delete_object(Bucket=BUCKET, Key=f"dvc/files/md5/{md5[:2]}/{md5[2:]}")
    shutil.rmtree(world.clone / ".dvc" / "cache", ignore_errors=True)
    done = world.refinedet("restore", world.runs["clean"], str(tmp_path / "there"), status=1)
    assert "different outputs/train, MD5" in done.stdout
    assert f"s3://{BUCKET}/dvc" in done.stderr
    assert str(world.project.folder) in done.stderr
    assert (tmp_path / "there" / "outputs" / "train" / "model.safetensors").is_file(), "from the run's own artifacts"
    assert "something in it" in world.refinedet("restore", world.runs["clean"], str(tmp_path), status=1).stderr
    assert "found none with the id" in world.refinedet("restore", "0" * 32, str(tmp_path / "x"), status=1).stderr
