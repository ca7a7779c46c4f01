"""Multi-scale settings: rows of plain values, checked one by one."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from refinedet.config import MultiscaleConfig, Pass, SuppressionConfig
from refinedet.config.multiscale import PRESETS, Preset
from refinedet.errors import InputError


@pytest.mark.parametrize("config", [MultiscaleConfig(), *map(MultiscaleConfig.preset, PRESETS)])
def test_plain_values_and_back(config: MultiscaleConfig) -> None:
    assert MultiscaleConfig.from_dict(config.to_dict()) == config
    assert SuppressionConfig.from_dict(config.merge.to_dict()) == config.merge


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"passes": []}, "`passes`: expected a list of at least 1"),
        ({"passes": [{"scales": 1.0}]}, "unknown setting `passes.0.scales`"),
        ({"passes": [{"scale": 0.0}]}, "`passes.0.scale`"),
        ({"passes": [{"flip": "diagonal"}]}, "`passes.0.flip`"),
        ({"passes": [{"side": "left"}]}, "`passes.0.side`"),
        ({"passes": [{"min_short_px": 9.0, "max_short_px": 9.0}]}, "`passes.0.max_short_px`"),
        ({"passes": [{"min_short_px": -1.0}]}, "`passes.0.min_short_px`"),
        ({"pass_nms_iou": 0.0}, "`pass_nms_iou`"),
        ({"scoring": "median"}, "`scoring`"),
        ({"merge": {"suppression": "hard"}}, "`merge.suppression`"),
        ({"merge": {"sigma": 0.0}}, "`merge.sigma`"),
        ({"merge": {"score_min": 1.0}}, "`merge.score_min`"),
    ],
)
def test_a_value_out_of_range_is_named(values: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        MultiscaleConfig.from_dict(values)


def test_the_presets_have_the_names_that_a_type_checker_knows() -> None:
    assert set(PRESETS) == set(get_args(Preset))


def test_an_unknown_preset_names_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"\['light', 'published', 'published-coco', 'published-voc'\], found 'coco'"):
        MultiscaleConfig.preset("coco")


def test_a_row_is_one_pass_at_the_size_of_the_network() -> None:
    assert MultiscaleConfig().passes == (Pass(1.0, "long", "none", None, None),)
