"""Whole scenes, from the file to ships, with a predictor that sees bright blobs."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from numpy.typing import NDArray
from PIL import Image

from refinedet.config import Radiometry, TileConfig
from refinedet.config.options.land import LandSettings
from refinedet.detections import Detections
from refinedet.errors import FileError, InputError
from refinedet.predictors.predictor import Chip
from refinedet.raster import write_scene
from refinedet.scene.detect import detect_scene
from refinedet.tiling import windows

SHIPS = [(20, 30, 40, 38), (250, 120, 262, 150), (316, 250, 330, 260), (590, 10, 600, 14), (100, 300, 340, 308)]
"""Boxes in a scene of 600 x 400 pixels; the last is longer than the overlap of TILE, the fourth lies at the edge."""
TILE = TileConfig(tile_px=256, overlap_px=64)
UTM = "EPSG:32633"
MATRIX = (10.0, 0.0, 500_000.0, 0.0, -10.0, 5_300_000.0)


def sea(dtype: str = "uint16", *, ships: bool = True, height: int = 400, width: int = 600) -> NDArray[Any]:
    pixels = np.random.default_rng(1).integers(90, 110, (height, width))
    for x1, y1, x2, y2 in SHIPS if ships else []:
        pixels[y1:y2, x1:x2] = 250
    return pixels.astype(dtype)


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    path = tmp_path / "scene.tif"
    write_scene(path, sea(), crs=UTM, transform=MATRIX)
    return path


def boxes(detections: Detections) -> list[tuple[float, ...]]:
    return sorted(tuple(box) for box in detections.boxes_xyxy.tolist())


def test_ships_are_found_through_windows_as_they_are(scene: Path, bright_blobs: Any) -> None:
    result = detect_scene(scene, bright_blobs, tile=TILE)
    assert boxes(result.detections) == sorted(SHIPS)
    flags = {tuple(box): flag for box, flag in zip(result.detections.boxes_xyxy.tolist(), result.flags, strict=True)}
    assert [flags[ship] for ship in SHIPS] == [(), (), (), ("edge",), ("implausible", "joined")]
    assert result.located
    assert result.windows == 6
    assert result.windows_skipped == 0


def test_sizes_and_places_are_on_the_ground(scene: Path, bright_blobs: Any) -> None:
    result = detect_scene(scene, bright_blobs, tile=TILE)
    ship = next(i for i, box in enumerate(result.detections.boxes_xyxy.tolist()) if tuple(box) == SHIPS[0])
    assert result.places.length_m[ship] == pytest.approx(200, rel=0.03)
    assert min(abs(result.places.heading_deg[ship] - d) for d in (0, 90, 180)) < 1.5
    assert result.places.contrast_db[ship] == pytest.approx(8, abs=1)
    assert result.places.width_m[ship] == pytest.approx(80, rel=0.05)
    assert result.places.centres_lonlat[ship] == pytest.approx((15.004, 47.851), abs=0.005)
    assert result.places.corners_lonlat.shape == (len(SHIPS), 4, 2)


@pytest.mark.parametrize("batch_size", [1, 4, 100])
def test_the_batch_size_changes_nothing_but_the_batches(scene: Path, bright_blobs: Any, batch_size: int) -> None:
    result = detect_scene(scene, bright_blobs, tile=TILE, batch_size=batch_size)
    assert boxes(result.detections) == sorted(SHIPS)
    assert max(bright_blobs.batches) == min(batch_size, 6)
    assert sum(bright_blobs.batches) == 6


def test_progress_runs_from_nothing_to_all_windows(scene: Path, bright_blobs: Any) -> None:
    steps: list[tuple[int, int]] = []
    detect_scene(scene, bright_blobs, tile=TILE, batch_size=4, progress=lambda *step: steps.append(step))
    assert steps == [(0, 6), (4, 6), (6, 6)]


def test_a_pixel_has_one_grey_in_all_windows_while_the_stretch_follows_the_sea(
    tmp_path: Path, bright_blobs: Any
) -> None:
    pixels = np.random.default_rng(1).rayleigh(80, (400, 600)) * np.linspace(1, 2, 600)
    write_scene(tmp_path / "scene.tif", pixels.astype(np.uint16))
    result = detect_scene(tmp_path / "scene.tif", bright_blobs, tile=TILE)
    assert result.stretch_limits is not None
    assert result.stretch_limits.levels is not None
    seen = np.full((400, 600), -1)
    for window, chip in zip(windows(600, 400, TILE), bright_blobs.chips, strict=True):
        part = seen[window.y : window.y + window.height, window.x : window.x + window.width]
        np.testing.assert_array_equal(part[part >= 0], chip[part >= 0])
        part[...] = chip
    assert seen[:, 40:140].mean() == pytest.approx(seen[:, 460:560].mean(), rel=0.1)


def test_8_bit_scenes_are_not_stretched(tmp_path: Path, bright_blobs: Any) -> None:
    pixels = sea("uint8", height=200, width=300)
    write_scene(tmp_path / "scene.tif", pixels)
    result = detect_scene(tmp_path / "scene.tif", bright_blobs, tile=TILE)
    np.testing.assert_array_equal(bright_blobs.chips[0], pixels)
    assert result.stretch_limits is None


@pytest.mark.parametrize("suffix", [".jpg", ".png"], ids=["JPEG", "PNG"])
def test_a_picture_of_up_to_one_and_a_half_tiles_is_one_window_in_colour(
    tmp_path: Path, bright_blobs: Any, suffix: str
) -> None:
    pixels = np.repeat(sea("uint8", height=256, width=384)[..., None], 3, axis=2)
    path = tmp_path / f"chip{suffix}"
    Image.fromarray(pixels).save(path, quality=95)
    result = detect_scene(path, bright_blobs, tile=TILE)
    assert [chip.shape for chip in bright_blobs.chips] == [(256, 384, 3)]
    np.testing.assert_array_equal(bright_blobs.chips[0], np.asarray(Image.open(path)))
    assert not result.located
    assert np.isnan(result.places.length_m).all()


def test_a_scene_smaller_than_a_tile_is_one_window(tmp_path: Path, bright_blobs: Any) -> None:
    pixels = sea(ships=False, height=40, width=50)
    pixels[10:15, 10:20] = 250
    write_scene(tmp_path / "small.tif", pixels, crs=UTM, transform=MATRIX)
    result = detect_scene(tmp_path / "small.tif", bright_blobs)
    assert boxes(result.detections) == [(10, 10, 20, 15)]
    assert result.windows == 1


@pytest.mark.parametrize(
    ("dtype", "value", "nodata"),
    [
        pytest.param("uint16", 0, None, id="zeros without a tag, as in a GRD"),
        pytest.param("uint16", 7, 7, id="a tagged value"),
        pytest.param("float32", np.nan, None, id="NaN"),
        pytest.param("uint8", 0, None, id="black 8-bit picture"),
    ],
)
def test_a_scene_without_data_is_skipped_and_empty(
    tmp_path: Path, bright_blobs: Any, dtype: str, value: float, nodata: float | None
) -> None:
    write_scene(tmp_path / "void.tif", np.full((400, 600), value, dtype), nodata=nodata)
    result = detect_scene(tmp_path / "void.tif", bright_blobs, tile=TILE)
    assert len(result.detections) == 0
    assert result.flags == ()
    assert (result.windows, result.windows_skipped) == (6, 6)
    assert bright_blobs.chips == []
    told = "does not look like a radar image" if dtype == "uint8" else "no pixel of the scene holds data, so it was not"
    assert [note for note in result.notes if told in note]


def test_windows_without_data_are_skipped_and_counted(tmp_path: Path, bright_blobs: Any) -> None:
    pixels = sea()
    pixels[:, :300] = 0
    write_scene(tmp_path / "scene.tif", pixels)
    result = detect_scene(tmp_path / "scene.tif", bright_blobs, tile=TILE)
    assert result.windows_skipped == 2
    assert len(bright_blobs.chips) == 4


def test_weak_detections_are_left_out_at_the_end(scene: Path, bright_blobs: Any) -> None:
    bright_blobs.score = 0.4
    assert len(detect_scene(scene, bright_blobs, tile=TILE, score_min=0.5).detections) == 0
    assert len(detect_scene(scene, bright_blobs, tile=TILE, score_min=0.4).detections) == len(SHIPS)


def truncated(path: Path) -> None:
    write_scene(path, np.random.default_rng(0).integers(1, 60_000, (900, 900), dtype=np.uint16))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(Path.exists, id="nothing there"),
        pytest.param(Path.mkdir, id="a folder"),
        pytest.param(lambda path: path.write_text("not a picture"), id="a text file named .tif"),
        pytest.param(lambda path: path.write_bytes(b""), id="an empty file"),
        pytest.param(truncated, id="a GeoTIFF cut in half"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_clear_error(
    tmp_path: Path, bright_blobs: Any, make: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "scene.tif"
    make(path)
    with pytest.raises(FileError, match=r"expected .*scene\.tif"):
        detect_scene(path, bright_blobs, tile=TILE)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("setting", [{"score_min": 1.1}, {"batch_size": 0}], ids=["score above 1", "batch of none"])
def test_settings_out_of_range_are_refused(scene: Path, bright_blobs: Any, setting: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="expected a score within"):
        detect_scene(scene, bright_blobs, **setting)


def polygons(path: Path, shapes: list[Any]) -> Path:
    features = [{"type": "Feature", "geometry": shapely.geometry.mapping(shape)} for shape in shapes]
    named = {"type": "name", "properties": {"name": UTM}}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features, "crs": named}))
    return path


@pytest.fixture
def west(tmp_path: Path) -> LandSettings:
    """Land up to the column 200 of the scene."""
    land = polygons(tmp_path / "west.geojson", [shapely.box(480_000, 5_280_000, 502_000, 5_320_000)])
    return LandSettings(land=land, land_buffer_m=300)


def test_ships_on_land_are_flagged_and_know_how_far_the_coast_is(
    scene: Path, bright_blobs: Any, west: LandSettings
) -> None:
    result = detect_scene(scene, bright_blobs, tile=TILE, land=west)
    by_box = {tuple(box): i for i, box in enumerate(result.detections.boxes_xyxy.tolist())}
    assert [result.flags[by_box[ship]] for ship in SHIPS] == [
        ("land",),
        (),
        (),
        ("edge",),
        ("implausible", "joined", "shore"),
    ]
    coast_m = [result.places.coast_m[by_box[ship]] for ship in SHIPS]
    assert coast_m == pytest.approx([1700, 560, 1230, 3950, 200], rel=0.01)
    assert result.dropped == {}


def test_ships_on_land_and_at_excluded_places_are_dropped_and_counted(
    scene: Path, bright_blobs: Any, west: LandSettings, tmp_path: Path
) -> None:
    platform = polygons(tmp_path / "platforms.geojson", [shapely.Point(503_230, 5_297_475)])
    choice = replace(west, land_mask="drop", exclude=platform, exclude_m=50)
    result = detect_scene(scene, bright_blobs, tile=TILE, land=choice)
    assert boxes(result.detections) == sorted([SHIPS[1], SHIPS[3], SHIPS[4]])
    assert result.dropped == {"excluded": 1, "land": 1}
    assert len(result.flags) == len(result.places.coast_m) == len(result.places.length_m) == 3


def test_windows_all_on_land_are_not_looked_at_where_land_is_dropped(
    scene: Path, bright_blobs: Any, tmp_path: Path
) -> None:
    land = polygons(tmp_path / "land.geojson", [shapely.box(480_000, 5_280_000, 505_000, 5_320_000)])
    result = detect_scene(
        scene, bright_blobs, tile=TILE, land=LandSettings(land_mask="drop", land=land, land_buffer_m=300)
    )
    assert (result.windows, result.windows_skipped, len(bright_blobs.chips)) == (6, 4, 2)
    assert boxes(result.detections) == [(590, 10, 600, 14)]


def test_many_windows_on_land_are_told_where_land_is_flagged(
    scene: Path, bright_blobs: Any, west: LandSettings
) -> None:
    tile = TileConfig(tile_px=64, overlap_px=48)
    flagged, dropped = (
        detect_scene(scene, bright_blobs, tile=tile, land=replace(west, land_mask=mask)) for mask in ("flag", "drop")
    )
    (note,) = [note for note in flagged.notes if "wholly on land" in note]
    skipped = dropped.windows_skipped - flagged.windows_skipped
    assert note.startswith(f"{skipped} of {flagged.windows} windows")
    assert not [note for note in dropped.notes if "wholly on land" in note]


def test_a_file_of_land_that_cannot_be_used_is_told_before_the_work(
    scene: Path, bright_blobs: Any, tmp_path: Path
) -> None:
    (tmp_path / "land.geojson").write_text("no land")
    with pytest.raises(FileError, match=r"land\.geojson"):
        detect_scene(scene, bright_blobs, land=LandSettings(land=tmp_path / "land.geojson"))
    assert bright_blobs.chips == []


class Blind:
    """Keeps nothing and finds nothing."""

    classes = ("ship",)
    radiometry = Radiometry()

    def predict(self, chips: Sequence[Chip]) -> list[Detections]:
        """No ship in any chip."""
        return [Detections.empty() for _ in chips]


def test_memory_does_not_grow_with_the_scene(tmp_path: Path) -> None:
    peaks = []
    for height in (2100, 8400):
        path = tmp_path / f"{height}.tif"
        write_scene(path, np.full((height, 2100), 5, np.uint16))
        tracemalloc.start()
        detect_scene(path, Blind(), batch_size=4)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.1 * peaks[0]
