"""params.yaml: everything in it is known, typed and in range, or the error names the place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from pipeline.datasets.catalogue import CATALOGUE
from pipeline.params import SceneParams, load_params, parse_params, stage_dependencies
from refinedet.config import ModelConfig, PostprocessConfig, TileConfig, TrainConfig
from refinedet.errors import FileError, InputError

ROOT = Path(__file__).resolve().parents[2]


def document(**recipe: Any) -> dict[str, Any]:
    recipes = {"simulated": {"dataset": "simulated", **recipe}, "ssdd": {"dataset": "ssdd"}}
    return {"recipe": "simulated", "recipes": recipes}


def test_missing_sections_take_the_defaults() -> None:
    params = parse_params(document())
    assert params.model == ModelConfig()
    assert params.train == TrainConfig()
    assert params.postprocess == PostprocessConfig()
    assert params.tile.windows == TileConfig()
    assert params.tile.keep_empty == 1.0
    assert params.scenes is None
    assert parse_params(document(scenes={})).scenes == SceneParams()
    assert params.download.mirror is None


def test_values_arrive_typed() -> None:
    params = parse_params(
        document(
            tile={"tile_px": 256, "keep_empty": 0, "shards_beyond": 7},
            model={"anchor_ratios": [1, 2.0]},
            evaluate={"postprocess": {"voting_iou": None, "nms_iou": 1}},
            train={"augment": {"mosaic": 0.25}},
        )
    )
    assert params.tile.windows.tile_px == 256
    assert params.tile.keep_empty == 0.0
    assert params.tile.shards_beyond == 7
    assert list(params.model.anchor_ratios) == [1.0, 2.0]
    assert params.postprocess.voting_iou is None
    assert params.train.augment.mosaic == 0.25


def test_only_the_active_recipe_is_taken() -> None:
    content = document(tile={"tile_px": 256})
    assert parse_params(content).tile.windows.tile_px == 256
    content["recipe"] = "ssdd"
    assert parse_params(content).tile.windows.tile_px == TileConfig().tile_px


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param([], "a mapping", id="a list"),
        pytest.param(document() | {"dataset": {}}, "unknown setting `dataset` in params.yaml", id="unknown section"),
        pytest.param(
            document(tiles={}),
            r"`recipes\.simulated\.tiles` in params\.yaml \(did you mean tile\?\)",
            id="unknown in a recipe",
        ),
        pytest.param(
            document(train={"ephocs": 3}),
            r"`recipes\.simulated\.train\.ephocs`.*did you mean epochs",
            id="typing error",
        ),
        pytest.param(document(train={"augment": {"mosiac": 1}}), "simulated.train.augment", id="nested typing error"),
        pytest.param(document(evaluate={"nms_iou": 0.5}), "simulated.evaluate", id="a level forgotten"),
        pytest.param(
            document(train={"lr": "fast"}),
            "train.lr` in params.yaml: expected a number, found 'fast'",
            id="text for a number",
        ),
        pytest.param(
            document(train={"lr": float("inf")}),
            "train.lr` in params.yaml: expected a finite number, found inf",
            id="infinity",
        ),
        pytest.param(
            document(train={"lr": float("nan")}),
            "train.lr` in params.yaml: expected a finite number, found nan",
            id="not a number",
        ),
        pytest.param(document(train={"epochs": 1.5}), "train.epochs` .*a whole number, found 1.5", id="half an epoch"),
        pytest.param(
            document(train={"epochs": True}), "train.epochs` .*a whole number, found True", id="a boolean is no number"
        ),
        pytest.param(document(model={"anchor_ratios": 1.0}), "anchor_ratios", id="number for a list"),
        pytest.param(document(model={"anchor_ratios": ["a"]}), "anchor_ratios", id="list of text"),
        pytest.param(
            document(model={"tcb_norm": "group"}),
            "model.tcb_norm` .*expected one of 'batch' or 'none'",
            id="unknown choice",
        ),
        pytest.param(
            document(tile={"tile_px": 8}), "recipes.simulated.tile.tile_px` .*at least 64, found 8", id="out of range"
        ),
        pytest.param(document(tile={"keep_empty": 2}), "keep_empty` .*at most 1", id="share above 1"),
        pytest.param(document(tile={"keep_empty": "all"}), "keep_empty` .*a number, found 'all'", id="share as text"),
        pytest.param(document(tile={"shards_beyond": 0.5}), "shards_beyond` .*a whole number", id="half a chip"),
        pytest.param(document(scenes={"train": 0}), "scenes.train` .*at least 1", id="no scene to train on"),
        pytest.param(document(scenes={"seed": -1}), "scenes.seed` .*at least 0", id="negative seed"),
        pytest.param(document(convert={"val_fraction": 1}), "val_fraction` .*less than 1", id="nothing left to train"),
        pytest.param(document(convert={"train_images": 0}), "train_images` .*at least 1", id="no image to train on"),
        pytest.param(
            document(evaluate={"multiscale": "all"}), "evaluate.multiscale` .*one of .*published", id="unknown preset"
        ),
        pytest.param(
            document(model={"strides": [8, 16, 32, 64, 128], "input_px": 1024}, train={"canvas_width": 192}),
            "train.canvas_width` .*a multiple of 128",
            id="canvas without whole cells",
        ),
        pytest.param(document() | {"recipe": "sdd"}, r"one of \['simulated', 'ssdd'\]", id="unknown recipe"),
        pytest.param(
            document() | {"recipe": None}, "`recipe` in params.yaml: expected a value, found none", id="no recipe"
        ),
        pytest.param(document(dataset=""), "simulated.dataset` .*expected text, found ''", id="no data set"),
        pytest.param(document(local={}), "simulated.local.path` .*a value, found none", id="no folder"),
        pytest.param(document(local={"path": ""}), "simulated.local.path` .*text, found ''", id="an empty name"),
        pytest.param(document(local={"path": "a", "test_fraction": 1}), "local.test_fraction`", id="all for the test"),
        pytest.param(document(train=[1]), "simulated.train` .*a mapping of names", id="a list for a section"),
        pytest.param(document(train={"epochs": 10**30}), "train.epochs` .*at most", id="a huge number"),
        pytest.param(document(train={"lr": 10**400}), "train.lr` .*a finite number", id="beyond all numbers"),
        pytest.param(document() | {"recipes": [1]}, "`recipes` .*a mapping of names", id="recipes as a list"),
        pytest.param(
            document() | {"recipes": {"a": 1}}, "`recipes.a` .*a mapping of names", id="a number for a recipe"
        ),
        pytest.param({(1, 2): 3}, "expected plain values in params.yaml", id="keys of another kind"),
        pytest.param(
            document(model={"x": 1}) | {"recipe": "ssdd"},
            "recipes.simulated.model",
            id="a mistake in the recipe that is not active",
        ),
    ],
)
def test_mistakes_are_found_and_placed(content: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_params(content)


def test_small_numbers_are_read_as_dvc_reads_them(tmp_path: Path) -> None:
    """YAML 1.1 takes 1e-3 for text; DVC, which writes the file on `-S`, goes by YAML 1.2."""
    text = "recipe: simulated\nrecipes: {simulated: {dataset: simulated, train: {lr: 1e-3}}}\n"
    (tmp_path / "params.yaml").write_text(text, encoding="utf-8")
    assert load_params(tmp_path / "params.yaml").train.lr == 0.001


def test_a_missing_or_broken_file_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot be read"):
        load_params(tmp_path / "params.yaml")
    for text in ("recipe: [", f"recipe: {'9' * 5000}", "[" * 100_000):
        (tmp_path / "params.yaml").write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match="expected YAML"):
            load_params(tmp_path / "params.yaml")


def test_a_section_without_a_value_has_the_defaults() -> None:
    assert parse_params(document(convert=None, train=None) | {"download": None}) == parse_params(document())


def test_flat_names_every_setting_with_plain_values() -> None:
    flat = parse_params(document(model={"anchor_ratios": [1.0]})).flat()
    assert flat["model.anchor_ratios"] == [1.0]
    assert flat["tile.windows.tile_px"] == 512
    assert flat["train.augment.mosaic"] == TrainConfig().augment.mosaic
    assert not any(isinstance(value, dict | tuple) for value in flat.values())


@pytest.fixture(scope="module")
def shipped() -> Any:
    return YAML(typ="safe", pure=True).load((ROOT / "params.yaml").read_text(encoding="utf-8"))


def test_the_shipped_file_is_valid_for_every_data_set(shipped: Any) -> None:
    for name in shipped["recipes"]:
        params = parse_params(shipped | {"recipe": name})
        assert params.dataset in CATALOGUE or params.scenes is not None


def test_every_param_of_dvc_yaml_is_in_every_recipe(shipped: Any) -> None:
    """DVC stops where one is missing, but only once that data set is chosen."""
    stages = YAML(typ="safe", pure=True).load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    for name, recipe in shipped["recipes"].items():
        known = {*shipped, *(f"recipes.{name}.{section}" for section in recipe)}
        known |= {f"recipes.{name}.evaluate.{section}" for section in recipe["evaluate"]}
        for stage in stages.values():
            assert {param.replace("${recipe}", name) for param in stage["params"]} <= known


def test_how_the_test_looks_at_chips_does_not_train_again() -> None:
    stages = YAML(typ="safe", pure=True).load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    assert [p for p in stages["train"]["params"] if "evaluate" in p] == ["recipes.${recipe}.evaluate.postprocess"]


def test_dependencies_of_a_stage_exist_or_are_made() -> None:
    found = stage_dependencies("train", ROOT / "dvc.yaml")
    assert "outputs/tile" in found
    assert all((ROOT / path).exists() for path in found if not path.startswith("outputs/"))
    with pytest.raises(InputError, match="expected a stage 'fly'"):
        stage_dependencies("fly", ROOT / "dvc.yaml")
