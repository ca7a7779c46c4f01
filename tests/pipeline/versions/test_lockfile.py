"""lockfile.py: the lock as DVC would have written it at the end, and nothing of other runs in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from dvc.dvcfile import Lockfile

from pipeline.provenance.state import StageFiles
from pipeline.versions.lockfile import completed, locked_outs, read_lock, write_lock
from refinedet.errors import FileError, InputError

STAGES = {
    # in the file, a stage may stand before those that it depends on
    "report": StageFiles("r", ("outputs/evaluate", "page.html"), ("outputs/report",)),
    "convert": StageFiles("c", ("convert.py",), ("outputs/convert",)),
    "audit": StageFiles("a", ("outputs/convert",), ("outputs/audit",)),
    "evaluate": StageFiles("e", ("outputs/convert", "evaluate.py"), ("outputs/evaluate",)),
}
CODE = {"convert.py": "c000", "evaluate.py": "e000", "page.html": "p000"}
WROTE = {"outputs/evaluate": {"md5": "evaluate1.dir", "size": 3, "nfiles": 1}}


def entry(deps: dict[str, str], out: str, md5: str) -> dict[str, Any]:
    return {
        "cmd": out[:1],
        "deps": [{"path": path, "hash": "md5", "md5": md5_of, "size": 1} for path, md5_of in deps.items()],
        "outs": [{"path": f"outputs/{out}", "hash": "md5", "md5": md5, "size": 1}],
    }


def lock_of(**entries: dict[str, Any]) -> dict[str, Any]:
    return {"schema": "2.0", "stages": entries}


CONVERT = entry({"convert.py": "c000"}, "convert", "convert1.dir")


def test_the_stages_own_entry_of_the_run_before_is_replaced_by_what_it_wrote() -> None:
    stale = entry({"outputs/convert": "convert0.dir", "evaluate.py": "old"}, "evaluate", "evaluate0.dir")
    lock = completed(lock_of(convert=CONVERT, evaluate=stale), STAGES, "evaluate", WROTE, CODE)
    assert lock["stages"]["convert"] == CONVERT
    assert lock["stages"]["evaluate"] == {
        "cmd": "e",
        "outs": [{"path": "outputs/evaluate", "hash": "md5", **WROTE["outputs/evaluate"]}],
    }
    assert locked_outs(lock) == {"outputs/convert": "convert1.dir", "outputs/evaluate": "evaluate1.dir"}


@pytest.mark.parametrize(
    ("name", "made_from", "kept"),
    [
        pytest.param(
            "report", {"outputs/evaluate": "evaluate0.dir", "page.html": "p000"}, False, id="after it, of a run before"
        ),
        pytest.param(
            "report", {"outputs/evaluate": "evaluate1.dir", "page.html": "p000"}, True, id="after it, still true"
        ),
        pytest.param(
            "report", {"outputs/evaluate": "evaluate1.dir", "page.html": "old"}, False, id="made by other code"
        ),
        pytest.param("audit", {"outputs/convert": "convert1.dir"}, True, id="beside it"),
        pytest.param("audit", {"outputs/convert": "convert0.dir"}, False, id="beside it, of a run before"),
    ],
)
def test_an_entry_stays_where_it_fits(name: str, made_from: dict[str, str], kept: bool) -> None:
    found = lock_of(convert=CONVERT, **{name: entry(made_from, name, "x.dir")})
    assert (name in completed(found, STAGES, "evaluate", WROTE, CODE)["stages"]) == kept


def test_what_hangs_on_a_dropped_entry_is_dropped() -> None:
    stale = entry({"convert.py": "old"}, "convert", "convert1.dir")
    audit = entry({"outputs/convert": "convert1.dir"}, "audit", "x.dir")
    assert list(completed(lock_of(convert=stale, audit=audit), STAGES, "evaluate", WROTE, CODE)["stages"]) == [
        "evaluate"
    ]


def test_a_stage_that_never_ended_has_no_entry() -> None:
    stale = entry({"outputs/convert": "convert1.dir", "evaluate.py": "e000"}, "evaluate", "evaluate0.dir")
    report = entry({"outputs/evaluate": "evaluate0.dir", "page.html": "p000"}, "report", "x.dir")
    found = lock_of(convert=CONVERT, evaluate=stale, report=report)
    assert list(completed(found, STAGES, "evaluate", {}, CODE)["stages"]) == ["convert"]


def test_dvc_itself_takes_the_file(tmp_path: Path) -> None:
    convert = entry({"convert.py": "c" * 32}, "convert", "d" * 32 + ".dir")
    wrote = {"outputs/evaluate": {"md5": "e" * 32 + ".dir", "size": 3, "nfiles": 1}}
    lock = completed(lock_of(convert=convert), STAGES, "evaluate", wrote, {"convert.py": "c" * 32})
    assert list(lock["stages"]) == ["convert", "evaluate"]
    write_lock(tmp_path / "dvc.lock", lock)
    assert read_lock(tmp_path / "dvc.lock") == lock
    Lockfile.validate(read_lock(tmp_path / "dvc.lock"))


def test_a_missing_lock_is_empty_and_a_strange_one_is_refused(tmp_path: Path) -> None:
    assert read_lock(tmp_path / "dvc.lock") == {"schema": "2.0", "stages": {}}
    (tmp_path / "dvc.lock").write_text("schema: '9.0'\n")
    with pytest.raises(FileError, match="schema"):
        read_lock(tmp_path / "dvc.lock")
    (tmp_path / "dvc.lock").write_text("a: [")
    with pytest.raises(InputError, match="YAML"):
        read_lock(tmp_path / "dvc.lock")


@pytest.mark.parametrize(
    ("out", "says"),
    [
        ("{path: out, md5: ../../../outside}", "something else"),
        (f"{{path: ../out, md5: {'a' * 32}}}", "'../out', which is of no file within the project"),
        (f"{{path: out, files: [{{relpath: ../x, md5: {'a' * 32}}}]}}", "unknown field `files`"),
        ("7", "something else"),
    ],
)
def test_an_entry_that_would_lead_dvc_elsewhere_is_refused(tmp_path: Path, out: str, says: str) -> None:
    (tmp_path / "dvc.lock").write_text(f"schema: '2.0'\nstages: {{train: {{cmd: t, outs: [{out}]}}}}\n")
    with pytest.raises(FileError, match="do not trust it") as told:
        read_lock(tmp_path / "dvc.lock")
    assert says in str(told.value)
