"""DVC asked to bring data into a restored project, with the configuration of the user's clone."""

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
        """Bring outputs from the cache and the remote; what DVC said where not all of it could be had."""
        fetched = self._dvc("fetch", "--", *outs)
        placed = self._dvc("checkout", "--force", "--allow-missing", "--", *outs)
        return fetched or placed

    def commit(self, stage: str) -> str | None:
        """Complete the entry of `stage` in dvc.lock from the files as they are; what DVC said where it could not."""
        return self._dvc("commit", "--force", "--", stage)

    def unchanged(self) -> bool:
        """Return True if `dvc repro` would have nothing to do."""
        return self._dvc("status", "--quiet", "--", "dvc.yaml") is None

    def _dvc(self, *words: str) -> str | None:
        """Run dvc; None where it went well, else the end of what it said."""
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
    """Yield DVC in `restored` with the cache and the remotes of `project` alone, secrets in its config.local too.

    A configuration out of a run is not read meanwhile: it may name programs to run and servers to send keys to. It is
    back in its place afterwards.
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
