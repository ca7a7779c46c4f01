"""`refinedet datasets`: the table, one entry, JSON, and what was recorded on first download."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from cli.commands.training.datasets import size_text
from pipeline.datasets.catalogue import CATALOGUE
from refinedet.files import write_json

Run = Callable[..., Result]


def test_the_list_has_a_line_of_figures_for_every_data_set(run: Run) -> None:
    found = run("datasets")
    assert found.exit_code == 0
    lines = found.stdout.splitlines()
    for name in (*CATALOGUE, "simulated"):
        assert sum(line.startswith(f"{name} ") for line in lines) == 1, name


@pytest.mark.parametrize("columns", [80, 200])
def test_titles_are_whole_on_terminals_of_any_width(run: Run, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setattr("cli.commands.training.datasets.out.width", columns)
    text = run("datasets").stdout
    assert max(map(len, text.splitlines()[:-2])) <= columns
    for one in json.loads(run("datasets", "--json").stdout)["datasets"]:
        assert one["title"] in " ".join(text.split())


def test_figures_are_whole_on_a_narrow_terminal(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.commands.training.datasets.out.width", 50)
    text = run("datasets").stdout
    assert "checksum" in text
    assert "ls-ssdd-v1.0  by hand" in text
    assert "…" not in text


def test_one_entry_tells_licence_citation_sum_and_what_to_do(run: Run, tmp_path: Path) -> None:
    found = run("datasets", "HRSID")
    assert found.exit_code == 0
    text = " ".join(found.stdout.split())
    for part in ("IEEE Access 2020", "unknown to us", "recorded on first download, not verified by us", "Google Drive"):
        assert part in text
    assert str(tmp_path / ".refinedet" / "downloads") in "".join(found.stdout.split())


def test_a_recorded_sum_is_shown_as_recorded(run: Run, tmp_path: Path) -> None:
    write_json(tmp_path / ".refinedet" / "downloads" / "recorded.json", {"HRSID_JPG.zip": "ab" * 32})
    (archive,) = json.loads(run("datasets", "hrsid", "--json").stdout)["archives"]
    assert archive["sum"] == f"SHA-256 of the content {'ab' * 32}, recorded on first download, not verified by us"
    assert not archive["verified"]


def test_json_has_everything(run: Run) -> None:
    found = json.loads(run("datasets", "--json").stdout)["datasets"]
    assert [one["name"] for one in found] == [*CATALOGUE, "simulated"]
    ssdd = found[0]
    assert ssdd["archives"][0]["verified"]
    assert ssdd["images"] == 1160
    assert {one["from"] for one in found} == {"web", "by hand", "mirror", "your folder", "made here"}


def test_an_unknown_name_is_one_sentence(run: Run) -> None:
    found = run("datasets", "nope")
    assert found.exit_code == 1
    assert "expected the name of a data set, one of ssdd, hrsid" in found.stderr


def test_a_damaged_record_is_one_sentence(run: Run, tmp_path: Path) -> None:
    write_json(tmp_path / ".refinedet" / "downloads" / "recorded.json", ["x"])
    found = run("datasets")
    assert found.exit_code == 1
    assert "delete it to record them again" in found.stderr


@pytest.mark.parametrize(
    ("count", "expected"), [(None, "unknown"), (999, "999 B"), (49_577_218, "49.6 MB"), (20_405_354_669, "20.4 GB")]
)
def test_sizes_are_short(count: int | None, expected: str) -> None:
    assert size_text(count) == expected
