"""A fresh checkout of this project, small enough to run whole in a test."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

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
        listed = self.git("ls-files", "--cached", "--others", "--exclude-standard", "-z", folder=ROOT).split("\0")
        for name in filter(None, listed):
            if (ROOT / name).is_file() and not name.startswith(("tests/", "docs/")):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, folder / name)
        if not self.git("ls-files", "dvc.lock", folder=ROOT):  # of somebody's own runs, which no clone has
            (folder / "dvc.lock").unlink(missing_ok=True)
        self.change(**SMALL)
        self.git("init", "-q")
        for name, value in (("name", "t"), ("email", "t@example.org")):
            self.git("config", f"user.{name}", value)
        self.commit("start")

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

    def git(self, *words: str, folder: Path | None = None) -> str:
        """Run git here, or elsewhere; what it printed."""
        place = folder or self.folder
        return subprocess.run(["git", *words], cwd=place, capture_output=True, text=True, check=True).stdout

    def commit(self, message: str) -> None:
        """Commit all that is not ignored."""
        self.git("add", "-A")
        self.git("commit", "-qm", message)


NewProject = Callable[[Path], Project]
