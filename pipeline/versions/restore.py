"""From a run back to its bytes: a worktree with exactly its code, settings and lock, and data and weights by hash."""

from __future__ import annotations

import logging
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline.datasets.catalogue import CATALOGUE
from pipeline.provenance.lockfile import completed, locked_outs, read_lock, write_lock
from pipeline.provenance.origin import data_md5, git_text
from pipeline.provenance.state import KEPT, PATCH, UNTRACKED, pipeline_stages
from pipeline.versions import dvc_data
from pipeline.versions.run_state import RunState, fetch_artifact, fetched
from refinedet.errors import FileError
from refinedet.files import atomic_path, sha256_file, write_json

logger = logging.getLogger(__name__)

CHECKPOINT = "outputs/train/model.safetensors"
"""The weights of a run; they are an artifact of the run too."""

MARKER = ".refinedet/restored.json"
"""File of a restored project that says which run it is of."""

_DOWNLOAD = "outputs/download"


@dataclass(frozen=True, slots=True)
class Check:
    """A file or folder of the run, compared with the restored one."""

    path: str
    expected: str
    """Its MD5 as DVC counts it, in the run."""
    found: str | None
    """The same now; None where it is missing."""

    @property
    def state(self) -> str:
        """`same`, `different` or `missing`."""
        return "missing" if self.found is None else "same" if self.found == self.expected else "different"


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back."""

    project: Path
    """The restored project: in a repository with several, a folder of the worktree."""
    stage: str
    """The stage whose state it is: the last one that the run recorded."""
    revision: str
    checks: Sequence[Check]
    """Code, settings and data."""
    notes: Sequence[str]
    """What a person should know of it, in sentences: where missing files were last seen among them."""
    repro_does_nothing: bool

    @property
    def whole(self) -> bool:
        """Whether every byte is there and is the run's."""
        return all(check.state == "same" for check in self.checks)


