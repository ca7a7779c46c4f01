"""The classical detector: ring statistics against a plain loop, planted ships, and its false alarm rate."""

from __future__ import annotations

import math

import numpy as np
import pytest

from refinedet.cfar import CfarConfig, cfar, contrast
from refinedet.errors import InputError

SMALL = CfarConfig(k=5, guard_px=5, background_px=9, pixels_min=1, close_px=0)


def _slow_contrast(pixels: np.ndarray, valid: np.ndarray, y: int, x: int, config: CfarConfig) -> float:
    reach = config.background_px // 2
    ring = [
        float(pixels[row, column])
        for row in range(max(0, y - reach), min(pixels.shape[0], y + reach + 1))
        for column in range(max(0, x - reach), min(pixels.shape[1], x + reach + 1))
        if max(abs(row - y), abs(column - x)) > config.guard_px // 2 and valid[row, column]
    ]
    return (float(pixels[y, x]) - float(np.mean(ring))) / float(np.std(ring))


def test_contrast_is_that_of_a_plain_loop() -> None:
    rng = np.random.default_rng(1)
    pixels = rng.integers(1, 500, (24, 30)).astype(np.uint16)
    valid = rng.random((24, 30)) > 0.2
    found = contrast(pixels, valid, SMALL)
    for y, x in [(0, 0), (23, 29), (12, 15), (3, 28), (20, 1)]:
        expected = _slow_contrast(pixels, valid, y, x, SMALL) if valid[y, x] else 0.0
        assert found[y, x] == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_planted_ships_are_boxed_exactly() -> None:
    pixels = np.random.default_rng(2).normal(100, 5, (120, 160))
    boxes = [(20, 30, 26, 33), (90, 70, 93, 80), (150, 110, 160, 114)]
    for x1, y1, x2, y2 in boxes:
        pixels[y1:y2, x1:x2] = 400
    config = CfarConfig(k=6, guard_px=21, background_px=41, pixels_min=3, close_px=1)
    found = cfar(pixels, np.ones(pixels.shape, bool), config)
    assert sorted(found.boxes_xyxy.tolist()) == sorted([list(map(float, box)) for box in boxes])


def test_close_parts_are_one_ship_and_the_box_ignores_the_closing() -> None:
    pixels = np.random.default_rng(3).normal(100, 5, (60, 60))
    pixels[30, 20:24] = pixels[30, 27:31] = 400
    parts = [cfar(pixels, np.ones((60, 60), bool), CfarConfig(k=6, pixels_min=2, close_px=n)) for n in (0, 2)]
    assert [len(p) for p in parts] == [2, 1]
    assert parts[1].boxes_xyxy.tolist() == [[20, 30, 31, 31]]


@pytest.mark.parametrize(
    ("kept", "config"),
    [
        pytest.param(0, CfarConfig(pixels_min=7), id="too few pixels"),
        pytest.param(1, CfarConfig(pixels_min=6), id="enough pixels"),
        pytest.param(0, CfarConfig(pixels_min=1, length_max_px=5), id="too long"),
    ],
)
def test_size_filter(kept: int, config: CfarConfig) -> None:
    pixels = np.random.default_rng(4).normal(100, 5, (60, 60))
    pixels[30, 20:26] = 400
    assert len(cfar(pixels, np.ones((60, 60), bool), config)) == kept


def test_false_alarm_rate_on_gaussian_noise_is_the_normal_tail() -> None:
    pixels = np.random.default_rng(5).normal(100, 10, (500, 500))
    strength = contrast(pixels, np.ones((500, 500), bool), CfarConfig())
    expected = 0.5 * math.erfc(2.5 / math.sqrt(2))
    assert float((strength > 2.5).mean()) == pytest.approx(expected, rel=0.1)


def test_gain_does_not_matter_and_nodata_is_no_background() -> None:
    pixels = np.random.default_rng(6).rayleigh(50, (200, 200))
    valid = np.ones((200, 200), bool)
    valid[:, :60] = False
    pixels[~valid] = 0
    strength = contrast(pixels, valid, CfarConfig())
    np.testing.assert_allclose(strength, contrast(pixels * 1000, valid, CfarConfig()), rtol=1e-3, atol=1e-4)
    assert (strength[~valid] == 0).all()
    assert float(strength[:, 60:64].mean()) == pytest.approx(0, abs=0.2), "zeros beside the border would raise it"


@pytest.mark.parametrize("value", [0.0, 100.0])
def test_a_flat_scene_has_no_ships(value: float) -> None:
    assert len(cfar(np.full((100, 100), value), np.ones((100, 100), bool), CfarConfig(pixels_min=1))) == 0


def test_an_all_nodata_scene_has_no_ships() -> None:
    assert len(cfar(np.zeros((100, 100)), np.zeros((100, 100), bool), CfarConfig(pixels_min=1))) == 0


@pytest.mark.parametrize(
    "settings",
    [
        {"guard_px": 75},
        {"guard_px": 44},
        {"background_px": 76},
        {"pixels_min": 0},
        {"k": float("nan")},
        {"close_px": -1},
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(InputError, match="expected"):
        CfarConfig(**settings)
