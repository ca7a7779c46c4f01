"""State of the code, settings and data of a stage, kept with its run: enough to restore them on any machine.

During `dvc repro` and `dvc exp run` the tree has changes and HEAD is only the base. So a run keeps the base revision,
the patch on top of it, and the dependencies of the stages that git does not track. DVC writes the entry of a stage into
dvc.lock after its end, so no stage can see its own entry. A run therefore keeps dvc.lock as it is, and the MD5 of each
file and folder that the stage read and wrote. pipeline/versions/restore.py combines the two.
"""

from __future__ import annotations

import logging
import platform
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline.params import read_yaml
from pipeline.provenance.origin import data_files, data_md5, git, git_text, uncommitted_changes, without_password
from pipeline.stage import project_root
from refinedet.errors import InputError, RefineDetError
from refinedet.files import is_safe_path, sha256_file, write_json

logger = logging.getLogger(__name__)

FOLDER = "state"
"""Folder of a run's artifacts, with one folder of these files for each stage."""

STATE, PATCH, SUMS, UNTRACKED = "state.json", "changes.patch", "outputs.json", "untracked"
"""Inputs; the patch on the base revision; outputs; files that git does not track."""

KEPT = ("params.yaml", "dvc.lock")
"""Files of the project that are kept unchanged."""

PROJECT_FILES = ("dvc.yaml", "params.yaml", ".dvc/config", ".dvcignore")
"""Files that DVC reads besides the dependencies of the stages."""

LARGEST_BYTES = 100 << 20
"""Size above which an untracked file is recorded by its hash and not copied: data belong in DVC."""

LARGEST_PATCH_BYTES = 256 << 20
"""Largest patch, packed and unpacked: git reads it into memory."""

SCHEMA = 1
"""Version of the format of STATE."""

_STARTED_NS = time.time_ns()


@dataclass(frozen=True, slots=True)
class StageFiles:
    """Stage of dvc.yaml: its command, and its input and output files and folders."""

    command: str
    deps: tuple[str, ...]
    outs: tuple[str, ...]
    wdir: str | None = None
    """Folder in which the command runs; None: that of dvc.yaml."""


def pipeline_stages(path: str | Path = "dvc.yaml") -> dict[str, StageFiles]:
    """Entries of DVC for every stage, in the order of the file.

    Raises:
        FileError: dvc.yaml cannot be read.
        InputError: it is not YAML of that form.
    """
    try:
        stages = read_yaml(path)["stages"]
        return {
            name: StageFiles(stage["cmd"], _names(stage, "deps"), _names(stage, "outs"), stage.get("wdir"))
            for name, stage in stages.items()
        }
    except (AttributeError, KeyError, TypeError) as error:
        raise InputError(f"expected stages with a cmd each in {path}, found something else ({error!r})") from error


def _names(stage: Mapping[str, Any], key: str) -> tuple[str, ...]:
    # an output with options is a mapping with one name
    return tuple(str(next(iter(entry))) if isinstance(entry, Mapping) else str(entry) for entry in stage.get(key) or ())


@contextmanager
def state_files(stage: str, *, read: bool = True, wrote: bool = True) -> Iterator[list[tuple[Path, str]]]:
    """Files to keep with a run of `stage`, each with its folder in the run's artifacts; they are removed at the end.

    The result is empty outside a DVC project. If the state cannot be read, it is empty with a warning, so that the
    training goes on. `read` selects code, settings and inputs, at the start; `wrote` selects the outputs, at the end.
    """
    with tempfile.TemporaryDirectory(prefix="refinedet-state-") as name:
        folder = Path(name)
        try:
            if read and Path("dvc.yaml").is_file():
                _write_state(stage, folder)
            if wrote and Path("dvc.yaml").is_file():
                write_json(folder / SUMS, output_sums(stage))
        except (OSError, RefineDetError) as error:
            logger.warning("this run will not be restorable: %s", error)
        files = sorted(file for file in folder.rglob("*") if file.is_file())
        yield [(file, str(PurePosixPath(FOLDER, stage, file.parent.relative_to(folder).as_posix()))) for file in files]


def output_sums(stage: str) -> dict[str, dict[str, Any]]:
    """Output of `stage` -> its MD5 and size, and the number of files in a folder, as in dvc.lock."""
    return {out: _sums(Path(out)) for out in _stage(pipeline_stages(), stage).outs if Path(out).exists()}


