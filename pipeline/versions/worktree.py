"""Git worktree for code from a run's record: git runs there without hooks, filters or submodules."""

from __future__ import annotations

import logging
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.provenance.origin import git_text
from pipeline.provenance.state import LARGEST_PATCH_BYTES
from pipeline.versions.record import Seen
from refinedet.errors import FileError
from refinedet.files import sha256_file

logger = logging.getLogger(__name__)

_PACKED = re.compile(rb"^(?:literal|delta) (\d{1,20})\r?$", re.MULTILINE)
"""Line of a binary part of a patch that states its unpacked size."""
_QUIET = {
    "core.hooksPath": os.devnull,  # DVC's hook would check out the data of the base revision
    "core.fsmonitor": "false",
    "submodule.recurse": "false",
    "fetch.recurseSubmodules": "false",
    "protocol.ext.allow": "never",
}
"""Settings with which git starts no program that a tree or a record may choose."""


@contextmanager
def worktree(revision: str | None, folder: Path, seen: Seen) -> Iterator[Path]:
    """Yield a worktree of the current repository at `revision`; remove it if the block fails.

    Raises:
        FileError: the revision is neither in this clone nor in a remote, or git cannot make the worktree.
    """
    place, wanted = folder.resolve(), _available(revision, seen)
    run_git(Path.cwd(), "worktree", "add", "--detach", "--end-of-options", str(place), wanted)
    try:
        yield place
    except BaseException:
        remove_worktree(place)
        raise


def remove_worktree(folder: Path) -> None:
    """Remove a restored worktree, with all changes in it; if git cannot, a warning says so.

    It is no error, because it would hide why a restoration failed, or what a verification found.
    """
    try:
        run_git(Path.cwd(), "worktree", "remove", "--force", "--end-of-options", str(folder.resolve()))
    except FileError as error:
        logger.warning("%s is left: %s", folder, error)


def apply_patch(top: Path, patch: Path, sha256: str) -> None:
    """Apply the patch of a run in the worktree `top`, if it is the recorded one and no larger than allowed.

    git itself refuses paths outside the worktree, below links, and within `.git`.

    Raises:
        FileError: the patch is another one, too large, or does not apply.
    """
    if not patch.is_file() or sha256_file(patch) != sha256:
        raise FileError(f"expected {patch.name} of the run as it was recorded, found another one or none")
    size = patch.stat().st_size
    if size <= LARGEST_PATCH_BYTES:
        size = max(size, sum(int(found) for found in _PACKED.findall(patch.read_bytes())))
    if size > LARGEST_PATCH_BYTES:
        raise FileError(
            f"expected a patch of at most {LARGEST_PATCH_BYTES} bytes in the run, found {size}; do not trust it"
        )
    run_git(top, "apply", "--binary", "--whitespace=nowarn", "--end-of-options", str(patch.resolve()))


def inside(project: Path, name: str) -> Path:
    """Path of the file `name` in a restored project; links of the restored code are followed.

    Raises:
        FileError: it lies outside the project, or in its git folder.
    """
    top, place = project.resolve(), (project / name).resolve()
    if top not in place.parents or ".git" in {part.casefold() for part in place.relative_to(top).parts}:
        raise FileError(f"expected {name} within the project, found that the run leads it elsewhere; do not trust it")
    return project / name


def no_links(place: Path) -> None:
    """Check that neither `place` nor anything below it is a link, because DVC would write through links.

    Raises:
        FileError: there is a link.
    """
    for path in (place, *place.rglob("*")):
        if path.is_symlink():
            raise FileError(f"expected plain files and folders in {place}, found the link {path.name}; do not trust it")


def run_git(folder: Path, *words: str) -> None:
    """Run git in `folder` with settings that start no other program.

    Raises:
        FileError: git fails; the message contains its output.
    """
    done = _git(folder, *words)
    if done.returncode:
        raise FileError(f"expected git {words[0]} to work in {folder}, found: {' '.join(done.stderr.split())}")


def _git(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    settings = {**_QUIET, **_no_filters()}
    own = int(os.environ.get("GIT_CONFIG_COUNT") or 0)
    environment = {**os.environ, "GIT_CONFIG_COUNT": str(own + len(settings)), "GIT_TERMINAL_PROMPT": "0"}
    for number, (key, value) in enumerate(settings.items(), own):
        environment |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return subprocess.run(  # noqa: S603
        ["git", *words],  # noqa: S607 - the user's own git
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )


def _no_filters() -> dict[str, str]:
    """Settings that turn off all filters of the user, because the attributes of a tree choose among them."""
    listed = git_text("config", "--null", "--name-only", "--get-regexp", r"^filter\..*\.") or ""
    drivers = {key.rpartition(".")[0] for key in listed.split("\0") if key}
    off = {"clean": "", "smudge": "", "process": "", "required": "false"}
    return {f"{driver}.{key}": value for driver in sorted(drivers) for key, value in off.items()}


def _available(revision: str | None, seen: Seen) -> str:
    """Return the revision after fetching it if this clone lacks it."""
    if revision is None:
        raise FileError(
            "expected a run of a git repository, found one without a revision: its code was in no repository"
        )
    if git_text("rev-parse", "--show-toplevel") is None:
        raise FileError(f"expected a git clone of the project in {Path.cwd()}, found none; clone it and run this there")
    for remote in (None, *(git_text("remote") or "").split()):
        if remote is not None:  # a commit on no branch can still be fetched by its id
            _git(Path.cwd(), "fetch", "--quiet", "--no-recurse-submodules", "--end-of-options", remote, revision)
        if not _git(Path.cwd(), "cat-file", "-e", "--end-of-options", f"{revision}^{{commit}}").returncode:
            return revision
    last = ", ".join([f"{seen.host}:{seen.project}", *seen.git_remotes.values()])
    raise FileError(
        f"expected revision {revision} in this clone, found it neither here nor in a remote; "
        f"it was last seen in {last}: fetch it from there, or push it"
    )
