"""Training images of more than 8 bits are read as detection reads them, and the log says as what."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.datasets.image_values import ValueReport, open_image
from refinedet.config.options.detect import SceneSettings
from refinedet.raster import write_scene
from refinedet.scene.source import open_source


def sea(seed: int = 0) -> NDArray[np.float64]:
    """Amplitude of a sea of four looks with a ship, 128 x 128."""
    rng = np.random.default_rng(seed)
    amplitude = np.sqrt(rng.gamma(4.4, 1 / 4.4, (128, 128))) * 0.1
    amplitude[60:66, 50:70] *= 8
    return amplitude


def decibels(seed: int = 0) -> NDArray[np.float32]:
    return (20 * np.log10(sea(seed))).astype(np.float32)


def read(path: Path, **settings: Any) -> NDArray[Any]:
    with open_image(path, SceneSettings(**settings)) as reader:
        return reader.read_whole()


@pytest.mark.parametrize("kind", ["decibels", "power", "amplitude", "counts"])
def test_pixels_are_those_of_detection(tmp_path: Path, kind: str) -> None:
    path, amplitude = tmp_path / "a.tif", sea()
    stored: dict[str, NDArray[Any]] = {
        "decibels": decibels(),
        "power": (amplitude**2).astype(np.float32),
        "amplitude": amplitude.astype(np.float32),
        "counts": (amplitude * 1000).astype(np.uint16),
    }
    write_scene(path, stored[kind])
    with open_source(path) as reader:
        seen = reader.read_whole()
    np.testing.assert_array_equal(read(path), seen)
    if kind != "counts":
        np.testing.assert_allclose(seen, amplitude, rtol=1e-4)


def test_stated_values_replace_the_guess(tmp_path: Path) -> None:
    write_scene(tmp_path / "a.tif", decibels())
    np.testing.assert_array_equal(read(tmp_path / "a.tif", values="amplitude"), decibels())


def test_a_picture_of_8_bits_is_read_as_it_is(tmp_path: Path) -> None:
    grey = np.clip(decibels() * 4 + 200, 0, 255).astype(np.uint8)  # detection takes it for decibels
    write_scene(tmp_path / "a.tif", grey)
    np.testing.assert_array_equal(read(tmp_path / "a.tif"), grey)
    assert read(tmp_path / "a.tif", values="db").dtype == np.float32


def told(caplog: pytest.LogCaptureFixture, *paths: Path) -> list[tuple[str, str]]:
    report = ValueReport()
    for path in paths:
        with open_image(path, SceneSettings()) as reader:
            report.add(path.name, reader)
    caplog.clear()
    with caplog.at_level(logging.INFO):
        report.tell(logging.getLogger("a stage"))
    return [(record.levelname, record.getMessage()) for record in caplog.records]


def test_pictures_that_detection_would_convert_are_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    looks = np.random.default_rng(8).gamma(4.4, 1 / 4.4, (320, 320)) * np.linspace(1, 9, 320)
    power = 10 * np.log10(looks)
    write_scene(tmp_path / "a.tif", np.clip((power + 25) / 40 * 255, 0, 255).astype(np.uint8))
    write_scene(tmp_path / "b.tif", np.clip(np.sqrt(looks) * 40, 0, 255).astype(np.uint8))
    ((level, sentence),) = told(caplog, tmp_path / "a.tif", tmp_path / "b.tif")
    assert level == "WARNING"
    assert sentence.startswith("1 of 2 pictures of 8 bits look like decibels: training uses them as they are")
    assert told(caplog, tmp_path / "b.tif") == []


def test_the_log_says_how_images_are_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_scene(tmp_path / "a.tif", decibels(1))
    write_scene(tmp_path / "b.tif", decibels(2))
    write_scene(tmp_path / "c.tif", (sea() * 1000).astype(np.uint16))
    write_scene(tmp_path / "d.tif", np.ones((64, 64), np.uint8))
    a, b, c, d = (tmp_path / f"{name}.tif" for name in "abcd")
    assert told(caplog, c, d) == [], "amplitudes and pictures of 8 bits need no word"
    sentence = "images are read as in detection: 2 as decibels (such as a.tif); set `values` to change this"
    assert told(caplog, a, b, d) == [("INFO", sentence)]
    ((level, mixed),) = told(caplog, a, b, c)
    assert level == "WARNING"
    assert "1 as amplitude (such as c.tif), 2 as decibels (such as a.tif)" in mixed
