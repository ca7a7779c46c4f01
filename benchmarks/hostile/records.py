"""Hostile MLflow store against `refinedet restore`: a table.

    python benchmarks/hostile/records.py

A store holds a run of a small project. One part of its record is changed after the other: revision, prefix, names,
patch, lock file. The outcome must be the restored project, or one sentence. Nothing may be written outside the restored
folder, and no program may be started. The exit code is 1 for any other outcome.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from records_cases import CASES, RESTORED, Change, Run

from pipeline.versions.restore import restore
from refinedet.errors import RefineDetError

_SHOWN = 170
_HOOKS = ("post-checkout", "post-index-change", "reference-transaction")


def main() -> int:
    """Run all cases and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="run only cases whose title contains this")
    only = parser.parse_args().only
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="hostile-") as name:
        world = World(Path(name).resolve())
        print(f"{'the run has ...':44} {'expected':9} {'outcome':{_SHOWN}}     s")
        wrong = sum(not world.try_case(title, *case) for title, case in CASES.items() if only in title)
    print(f"\n{wrong} of the cases did not come out as expected" if wrong else "\nall came out as expected")
    return 1 if wrong else 0


class World:
    """A clone of a small project with a remote, a store of runs, and a folder that nothing may be written to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.outside, self.clone = folder / "outside", folder / "clone"
        for each in (self.outside, self.clone / ".dvc", folder / "made"):
            each.mkdir(parents=True)
        (self.outside / "dvc.yaml").write_text("stages: {}\n")
        os.chdir(self.clone)
        os.environ |= {
            "GIT_CEILING_DIRECTORIES": str(folder),
            "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "DVC_NO_ANALYTICS": "1",
        }
        Path("dvc.yaml").write_text("stages: {train: {cmd: t, deps: [code.py], outs: [out]}}\n")
        Path(".dvc/config").write_text("[core]\n    analytics = false\n    check_update = false\n")
        Path("code.py").write_text("one\n")
        self._git("init", "-q", "-b", "main")
        self._git("add", "-A")
        self._git("commit", "-qm", "base")
        self._git("checkout", "-q", "-b", "filtered")
        Path(".gitattributes").write_text("*.py filter=own\n")
        self._git("add", "-A")
        self._git("commit", "-qm", "attributes")
        self._filtered = self._git("rev-parse", "HEAD")
        self._git("checkout", "-q", "main")
        self._git("clone", "-q", "--bare", ".", str(folder / "origin"))
        self._git("remote", "add", "origin", str(folder / "origin"))
        # programs of the user: a record must not be able to start them
        self._git("config", "filter.own.smudge", f"touch {self.outside}/planted; cat")
        self._git("config", "filter.own.clean", f"touch {self.outside}/planted; cat")
        for hook in _HOOKS:
            path = Path(".git/hooks") / hook
            path.write_text(f"#!/bin/sh\ntouch {self.outside}/planted\n")
            path.chmod(0o755)
        self._client = MlflowClient()
        self._experiment = self._client.create_experiment("x", artifact_location=(folder / "artifacts").as_uri())

    def try_case(self, title: str, expected: str, change: Change) -> bool:
        """Restore a run with this change and print a row; true if the outcome is the expected one."""
        run_id, place = self._record(change), self.folder / "restored"
        before, sentence, began = self._all_files(), "", time.monotonic()
        try:
            made = restore(run_id, place)
        except RefineDetError as error:
            sentence = str(error)
        except Exception as error:  # noqa: BLE001 - a bug is an outcome too
            sentence, expected = f"{type(error).__name__}: {error}", f"not {expected}"
        seconds = time.monotonic() - began
        planted = sorted(self._all_files() - before)
        came = sentence or f"{len(made.checks)} files compared; {'; '.join(made.notes)}"
        if planted:
            came = f"WRITTEN: {', '.join(planted)}; {came}"
        fine = (expected == RESTORED) == (not sentence) and not expected.startswith("not") and not planted
        fine = fine and "\n" not in sentence and place.exists() == (not sentence)
        self._tidy(place)
        came = re.sub("/[^ ]*/refinedet-run-[^/]*/", "", came.replace(f"{self.folder}/", "").replace(run_id, "RUN"))
        row = f"{title:44} {expected:9} {came[:_SHOWN]!s:{_SHOWN}} {seconds:5.1f} {'' if fine else 'WRONG'}"
        print(row.rstrip(), flush=True)
        return fine

    def _record(self, change: Change) -> str:
        """Log a new run whose record is a good one with this change; returns its id."""
        run = Run(self.outside, self._filtered, self._facts())
        change(run)
        files = {"state.json": json.dumps(run.facts).encode(), **run.files}
        run_id = self._client.create_run(self._experiment, tags=run.tags).info.run_id
        with tempfile.TemporaryDirectory(dir=self.folder / "made") as name:
            for path, content in files.items():
                (Path(name) / path).parent.mkdir(parents=True, exist_ok=True)
                (Path(name) / path).write_bytes(content)
            self._client.log_artifacts(run_id, name, "state/train")
        return run_id

    def _facts(self) -> dict[str, Any]:
        revision = self._git("rev-parse", "main")
        return {
            "schema": 1,
            "stage": "train",
            "captured": "2026-01-01T00:00:00.000+00:00",
            "code": {"revision": revision, "prefix": "", "patch_sha256": None, "changed_while_running": []},
            "untracked": {},
            "sources_md5": {"code.py": "5bbf5a52328e7439ae6e719dfe712200"},
            "inputs_md5": {},
            "seen": {"host": "far", "project": "/work", "git_remotes": {}, "dvc_cache": "/c", "dvc_remotes": {}},
        }

    def _all_files(self) -> set[str]:
        """All files but those that belong to the restored folder, git, DVC and MLflow."""
        own = ("restored", "artifacts", "clone/.git", "clone/.dvc/cache", "clone/.dvc/tmp", "mlflow.db")
        files = (path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if not path.is_dir())
        return {file for file in files if not file.startswith(own)}

    def _tidy(self, place: Path) -> None:
        for path in self.outside.glob("*"):
            if path.name != "dvc.yaml":
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.rmtree(place, ignore_errors=True)
        self._git("worktree", "prune")
        (self.outside / "planted").unlink(missing_ok=True)

    def _git(self, *words: str) -> str:
        plain = ("-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "commit.gpgsign=false")
        done = subprocess.run(["git", *plain, *words], check=True, capture_output=True, text=True)  # noqa: S607 - the user's own git
        return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
