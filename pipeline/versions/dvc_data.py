"""DVC commands that bring data into a restored project, with the configuration of the user's clone."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline.versions.worktree import no_links
from refinedet.files import atomic_path

_CONFIG, _LOCAL = ".dvc/config", ".dvc/config.local"


@dataclass(frozen=True, slots=True)
class RestoredData:
    """DVC in a restored project."""

    project: Path

    def pull(self, outs: Sequence[str]) -> str | None:
        """Bring outputs from the cache and the remote; return DVC's message if some are not available, else None."""
        fetched = self._dvc("fetch", "--", *outs)
        placed = self._dvc("checkout", "--force", "--allow-missing", "--", *outs)
        return fetched or placed

    def commit(self, stage: str) -> str | None:
        """Complete the entry of `stage` in dvc.lock from the current files; return DVC's message on failure."""
        return self._dvc("commit", "--force", "--", stage)

    def unchanged(self) -> bool:
        """Return True if `dvc repro` would have nothing to do."""
        return self._dvc("status", "--quiet", "--", "dvc.yaml") is None

    def _dvc(self, *words: str) -> str | None:
        """Run dvc; return None on success, else the end of its output."""
        command = [sys.executable, "-m", "dvc", *words]
        done = subprocess.run(  # noqa: S603
            command, cwd=self.project, capture_output=True, text=True, errors="replace", check=False
        )
        if done.returncode == 0:
            return None
        lines = [line.removeprefix("ERROR: ") for line in done.stderr.splitlines() if line.startswith("ERROR")]
        return "; ".join(lines) or f"dvc {words[0]} ended with status {done.returncode}"


@contextmanager
def as_ours(project: Path, restored: Path) -> Iterator[RestoredData]:
    """Yield DVC in `restored` with only the cache and the remotes of `project`, including secrets in its config.local.

    The configuration from the run is not read meanwhile, because it may name programs to run and servers to send keys
    to. It is restored afterwards.
    """
    config, local = restored / _CONFIG, restored / _LOCAL
    theirs = config.read_bytes() if config.is_file() else None
    if config.parent.is_dir():
        no_links(config.parent)
        shutil.rmtree(config.parent / "tmp", ignore_errors=True)
        for file in (config, local):
            file.unlink(missing_ok=True)
        config.touch()
        _share_store(project, restored)
    try:
        yield RestoredData(restored)
    finally:
        if theirs is not None:
            with atomic_path(config) as temporary:
                temporary.write_bytes(theirs)


def _share_store(project: Path, restored: Path) -> None:
    """Write the cache and the remotes of `project` into config.local of `restored`.

    Remotes in folders have paths relative to a project, and an old revision does not know recent remotes.
    """
    from dvc.config import Config

    ours = Config(str(project / ".dvc"))
    with Config(str(restored / ".dvc")).edit("local") as theirs:
        theirs["cache"] = {"dir": ours["cache"].get("dir") or str(project.resolve() / ".dvc" / "cache")}
        for level in ("repo", "local"):
            known = ours.load_one(level)
            for name, remote in known["remote"].items():
                # as text, because DVC would make a path relative to the project again
                plain = {key: str(value) if key == "url" else value for key, value in remote.items()}
                theirs["remote"].setdefault(name, {}).update(plain)
            if "remote" in known["core"]:
                theirs["core"]["remote"] = known["core"]["remote"]
