"""Settings say what is wrong with them, and survive a trip through plain values."""

from __future__ import annotations

from typing import Any

import pytest

from refinedet.config import (
    AugmentConfig,
    LossConfig,
    ModelConfig,
    PostprocessConfig,
    Radiometry,
    StretchChoice,
    TileConfig,
    TrainConfig,
)
from refinedet.errors import InputError

ALL = (ModelConfig, PostprocessConfig, Radiometry, StretchChoice, TileConfig, LossConfig, AugmentConfig, TrainConfig)


@pytest.mark.parametrize("cls", ALL)
def test_plain_values_and_back(cls: Any) -> None:
    assert cls.from_dict(cls().to_dict()) == cls()


@pytest.mark.parametrize("cls", ALL)
def test_an_unknown_key_is_an_error_that_names_the_known_ones(cls: Any) -> None:
    with pytest.raises(InputError, match=r"unknown setting \['learning_rat'\].*expected some of"):
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
    with pytest.raises(InputError, match=f"'{name}': expected"):
        cls.from_dict(values)
