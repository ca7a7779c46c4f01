"""record.py parses a record as a whole, or refuses it in one sentence; benchmarks/hostile/ tries a hostile store."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.versions.record import Sum, check_names, parse_record, parse_sums
from refinedet.errors import FileError


def good() -> dict[str, Any]:
    """Content of a state.json as a stage writes it."""
    return {
        "schema": 1,
        "stage": "train",
        "captured": "2026-01-01T00:00:00.000+00:00",
        "code": {"revision": "a" * 40, "prefix": "sub/", "patch_sha256": None, "changed_while_running": ["code.py"]},
        "untracked": {"gains.bin": {"sha256": "b" * 64, "bytes": 1, "executable": True, "kept": True}},
        "sources_md5": {"code.py": "c" * 32, "data": "d" * 32 + ".dir"},
        "inputs_md5": {"outputs/tile": "d" * 32 + ".dir"},
        "seen": {"host": "far", "project": "/work", "git_remotes": {"origin": "https://host.example/code.git"}},
    }


def test_a_good_record_is_typed() -> None:
    record = parse_record(good(), "state.json")
    assert (record.code.revision, record.code.prefix) == ("a" * 40, "sub/")
    assert record.untracked["gains.bin"].executable
    assert record.seen.dvc_remotes == {}
    assert record.captured.tzinfo is not None


@pytest.mark.parametrize(
    ("section", "key", "value", "says"),
    [
        ("code", "revision", "--upload-pack=touch x;", "'--upload-pack=touch x;', which is not 40 to 64 hex digits"),
        ("code", "revision", "A" * 40, "not 40 to 64"),
        ("code", "revision", "a" * 40 + "\n", "not 40 to 64"),
        ("code", "revision", "a" * 65, "not 40 to 64"),
        ("code", "prefix", "/etc/", "'/etc', which is of no file within the project"),
        ("code", "prefix", "../x/", "no file within"),
        ("code", "prefix", "sub/.GIT/", "no file within"),
        ("code", "prefix", "D:/x/", "no file within"),
        ("code", "prefix", "/", "no file within"),
        ("code", "patch_sha256", "../x", "patch_sha256"),
        ("code", "changed_while_running", ["\x1b[2J"], "no file within"),
        ("untracked", "../x", {"sha256": "b" * 64, "bytes": 1, "executable": True, "kept": True}, "no file within"),
        ("untracked", "x", {"sha256": "b", "bytes": 1, "executable": True, "kept": True}, "something else"),
        ("untracked", "x", {"sha256": "b" * 64, "bytes": -1, "executable": True, "kept": True}, "bytes"),
        ("sources_md5", "s3://bucket/x", "c" * 32, "no file within"),
        ("sources_md5", "code.py", "../../x", "something else"),
        ("inputs_md5", "a\\b", "c" * 32, "no file within"),
        ("seen", "host", "\x1b]0;x\x07", "seen.host"),
    ],
)
def test_a_bad_part_is_named_in_one_sentence(section: str, key: str, value: object, says: str) -> None:
    document = good()
    document[section][key] = value
    with pytest.raises(FileError) as told:
        parse_record(document, "state.json of run r")
    assert says in str(told.value)
    assert str(told.value).startswith("expected state.json of run r as stages and DVC write it, found ")
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("document", [None, [], 7, {}, {"schema": 2}, {"schema": 1}, {**good(), "code": None}])
def test_another_kind_of_document_is_refused(document: object) -> None:
    with pytest.raises(FileError, match=r"expected state\.json"):
        parse_record(document, "state.json")


def test_sums_become_entries_of_a_lock_file() -> None:
    sums = parse_sums({"out": {"md5": "c" * 32, "size": 3}, "dir": {"md5": "c" * 32, "size": 3, "nfiles": 2}}, "x")
    assert sums["out"] == Sum("c" * 32, 3)
    assert sums["out"].entry() == {"md5": "c" * 32, "size": 3}
    assert sums["dir"].entry() == {"md5": "c" * 32, "size": 3, "nfiles": 2}
    for bad in ({"../x": {"md5": "c" * 32, "size": 3}}, {"x": {"md5": "c", "size": 3}}, {"x": {"size": 3}}, [1]):
        with pytest.raises(FileError, match="do not trust it"):
            parse_sums(bad, "x")


def test_names_within_the_project_pass() -> None:
    check_names(["a", "a/b.c", ".gitignore", "outputs/tile", "with space/\u00e9"])
