"""--scale and --gsd-m: what is found in another pixel size comes out in pixels and metres of the scene."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from refinedet.config import PixelSizes, Radiometry, TileConfig
from refinedet.config.options.detect import SceneSettings
from refinedet.detections import Detections
from refinedet.errors import InputError
from refinedet.predictors.predictor import Chip
from refinedet.raster import write_scene
from refinedet.scene.detect import detect_scene
from refinedet.scene.source import open_source
from refinedet.scene.windows.pixel_size import pixel_size_m

SHIPS = [(20, 32, 44, 40), (252, 120, 264, 152), (316, 244, 332, 260), (100, 300, 340, 308)]
TILE = TileConfig(tile_px=96, overlap_px=32)
UTM, MATRIX = "EPSG:32633", (10.0, 0.0, 500_000.0, 0.0, -10.0, 5_300_000.0)


def sea(height: int = 400, width: int = 600) -> np.ndarray:
    pixels = np.random.default_rng(1).integers(90, 110, (height, width)).astype(np.uint16)
    for x1, y1, x2, y2 in SHIPS:
        pixels[y1:y2, x1:x2] = 250
    return pixels


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    write_scene(tmp_path / "scene.tif", sea(), crs=UTM, transform=MATRIX)
    return tmp_path / "scene.tif"


@pytest.mark.parametrize("factor", [0.5, 0.25, 2.0])
def test_ships_come_out_in_pixels_and_metres_of_the_scene(scene: Path, bright_blobs: Any, factor: float) -> None:
    plain = detect_scene(scene, bright_blobs, tile=TILE)
    result = detect_scene(scene, bright_blobs, tile=TILE, scene=SceneSettings(scale=factor))
    assert result.factors == (factor, factor)
    assert (result.info.width, result.info.height) == (600, 400)
    found = sorted(result.detections.boxes_xyxy.tolist())
    # enlarged pixels are mixed between centres: an edge may move by one of them
    np.testing.assert_allclose(found, sorted(SHIPS), atol=0 if factor < 1 else 1 / factor)
    assert sorted(result.places.length_m) == pytest.approx(sorted(plain.places.length_m), rel=0.03)
    by_place = np.argsort(result.detections.boxes_xyxy[:, 0])
    centres = result.places.centres_lonlat[by_place]
    expected = plain.places.centres_lonlat[np.argsort(plain.detections.boxes_xyxy[:, 0])]
    np.testing.assert_allclose(centres, expected, atol=2e-5)


def test_the_network_sees_the_scaled_scene_in_its_windows(scene: Path, bright_blobs: Any) -> None:
    result = detect_scene(scene, bright_blobs, tile=TILE, scene=SceneSettings(scale=0.25))
    assert result.windows == len(bright_blobs.chips) == 4
    assert {chip.shape for chip in bright_blobs.chips} == {(96, 96)}


def test_metres_give_the_factor(scene: Path, bright_blobs: Any) -> None:
    with open_source(scene) as reader:
        assert pixel_size_m(reader.info) == pytest.approx((10, 10), rel=1e-3)
    result = detect_scene(scene, bright_blobs, tile=TILE, scene=SceneSettings(gsd_m=20))
    assert result.factors == pytest.approx((0.5, 0.5), rel=0.01)
    assert len(result.detections) == len(SHIPS)


def test_pixels_of_degrees_become_square(tmp_path: Path) -> None:
    degree = 1e-4
    write_scene(tmp_path / "s.tif", sea(), crs="EPSG:4326", transform=(degree, 0, 10.0, 0, -degree, 60.0))
    with open_source(tmp_path / "s.tif") as reader:
        wide, high = pixel_size_m(reader.info)
    assert wide / high == pytest.approx(0.5, rel=0.02)
    assert high == pytest.approx(11.14, rel=0.01)


def test_a_scale_of_one_is_the_scene_itself(scene: Path, bright_blobs: Any) -> None:
    result = detect_scene(scene, bright_blobs, tile=TILE, scene=SceneSettings(scale=1.0))
    assert result.factors == (1.0, 1.0)


def test_metres_without_a_position_are_one_sentence(tmp_path: Path, bright_blobs: Any) -> None:
    write_scene(tmp_path / "s.tif", sea())
    with pytest.raises(InputError, match=r"expected a scene with a position.* for `gsd_m`.*`scale`"):
        detect_scene(tmp_path / "s.tif", bright_blobs, scene=SceneSettings(gsd_m=10))


KNOWN = PixelSizes(min_m=7, max_m=14, best_m=10)


@pytest.mark.parametrize(
    ("pixel_m", "factors", "told"),
    [
        ((10.0, 10.0), (1.0, 1.0), None),
        ((7.2, 13.8), (1.0, 1.0), None),
        ((14.05, 6.95), (1.0, 1.0), None),  # as good as 14 and 7: projections stretch
        (
            (400.0, 400.0),
            (1.0, 1.0),
            r"too small after resampling: its pixels are used as they are\. Ships below 800 m .* are missed",
        ),
        ((30.0, 30.0), (3.0, 3.0), "pixels of 30 m are outside the 7 to 14 m .* Ships below 60 m"),
        ((2.5, 14.5), (0.25, 1.45), r"pixels of 2\.5 x 14\.5 m"),
        ((4.0, 4.0), (0.4, 0.4), "resampled to 10 m"),
    ],
)
def test_pixels_that_the_weights_do_not_know_are_brought_to_those_they_know(
    tmp_path: Path, bright_blobs: Any, pixel_m: tuple[float, float], factors: tuple[float, float], told: str | None
) -> None:
    wide, high = pixel_m
    write_scene(tmp_path / "s.tif", sea(), crs="EPSG:32633", transform=(wide, 0, 5e5, 0, -high, 5.3e6))
    result = detect_scene(tmp_path / "s.tif", bright_blobs, tile=TILE, known_gsd=KNOWN)
    assert result.factors == pytest.approx(factors, rel=0.01)
    notes = " ".join(result.notes)
    assert ("are outside the" in notes) == (told is not None)
    if told:
        assert re.search(told, notes)


def test_what_is_asked_for_overrules_the_weights_and_is_told_only_if_far_from_them(
    tmp_path: Path, bright_blobs: Any
) -> None:
    write_scene(tmp_path / "s.tif", sea(), crs="EPSG:32633", transform=(30, 0, 5e5, 0, -30, 5.3e6))
    asked = [
        (SceneSettings(gsd_m="native"), 1.0, False),
        (SceneSettings(gsd_m=15), 2.0, False),
        (SceneSettings(scale=0.5), 0.5, True),
    ]
    for settings, factor, told in asked:
        result = detect_scene(tmp_path / "s.tif", bright_blobs, tile=TILE, known_gsd=KNOWN, scene=settings)
        assert result.factors == pytest.approx((factor, factor), rel=0.01)
        assert any("pixels of 60 m, as the settings say, outside the" in note for note in result.notes) is told
        assert any("outside" in note for note in result.notes) is told


def test_a_scene_without_a_position_is_looked_at_as_it_is(tmp_path: Path, bright_blobs: Any) -> None:
    write_scene(tmp_path / "s.tif", sea())
    assert detect_scene(tmp_path / "s.tif", bright_blobs, tile=TILE, known_gsd=KNOWN).factors == (1.0, 1.0)


class Scales:
    """Notes the scale at which it is shown chips; finds nothing."""

    classes, radiometry = ("ship",), Radiometry()

    def __init__(self) -> None:
        self.whole_px: list[int | None] = []

    def predict(self, chips: Sequence[Chip]) -> list[Detections]:
        """Fill the input."""
        self.whole_px.append(None)
        return [Detections.empty()] * len(chips)

    def predict_parts(self, chips: Sequence[Chip], whole_px: int) -> list[Detections]:
        """Keep the scale."""
        self.whole_px.append(whole_px)
        return [Detections.empty()] * len(chips)


@pytest.mark.parametrize(
    ("located", "known", "whole_px"), [(True, KNOWN, 128), (True, None, None), (False, KNOWN, None)]
)
def test_a_small_scene_keeps_its_scale_where_that_is_known(
    tmp_path: Path, located: bool, known: PixelSizes | None, whole_px: int | None
) -> None:
    place = {"crs": "EPSG:32633", "transform": (10, 0, 5e5, 0, -10, 5.3e6)} if located else {}
    write_scene(tmp_path / "s.tif", np.full((80, 80), 99, np.uint8), **place)  # type: ignore[arg-type]
    predictor = Scales()
    detect_scene(tmp_path / "s.tif", predictor, tile=TileConfig(tile_px=128, overlap_px=16), known_gsd=known)
    assert predictor.whole_px == [whole_px]


def test_a_scaled_scene_of_too_many_pixels_is_refused(scene: Path, bright_blobs: Any) -> None:
    with pytest.raises(InputError, match="scaled scene"):
        detect_scene(scene, bright_blobs, scene=SceneSettings(scale=4, max_pixels=1_000_000))


@pytest.mark.parametrize("wrong", [{"scale": 0.5, "gsd_m": 10.0}, {"gsd_m": 0.0}, {"gsd_m": float("nan")}])
def test_contradicting_choices_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InputError, match="expected"):
        SceneSettings(**wrong)
