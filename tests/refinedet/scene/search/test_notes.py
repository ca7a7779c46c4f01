"""Notes on a scene."""

from __future__ import annotations

import pytest

from refinedet.config import PixelSizes
from refinedet.raster import RasterInfo
from refinedet.scene.search.notes import inland_notes, pixel_notes, position_notes

KNOWN = PixelSizes(min_m=7, max_m=14, best_m=10)


@pytest.mark.parametrize(("inland", "windows", "told"), [(99, 100, False), (100, 1001, False), (100, 1000, True)])
def test_many_windows_on_land_are_told(inland: int, windows: int, told: bool) -> None:
    assert bool(inland_notes(inland, windows)) == told


def test_the_note_names_both_numbers_and_the_setting() -> None:
    (note,) = inland_notes(1200, 2867)
    assert note.startswith("1,200 of 2,867 windows")
    assert 'land_mask="drop"' in note


def _info(crs: str | None = "EPSG:32632", side_m: float = 10, corner: float = 4e5) -> RasterInfo:
    transform = (side_m, 0.0, corner, 0.0, -side_m, 15 * corner)
    return RasterInfo(width=1000, height=800, count=1, dtype="uint16", crs=crs, transform=transform)


@pytest.mark.parametrize(
    ("crs", "remedy"),
    [
        (None, "state the reference system with `crs`"),
        ("EPSG:4326", "state the right reference system with `crs`, or"),
        ('LOCAL_CS["site",UNIT["metre",1]]', "state the right one with `crs`, or"),
    ],
)
def test_a_scene_whose_reference_system_is_wrong_asks_for_another(crs: str | None, remedy: str) -> None:
    (note,) = position_notes(_info(crs))
    assert f"; {remedy}" in note


@pytest.mark.parametrize(("factor", "told"), [(1.0, None), (0.8, None), (0.25, "40 m"), (10.0, "1 m")])
def test_a_stated_size_that_the_weights_do_not_know_is_told(factor: float, told: str | None) -> None:
    notes = pixel_notes(_info(), (factor, factor), KNOWN, asked=True)
    assert bool(notes) is (told is not None)
    assert told is None or f"resampled to pixels of {told}, as the settings say" in notes[0]


def test_pixels_of_a_stated_native_size_are_not_told_again() -> None:
    assert pixel_notes(_info(side_m=40), (1.0, 1.0), KNOWN, asked=True) == ()


@pytest.mark.parametrize("asked", [False, True])
def test_degrees_in_a_system_of_metres_are_told(asked: bool) -> None:
    (note,) = pixel_notes(_info(side_m=9e-5, corner=8), (1.0, 1.0), KNOWN, asked=asked)
    assert "coordinates are probably degrees" in note
    assert "`crs`" in note
