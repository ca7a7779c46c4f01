"""Reconstruction of dvc.lock after the end of a stage, from the state that the stage recorded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from ruamel.yaml import YAML

from pipeline.params import read_yaml
from pipeline.provenance.state import StageFiles
from pipeline.versions.record import Count, Md5, check_names, distrust, parsed
from refinedet.errors import FileError
from refinedet.files import atomic_path

Lock = dict[str, Any]
Sums = Mapping[str, Mapping[str, Any]]

_SCHEMA = "2.0"


class _Dependency(msgspec.Struct, frozen=True):
    path: str
    md5: Md5 | None = None


class _Output(_Dependency, frozen=True, forbid_unknown_fields=True):
    """Output of a stage; no other fields are allowed, because DVC turns the MD5 and names into paths of its cache."""

    hash: str = "md5"
    size: Count | None = None
    nfiles: Count | None = None
    isexec: bool | None = None


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    cmd: str | list[str]
    deps: list[_Dependency] = []
    params: dict[str, Any] = {}
    outs: list[_Output] = []


def read_lock(path: Path) -> Lock:
    """Content of a dvc.lock; without the file, a lock without stages.

    Raises:
        FileError: its version is unknown to this code, or an entry has another form than DVC writes.
        InputError: it is not YAML.
    """
    if not path.is_file():
        return {"schema": _SCHEMA, "stages": {}}
    lock: Lock = read_yaml(path) or {}
    if not isinstance(lock, dict):
        raise FileError(f"expected a mapping in {path}, found {type(lock).__name__}")
    if lock.get("schema") != _SCHEMA or not isinstance(lock.get("stages"), dict):
        raise FileError(f"expected dvc.lock of schema {_SCHEMA} at {path}, found {lock.get('schema')!r}")
    stages = parsed(lock["stages"], dict[str, _Entry], str(path))
    try:
        check_names(out.path for entry in stages.values() for out in entry.outs)
    except ValueError as error:
        raise distrust(str(path), error) from error
    return lock


def write_lock(path: Path, lock: Lock) -> None:
    """Write a dvc.lock, atomically."""
    yaml = YAML()
    yaml.default_flow_style = False
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8") as stream:
        yaml.dump(lock, stream)


def completed(
    lock: Lock, stages: Mapping[str, StageFiles], stage: str, wrote: Sums, code_md5: Mapping[str, str]
) -> Lock:
    """Lock with the outputs of `stage`, and without entries of other runs.

    DVC writes a stage's entry after the end of the stage. So the entries of this stage and of later ones that the stage
    could see are from the run before. An entry is kept if it was made from the code in `code_md5` and from outputs of
    kept entries. The entry of `stage` has only outputs: `dvc commit` adds the rest from the restored files. A stage
    that never ended has no entry, and neither have the stages that depend on it.
    """
    found: Lock = lock["stages"]
    kept: Lock = {}
    outs: dict[str, str] = {}
    for name in _sorted(stages):
        if name == stage and wrote:
            listed = [{"path": path, "hash": "md5", **wrote[path]} for path in stages[name].outs if path in wrote]
            kept[name] = {"cmd": stages[name].command, "outs": listed}
        elif name != stage and name in found and _made_from(found[name], {**code_md5, **outs}, stages):
            kept[name] = found[name]
        outs |= {out["path"]: out["md5"] for out in kept.get(name, {}).get("outs", ()) if "md5" in out}
    return {**lock, "stages": {name: kept[name] for name in [*found, stage] if name in kept}}


def locked_outs(lock: Lock) -> dict[str, str]:
    """Output -> MD5, for all outputs in the lock of which DVC keeps a copy."""
    entries = (out for entry in lock["stages"].values() for out in entry.get("outs", ()))
    return {out["path"]: out["md5"] for out in entries if "md5" in out}


def _made_from(entry: Mapping[str, Any], known: Mapping[str, str], stages: Mapping[str, StageFiles]) -> bool:
    made = {out for each in stages.values() for out in each.outs}
    deps = ((dep["path"], dep.get("md5")) for dep in entry.get("deps", ()))
    return all(known.get(path) == md5 if path in made else known.get(path, md5) == md5 for path, md5 in deps)


def _sorted(stages: Mapping[str, StageFiles]) -> list[str]:
    """Names of the stages, each after its dependencies."""
    maker = {out: name for name, each in stages.items() for out in each.outs}
    ordered: dict[str, None] = {}

    def visit(name: str) -> None:
        for dep in stages[name].deps:
            if maker.get(dep, name) != name:
                visit(maker[dep])
        ordered.setdefault(name)

    for name in stages:
        visit(name)
    return list(ordered)
