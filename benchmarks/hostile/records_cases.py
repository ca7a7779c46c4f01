"""Harmful records of runs: title -> (expected outcome, change of a good run)."""

from __future__ import annotations

import json
import zlib
from base64 import b85encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

RESTORED, REFUSED = "restored", "refused"
_MD5 = "a" * 32
_DEEP = 100_000


@dataclass
class Run:
    """Record of a run in a store; a case changes it."""

    outside: Path
    """A folder that nothing may be written to."""
    filtered: str
    """A revision whose attributes choose a filter that the user has set up."""
    facts: dict[str, Any]
    """Content of state.json."""
    files: dict[str, bytes] = field(default_factory=dict)
    """Further files of the run's state."""
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def plant(self) -> str:
        """A command that leaves a file outside."""
        return f"touch {self.outside}/planted"

    def patch(self, *parts: str) -> None:
        """Have the record name a patch of these parts."""
        self.files["changes.patch"] = "".join(parts).encode()
        self.facts["code"]["patch_sha256"] = sha256(self.files["changes.patch"]).hexdigest()

    def untracked(self, name: str, content: bytes = b"x") -> None:
        """Have the record name an executable file that git does not track."""
        told = {"sha256": sha256(content).hexdigest(), "bytes": len(content), "executable": True, "kept": True}
        self.facts["untracked"][name] = told
        if ".." not in name and not name.startswith("/"):
            self.files[f"untracked/{name}"] = content


Change = Callable[[Run], object]


def new_file(name: str, content: str, mode: str = "100644") -> str:
    """Part of a patch that makes a file; mode 120000 makes a link to `content`."""
    lines = content.splitlines()
    added = "".join(f"+{line}\n" for line in lines)
    end = "" if content.endswith("\n") else "\\ No newline at end of file\n"
    return (
        f"diff --git a/{name} b/{name}\nnew file mode {mode}\n--- /dev/null\n+++ b/{name}\n"
        f"@@ -0,0 +1,{len(lines)} @@\n{added}{end}"
    )


def _bomb(size: int) -> str:
    packed = zlib.compress(bytes(size), 9)
    rows = (packed[start : start + 52] for start in range(0, len(packed), 52))
    text = "".join(
        chr(len(row) + (64 if len(row) < 27 else 70)) + b85encode(row, pad=True).decode() + "\n" for row in rows
    )
    return (
        f"diff --git a/bomb b/bomb\nnew file mode 100644\nindex {'0' * 40}..{'1' * 40}\nGIT binary patch\n"
        f"literal {size}\n{text}\nliteral 0\nHcmV?d00001\n\n"
    )


def _code(key: str, value: object) -> Change:
    return lambda run: run.facts["code"].update({key: value})


def _fact(key: str, value: object) -> Change:
    return lambda run: run.facts.update({key: value})


def _lock(text: str) -> Change:
    return lambda run: run.files.update({"dvc.lock": text.encode()})


def _locked(out: str) -> Change:
    return _lock(f"schema: '2.0'\nstages:\n  train:\n    cmd: t\n    outs:\n    - {out}\n")


def _stages(text: str) -> Change:
    """A patch of dvc.yaml, and a lock that names its output."""

    def change(run: Run) -> None:
        old = "stages: {train: {cmd: t, deps: [code.py], outs: [out]}}"
        run.patch(
            f"diff --git a/dvc.yaml b/dvc.yaml\n--- a/dvc.yaml\n+++ b/dvc.yaml\n@@ -1 +1 @@\n-{old}\n+{text}\n".replace(
                "OUTSIDE", str(run.outside)
            )
        )

    return change


def _config(run: Run) -> None:
    """A remote in S3 whose keys come from a program."""
    run.patch(
        new_file("keys", f"[default]\ncredential_process = {run.plant}\nregion = us-east-1\n"),
        new_file(
            ".dvc/config.local",
            "[core]\n    remote = evil\n['remote \"evil\"']\n    url = s3://nobody/dvc\n    configpath = ../keys\n"
            "    endpointurl = http://127.0.0.1:9\n",
        ),
    )
    _wrote("out")(run)


