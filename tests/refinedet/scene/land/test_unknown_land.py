"""Scenes whose land or place is unknown, settings that make no sense."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from refinedet.config.options.land import LandSettings
from refinedet.errors import FileError, InputError
from refinedet.geo.position import Position, locate
from refinedet.raster import RasterInfo
from refinedet.scene.land import survey as module
from refinedet.scene.land.survey import survey
from tests.refinedet.scene.land.around import ACROSS, SIDE_PX, boxes_at, scene, write


@pytest.mark.parametrize(
    "choice", [LandSettings(), LandSettings(land_mask="drop"), LandSettings(exclude=Path("a.geojson"))]
)
def test_without_a_position_nothing_is_dropped_and_the_land_says_nothing(choice: LandSettings) -> None:
    found = survey(None, SIDE_PX, SIDE_PX, choice)
    assert found.notes == ()
    assert found.judge(boxes_at(ACROSS)).keep.all()


def test_a_scene_that_is_nowhere_on_the_earth_is_said_so() -> None:
    (note,) = survey(Position(lambda pixels: np.full(pixels.shape, np.nan)), SIDE_PX, SIDE_PX).notes
    assert note == "no place of the scene is on the earth, so land, exclusions and platforms are not used"


def test_a_scene_of_half_the_earth_is_said_to_be_too_large() -> None:
    whole = locate(RasterInfo(360, 180, 1, "uint8", crs="EPSG:4326", transform=(1.0, 0, -180.0, 0, -1.0, 90.0)))
    (note,) = survey(whole, 360, 180).notes
    assert "too large" in note


def test_without_a_coastline_there_is_a_note_and_exclusions_still_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "coastline", unreadable)
    known = write(tmp_path / "known.geojson", [shapely.Point(10, 0)])
    found = survey(scene(10, 0), SIDE_PX, SIDE_PX, LandSettings(exclude=known))
    (note,) = found.notes
    assert note == "expected the coastline, found no file"
    verdict = found.judge(boxes_at([[500, 500], [600, 500]]))
    assert verdict.dropped == {"excluded": 1}
    assert verdict.flags == ((),)


@pytest.mark.parametrize("choice", [LandSettings(land_mask="flag"), LandSettings(land_mask="drop")])
def test_without_a_coastline_asking_for_it_is_an_error(choice: LandSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "coastline", unreadable)
    with pytest.raises(FileError, match="expected the coastline"):
        survey(scene(10, 0), SIDE_PX, SIDE_PX, choice)


def unreadable(*_: Any) -> None:
    """Takes the place of `coastline`."""
    raise FileError("expected the coastline, found no file")


@pytest.mark.parametrize(
    "wrong",
    [
        {"land_mask": "maybe"},
        {"land_buffer_m": -1},
        {"land_buffer_m": 1e6},
        {"exclude_m": float("nan")},
        {"land": Path("a"), "land_mask": "off"},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="expected"):
        LandSettings(**wrong)
