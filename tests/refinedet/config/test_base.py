"""Settings say what is wrong with them, and survive a trip through plain values."""

from __future__ import annotations

import pickle
import re
from dataclasses import FrozenInstanceError, replace
from typing import Any

import pytest

from refinedet.config import (
    AugmentConfig,
    LossConfig,
    ModelConfig,
    MultiscaleConfig,
    PixelSizes,
    PostprocessConfig,
    Radiometry,
    StretchChoice,
    TileConfig,
    TrainConfig,
    TrainedOn,
)
from refinedet.errors import InputError

ALL = (
    *(ModelConfig, PostprocessConfig, Radiometry, StretchChoice, TileConfig, TrainedOn),
    *(LossConfig, AugmentConfig, TrainConfig, MultiscaleConfig),
)


@pytest.mark.parametrize("cls", ALL)
def test_plain_values_and_back(cls: Any) -> None:
    assert cls.from_dict(cls().to_dict()) == cls()


@pytest.mark.parametrize("cls", ALL)
def test_an_unknown_key_is_an_error_that_names_the_known_ones(cls: Any) -> None:
    with pytest.raises(InputError, match=r"unknown setting `learning_rat`.*expected some of"):
        cls.from_dict({"learning_rat": 1})


@pytest.mark.parametrize(
    ("cls", "values"),
    [
        (ModelConfig, {"backbone": "resnet18"}),
        (ModelConfig, {"input_px": 500}),  # no multiple of 64
        (ModelConfig, {"anchor_ratios": []}),
        (PostprocessConfig, {"nms_iou": 0.0}),
        (Radiometry, {"low_percentile": 99.9}),
        (TileConfig, {"overlap_px": 512}),  # as large as the tile
        (LossConfig, {"odm_negative_iou": 0.6}),  # above the positive one
        (AugmentConfig, {"mosaic": 1.5}),
        (TrainConfig, {"canvas_width": 300}),
        (TrainConfig, {"early_canvas": [256]}),
        (TrainConfig, {"early_canvas": [256, 300]}),
        (TrainConfig, {"lr": 0.0}),
        (TrainConfig, {"augment": {"scale_min": 2.0, "scale_max": 1.0}}),
    ],
)
def test_a_value_out_of_range_is_named(cls: Any, values: dict[str, Any]) -> None:
    name = next(iter(values.get("augment", values)))
    with pytest.raises(InputError, match=rf"{name}(\.\d)?`: expected"):
        cls.from_dict(values)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"lr": "0.1"}, "setting `lr` in a.yaml: expected a number, found '0.1'"),
        ({"lr": None}, "setting `lr` in a.yaml: expected a number, found None"),
        ({"lr": float("nan")}, "setting `lr` in a.yaml: expected a finite number, found nan"),
        ({"lr": True}, "setting `lr` in a.yaml: expected a number, found True"),
        ({"lr": 0}, "setting `lr` in a.yaml: expected a number of more than 0, found 0"),
        ({"epochs": 1.0}, "setting `epochs` in a.yaml: expected a whole number, found 1.0"),
        ({"epochs": 10**30}, f"setting `epochs` in a.yaml: expected a number of at most 2147483647, found {10**30}"),
        ({"sync_batch_norm": 1}, "setting `sync_batch_norm` in a.yaml: expected true or false, found 1"),
        ({"init": ""}, "setting `init` in a.yaml: expected text, found ''"),
        ({"early_canvas": 64}, "setting `early_canvas` in a.yaml: expected a list, found 64"),
        ({"early_canvas": [64, "64"]}, "setting `early_canvas.1` in a.yaml: expected a whole number, found '64'"),
        ({"early_canvas": [64]}, "setting `early_canvas` in a.yaml: expected no number, or two, found (64,)"),
        ({"canvas_width": 300}, "setting `canvas_width` in a.yaml: expected a multiple of 64, found 300"),
        ({"augment": []}, "setting `augment` in a.yaml: expected a mapping of names to values, found []"),
        ({"loss": {"box": 1}}, "setting `loss.box` in a.yaml: expected one of 'giou', 'ciou' or 'smooth_l1', found 1"),
        ({"augment": {"mosaic": 2}}, "setting `augment.mosaic` in a.yaml: expected a number of at most 1, found 2"),
        ([], "a.yaml: expected a mapping of names to values, found []"),
    ],
)
def test_one_sentence_says_where_what_was_expected_and_what_was_found(values: Any, words: str) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(words)}$"):
        TrainConfig.from_dict(values, "a.yaml")


def test_what_cannot_be_plain_values_is_one_sentence() -> None:
    endless: list[Any] = []
    endless.append(endless)
    for values in ({"early_canvas": endless}, {(1, 2): 3}, {"epochs": 10**5000}):
        with pytest.raises(InputError, match=r"expected plain values in a\.yaml"):
            TrainConfig.from_dict(values, "a.yaml")


def test_a_long_value_is_shown_in_part() -> None:
    with pytest.raises(InputError) as caught:
        TrainConfig.from_dict({"lr": "x" * 10_000})
    assert len(str(caught.value)) < 200


def test_construction_by_name_place_and_replace_is_checked_too() -> None:
    for make in (lambda: TileConfig(tile_px=8), lambda: TileConfig(8), lambda: replace(TileConfig(), tile_px=8)):
        with pytest.raises(InputError, match="setting `tile_px`: expected a number of at least 64, found 8"):
            make()
    with pytest.raises(InputError, match="setting `early_canvas`: expected a list, found"):
        TrainConfig(early_canvas=[64, 64])  # type: ignore[arg-type]
    with pytest.raises(InputError, match="positional"):
        TileConfig(512, 160, 1.5, 0.5, 7)  # type: ignore[call-arg]
    with pytest.raises(InputError, match="unknown setting `tile`"):
        TileConfig(tile=3)  # type: ignore[call-arg]


def test_settings_are_values() -> None:
    assert hash(TrainConfig(lr=1)) == hash(TrainConfig(lr=1.0))
    assert pickle.loads(pickle.dumps(MultiscaleConfig())) == MultiscaleConfig()  # noqa: S301 - our own
    assert type(TrainConfig(lr=1).lr) is float
    with pytest.raises(FrozenInstanceError):
        TileConfig().tile_px = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"min_m": 3.0, "max_m": 1.0}, "`min_m`: expected at most max_m, 1.0, found 3.0"),
        (
            {"min_m": 1.0, "max_m": 2.0, "best_m": 3.0},
            "`best_m`: expected null, or a number from 1.0 to 2.0, found 3.0",
        ),
        ({"min_m": 0.0, "max_m": 2.0}, "`min_m`: expected a number of more than 0"),
        ({"max_m": 2.0}, "`min_m`: expected a value, found none"),
    ],
)
def test_pixel_sizes_are_a_range_with_its_best_within(values: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        PixelSizes.from_dict(values)