def restore(run_id: str, folder: Path, *, stage: str | None = None, only: Sequence[str] | None = None) -> Restored:
    """Put the project back as it was for a run, into a git worktree at `folder`; called in a clone of the project.

    Args:
        run_id: a run in MLflow.
        folder: new or empty.
        stage: the state that this stage recorded; None: the last one.
        only: outputs to bring; None: all that the run's lock names.

    Raises:
        FileError: the folder is in use, the revision is not to be had, or the store is unusable.
        InputError: there is no such run, or it recorded no state.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileError(f"expected a new or empty folder at {folder}, found something in it; name another one")
    with fetched(run_id, stage) as state:
        revision = state.facts["code"]["revision"]
        with _worktree(revision, folder, state.facts["seen"]) as top:
            project = top / state.facts["code"]["prefix"]
            _put_code(state, top, project)
            wanted = _put_lock(state, project)
            if (project / ".dvc").is_dir():
                here = Path(git_text("rev-parse", "--show-toplevel") or ".") / state.facts["code"]["prefix"]
                dvc_data.share_store(here, project)
            write_json(project / MARKER, {"run_id": run_id, "stage": state.stage})
        outs = {path: md5 for path, md5 in wanted.items() if only is None or path in only}
        said = dvc_data.pull(project, sorted(outs)) if outs else None
        _put_weights(state, project)
        if said is None and only is None and state.wrote:
            said = dvc_data.commit(project, state.stage)
        checks = _checks(state, project, outs)
        notes = _notes(state, checks, said)
        return Restored(project, state.stage, revision, checks, notes, dvc_data.unchanged(project))


@contextmanager
def _worktree(revision: str | None, folder: Path, seen: Mapping[str, Any]) -> Iterator[Path]:
    """A worktree of the current repository at `revision`, taken away again where what is done in it fails."""
    _need_revision(revision, seen)
    # no hooks: DVC's own would check out the data of the base revision
    _run_git(
        Path.cwd(),
        "-c",
        "core.hooksPath=/dev/null",
        "worktree",
        "add",
        "--detach",
        str(folder.resolve()),
        f"{revision}",
    )
    try:
        yield folder.resolve()
    except BaseException:
        _run_git(Path.cwd(), "worktree", "remove", "--force", str(folder.resolve()))
        raise


def remove_worktree(folder: Path) -> None:
    """Take a restored worktree away, with what was changed in it."""
    _run_git(Path.cwd(), "worktree", "remove", "--force", str(folder.resolve()))


def _need_revision(revision: str | None, seen: Mapping[str, Any]) -> None:
    if revision is None:
        raise FileError(
            "expected a run of a git repository, found one without a revision: its code was in no repository"
        )
    if git_text("rev-parse", "--show-toplevel") is None:
        raise FileError(f"expected a git clone of the project in {Path.cwd()}, found none; clone it and run this there")
    for remote in (None, *(git_text("remote") or "").split()):
        if remote is not None:  # a commit that no branch holds any more can still be asked for by name
            git_text("fetch", "--quiet", remote, revision)
        if git_text("cat-file", "-e", f"{revision}^{{commit}}") is not None:
            return
    last = ", ".join([f"{seen['host']}:{seen['project']}", *seen["git_remotes"].values()])
    raise FileError(
        f"expected revision {revision} in this clone, found it neither here nor in a remote; "
        f"it was last seen in {last}: fetch it from there, or push it"
    )


def _put_code(state: RunState, top: Path, project: Path) -> None:
    patch = state.folder / PATCH
    if state.facts["code"]["patch_sha256"] is not None:
        if not patch.is_file() or sha256_file(patch) != state.facts["code"]["patch_sha256"]:
            raise FileError(f"expected {PATCH} of run {state.run_id} as it was recorded, found another one or none")
        _run_git(top, "apply", "--binary", "--whitespace=nowarn", str(patch))
    for name, facts in state.facts["untracked"].items():
        if not _within(project, name):
            raise FileError(f"expected files within the project in run {state.run_id}, found {name!r}; do not trust it")
        if facts["kept"]:
            _copy(state.folder / UNTRACKED / name, project / name)
            (project / name).chmod(0o755 if facts["executable"] else 0o644)
    for name in KEPT:
        if (state.folder / name).is_file():
            _copy(state.folder / name, project / name)


def _within(project: Path, name: str) -> bool:
    """Whether a name out of a run's record is one of a file in the project, through a patch's links too."""
    parts = PurePosixPath(name).parts
    place = (project / name).resolve()
    return bool(parts) and ".git" not in {part.casefold() for part in parts} and project.resolve() in place.parents


def _copy(source: Path, target: Path) -> None:
    with atomic_path(target) as temporary:
        shutil.copyfile(source, temporary)


def _put_lock(state: RunState, project: Path) -> dict[str, str]:
    """Write dvc.lock as it was once the stage had ended; output -> MD5 of all that the run read and wrote."""
    lock = read_lock(state.folder / "dvc.lock")
    stages = pipeline_stages(project / "dvc.yaml")
    lock = completed(lock, stages, state.stage, state.wrote, state.facts["sources_md5"])
    write_lock(project / "dvc.lock", lock)
    return locked_outs(lock)


def _put_weights(state: RunState, project: Path) -> None:
    """The checkpoint from the run itself, where no remote had it."""
    target, expected = project / CHECKPOINT, state.tags.get("checkpoint_sha256")
    if target.exists() or expected is None:
        return
    if fetch_artifact(state.run_id, target.name, target) and sha256_file(target) != expected:
        logger.warning("the weights that the run keeps are not those it tells the hash of: left out")
        target.unlink()


def _checks(state: RunState, project: Path, outs: Mapping[str, str]) -> list[Check]:
    """Every hash of the run: those of the lock, and those of what the stage itself saw on its disk."""
    read = state.facts["inputs_md5"]
    for path, md5 in read.items():
        if outs.get(path, md5) != md5:
            logger.warning("the stage read another %s (MD5 %s) than dvc.lock names (%s)", path, md5, outs[path])
    expected = {**state.facts["sources_md5"], **outs, **read}
    return [Check(path, md5, _md5(project / path)) for path, md5 in sorted(expected.items())]


def _md5(path: Path) -> str | None:
    return data_md5(path) if path.exists() else None


def _notes(state: RunState, checks: Sequence[Check], said: str | None) -> list[str]:
    seen, notes = state.facts["seen"], []
    lost = [check.path for check in checks if check.state != "same"]
    if newer := state.facts["code"]["changed_while_running"]:
        notes.append(f"changed while the stage ran, and recorded as they were afterwards: {', '.join(newer)}")
    if not state.wrote:
        notes.append(f"stage {state.stage} never ended: its outputs are unknown")
    if said is not None and lost:
        notes.append(f"DVC says: {said}")
    if data := [
        path for path in lost if path in locked_outs(read_lock(state.folder / "dvc.lock")) or path in state.wrote
    ]:
        remotes = [f"remote {name} ({url})" for name, url in seen.get("dvc_remotes", {}).items()]
        places = [*remotes, f"cache {seen['host']}:{seen.get('dvc_cache')}", f"{seen['host']}:{seen['project']}"]
        notes.append(f"{', '.join(data)}: last seen in {'; '.join(places)}; `dvc push` there, then restore again")
    if _DOWNLOAD in lost:
        notes.extend(_published(state.tags.get("dataset", "")))
    if CHECKPOINT.rpartition("/")[0] in lost and state.tags.get("checkpoint_sha256"):
        notes.append(f"{CHECKPOINT} is an artifact of the run, and was taken from there if it is in its place now")
    for name, facts in state.facts["untracked"].items():
        if not facts["kept"]:
            where = f"{seen['host']}:{seen['project']}/{name}"
            notes.append(
                f"{name} ({facts['bytes']} bytes, SHA-256 {facts['sha256']}) was not copied: last seen at {where}"
            )
    return notes


def _published(dataset: str) -> list[str]:
    source = CATALOGUE.get(dataset)
    if source is None:
        return [f"{_DOWNLOAD} can be made again: `dvc repro --single-item download`"]
    places = ", ".join(archive.url or archive.name for archive in source.archives)
    return [f"{_DOWNLOAD} is published at {places}: `dvc repro --single-item download` brings and verifies it"]


def _run_git(folder: Path, *words: str) -> None:
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, errors="replace", check=False)  # noqa: S603, S607
    if done.returncode:
        raise FileError(f"expected git {words[0]} to work in {folder}, found: {' '.join(done.stderr.split())}")