def _sums(path: Path) -> dict[str, Any]:
    if path.is_file():
        return {"md5": data_md5(path), "size": path.stat().st_size}
    files = data_files(path).values()
    return {"md5": data_md5(path), "size": sum(file.stat().st_size for file in files), "nfiles": len(files)}


def _stage(stages: Mapping[str, StageFiles], stage: str) -> StageFiles:
    if stage not in stages:
        raise InputError(f"expected a stage '{stage}' in dvc.yaml, found {sorted(stages)}")
    return stages[stage]


def _write_state(stage: str, folder: Path) -> None:
    stages = pipeline_stages()
    outs = {out for each in stages.values() for out in each.outs}
    sources = sorted({dep for each in stages.values() for dep in each.deps} - outs | set(PROJECT_FILES))
    present = [name for name in sources if Path(name).exists() and is_safe_path(name)]
    if outer := [name for name in sources if not is_safe_path(name)]:
        logger.warning("outside of the project, so no record of them is kept: %s", ", ".join(outer))
    patch = uncommitted_changes()
    if len(patch) > LARGEST_PATCH_BYTES:
        raise InputError(
            f"expected uncommitted changes of at most {LARGEST_PATCH_BYTES} bytes, found {len(patch)}; commit them"
        )
    if patch:
        (folder / PATCH).write_bytes(patch)
    for name in KEPT:
        if Path(name).is_file():
            shutil.copyfile(name, folder / name)
    newer = [name for name in present if Path(name).is_file() and Path(name).stat().st_mtime_ns > _STARTED_NS]
    if newer:
        logger.warning("changed while the stage ran, so its record may tell of newer code: %s", ", ".join(newer))
    write_json(
        folder / STATE,
        {
            "schema": SCHEMA,
            "stage": stage,
            "captured": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "code": {
                "revision": git_text("rev-parse", "HEAD"),
                "prefix": git_text("rev-parse", "--show-prefix") or "",
                "patch_sha256": sha256_file(folder / PATCH) if patch else None,
                "changed_while_running": newer,
            },
            "untracked": _keep_untracked(present, folder / UNTRACKED),
            "sources_md5": {name: data_md5(Path(name)) for name in present},
            "inputs_md5": {n: data_md5(Path(n)) for n in _stage(stages, stage).deps if n in outs and Path(n).exists()},
            "seen": _places(),
        },
    )


def _keep_untracked(sources: list[str], folder: Path) -> dict[str, dict[str, Any]]:
    """Copy the files of `sources` that git does not track into `folder`; of data in DVC, only the .dvc file."""
    pointers = [f"{name}.dvc" for name in sources if Path(f"{name}.dvc").is_file()]
    asked = [name for name in sources if f"{name}.dvc" not in pointers] + pointers
    # ignored files too, because a dependency may be ignored
    listed = (git("ls-files", "--others", "-z", "--", *asked) or b"").decode(errors="surrogateescape").split("\0")
    kept = {}
    for name in sorted(filter(None, listed)):
        file = Path(name)
        if not file.is_file() or file.suffix == ".pyc":
            continue
        size, mode = file.stat().st_size, file.stat().st_mode
        kept[name] = {"sha256": sha256_file(file), "bytes": size, "executable": bool(mode & 0o100), "kept": True}
        if size > LARGEST_BYTES:
            kept[name]["kept"] = False
            logger.warning("%s is no file of git or DVC and too large for the run's record: dvc add it", name)
            continue
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, folder / name)
    return kept


def _places() -> dict[str, Any]:
    """Places of code and data, for a search if they are missing. Passwords in addresses are left out."""
    from dvc.config import Config, ConfigError

    remotes = (line.split()[:2] for line in (git_text("remote", "-v") or "").splitlines() if line)
    seen: dict[str, Any] = {
        "host": platform.node(),
        "project": str(project_root()),
        "git_remotes": {name: without_password(url) for name, url in remotes},
    }
    try:
        config = Config(".dvc")
    except (ConfigError, OSError):
        return seen
    seen["dvc_cache"] = str(config["cache"].get("dir") or Path(".dvc/cache").resolve())
    seen["dvc_remotes"] = {name: without_password(str(remote["url"])) for name, remote in config["remote"].items()}
    return seen
