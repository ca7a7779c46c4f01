"""Each row of the ablation on real scenes changes only what it says, and is measured on the part `decide`."""

from __future__ import annotations

import json
import shutil
import subprocess
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from dvc.utils.hydra import apply_overrides

from pipeline.params import load_params
from refinedet.errors import InputError

PARAMS = Path(__file__).resolve().parents[3] / "params.yaml"


@pytest.fixture
def ablation() -> Any:
    """Module of the script, which imports its neighbours."""
    return import_module("ablation")


@pytest.fixture
def settings(ablation: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    """Row -> its settings, as its training would read them."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(PARAMS, "params.yaml")
    written: dict[str, Any] = {"evaluate": {"test": {"AP": 1.0}}, "train": {"val": {"AP": 2.0}}}
    for stage, measures in written.items():
        (tmp_path / "outputs" / stage).mkdir(parents=True)
        (tmp_path / "outputs" / stage / "metrics.json").write_text(json.dumps(measures), encoding="utf-8")
    (tmp_path / "outputs" / "tile").mkdir()
    (tmp_path / "outputs" / "tile" / "train.json").write_text('{"images": [{}, {}, {}]}', encoding="utf-8")
    seen: dict[str, dict[str, Any]] = {}

    def dvc(command: list[str], **_: Any) -> None:
        apply_overrides("params.yaml", [word for flag, word in pairwise(command) if flag == "-S"])
        seen[row] = load_params().flat()

    monkeypatch.setattr(subprocess, "run", dvc)
    for row, change in ablation.ROWS.items():
        if change is not None:
            told, _ = ablation.run(change, row, Path("long.safetensors"), epochs=6)
            assert told == [f"{3 * seen[row]['train.epochs']}", "2.0", "1.0"], row
    assert Path("params.yaml").read_bytes() == PARAMS.read_bytes()
    return seen


def test_rows_differ_from_all_in_their_own_settings_alone(ablation: Any, settings: dict[str, dict[str, Any]]) -> None:
    base = settings["all"]
    assert (base["recipe"], base["train.epochs"], base["train.init"]) == (
        "real",
        6,
        str(Path.cwd() / "long.safetensors"),
    )
    for row, found in settings.items():
        differ = {key.split(".")[0] for key, value in found.items() if value != base.get(key)}
        own = {name.split(".")[0] for name in (ablation.ROWS[row] or ablation.Change({})).settings}
        assert differ - {"train"} <= own, row
        assert row == "all" or differ, row
    assert settings["no random stretch"]["train.augment.contrast"] == 0 < base["train.augment.contrast"]
    assert [settings[row]["train.epochs"] for row in ("half as long", "no real samples")] == [3, 10]


def test_shares_are_those_of_the_part_that_decides(ablation: Any) -> None:
    figures = import_module("figures")
    rows = [
        figures.Row(table, part, subset, {figure: figures.Figure(value, None, None, 9)})
        for part, value in (("train", 0.9), ("decide", 0.25))
        for table, subset, figure in ablation.SHARES.values()
    ]
    assert ablation.chosen(rows) == ["0.25"] * len(ablation.SHARES)


def test_settings_that_a_killed_row_left_are_an_error(
    ablation: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(PARAMS, "params.yaml")
    author = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for words in (["init", "-q"], ["add", "params.yaml"], [*author, "commit", "-q", "-m", "start"]):
        subprocess.run(["git", *words], check=True)
    ablation.check_settings()
    with Path("params.yaml").open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    with pytest.raises(InputError, match="git checkout"):
        ablation.check_settings()
