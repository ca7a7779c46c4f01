"""state.py: what a stage keeps is what was there, and enough to make it again."""

from __future__ import annotations

import logging
import subprocess
from pathlib import Path

import pytest

from pipeline.provenance import state
from pipeline.provenance.origin import data_md5, without_password
from pipeline.provenance.state import output_sums, pipeline_stages, state_files
from refinedet.errors import InputError
from refinedet.files import read_json

DVC_YAML = """
stages:
  train:
    cmd: python -m train
    deps: [code.py, gains.bin, hidden.bin, data, outputs/tile, /elsewhere.bin]
    outs:
      - outputs/train: {cache: true}
  tile:
    cmd: python -m tile
    outs: [outputs/tile]
"""


def git(*words: str) -> None:
    identity = ("-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *identity, *words], check=True, capture_output=True)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project as working folder: code.py changed since the commit, two dependencies untracked, `data` in DVC."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.setattr(state, "_STARTED_NS", 2**63)
    for folder in ("outputs/tile", "outputs/train", "data", ".dvc"):
        Path(folder).mkdir(parents=True)
    Path("dvc.yaml").write_text(DVC_YAML)
    Path("params.yaml").write_text("recipe: x\n")
    Path("code.py").write_bytes(b"one\n")
    Path("image.bin").write_bytes(bytes(range(256)))
    Path(".gitignore").write_text("hidden.bin\n/outputs/\n/data\n")
    Path("data.dvc").write_text("outs: []\n")
    Path(".dvc/config").write_text("['remote \"s\"']\n    url = https://me:secret@host.example/dvc\n")
    git("init", "-q")
    git("add", "code.py", "image.bin", "dvc.yaml", ".gitignore", ".dvc/config")
    git("commit", "-qm", "base")
    git("config", "diff.noprefix", "true")  # a user's taste, which `git apply` does not share
    git("remote", "add", "origin", "https://me:secret@host.example/code.git")
    Path("code.py").write_bytes(b"two\r\n\xe9\n")
    Path("image.bin").write_bytes(bytes(reversed(range(256))))
    Path("gains.bin").write_bytes(b"\x00\xff")
    Path("gains.bin").chmod(0o755)
    Path("hidden.bin").write_bytes(b"ignored by git, needed by a stage")
    for name in ("data/a", "outputs/tile/a", "outputs/train/a"):
        Path(name).write_bytes(name.encode())
    return tmp_path


def kept(folder: Path, *, wrote: bool = True) -> Path:
    """The files of a state, copied out."""
    with state_files("train", wrote=wrote) as files:
        for path, place in files:
            (folder / place).mkdir(parents=True, exist_ok=True)
            (folder / place / path.name).write_bytes(path.read_bytes())
    return folder / "state" / "train"


def test_the_patch_and_the_untracked_files_make_the_tree_again(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    found = kept(tmp_path_factory.mktemp("kept"))
    facts = read_json(found / "state.json")
    clone = tmp_path_factory.mktemp("clone") / "c"
    git("clone", "-q", str(project), str(clone))
    git("-C", str(clone), "checkout", "-q", facts["code"]["revision"])
    git("-C", str(clone), "apply", "--binary", str(found / "changes.patch"))
    for name in ("code.py", "image.bin"):
        assert (clone / name).read_bytes() == (project / name).read_bytes()
    for name in ("gains.bin", "hidden.bin", "data.dvc", "params.yaml"):
        assert (found / "untracked" / name).read_bytes() == (project / name).read_bytes()
    assert set(facts["untracked"]) == {"gains.bin", "hidden.bin", "data.dvc", "params.yaml"}
    assert [name for name, each in facts["untracked"].items() if each["executable"]] == ["gains.bin"]


def test_sums_are_those_of_the_bytes(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    found = kept(tmp_path_factory.mktemp("kept"))
    facts = read_json(found / "state.json")
    assert facts["inputs_md5"] == {"outputs/tile": data_md5(project / "outputs/tile")}
    assert facts["sources_md5"]["data"] == data_md5(project / "data")
    assert "outputs/train" not in facts["sources_md5"]
    sums = {"md5": data_md5(project / "outputs/train"), "size": 15, "nfiles": 1}
    assert read_json(found / "outputs.json") == output_sums("train") == {"outputs/train": sums}
    assert facts["code"]["changed_while_running"] == []


def test_secrets_in_addresses_stay_at_home(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    seen = read_json(kept(tmp_path_factory.mktemp("kept")) / "state.json")["seen"]
    assert seen["git_remotes"] == {"origin": "https://host.example/code.git"}
    assert seen["dvc_remotes"] == {"s": "https://host.example/dvc"}
    assert seen["dvc_cache"] == str(project / ".dvc" / "cache")
    assert without_password("s3://bucket/a@b") == "s3://bucket/a@b"


def test_what_is_large_is_named_not_copied(
    project: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(state, "LARGEST_BYTES", 10)
    with caplog.at_level(logging.WARNING):
        found = kept(tmp_path_factory.mktemp("kept"))
    assert "hidden.bin is no file of git or DVC and too large" in caplog.text
    assert not (found / "untracked" / "hidden.bin").exists()
    assert (
        read_json(found / "state.json")["untracked"]["hidden.bin"]["bytes"] == (project / "hidden.bin").stat().st_size
    )


@pytest.mark.usefixtures("project")
def test_code_newer_than_the_process_is_told(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(state, "_STARTED_NS", Path("code.py").stat().st_mtime_ns - 1)
    with caplog.at_level(logging.WARNING):
        found = kept(tmp_path_factory.mktemp("kept"), wrote=False)
    assert "code.py" in read_json(found / "state.json")["code"]["changed_while_running"]
    assert "changed while the stage ran" in caplog.text
    assert not (found / "outputs.json").exists()


def test_a_broken_project_is_a_warning_and_none_is_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    with caplog.at_level(logging.WARNING):
        with state_files("train") as files:
            assert files == []
        assert caplog.text == ""
        Path("dvc.yaml").write_text("stages: [1]\n")
        with state_files("train") as files:
            assert files == []
        assert "not be restorable" in caplog.text
    with pytest.raises(InputError, match=r"dvc\.yaml"):
        pipeline_stages()
