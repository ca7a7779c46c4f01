"""Each row of the ablation changes what it says and nothing else, and leaves params.yaml as it was."""

from __future__ import annotations

import json
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from dvc.utils.hydra import apply_overrides

from benchmarks.chips import ablation
from pipeline.params import load_params

PARAMS = Path(__file__).resolve().parents[3] / "params.yaml"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    """Row -> its settings, as the training of that row would read them, with DVC's own way to change the file."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(PARAMS, "params.yaml")
    for stage, key in (("evaluate", "test"), ("train", "val")):
        (tmp_path / "outputs" / stage).mkdir(parents=True)
        (tmp_path / "outputs" / stage / "metrics.json").write_text(json.dumps({key: {"AP": 1.0}}), encoding="utf-8")
    seen: list[dict[str, Any]] = []

    def dvc(command: list[str], **_: Any) -> None:
        apply_overrides("params.yaml", [word for flag, word in pairwise(command) if flag == "-S"])
        seen.append(load_params().flat())

    monkeypatch.setattr(subprocess, "run", dvc)
    for row in ablation.ROWS:
        ablation.run(row, epochs=2, input_px=320)
    assert Path("params.yaml").read_bytes() == PARAMS.read_bytes()
    return dict(zip(ablation.ROWS, seen, strict=True))


def test_rows_differ_from_the_first_in_their_own_settings_alone(settings: dict[str, dict[str, Any]]) -> None:
    base = settings["default"]
    assert (base["recipe"], base["train.epochs"], base["model.input_px"]) == ("ssdd", 2, 320)
    for row, changes in ablation.ROWS.items():
        differ = {key for key, value in settings[row].items() if value != base[key]}
        names = {name.replace("evaluate.postprocess", "postprocess") for name in changes}
        assert differ <= names, row
        assert differ or row in {"default", "square-canvas"}, row
