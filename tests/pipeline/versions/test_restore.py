"""restore.py: what it refuses, and what it leaves behind then. Whole runs: test_restore_runs.py."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pipeline.versions import restore as module
from pipeline.versions.record import parse_record
from pipeline.versions.restore import Check, restore
from pipeline.versions.run_state import RunState
from refinedet.errors import FileError
from refinedet.files import sha256_file

SEEN = {"host": "far", "project": "/work", "git_remotes": {"origin": "https://host.example/code.git"}}


def git(*words: str) -> str:
    identity = ("-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "commit.gpgsign=false")
    return subprocess.run(["git", *identity, *words], check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Facts of a run that a clone as working folder can restore; a test spoils them before it does."""
    (tmp_path / "clone").mkdir()
    (tmp_path / "kept").mkdir()
    monkeypatch.chdir(tmp_path / "clone")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    Path("dvc.yaml").write_text("stages: {train: {cmd: t, deps: [code.py]}}\n")
    Path("code.py").write_text("one\n")
    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "base")
    facts: dict[str, Any] = {
        "schema": 1,
        "stage": "train",
        "captured": "2026-01-01T00:00:00+00:00",
        "code": {
            "revision": git("rev-parse", "HEAD"),
            "prefix": "",
            "patch_sha256": None,
            "changed_while_running": ["code.py"],
        },
        "untracked": {},
        "sources_md5": {"code.py": "5bbf5a52328e7439ae6e719dfe712200"},
        "inputs_md5": {},
        "seen": SEEN,
    }

    @contextmanager
    def fetched(run_id: str, _stage: str | None) -> Iterator[RunState]:
        yield RunState(run_id, "train", tmp_path / "kept", parse_record(facts, "state.json"), {}, {}, {})

    monkeypatch.setattr(module, "fetched", fetched)
    monkeypatch.setattr(module.dvc_data.RestoredData, "unchanged", lambda _: False)
    return facts


def test_code_comes_back_and_is_compared_by_hash(kept: dict[str, Any], tmp_path: Path) -> None:
    made = restore("r", tmp_path / "there")
    assert made.whole
    assert made.revision == kept["code"]["revision"]
    assert made.checks == [Check("code.py", kept["sources_md5"]["code.py"], kept["sources_md5"]["code.py"])]
    assert any("changed while the stage ran" in note for note in made.notes)
    assert any("never ended" in note for note in made.notes)
    kept["sources_md5"] = {"code.py": "0" * 32, "gone.py": "0" * 32}
    again = restore("r", tmp_path / "again")
    assert [(check.path, check.state) for check in again.checks] == [("code.py", "different"), ("gone.py", "missing")]
    assert not again.whole


@pytest.mark.usefixtures("kept")
def test_a_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "mine.txt").write_text("mine")
    for place in (tmp_path / "there", tmp_path / "there" / "mine.txt"):
        with pytest.raises(FileError, match="something in it"):
            restore("r", place)
    assert [file.name for file in (tmp_path / "there").iterdir()] == ["mine.txt"]
    (tmp_path / "empty").mkdir()
    assert (restore("r", tmp_path / "empty").project / "code.py").is_file()


def test_a_revision_that_is_nowhere_is_told_with_its_last_place(kept: dict[str, Any], tmp_path: Path) -> None:
    kept["code"]["revision"] = "0" * 40
    with pytest.raises(FileError, match=r"far:/work, https://host\.example/code\.git: fetch it from there"):
        restore("r", tmp_path / "there")
    kept["code"]["revision"] = None
    with pytest.raises(FileError, match="in no repository"):
        restore("r", tmp_path / "there")
    assert not (tmp_path / "there").exists()


def test_a_revision_on_no_branch_is_asked_of_the_remotes(
    kept: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git("config", "uploadpack.allowAnySHA1InWant", "true")
    git("commit", "-q", "--allow-empty", "-m", "lost")
    kept["code"]["revision"] = git("rev-parse", "HEAD")
    git("reset", "-q", "--hard", "HEAD~1")
    git("clone", "-q", "--no-local", ".", str(tmp_path / "other"))
    monkeypatch.chdir(tmp_path / "other")
    assert restore("r", tmp_path / "there").whole


@pytest.mark.parametrize("name", ["../outside.py", "/outside.py", ".Git/hooks/post-checkout", "a/../../b", "."])
def test_a_name_that_leads_out_of_the_project_is_refused(kept: dict[str, Any], tmp_path: Path, name: str) -> None:
    kept["untracked"] = {name: {"sha256": "0" * 64, "bytes": 1, "executable": True, "kept": True}}
    with pytest.raises(FileError, match="of no file within the project"):
        restore("r", tmp_path / "there")
    assert not (tmp_path / "there").exists(), "nothing is left of a restoration that failed"
    assert len(git("worktree", "list").splitlines()) == 1


def test_a_link_of_the_patch_leads_nowhere(kept: dict[str, Any], tmp_path: Path) -> None:
    Path("way").symlink_to(tmp_path)
    git("add", "-A")
    patch = tmp_path / "kept" / "changes.patch"
    patch.write_text(git("diff", "--binary", "HEAD") + "\n")
    kept["code"]["patch_sha256"] = sha256_file(patch)
    kept["untracked"] = {"way/outside.py": {"sha256": "0" * 64, "bytes": 1, "executable": False, "kept": True}}
    with pytest.raises(FileError, match="within the project"):
        restore("r", tmp_path / "there")
    assert not (tmp_path / "outside.py").exists()


def test_a_patch_that_is_not_the_recorded_one_is_refused(kept: dict[str, Any], tmp_path: Path) -> None:
    patch = tmp_path / "kept" / "changes.patch"
    patch.write_text("not a patch\n")
    kept["code"]["patch_sha256"] = "0" * 64
    with pytest.raises(FileError, match="as it was recorded"):
        restore("r", tmp_path / "there")
    kept["code"]["patch_sha256"] = sha256_file(patch)
    with pytest.raises(FileError, match="git apply"):
        restore("r", tmp_path / "there")
    assert not (tmp_path / "there").exists()
