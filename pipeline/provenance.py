"""Where a run comes from: code revision, data hashes, machine. For the record of a run, never for hashed outputs."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
from hashlib import md5, sha256
from importlib.metadata import version
from pathlib import Path

from refinedet.files import md5_file, sha256_file

_GIT_SECONDS = 20
_PACKAGES = ("pipeline", "refinedet")


def data_md5(path: Path) -> str:
    """DVC's identifier of a file or folder, computed from its bytes: what dvc.lock says where nothing has changed.

    A folder's is the MD5 of the JSON list of its files' MD5s and relative paths, with `.dir` appended.
    """
    if path.is_file():
        return md5_file(path)
    files = {f.relative_to(path).as_posix(): f for f in path.rglob("*") if f.is_file()}
    listed = [{"md5": md5_file(files[name]), "relpath": name} for name in sorted(files)]
    return md5(json.dumps(listed, sort_keys=True).encode(), usedforsecurity=False).hexdigest() + ".dir"


def code_tags() -> dict[str, str]:
    """Git revision of the working folder and whether it has changes; `unknown` outside a repository."""
    revision = _git("rev-parse", "HEAD")
    if revision is None:
        return {"git_revision": "unknown"}
    dirty = bool(_git("status", "--porcelain"))
    return {"git_revision": revision, "git_dirty": str(dirty).lower(), "mlflow.source.git.commit": revision}


def package_sha256() -> str:
    """SHA-256 of the installed code of this project, where there is no dvc.yaml to name the files a run depends on."""
    here = Path(__file__).parent
    files = {
        path: path.relative_to(here.parent).as_posix()
        for name in _PACKAGES
        for path in here.with_name(name).rglob("*.py")
    }
    listed = [[files[path], sha256_file(path)] for path in sorted(files)]
    return sha256(json.dumps(listed).encode()).hexdigest()


def uncommitted_changes() -> str:
    """The difference of the tracked files from HEAD as a patch; empty without one."""
    return _git("diff", "HEAD") or ""


def machine_tags() -> dict[str, str]:
    """Processor, cores, GPU, system and the versions that numbers depend on."""
    import torch

    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "none"
    return {
        "hardware.cpu": _cpu_name(),
        "hardware.cores": str(os.cpu_count()),
        "hardware.gpu": gpu,
        "platform": platform.platform(),
        "python": platform.python_version(),
        "torch": version("torch"),
    }


def _git(*arguments: str) -> str | None:
    program = shutil.which("git")
    if program is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603 - git with words of our own
            [program, *arguments], capture_output=True, text=True, errors="replace", timeout=_GIT_SECONDS, check=True
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip("\n")


def _cpu_name() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines() if cpuinfo.is_file() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())
