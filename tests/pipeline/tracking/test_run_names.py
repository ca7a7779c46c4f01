"""run_names.py: the columns of MLflow's compare page."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.params import load_params, parse_params
from pipeline.tracking.run_names import epoch_metrics, first_tags, registered_name, run_name, short_params

PARAMS = Path(__file__).resolve().parents[3] / "params.yaml"


@pytest.mark.parametrize("recipe", ["simulated", "ssdd", "ssdd-published", "coco"])
def test_settings_have_short_names_that_differ(recipe: str) -> None:
    params = parse_params({"recipe": recipe, "recipes": {recipe: {"dataset": "x"}}})
    assert len(short_params(params)) == len(params.flat()) - 2, "two settings of one short name, or one left out"


def test_names_and_values_take_little_room() -> None:
    shown = short_params(load_params(PARAMS))
    assert (shown["lr"], shown["input_px"], shown["augment.mosaic"], shown["tile.tile_px"]) == (
        *("0.001", "512", "0.0", "512"),
    )
    assert (shown["strides"], shown["early_canvas"], shown["init"], shown["detail"]) == (
        *("8 16 32 64", "none", "none", "false"),
    )
    assert (shown["seed"], shown["scenes.seed"]) == ("1", "100")
    assert max(map(len, shown)) <= 28


def test_epochs_are_grouped_by_split() -> None:
    row = {"epoch": 3.0, "loss": 1.0, "lr": 0.1, "val_AP": 50.0, "val_AP50": 80.0}
    expected = {"val/AP": 50.0, "val/AP50": 80.0, "train/loss": 1.0, "train/lr": 0.1}
    assert list(epoch_metrics(row).items()) == list(expected.items())


def test_a_run_is_called_what_it_is_or_what_its_user_calls_it(monkeypatch: pytest.MonkeyPatch) -> None:
    params = parse_params({"recipe": "r", "recipes": {"r": {"dataset": "a/b: c"}}})
    assert registered_name(params) == "refinedet-a-b- c"
    name = "efficientnet-lite0 512 px, 30 epochs, seed 1"
    assert run_name(params) == name
    monkeypatch.setenv("DVC_EXP_NAME", "puffy-bard")
    assert run_name(params) == name, "a name that DVC made up says nothing"
    assert first_tags(params)["dvc_experiment"] == "puffy-bard"
    monkeypatch.setenv("DVC_EXP_NAME", "slow")
    assert run_name(params) == f"slow: {name}"
    monkeypatch.setenv("MLFLOW_RUN_NAME", "ssdd seed 1")
    assert run_name(params) == "ssdd seed 1"
