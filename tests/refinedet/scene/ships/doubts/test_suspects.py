"""Detections that the pixels of a scene give reason to doubt: flagged in results, and never dropped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from refinedet.boxes import as_boxes
from refinedet.config.options.detect import SceneSettings
from refinedet.config.options.land import LandSettings
from refinedet.raster import write_scene
from refinedet.scene.detect import detect_scene
from refinedet.scene.ships.doubts.suspects import suspects
from refinedet.scene.source import open_source
from refinedet.scene.windows.pixel_size import resample_reader
from tests.refinedet.scene.ships.doubts.test_plausible import bar, ship, speckle, textured

UTM = "EPSG:32631"
SEEN = SceneSettings(gsd_m=10.0)


def write(path: Path, power: np.ndarray, pixel_m: float = 10.0) -> Path:
    amplitude = (30 * np.sqrt(power)).clip(1, 65535).astype(np.uint16)
    write_scene(path, amplitude, crs=UTM, transform=(pixel_m, 0.0, 5e5, 0.0, -pixel_m, 6e6))
    return path


@pytest.fixture
def coast(tmp_path: Path) -> Path:
    """A ship 300 m from land that no coastline knows, and an islet."""
    power = speckle(1) + ship(gain=2000.0)
    power[:, 140:] = 20 * textured()[:, 140:]
    return write(tmp_path / "coast.tif", power + 300 * textured(4) * bar(22, 18, x=40, y=160))


BOXES = as_boxes([[88, 88, 112, 112], [28, 148, 52, 172]])


@pytest.mark.parametrize(
    ("land", "expected"),
    [
        (LandSettings(), (("shore",), ("implausible", "islet"))),
        (LandSettings(land_buffer_m=100.0), ((), ("implausible", "islet"))),
        (LandSettings(land_mask="off"), ((), ("implausible", "islet"))),
    ],
)
def test_reasons_become_flags(coast: Path, land: LandSettings, expected: tuple[tuple[str, ...], ...]) -> None:
    with open_source(coast, SceneSettings()) as reader:
        assert suspects(reader, reader, BOXES, land) == expected
        assert suspects(reader, reader, BOXES[::-1], land) == expected[::-1]


def test_fine_pixels_are_averaged_and_those_that_show_no_ship_are_left_alone(coast: Path, tmp_path: Path) -> None:
    with open_source(coast, SceneSettings()) as reader:
        fine = np.kron(reader.read_whole().astype(np.float64) ** 2, np.ones((4, 4)))
    for pixel_m, expected in ((2.5, "shore"), (400.0, None)):
        made = write(tmp_path / "other.tif", fine / 900, pixel_m)
        with open_source(made, SceneSettings()) as reader:
            found = suspects(reader, reader, BOXES * 4, LandSettings())
        assert (expected in found[0]) if expected else found == ((), ())


def test_results_carry_the_flags_and_nothing_is_dropped(coast: Path, bright_blobs: Any) -> None:
    bright_blobs.threshold = 250
    result = detect_scene(coast, bright_blobs)
    flags = {name for names in result.flags for name in names}
    assert {"shore"} <= flags
    assert not result.dropped


def test_the_islands_of_a_real_port_are_flagged_and_its_ships_are_not(sample_data: Path) -> None:
    folder = sample_data / "real" / "port_la"
    if not folder.is_dir():
        pytest.skip(f"no real port under {folder}; set REFINEDET_DATA to the samples")
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    middles = np.array(truth["ships"] + truth["islands"])
    boxes = as_boxes(np.concatenate([middles - 8, middles + 8], axis=1))
    with open_source(folder / truth["scene"], SceneSettings()) as reader:
        sample = reader.sample()
        seen, _ = resample_reader(reader, SEEN, sample)
        found = suspects(reader, seen, boxes, LandSettings())
    ships = len(truth["ships"])
    assert sum(map(bool, found[:ships])) <= 1
    assert all("islet" in names for names in found[ships:])
