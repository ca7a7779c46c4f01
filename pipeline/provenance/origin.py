"""Origin of a run: code revision, data hashes and machine, for the run's record and never for hashed outputs."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import time
from functools import lru_cache
from hashlib import md5, sha256
from importlib.metadata import version
from pathlib import Path

import refinedet
from refinedet.files import md5_file, sha256_file

_GIT_SECONDS = 60
_SETTLED_NS = 2_000_000_000
"""Age below which a file may change again without a new time stamp, because clocks of file systems are coarse."""
_PASSWORD = re.compile(r"//[^@/\s]*@")


def data_md5(path: Path) -> str:
    """DVC's identifier of a file or folder, computed from its bytes; it equals the one in dvc.lock if nothing changed.

    The identifier of a folder is the MD5 of the JSON list of its files' MD5s and relative paths, with `.dir` appended.
    """
    if path.is_file():
        return _file_md5(path)
    listed = [{"md5": _file_md5(file), "relpath": name} for name, file in sorted(data_files(path).items())]
    return md5(json.dumps(listed, sort_keys=True).encode(), usedforsecurity=False).hexdigest() + ".dir"


def _file_md5(path: Path) -> str:
    """MD5 of a file, cached: a stage needs the MD5s of the same folders several times, and reads each file once."""
    stat = path.stat()
    if time.time_ns() - stat.st_mtime_ns < _SETTLED_NS:
        return md5_file(path)
    return _md5_of(path.resolve(), stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)


@lru_cache(maxsize=1 << 17)
def _md5_of(path: Path, *_unchanged: int) -> str:
    return md5_file(path)


def without_password(text: str) -> str:
    """Text without the `user:password@` of addresses in it."""
    return _PASSWORD.sub("//", text)


def data_files(folder: Path) -> dict[str, Path]:
    """Relative name -> file, for all files of a folder that DVC counts: byte code is left out, as in .dvcignore."""
    return {f.relative_to(folder).as_posix(): f for f in folder.rglob("*") if f.is_file() and f.suffix != ".pyc"}


def code_tags() -> dict[str, str]:
    """Git revision of the working folder and whether it has changes; `unknown` outside a repository."""
    revision = git_text("rev-parse", "HEAD")
    if revision is None:
        return {"git_revision": "unknown"}
    dirty = bool(git("status", "--porcelain"))
    return {"git_revision": revision, "git_dirty": str(dirty).lower(), "mlflow.source.git.commit": revision}


def package_sha256() -> str:
    """SHA-256 of the installed code of this project, used if no dvc.yaml names the files that a run depends on."""
    library = Path(refinedet.__file__).parent
    folders = {Path(__file__).parent.parent, library}  # in a wheel, one folder lies in the other
    files = {path for folder in folders for path in folder.rglob("*.py")}
    listed = [[path.relative_to(library.parent).as_posix(), sha256_file(path)] for path in sorted(files)]
    return sha256(json.dumps(listed).encode()).hexdigest()


def uncommitted_changes() -> bytes:
    """Patch of the tracked files from HEAD for `git apply`, binary files included; empty without a change."""
    # the user's settings of `git diff` may make patches that cannot be applied
    plain = ("-c", "diff.noprefix=false", "-c", "diff.mnemonicPrefix=false", "-c", "diff.relative=false")
    exact = ("--binary", "--full-index", "--no-color", "--no-ext-diff", "--no-textconv", "--ignore-submodules")
    return git(*plain, "diff", *exact, "HEAD") or b""


def machine_tags() -> dict[str, str]:
    """Tags with processor, cores, GPU, system and the versions that numbers depend on."""
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


def git(*arguments: str) -> bytes | None:
    """Output of git in the current folder; None without git, without a repository, or if git fails."""
    program = shutil.which("git")
    if program is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603 - git with words of our own
            [program, *arguments],
            capture_output=True,
            timeout=_GIT_SECONDS,
            check=True,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},  # reading must not block DVC's own git
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return None
    return done.stdout


def git_text(*arguments: str) -> str | None:
    """Output of git as text, without the final newline."""
    printed = git(*arguments)
    return None if printed is None else printed.decode(errors="replace").strip("\n")


def _cpu_name() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines() if cpuinfo.is_file() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())
