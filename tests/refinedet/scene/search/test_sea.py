"""The stretch of a scene knows its coastline, in any pixel size, and says where it found no sea."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from refinedet.config import Radiometry, StretchChoice
from refinedet.config.options.detect import SceneSettings
from refinedet.config.options.land import LandSettings
from refinedet.geo.position import locate
from refinedet.raster import open_scene, write_scene
from refinedet.scene.detect import detect_scene
from refinedet.scene.land.survey import Surroundings, survey
from refinedet.scene.search.sea import sea_limits
from refinedet.scene.windows.pixel_size import resample_reader
from refinedet.stretch.stretch_limits import NO_SEA
from tests.refinedet.stretch.test_sea_level import SIDE, city, speckle

CORNER, DEGREE = (7.0, 54.0), 1e-4


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    """A scene whose right half looks like brighter water; a file says that it is land."""
    pixels = speckle()
    pixels[:, SIDE // 2 :] *= 4
    path = tmp_path / "scene.tif"
    matrix = (DEGREE, 0.0, CORNER[0], 0.0, -DEGREE, CORNER[1])
    write_scene(path, pixels.astype(np.uint16), crs="EPSG:4326", transform=matrix)
    west, east = (CORNER[0] + share * SIDE * DEGREE for share in (0.5, 1.5))
    south, north = CORNER[1] - 2 * SIDE * DEGREE, CORNER[1] + SIDE * DEGREE
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    land = {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
    (tmp_path / "land.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [land]}))
    return path


@pytest.mark.parametrize("scale", [None, 2.0, 0.5])
def test_known_land_sets_no_level(scene: Path, scale: float | None) -> None:
    with open_scene(scene) as reader:
        own = LandSettings(land=scene.with_name("land.geojson"))
        known = survey(locate(reader.info), reader.info.width, reader.info.height, own)
        seen, _ = resample_reader(reader, SceneSettings(scale=scale), reader.sample())
        found = [
            sea_limits(seen.sample(), reader, seen.info, around, Radiometry(), StretchChoice())
            for around in (known, Surroundings(own))
        ]
    spans = [limits.levels.span() for limits in found if limits and limits.levels]
    assert np.ptp(spans[0]) < 1
    assert np.ptp(spans[1]) > 10


def grey(level: float, side: int = SIDE) -> NDArray[np.uint8]:
    """A picture of 8 bits of the sea."""
    pixels = speckle()[:side, :side]
    return np.clip(np.rint(pixels * level / pixels.mean()), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("level", "at", "stretched"),
    [
        pytest.param(2, (DEGREE, 0.0, 7.0, 0.0, -DEGREE, 54.0), True, id="dark"),
        pytest.param(40, (DEGREE, 0.0, 7.0, 0.0, -DEGREE, 54.0), False, id="usual"),
        pytest.param(2, None, False, id="a chip"),
    ],
)
def test_dark_pictures_are_stretched_and_this_is_told(
    tmp_path: Path, bright_blobs: Any, level: float, at: Any, stretched: bool
) -> None:
    write_scene(tmp_path / "s.tif", grey(level), crs="EPSG:4326" if at else None, transform=at)
    result = detect_scene(tmp_path / "s.tif", bright_blobs)
    assert (result.stretch_limits is not None) is stretched
    assert any("its 8 bits are dark, with a sea of grey 2.0" in note for note in result.notes) is stretched
    left = [note for note in result.notes if "as small as a chip of the training" in note]
    assert len(left) == (at is None)
    assert all("a grey of at most 2, but" in note and "set `stretch` to percentile" in note for note in left)
    plain = detect_scene(tmp_path / "s.tif", bright_blobs, scene=SceneSettings(stretch=StretchChoice("none")))
    assert plain.stretch_limits is None
    assert not any("its 8 bits are dark" in note for note in plain.notes)


@pytest.mark.parametrize(("ends", "colour"), [((-25, 5), "white"), ((10_000, 20_000), "black"), ((1, 900), None)])
def test_a_fixed_stretch_that_shows_nothing_says_so(
    tmp_path: Path, bright_blobs: Any, ends: tuple[float, float], colour: str | None
) -> None:
    write_scene(tmp_path / "s.tif", speckle().clip(1).astype(np.uint16))
    choice = StretchChoice("fixed", *ends)
    notes = detect_scene(tmp_path / "s.tif", bright_blobs, scene=SceneSettings(stretch=choice)).notes
    told = [note for note in notes if "the fixed `stretch` makes" in note]
    assert [f"of the scene {colour}" in note for note in told] == ([] if colour is None else [True])


def test_a_scene_without_a_sea_says_so(tmp_path: Path, bright_blobs: Any) -> None:
    write_scene(tmp_path / "city.tif", city().clip(1, 65535).astype(np.uint16))
    write_scene(tmp_path / "sea.tif", speckle().astype(np.uint16))
    assert NO_SEA in detect_scene(tmp_path / "city.tif", bright_blobs).notes
    assert NO_SEA not in detect_scene(tmp_path / "sea.tif", bright_blobs).notes
