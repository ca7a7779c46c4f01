"""refinedet info, as a user types it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

Run = Callable[..., Result]


def test_info_describes_a_checkpoint(run: Run, tiny_network: Path) -> None:
    described = run("info", tiny_network)
    assert described.exit_code == 0
    assert "efficientnet_lite0" in described.stdout
    found = json.loads(run("info", tiny_network, "--json").stdout)
    assert found["model"]["input_px"] == 64
    assert found["bytes"] == tiny_network.stat().st_size


def test_info_is_of_the_weights_of_the_package_where_none_are_named(run: Run) -> None:
    assert json.loads(run("info", "--json").stdout)["classes"] == ["ship"]


def test_info_keeps_brackets(run: Run, tiny_network: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = {"provenance": {"dataset": "mine [red] :ship:"}}
    monkeypatch.setattr("refinedet.model.checkpoint.describe_checkpoint", lambda _: content)
    assert "mine [red] :ship:" in run("info", tiny_network).stdout


def test_info_gives_each_of_several_sources_rows_of_its_own(
    run: Run, tiny_network: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = {"averaged": [{"sha256": "ab"}, {"sha256": "cd", "val": {"AP": 1.5}}]}
    monkeypatch.setattr("refinedet.model.checkpoint.describe_checkpoint", lambda _: content)
    told = [line.split() for line in run("info", tiny_network).stdout.splitlines()]
    assert told == [["averaged.1.sha256", "ab"], ["averaged.2.sha256", "cd"], ["averaged.2.val.AP", "1.5"]]


@pytest.mark.parametrize("name", ["model.safetensors", "."], ids=["a missing file", "a folder"])
def test_what_is_no_checkpoint_is_one_sentence(run: Run, name: str) -> None:
    ran = run("info", name)
    assert ran.exit_code == 1
    assert ran.stderr.startswith("refinedet: expected")
    assert len(ran.stderr.strip().splitlines()) == 1
