"""Decibels above zero, in whatever scale, are told by their speckle; powers of amplitude are left alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from refinedet.config.options.detect import SceneSettings
from refinedet.raster import open_scene, write_scene
from refinedet.scene.input.pixels.squeezed import guess_above_zero, logarithm_slope, slope_above_zero
from refinedet.scene.source import open_source


def squeezed_slope(blocks: list[Any], *, sure: bool = False) -> float | None:
    """Slope of blocks of a raster."""
    return slope_above_zero(guess_above_zero(blocks), sure=sure)


def sea(looks: float = 4.4, side: int = 320) -> NDArray[np.float64]:
    """Amplitude of a sea whose level rises by 4 dB, with a ship."""
    rng = np.random.default_rng(8)
    amplitude = np.sqrt(rng.gamma(looks, 1 / looks, (side, side)) * 10 ** (np.linspace(0, 0.4, side)))
    amplitude[100:108, 40:60] = 20
    return np.asarray(0.1 * amplitude)


def decibels() -> NDArray[np.float64]:
    return np.asarray(20 * np.log10(sea()))


def between(values: NDArray[np.float64], most: float) -> NDArray[np.float64]:
    return np.asarray((values - values.min()) / (values.max() - values.min()) * most)


SCALED = {
    "shifted": ((decibels() + 90).astype(np.float32), 1.0),
    "0 to 1": (between(decibels(), 1).astype(np.float32), np.ptp(decibels())),
    "hundredths": (np.rint(100 * (decibels() + 90)).astype(np.uint16), 0.01),
    "16 bits": (np.rint(between(decibels(), 65535)).astype(np.uint16), np.ptp(decibels()) / 65535),
    "signed": (np.rint(10 * (decibels() + 90)).astype(np.int16), 0.1),
}


@pytest.mark.parametrize("name", SCALED)
def test_decibels_above_zero_are_read_as_decibels_and_told(name: str, tmp_path: Path) -> None:
    pixels, slope = SCALED[name]
    write_scene(tmp_path / "s.tif", pixels)
    with open_source(tmp_path / "s.tif") as reader:
        read = 20 * np.log10(reader.read_whole())
        values = reader.read_as["values"]
        assert (values["kind"], values["from"]) == ("db", "speckle")
        assert values["db_per_unit"] == pytest.approx(slope, rel=0.35)
        assert "its values look like decibels above zero" in reader.notes[-1]
        assert reader.amplitude(float(pixels[5, 5])) == pytest.approx(10 ** (read[5, 5] / 20), rel=1e-3)
    valid = np.isfinite(read)
    assert np.corrcoef(read[valid], decibels()[valid])[0, 1] > 0.999
    assert valid.mean() > 0.999


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("looks", [1.0, 4.4, 20.0])
def test_powers_of_amplitude_are_none(power: float, looks: float) -> None:
    assert squeezed_slope([sea(looks) ** power]) is None
    assert squeezed_slope([np.rint(65535 * between(sea(looks) ** power, 1))]) is None


def test_nothing_and_constants_are_none() -> None:
    assert squeezed_slope([]) is None
    assert squeezed_slope([np.full((320, 320), np.nan)]) is None
    assert squeezed_slope([np.full((320, 320), 7.0)]) is None
    assert squeezed_slope([np.full((5, 5), 7.0)], sure=True) is None


def test_scattered_holes_are_no_evidence() -> None:
    amplitude = sea()
    amplitude[np.random.default_rng(1).random(amplitude.shape) < 0.02] = 0
    assert squeezed_slope([amplitude]) is None


def test_stated_decibels_beyond_any_are_in_a_scale_of_their_own(tmp_path: Path) -> None:
    pixels, slope = SCALED["16 bits"]
    write_scene(tmp_path / "s.tif", pixels)
    with open_source(tmp_path / "s.tif", SceneSettings(values="db")) as reader:
        assert reader.read_as["values"]["from"] == "setting"
        assert reader.read_as["values"]["db_per_unit"] == pytest.approx(slope, rel=0.35)
    with open_source(tmp_path / "s.tif", SceneSettings(values="amplitude")) as reader:
        assert reader.read_as["values"] == {"kind": "amplitude", "from": "setting"}


@pytest.mark.parametrize("kind", ["decibels", "amplitude"])
def test_the_real_port_is_known(sample_data: Path, kind: str, tmp_path: Path) -> None:
    with open_scene(sample_data / "real" / "port_la" / "2021-01-05.tif") as reader:
        db = reader.read_whole().astype(np.float64)
    values = np.where(db == 0, 0, 10 ** (db / 20) if kind == "amplitude" else db + 60)
    write_scene(tmp_path / "s.tif", np.rint(100 * values).clip(0, 65535).astype(np.uint16))
    with open_source(tmp_path / "s.tif") as reader:
        assert reader.read_as["values"]["kind"] == ("db" if kind == "decibels" else "amplitude")


def test_a_drawn_picture_of_few_values_is_no_decibels() -> None:
    drawn = np.full((200, 300), 100, np.uint16)
    drawn[::7, ::5] = 99
    drawn[100:103, 150:153] = 1000
    assert squeezed_slope([drawn]) is None


def test_a_lowest_value_at_which_darker_ones_were_cut_off_is_no_measurement() -> None:
    rng = np.random.default_rng(9)
    level = 10 ** (np.linspace(-2, 4, 1024) / 10)
    decibel = 10 * np.log10(0.02 * rng.gamma(4.4, 1 / 4.4, (512, 1024)) * level)
    cut = np.rint(1000 * (decibel.clip(-20, 0) + 20)) + 1
    assert 0.1 < (cut == 1).mean() < 0.2
    blocks = [cut[:, x : x + 256] for x in range(0, 1024, 256)]
    slope = squeezed_slope(blocks)
    assert slope is not None
    assert 0.001 < slope < 0.002, "as far off as without the cut"


def blocks_of(values: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    return [values[y : y + 64, x : x + 64] for y in range(0, 320, 64) for x in range(0, 320, 64)]


@pytest.mark.parametrize("slope", [10 / np.log(10), 20 / np.log(10), 10.0, 20.0])
def test_logarithms_are_told_from_decibels(slope: float) -> None:
    assert logarithm_slope(blocks_of(decibels() / slope)) == pytest.approx(slope, rel=0.15)


def test_decibels_are_no_other_logarithm_even_if_smoothed() -> None:
    assert logarithm_slope(blocks_of(decibels())) is None
    assert logarithm_slope(blocks_of(uniform_filter(decibels(), 3))) is None
    assert logarithm_slope(blocks_of(20 * np.log10(uniform_filter(sea(), 5)))) is None
    assert logarithm_slope(blocks_of(np.full((320, 320), -17.0))) is None


def test_an_inverted_picture_in_more_than_8_bits_is_told(tmp_path: Path) -> None:
    write_scene(tmp_path / "scene.tif", np.rint(9000 - 1000 * np.minimum(sea(), 0.8) * 10).astype(np.uint16))
    with open_source(str(tmp_path / "scene.tif"), SceneSettings()) as reader:
        assert any("look inverted" in note for note in reader.notes)
        assert reader.read_as["values"]["kind"] == "amplitude"


@pytest.mark.parametrize("unit", [1e4, 1e5, 1e6])
def test_whole_numbers_in_a_small_unit_are_decibels(unit: float, tmp_path: Path) -> None:
    path = tmp_path / "s.tif"
    write_scene(path, np.rint(unit * (decibels() - 20)).astype(np.int32))
    with open_source(path) as reader:
        assert f"its values look like decibels, {1 / unit:.3g} dB to each unit" in " ".join(reader.notes)
