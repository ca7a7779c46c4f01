"""Restoring a run: a worktree with exactly its code, settings and lock file, and its data and weights by hash."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.datasets.catalogue import CATALOGUE
from pipeline.provenance.origin import data_md5, git_text
from pipeline.provenance.state import KEPT, PATCH, UNTRACKED, StageFiles, pipeline_stages
from pipeline.versions import dvc_data
from pipeline.versions.lockfile import completed, locked_outs, read_lock, write_lock
from pipeline.versions.record import Record, check_names
from pipeline.versions.run_state import RunState, fetch_artifact, fetched
from pipeline.versions.worktree import apply_patch, inside, no_links, worktree
from refinedet.errors import FileError
from refinedet.files import atomic_path, sha256_file, write_json

logger = logging.getLogger(__name__)

CHECKPOINT = "outputs/train/model.safetensors"
"""Path of the weights of a run; they are also an artifact of the run."""

MARKER = ".refinedet/restored.json"
"""File of a restored project that names its run."""

_DOWNLOAD = "outputs/download"


@dataclass(frozen=True, slots=True)
class Check:
    """Comparison of a file or folder of the run with the restored one."""

    path: str
    expected: str
    """MD5 in the run, as DVC computes it."""
    found: str | None
    """MD5 now; None if the file is missing."""

    @property
    def state(self) -> str:
        """`same`, `different` or `missing`."""
        return "missing" if self.found is None else "same" if self.found == self.expected else "different"


@dataclass(frozen=True, slots=True)
class Restored:
    """Restored run."""

    project: Path
    """Restored project; in a repository with several projects, a folder of the worktree."""
    stage: str
    """Stage whose state is restored; by default the last one that the run recorded."""
    revision: str
    checks: Sequence[Check]
    """Checks of code, settings and data."""
    notes: Sequence[str]
    """Notes for the user, a sentence each, for example where missing files were last seen."""
    repro_does_nothing: bool

    @property
    def whole(self) -> bool:
        """True if every file exists and has the bytes of the run."""
        return all(check.state == "same" for check in self.checks)


def restore(run_id: str, folder: Path, *, stage: str | None = None, only: Sequence[str] | None = None) -> Restored:
    """Restore the project of a run into a git worktree at `folder`; call it in a clone of the project.

    Args:
        run_id: a run in MLflow.
        folder: new or empty folder.
        stage: stage whose recorded state is restored; None: the last one.
        only: outputs to bring; None: all outputs in the run's lock file.

    Raises:
        FileError: the folder is in use, the revision is not available, or the store is unusable.
        InputError: there is no such run, or it recorded no state.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileError(f"expected a new or empty folder at {folder}, found something in it; name another one")
    with fetched(run_id, stage) as state:
        record = state.record
        with worktree(record.code.revision, folder, record.seen) as top:
            project = top / record.code.prefix
            _put_code(state, top, project)
            stages = _trusted_stages(project)
            wanted = _put_lock(state, stages, project)
            write_json(inside(project, MARKER), {"run_id": run_id, "stage": state.stage})
            outs = {path: md5 for path, md5 in wanted.items() if only is None or path in only}
            with dvc_data.as_ours(_own_project(record), project) as dvc:
                said = dvc.pull(sorted(outs)) if outs else None
                _put_weights(state, project)
                if said is None and only is None and state.wrote:
                    said = dvc.commit(state.stage)
                unchanged = dvc.unchanged()
        checks = _checks(state, project, outs)
        notes = _notes(state, checks, said)
        return Restored(project, state.stage, f"{record.code.revision}", checks, notes, unchanged)


def _own_project(record: Record) -> Path:
    """Project in the current clone, whose cache and remotes are used."""
    return Path(git_text("rev-parse", "--show-toplevel") or ".") / record.code.prefix


def _put_code(state: RunState, top: Path, project: Path) -> None:
    record = state.record
    if record.code.patch_sha256 is not None:
        apply_patch(top, state.folder / PATCH, record.code.patch_sha256)
    if record.code.prefix:
        inside(top, record.code.prefix)
    if not project.is_dir():
        raise FileError(f"expected the project of run {state.run_id} at {project}, found no folder there")
    for name, facts in record.untracked.items():
        target = inside(project, name)
        if not facts.kept:
            continue
        source = state.folder / UNTRACKED / name
        if not source.is_file() or sha256_file(source) != facts.sha256:
            raise FileError(f"expected {name} of run {state.run_id} as it was recorded, found another one or none")
        _copy(source, target)
        target.chmod(0o755 if facts.executable else 0o644)
    for name in KEPT:
        if (state.folder / name).is_file():
            _copy(state.folder / name, inside(project, name))


def _copy(source: Path, target: Path) -> None:
    with atomic_path(target) as temporary:
        shutil.copyfile(source, temporary)


