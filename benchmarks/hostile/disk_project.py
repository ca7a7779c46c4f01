"""Small project for disk.py: it runs stages in processes of their own and checks the files that they leave."""

from __future__ import annotations

import importlib
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import traceback
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from pipeline.stage import run_stage
from refinedet.files import md5_file, sha256_tree
from refinedet.model.checkpoint import read_header

ROOT = Path(__file__).resolve().parents[2]
STAGES = ("download", "audit", "convert", "tile", "train", "evaluate", "report")

_SMALL: dict[str, dict[str, Any]] = {
    "scenes": {"train": 3, "val": 1, "test": 1, "width_px": 320, "height_px": 256, "ships": 6},
    "model": {"input_px": 192, "tcb_channels": 16, "arm_channels": 0, "backbone_weights": "none"},
    "train": {"epochs": 2, "batch_size": 2, "canvas_width": 128, "canvas_height": 128, "workers": 0},
}
_ENVIRONMENT = {"DVC_NO_ANALYTICS": "1", "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
_ERROR = re.compile(r"^[\d:]+ ERROR (.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Came:
    """Exit status and output of a process."""

    status: int
    log: str

    @property
    def sentence(self) -> str:
        """Last message of the process, without colours and marks."""
        lines = [line for line in self.log.splitlines() if line.strip()]
        errors = _ERROR.findall(self.log) or [line for line in lines if line.startswith("ERROR")]
        return re.sub(r"\x1b\[\d*m", "", (errors or lines[-1:] or [""])[-1])

    def problems(self) -> list[str]:
        """Faults in the end of a stage; right is status 0, or status 1 with one sentence that says what to do."""
        if self.status == 0:
            return []
        found = [] if self.status == 1 else [f"status {self.status}"]
        errors = _ERROR.findall(self.log)
        if "Traceback" in self.log or len(errors) != 1:
            found.append("no single sentence")
        if errors and not ("disk" in errors[-1] and "free some" in errors[-1]):
            found.append("a sentence that does not tell of the disk")
        return found


class Project:
    """A copy of this project without git, on a few simulated scenes and a training of two epochs."""

    def __init__(self, folder: Path) -> None:
        """Make it in `folder`."""
        self.folder, self.outputs = folder, folder / "outputs"
        left_out = shutil.ignore_patterns("__pycache__", "*.safetensors", "*.pyc")
        for name in ("pipeline", "refinedet"):
            shutil.copytree(ROOT / name, folder / name, ignore=left_out)
        for name in ("dvc.yaml", ".dvcignore"):
            shutil.copy(ROOT / name, folder / name)
        yaml = YAML()
        content = yaml.load(ROOT / "params.yaml")
        for section, values in _SMALL.items():
            content["recipes"]["simulated"][section].update(values)
        yaml.dump(content, folder / "params.yaml")
        done = self.dvc("init", "--no-scm", "-q")
        assert done.status == 0, done.log

    def dvc(self, *words: str) -> Came:
        """Run dvc to its end."""
        done = subprocess.run(
            [sys.executable, "-m", "dvc", *words],
            cwd=self.folder,
            env=_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return Came(done.returncode, done.stdout)

    def lock(self) -> str | None:
        """Content of dvc.lock."""
        path = self.folder / "dvc.lock"
        return path.read_text(encoding="utf-8") if path.exists() else None

    def traces(self, stage: str, reference: Project) -> list[str]:
        """Faults in `outputs` after a stage: an output that differs from the reference, or files of other names."""
        if not self.outputs.exists():
            return []
        own = self.outputs / stage
        if own.exists() and sha256_tree(own) != sha256_tree(reference.outputs / stage):
            return [f"outputs/{stage} has other bytes than with room"]
        found = {path.name for path in self.outputs.iterdir()} - set(STAGES[: STAGES.index(stage) + 1])
        return [f"left outputs/{name}" for name in sorted(found)]

    def unsound(self) -> list[str]:
        """Damaged databases, checkpoints and records of DVC, and temporary files that were left."""
        return [*self._databases(), *self._training(), *self._versions(), *self._litter()]

    def _databases(self) -> Iterator[str]:
        for path in filter(Path.exists, [self.folder / "mlflow.db", self.folder / ".refinedet/spool/queue.db"]):
            with closing(sqlite3.connect(path)) as database:
                if database.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                    yield f"{path.name} is damaged"

    def _training(self) -> Iterator[str]:
        for path in self.folder.glob(".refinedet/resume/*/state.pt"):
            with zipfile.ZipFile(path) as archive:
                if archive.testzip():
                    yield "the state to resume from is damaged"
        for path in [*self.folder.glob(".refinedet/**/*.safetensors"), *self.outputs.glob("**/*.safetensors")]:
            read_header(path)

    def _versions(self) -> Iterator[str]:
        lock = self.lock()
        if lock is not None and "stages" not in (YAML(typ="safe").load(lock) or {}):
            yield "dvc.lock is empty"
        for path in self.folder.glob(".dvc/cache/files/md5/*/*"):
            if path.suffix not in (".dir", ".tmp") and md5_file(path) != path.parent.name + path.name:
                yield f"DVC's {path.parent.name}{path.name} has other bytes"

    def _litter(self) -> Iterator[str]:
        for place in (self.folder, self.outputs, *self.folder.glob(".refinedet/**/")):
            for path in place.glob(".*-*"):
                yield f"left {path.relative_to(self.folder)}"

    def told(self) -> set[str]:
        """Names of metrics, parameters, tags and files of MLflow's finished runs, without system metrics."""
        names = set()
        with closing(sqlite3.connect(self.folder / "mlflow.db")) as database:
            for kind in ("metrics", "params", "tags"):
                query = f"SELECT DISTINCT key FROM {kind} JOIN runs USING (run_uuid) WHERE status = 'FINISHED'"  # noqa: S608
                names |= {f"{kind} {key}" for (key,) in database.execute(query)}
            finished = [run for (run,) in database.execute("SELECT run_uuid FROM runs WHERE status = 'FINISHED'")]
        for run in finished:
            artifacts = self.folder / "mlartifacts" / run / "artifacts"
            names |= {f"file {p.relative_to(artifacts).as_posix()}" for p in artifacts.rglob("*") if p.is_file()}
        return {name for name in names if "system/" not in name}


def preload() -> None:
    """Import the modules of all stages once, so that forked processes start at once."""
    os.environ.update(_ENVIRONMENT)
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME", "DVC_EXP_NAME", "REFINEDET_MIRROR"):
        os.environ.pop(name, None)
    from pipeline.workarounds.mlflow_environment import quiet_mlflow

    quiet_mlflow()
    for name in (
        *(f"pipeline.stages.{stage}" for stage in STAGES),
        "mlflow.pyfunc",
        "mlflow.store.tracking.sqlalchemy_store",
    ):
        importlib.import_module(name)


def fork_stage(stage: str, project: Project) -> Came:
    """Run a stage as `python -m` would, in a child of this process; its log lies on another disk."""
    with tempfile.TemporaryFile("w+b") as log:
        child = os.fork()
        if child == 0:
            status = 70
            try:
                os.dup2(log.fileno(), 1)
                os.dup2(log.fileno(), 2)
                os.chdir(project.folder)
                run_stage(importlib.import_module(f"pipeline.stages.{stage}").main)
                status = 0
            except SystemExit as ended:
                status = int(ended.code or 0)
            except BaseException:  # noqa: BLE001 - what Python would do at the end
                traceback.print_exc()
                status = 1
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(status)
        _, ended = os.waitpid(child, 0)
        log.seek(0)
        return Came(os.waitstatus_to_exitcode(ended), log.read().decode(errors="replace"))


def _environment() -> dict[str, str]:
    folder = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, **_ENVIRONMENT, "PATH": folder}
