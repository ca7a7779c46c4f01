"""Worktrees of restored runs: what is left of one, and what is said."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pipeline.versions.record import Seen
from pipeline.versions.worktree import worktree


def git(*words: str) -> str:
    identity = ("-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "commit.gpgsign=false")
    return subprocess.run(["git", *identity, *words], check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.parametrize("locked", [False, True])
def test_the_cause_of_a_failure_is_told_though_git_cannot_remove_the_worktree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, *, locked: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    git("init", "-q", "clone")
    monkeypatch.chdir(tmp_path / "clone")
    git("commit", "-qm", "base", "--allow-empty")
    place = tmp_path / "restored"
    with (
        pytest.raises(RuntimeError, match="the cause"),
        worktree(git("rev-parse", "HEAD"), place, Seen("far", "/work")),
    ):
        if locked:
            git("worktree", "lock", str(place))
        raise RuntimeError("the cause")
    assert place.exists() == locked
    assert ("is left" in caplog.text) == locked
