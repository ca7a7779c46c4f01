"""Settings of a detection: each option has one name, one type and one range, and says what it changes."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from refinedet.batch.settings import ArchiveSettings
from refinedet.config.options.detect import SceneSettings
from refinedet.config.options.land import LandSettings
from refinedet.config.options.option import Effect, options, with_effect
from refinedet.config.options.settings import DetectSettings
from refinedet.errors import InputError


def test_options_find_their_group_and_become_what_they_are() -> None:
    found = DetectSettings.of(
        gsd_m=10, land="land.gpkg", format="csv", stretch="fixed:-25:5", score_min=1, out="~/ships", tile_px=256
    )
    assert (found.scene.gsd_m, type(found.scene.gsd_m)) == (10.0, float), "equal settings are equal in JSON too"
    assert found.land.land == Path("land.gpkg")
    assert found.output.format == ("csv",)
    assert (found.scene.stretch.kind, found.scene.stretch.low) == ("fixed", -25)
    assert found.output.out == Path.home() / "ships"
    assert found.windows.tile_px == 256
    assert DetectSettings.of() == DetectSettings()


@pytest.mark.parametrize(
    ("named", "sentence"),
    [
        ({"gsdm": 3}, "did you mean gsd_m"),
        ({"colour": 3}, "expected some of ais, ais_columns"),
        ({"score_min": 2}, "setting `score_min`: expected a number of at most 1, found 2"),
        ({"score_min": float("nan")}, "setting `score_min`: expected a finite number"),
        ({"score_min": "a"}, "setting `score_min`: expected a number, found"),
        ({"score_min": True}, "setting `score_min`: expected a number, found True"),
        ({"land_mask": "x"}, "setting `land_mask`: expected one of 'flag', 'drop' or 'off', found 'x'"),
        ({"format": ["csv", "xx"]}, "setting `format.1`: expected one of 'geojson'"),
        ({"overwrite": 1}, "setting `overwrite`: expected true or false"),
        ({"tile_px": 63}, "setting `tile_px`: expected a number of at least 64"),
        ({"scale": 1, "gsd_m": 1}, "setting `scale`: expected none beside `gsd_m`"),
        ({"gsd_m": 0}, "setting `gsd_m`: expected a number of more than 0"),
        ({"land": "a.geojson", "land_mask": "off"}, "setting `land_mask`: expected flag or drop beside `land`"),
        ({"stretch": "loud"}, "expected a stretch of auto"),
        ({"land": None, "land_buffer_m": None}, "setting `land_buffer_m`: expected a number"),
    ],
)
def test_what_no_option_can_have_is_one_sentence(named: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence.replace("(", r"\(")):
        DetectSettings.of(**named)


def test_an_address_needs_the_engine_that_has_one() -> None:
    with pytest.raises(InputError, match="setting `address`: expected none without"):
        ArchiveSettings(address="auto")
    assert ArchiveSettings(engine="ray", address="auto").address == "auto"
    assert ArchiveSettings(workers=2).workers == 2


def test_paths_become_absolute_in_every_group() -> None:
    found = DetectSettings.of(land="a.geojson", weights="w.onnx", out="o").absolute()
    assert all(path.is_absolute() for path in (found.land.land, found.detector.weights, found.output.out) if path)
    assert found.land.exclude is None


def test_no_name_is_used_twice_and_every_option_explains_itself() -> None:
    groups = [group.default_factory for group in fields(DetectSettings)] + [ArchiveSettings]
    named = [(one.name, about) for group in groups for one, about in options(group)]
    assert len({name for name, _ in named}) == len(named) > 30
    assert all(about.help.endswith((".", "!")) and len(about.help) > 15 for _, about in named)


def test_options_say_what_they_change() -> None:
    assert "max_pixels" in with_effect(SceneSettings(), Effect.NONE)
    assert "gsd_m" in with_effect(SceneSettings(), Effect.SHIPS)
    assert with_effect(LandSettings(), Effect.FILES) == {}
