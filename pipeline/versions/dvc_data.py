"""DVC asked to bring data into a restored project, through its command line and its own configuration."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path


def share_store(project: Path, restored: Path) -> None:
    """Let `restored` use the cache and the remotes of `project`, secrets in its config.local too.

    Remotes in folders are named relative to a project, and those of one set-up lately are unknown to an old revision.
    """
    from dvc.config import Config

    ours = Config(str(project / ".dvc"))
    with Config(str(restored / ".dvc")).edit("local") as theirs:
        theirs["cache"] = {"dir": ours["cache"].get("dir") or str(project.resolve() / ".dvc" / "cache")}
        for level in ("repo", "local"):
            known = ours.load_one(level)
            for name, remote in known["remote"].items():
                # as text: DVC would write a path of its own kind relative to the project again
                plain = {key: str(value) if key == "url" else value for key, value in remote.items()}
                theirs["remote"].setdefault(name, {}).update(plain)
            if "remote" in known["core"]:
                theirs["core"]["remote"] = known["core"]["remote"]


def pull(restored: Path, outs: Sequence[str]) -> str | None:
    """Bring outputs from the cache and the remote; what DVC said where not all of it could be had."""
    fetched = _dvc(restored, "fetch", *outs)
    placed = _dvc(restored, "checkout", "--force", "--allow-missing", *outs)
    return fetched or placed


def commit(restored: Path, stage: str) -> str | None:
    """Complete the entry of `stage` in dvc.lock from the files as they are; what DVC said where it could not."""
    return _dvc(restored, "commit", "--force", stage)


def unchanged(restored: Path) -> bool:
    """Whether `dvc repro` would have nothing to do."""
    return _dvc(restored, "status", "--quiet") is None


def _dvc(folder: Path, *words: str) -> str | None:
    """Run dvc; None where it went well, else the end of what it said."""
    command = [sys.executable, "-m", "dvc", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", check=False)  # noqa: S603
    if done.returncode == 0:
        return None
    lines = [line.removeprefix("ERROR: ") for line in done.stderr.splitlines() if line.startswith("ERROR")]
    return "; ".join(lines) or f"dvc {words[0]} ended with status {done.returncode}"