def _trusted_stages(project: Path) -> dict[str, StageFiles]:
    """Stages of the restored dvc.yaml, checked because DVC will write their outputs.

    Raises:
        FileError: an output is not a plain name within the project, or a stage works in another folder.
    """
    path = inside(project, "dvc.yaml")
    stages = pipeline_stages(path)
    outs = [out for each in stages.values() for out in each.outs]
    # DVC would read such an output as the name of stages, and write their outputs
    odd = [repr(out) for out in outs if "${" in out or out.endswith((".dvc", ".yaml")) or out.startswith(".dvc")]
    odd += [f"a working folder of its own for stage {name}" for name, each in stages.items() if each.wdir is not None]
    odd += [repr(out) for out in outs if out in stages]
    try:
        check_names(outs)
    except ValueError as error:
        odd.append(str(error))
    if odd:
        raise FileError(
            f"expected stages that write plain names within the project in {path}, found {odd[0]}; do not trust it"
        )
    for out in outs:
        no_links(inside(project, out))
    return stages


def _put_lock(state: RunState, stages: Mapping[str, StageFiles], project: Path) -> dict[str, str]:
    """Write dvc.lock in its state after the stage; return output -> MD5 of all that the run read and wrote."""
    lock = read_lock(state.folder / "dvc.lock")
    wrote = {path: each.entry() for path, each in state.wrote.items()}
    lock = completed(lock, stages, state.stage, wrote, state.record.sources_md5)
    write_lock(inside(project, "dvc.lock"), lock)
    made = {out for each in stages.values() for out in each.outs}
    return {path: md5 for path, md5 in locked_outs(lock).items() if path in made}


def _put_weights(state: RunState, project: Path) -> None:
    """Fetch the checkpoint from the run itself if no remote has it."""
    target, expected = inside(project, CHECKPOINT), state.tags.get("checkpoint_sha256")
    if target.exists() or expected is None:
        return
    with tempfile.TemporaryDirectory(prefix="refinedet-weights-") as name:
        fetched_to = Path(name) / target.name
        if not fetch_artifact(state.run_id, target.name, fetched_to):
            return
        if sha256_file(fetched_to) != expected:
            logger.warning("the weights that the run keeps are not those it tells the hash of: left out")
            return
        _copy(fetched_to, target)


def _checks(state: RunState, project: Path, outs: Mapping[str, str]) -> list[Check]:
    """Checks of all hashes of the run: from the lock file, and from the files that the stage saw on its disk."""
    read = state.record.inputs_md5
    for path, md5 in read.items():
        if outs.get(path, md5) != md5:
            logger.warning("the stage read another %s (MD5 %s) than dvc.lock names (%s)", path, md5, outs[path])
    expected = {**state.record.sources_md5, **outs, **read}
    return [Check(path, md5, _md5(project / path)) for path, md5 in sorted(expected.items())]


def _md5(path: Path) -> str | None:
    return data_md5(path) if path.exists() else None


def _notes(state: RunState, checks: Sequence[Check], said: str | None) -> list[str]:
    seen, notes = state.record.seen, []
    lost = [check.path for check in checks if check.state != "same"]
    if newer := state.record.code.changed_while_running:
        notes.append(f"changed while the stage ran, and recorded as they were afterwards: {', '.join(newer)}")
    if not state.wrote:
        notes.append(f"stage {state.stage} never ended: its outputs are unknown")
    if said is not None and lost:
        notes.append(f"DVC says: {said}")
    if data := [
        path for path in lost if path in locked_outs(read_lock(state.folder / "dvc.lock")) or path in state.wrote
    ]:
        remotes = [f"remote {name} ({url})" for name, url in seen.dvc_remotes.items()]
        places = [*remotes, f"cache {seen.host}:{seen.dvc_cache}", f"{seen.host}:{seen.project}"]
        notes.append(f"{', '.join(data)}: last seen in {'; '.join(places)}; `dvc push` there, then restore again")
    if _DOWNLOAD in lost:
        notes.extend(_published(state.tags.get("dataset", "")))
    if CHECKPOINT.rpartition("/")[0] in lost and state.tags.get("checkpoint_sha256"):
        notes.append(f"{CHECKPOINT} is an artifact of the run, and was taken from there if it is in its place now")
    for name, facts in state.record.untracked.items():
        if not facts.kept:
            where = f"{seen.host}:{seen.project}/{name}"
            notes.append(f"{name} ({facts.bytes} bytes, SHA-256 {facts.sha256}) was not copied: last seen at {where}")
    return notes


def _published(dataset: str) -> list[str]:
    source = CATALOGUE.get(dataset)
    if source is None:
        return [f"{_DOWNLOAD} can be made again: `dvc repro --single-item download`"]
    places = ", ".join(archive.url or archive.name for archive in source.files)
    return [f"{_DOWNLOAD} is published at {places}: `dvc repro --single-item download` brings and verifies it"]
