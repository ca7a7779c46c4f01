"""Ghosts of bright land repeat its pattern in the sea; weak ships off a town do not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from refinedet.config.options.detect import SceneSettings
from refinedet.raster import write_scene
from refinedet.scene.sentinel1.ambiguity import displacement
from refinedet.scene.sentinel1.land_ghosts import find_land_ghosts
from refinedet.scene.source import open_source
from tests.refinedet.scene.sentinel1.test_ambiguity import boxes_at, geometry

Power = NDArray[np.float64]
HEIGHT, WIDTH, SHORE = 820, 420, 300


def town(rng: np.random.Generator) -> Power:
    """Bright points on the land, in four quarters of a town."""
    count = int(rng.integers(40, 200))
    quarters = rng.uniform(60, WIDTH - 60, 4)
    x = (quarters[rng.integers(0, 4, count)] + rng.normal(0, 50, count)).clip(2, WIDTH - 3).astype(int)
    y = rng.uniform(60, SHORE - 60, count).astype(int)
    points = np.zeros((HEIGHT, WIDTH))
    points[y, x] = 6 * 10 ** (rng.uniform(15, 45, count) / 10)
    return np.asarray(ndimage.gaussian_filter(points, 0.85))


def ghosts(bright: Power, rng: np.random.Generator) -> Power:
    """First ambiguity of the town in a burst, smeared along the track."""
    rows, columns, tolerance_px = displacement(geometry(steered=True), 1)
    right = round(float(columns[0] + rng.uniform(-0.9, 0.9) * tolerance_px[0]))
    down = int(rows[0] + rng.integers(-3, 4))
    weak = ndimage.uniform_filter1d(bright, int(rng.integers(12, 22)), axis=0) * 10 ** (-rng.uniform(22, 28) / 10)
    found = np.zeros_like(bright)
    found[down:] = np.roll(weak, right, axis=1)[:-down]
    return found


def ships(rng: np.random.Generator) -> Power:
    """Ten weak ships off the town."""
    found = np.zeros((HEIGHT, WIDTH))
    for _ in range(10):
        x, y, turn = rng.uniform(50, WIDTH - 50), rng.uniform(SHORE + 260, HEIGHT - 50), rng.uniform(0, np.pi)
        one = np.zeros_like(found)
        for k in range(int(rng.integers(2, 7))):
            one[int(y + np.sin(turn) * k * 1.5), int(x + np.cos(turn) * k * 1.5)] += rng.exponential()
        one = ndimage.gaussian_filter(one, 0.85)
        found += one / one.max() * 10 ** (rng.uniform(8, 16) / 10)
    return found


def seen(power: Power, rng: np.random.Generator) -> Power:
    land = np.exp(0.7 * ndimage.gaussian_filter(rng.normal(size=(SHORE, WIDTH)), 2) * 7)
    power = power + 1
    power[:SHORE] += 8 * land / land.mean()
    return np.asarray(ndimage.gaussian_filter(power * rng.gamma(4.4, 1 / 4.4, power.shape), 0.5))


def bright_spots(power: Power) -> NDArray[np.float64]:
    """Middles (N, 2) of the ten brightest spots of the sea beyond the reach of the town's shore."""
    smooth = ndimage.gaussian_filter(power, 1.5)
    smooth[: SHORE + 100], smooth[-40:], smooth[:, :40], smooth[:, -40:] = 0, 0, 0, 0
    found = []
    while len(found) < 10 and smooth.max() > 4:
        y, x = np.unravel_index(smooth.argmax(), smooth.shape)
        found.append((x + 0.5, y + 0.5))
        smooth[max(0, y - 20) : y + 21, max(0, x - 12) : x + 13] = 0
    return np.array(found).reshape(-1, 2)


def judged(path: Path, power: Power, contrast_db: float = 12.0) -> NDArray[np.bool_]:
    write_scene(path, (30 * np.sqrt(power)).clip(1, 65535).astype(np.uint16))
    middles = bright_spots(power)
    with open_source(path, SceneSettings()) as reader:
        return find_land_ghosts(
            reader,
            boxes_at(middles, np.full(middles.shape, 12.0)),
            np.full(len(middles), contrast_db),
            geometry(len(middles), steered=True),
            lambda places: places[:, 1] < SHORE,
        )


@pytest.mark.filterwarnings("ignore:Dataset has no geotransform")
def test_ghosts_of_a_town_are_told_and_weak_ships_are_not(tmp_path: Path) -> None:
    told, wrong = [], []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        bright = town(rng)
        told += judged(tmp_path / "a.tif", seen(bright + ghosts(bright, rng), rng)).tolist()
        wrong += judged(tmp_path / "a.tif", seen(bright + ships(rng), rng)).tolist()
    assert len(told) > 15
    assert np.mean(told) > 0.85
    assert len(wrong) > 15
    assert sum(wrong) <= 1


@pytest.mark.filterwarnings("ignore:Dataset has no geotransform")
def test_bright_detections_and_unknown_land_are_left_alone(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    bright = town(rng)
    power = seen(bright + ghosts(bright, rng), rng)
    assert judged(tmp_path / "a.tif", power).any()
    for contrast in (25.0, np.nan):
        assert not judged(tmp_path / "a.tif", power, contrast).any()
    boxes = boxes_at(bright_spots(power), np.full((1, 2), 12.0))
    with open_source(tmp_path / "a.tif", SceneSettings()) as reader:
        for land in (lambda _: None, lambda places: places[:, 1] < -1e6, lambda places: places[:, 1] < 1e6):
            known = geometry(len(boxes), steered=True)
            assert not find_land_ghosts(reader, boxes, np.full(len(boxes), 12.0), known, land).any()
        far = boxes - np.array([0, 1e4, 0, 1e4], np.float32)
        assert not find_land_ghosts(reader, far, np.full(len(far), 12.0), known, lambda p: p[:, 1] < -1e4).any()