def _wrote(path: str, md5: str = _MD5) -> Change:
    told = json.dumps({path: {"md5": md5, "size": 1}})
    return lambda run: run.files.update({"outputs.json": told.encode()})


CASES: Mapping[str, tuple[str, Change]] = {
    "a good record": (RESTORED, lambda _: None),
    "a good record with a patch and a file": (
        RESTORED,
        lambda run: (run.patch(new_file("sub/more.py", "two\n")), run.untracked("sub/gains.bin")),
    ),
    # revision
    "revision: --upload-pack=PROGRAM": (REFUSED, lambda run: _code("revision", f"--upload-pack={run.plant};")(run)),
    "revision: --output=FILE": (REFUSED, lambda run: _code("revision", f"--output={run.outside}/planted")(run)),
    "revision: a branch": (REFUSED, _code("revision", "main")),
    "revision: HEAD@{0}": (REFUSED, _code("revision", "HEAD@{0}")),
    "revision: 39 digits": (REFUSED, _code("revision", "0" * 39)),
    "revision: 40 digits and a line end": (REFUSED, _code("revision", "0" * 40 + "\n")),
    "revision: its attributes choose a filter": (RESTORED, lambda run: _code("revision", run.filtered)(run)),
    "revision: nowhere": (REFUSED, _code("revision", "0" * 40)),
    "revision: a number": (REFUSED, _code("revision", 7)),
    # prefix
    "prefix: absolute": (REFUSED, lambda run: _code("prefix", f"{run.outside}/")(run)),
    "prefix: ../outside/": (REFUSED, _code("prefix", "../outside/")),
    "prefix: sub/../../outside/": (REFUSED, _code("prefix", "sub/../../outside/")),
    "prefix: C:/outside/": (REFUSED, _code("prefix", "C:/outside/")),
    "prefix: .git/": (REFUSED, _code("prefix", ".git/")),
    "prefix: a link out of the tree": (
        REFUSED,
        lambda run: (run.patch(new_file("way", str(run.outside), "120000")), _code("prefix", "way/")(run)),
    ),
    "prefix: a file": (REFUSED, _code("prefix", "code.py/")),
    # names
    "file: ../planted": (REFUSED, lambda run: run.untracked("../planted")),
    "file: absolute": (REFUSED, lambda run: run.untracked(f"{run.outside}/planted")),
    "file: ..\\planted": (REFUSED, lambda run: run.untracked("..\\planted")),
    "file: .GIT/hooks/post-checkout": (REFUSED, lambda run: run.untracked(".GIT/hooks/post-checkout")),
    "file: a name of 300 bytes": (REFUSED, lambda run: run.facts["untracked"].update({"n" * 300: {}})),
    "file: below a link of the patch": (
        REFUSED,
        lambda run: (run.patch(new_file("way", str(run.outside), "120000")), run.untracked("way/planted")),
    ),
    "file: other bytes than recorded": (
        REFUSED,
        lambda run: (run.untracked("gains.bin"), run.files.update({"untracked/gains.bin": b"y"})),
    ),
    "file: not in the store": (
        REFUSED,
        lambda run: (run.untracked("gains.bin"), run.files.pop("untracked/gains.bin")),
    ),
    "source: /dev/zero": (REFUSED, _fact("sources_md5", {"/dev/zero": _MD5})),
    "source: an MD5 with ../": (REFUSED, _fact("sources_md5", {"code.py": "../../../outside"})),
    "input: ../outside": (REFUSED, _fact("inputs_md5", {"../outside": _MD5})),
    "stage: another than its folder": (REFUSED, _fact("stage", "../evaluate")),
    "tag: weights of no SHA-256": (REFUSED, lambda run: run.tags.update({"checkpoint_sha256": "../planted"})),
    "outputs.json: ../outside": (REFUSED, _wrote("../outside")),
    "outputs.json: an MD5 with ../": (REFUSED, _wrote("out", "../../../outside")),
    "outputs.json: a list": (REFUSED, lambda run: run.files.update({"outputs.json": b"[1]"})),
    "seen: a terminal's escape": (REFUSED, lambda run: run.facts["seen"].update({"host": "\x1b]0;evil\x07"})),
    # form
    "state.json: a list": (REFUSED, lambda run: run.files.update({"state.json": b"[]"})),
    "state.json: lists within lists": (REFUSED, lambda run: run.files.update({"state.json": b"[" * _DEEP})),
    "state.json: no code": (REFUSED, lambda run: run.facts.pop("code")),
    "state.json: numbers for names": (REFUSED, _fact("untracked", [1, 2])),
    "state.json: a time without a zone": (REFUSED, _fact("captured", "2026-01-01T00:00:00")),
    "state.json: of another schema": (REFUSED, _fact("schema", 2)),
    # patch
    "patch: another than recorded": (REFUSED, lambda run: (run.patch("x"), run.files.update({"changes.patch": b"y"}))),
    "patch: no patch": (REFUSED, lambda run: run.patch("not a patch\n")),
    "patch: ../outside/planted": (REFUSED, lambda run: run.patch(new_file("../outside/planted", "x\n"))),
    "patch: an absolute name": (REFUSED, lambda run: run.patch(new_file(f"{run.outside}/planted", "x\n"))),
    "patch: .git/hooks/post-checkout": (REFUSED, lambda run: run.patch(new_file(".git/hooks/post-checkout", "x\n"))),
    "patch: a file below its own link": (
        REFUSED,
        lambda run: run.patch(new_file("way", str(run.outside), "120000"), new_file("way/planted", "x\n")),
    ),
    "patch: 300 MB of zeros": (REFUSED, lambda run: run.patch(_bomb(300 << 20))),
    "patch: out is a link": (REFUSED, lambda run: run.patch(new_file("out", str(run.outside), "120000"))),
    "patch: a link within out": (REFUSED, lambda run: run.patch(new_file("out/way", str(run.outside), "120000"))),
    "patch: .refinedet is a link": (REFUSED, lambda run: run.patch(new_file(".refinedet", str(run.outside), "120000"))),
    "patch: .dvc/tmp is a link": (REFUSED, lambda run: run.patch(new_file(".dvc/tmp", str(run.outside), "120000"))),
    "patch: dvc.lock is a link": (
        REFUSED,
        lambda run: run.patch(new_file("dvc.lock", f"{run.outside}/planted", "120000")),
    ),
    "patch: DVC's keys come from a program": (RESTORED, _config),
    "dvc.yaml: an output outside": (REFUSED, _stages("stages: {train: {cmd: t, outs: [OUTSIDE/planted]}}")),
    "dvc.yaml: another working folder": (REFUSED, _stages("stages: {train: {cmd: t, wdir: .., outs: [planted]}}")),
    "dvc.yaml: an output named by settings": (REFUSED, _stages("stages: {train: {cmd: t, outs: ['${evil}']}}")),
    "dvc.yaml: an output that is a .dvc file": (REFUSED, _stages("stages: {train: {cmd: t, outs: [evil.dvc]}}")),
    "dvc.yaml: no stages": (REFUSED, _stages("[]")),
    # lock
    "dvc.lock: an MD5 with ../": (REFUSED, _locked("{path: out, md5: ../../../outside/planted}")),
    "dvc.lock: an output outside": (REFUSED, _locked(f"{{path: ../planted, md5: {_MD5}}}")),
    "dvc.lock: files named one by one": (
        REFUSED,
        _locked(f"{{path: out, files: [{{relpath: ../../planted, md5: {_MD5}}}]}}"),
    ),
    "dvc.lock: an output of no stage": (RESTORED, _locked(f"{{path: --help, md5: {_MD5}}}")),
    "dvc.lock: another schema": (REFUSED, _lock("schema: '1.0'\nstages: {}\n")),
    "dvc.lock: a number": (REFUSED, _lock("7\n")),
    "dvc.lock: a date that no calendar has": (REFUSED, _lock("schema: 2020-99-99\n")),
    "dvc.lock: no YAML": (REFUSED, _lock("{[\n")),
}
