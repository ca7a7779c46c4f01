"""Multi-scale settings: rows of plain values, checked one by one."""

from __future__ import annotations

from typing import Any

import pytest

from refinedet.config import MultiscaleConfig, Pass, SuppressionConfig
from refinedet.config.multiscale import PRESETS
from refinedet.errors import InputError


@pytest.mark.parametrize("config", [MultiscaleConfig(), *map(MultiscaleConfig.preset, PRESETS)])
def test_plain_values_and_back(config: MultiscaleConfig) -> None:
    assert MultiscaleConfig.from_dict(config.to_dict()) == config
    assert SuppressionConfig.from_dict(config.merge.to_dict()) == config.merge


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"passes": []}, "'passes': expected at least one"),
        ({"passes": [{"scales": 1.0}]}, r"unknown setting \['scales'\] for Pass"),
        ({"passes": [{"scale": 0.0}]}, "'scale'"),
        ({"passes": [{"flip": "diagonal"}]}, "'flip'"),
        ({"passes": [{"side": "left"}]}, "'side'"),
        ({"passes": [{"min_short_px": 9.0, "max_short_px": 9.0}]}, "'max_short_px'"),
        ({"passes": [{"min_short_px": -1.0}]}, "'min_short_px'"),
        ({"pass_nms_iou": 0.0}, "'pass_nms_iou'"),
        ({"scoring": "median"}, "'scoring'"),
        ({"merge": {"suppression": "hard"}}, "'suppression'"),
        ({"merge": {"sigma": 0.0}}, "'sigma'"),
        ({"merge": {"score_min": 1.0}}, "'score_min'"),
    ],
)
def test_a_value_out_of_range_is_named(values: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        MultiscaleConfig.from_dict(values)


def test_an_unknown_preset_names_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"\['light', 'published', 'published-coco', 'published-voc'\], found 'coco'"):
        MultiscaleConfig.preset("coco")


def test_a_row_is_one_pass_at_the_size_of_the_network() -> None:
    assert MultiscaleConfig().passes == (Pass(1.0, "long", "none", None, None),)
