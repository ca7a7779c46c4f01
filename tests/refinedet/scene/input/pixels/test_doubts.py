"""Notes on pictures that hide ships."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from PIL import Image
from rasterio.errors import NotGeoreferencedWarning
from scipy import ndimage

from refinedet.config.options.detect import SceneSettings
from refinedet.scene.source import open_source

_SIDE = 640
_RAINBOW = {i: (i, abs(2 * i - 255), 255 - i, 255) for i in range(256)}


def _sea() -> NDArray[np.float64]:
    """Amplitude of a sea with ten ships."""
    sea = 40 * np.sqrt(np.random.default_rng(3).gamma(4.4, 1 / 4.4, (_SIDE, _SIDE)))
    for k in range(10):
        sea[60 * k + 20 : 60 * k + 26, 300:318] = 400
    return np.asarray(sea)


def _sea_with_bright_ships() -> NDArray[np.float64]:
    """Amplitude of a sea with twenty ships that are brightest in their middle."""
    sea, rng = _sea().clip(0, 100), np.random.default_rng(4)
    hull = 900 * np.outer(np.hanning(14), np.hanning(24))
    for y, x in rng.integers(10, _SIDE - 40, (20, 2)):
        sea[y : y + 14, x : x + 24] += hull * rng.uniform(0.8, 1.2, hull.shape)
    return np.asarray(sea)


def _notes(folder: Path, pixels: NDArray[Any], *, colours: Any = None, placed: bool = True, **settings: Any) -> str:
    path = folder / "scene.tif"
    place = {"crs": "EPSG:32632", "transform": rasterio.Affine(10, 0, 5e5, 0, -10, 6e6)} if placed else {}
    size = {"height": pixels.shape[-2], "width": pixels.shape[-1], "count": 1, "dtype": pixels.dtype.name}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        file = rasterio.open(path, "w", driver="GTiff", **size, **place)
    with file:
        file.write(pixels, 1)
        if colours is not None:
            file.write_colormap(1, colours)
    with open_source(path, SceneSettings(**settings)) as reader:
        return " ".join(reader.notes)


def test_coloured_frames_on_a_grey_picture_are_told(tmp_path: Path) -> None:
    pixels = np.repeat(_sea().clip(0, 255).astype(np.uint8)[..., None], 3, axis=2)
    for compressed in ("scene.png", "scene.jpg"):
        Image.fromarray(pixels).save(tmp_path / compressed)
        with open_source(tmp_path / compressed) as reader:
            assert not any("coloured" in note for note in reader.notes)
    for k in range(10):
        pixels[60 * k + 16 : 60 * k + 30, 296:298] = 255, 0, 0
    for compressed in ("scene.png", "scene.jpg"):
        Image.fromarray(pixels).save(tmp_path / compressed, quality=85)
        with open_source(tmp_path / compressed) as reader:
            assert any("coloured lines, letters or frames are drawn on it, on 0.0" in note for note in reader.notes)


def test_a_palette_of_colours_is_told_and_one_of_greys_is_not(tmp_path: Path) -> None:
    pixels = _sea().clip(0, 255).astype(np.uint8)
    assert "its palette holds colours, which are read as grey" in _notes(tmp_path, pixels, colours=_RAINBOW)
    greys = {i: (i, i, i, 255) for i in range(256)}
    assert "colours" not in _notes(tmp_path, pixels, colours=greys)


@pytest.mark.parametrize(("percent", "told"), [(98, True), (99.9, False)])
def test_a_bright_end_that_was_cut_off_is_told(tmp_path: Path, percent: float, told: bool) -> None:
    high = np.percentile(_sea(), percent)
    pixels = (255 * (_sea() / high).clip(0, 1)).astype(np.uint8)
    assert ("% of its pixels have its highest value" in _notes(tmp_path, pixels)) is told
    assert "highest value" not in _notes(tmp_path, pixels[:256, :256]), "ships may fill a chip"


@pytest.mark.parametrize("kind", ["amplitude", "power", "db"])
def test_smoothed_speckle_is_told(tmp_path: Path, kind: str) -> None:
    power = _sea() ** 2
    for picture, told in ((power, False), (ndimage.uniform_filter(power, 5), True)):
        made = {"amplitude": np.sqrt(picture), "power": picture, "db": 10 * np.log10(picture) - 50}[kind]
        found = _notes(tmp_path, made.astype(np.float32), values=kind)
        assert ("its calm sea varies by only" in found) is told


def test_natural_logarithms_are_no_smoothed_decibels(tmp_path: Path) -> None:
    logarithms = (2 * np.log(_sea()) - 14).astype(np.float32)
    found = _notes(tmp_path, logarithms)
    assert "its values look like logarithms, 4.34 dB to each unit" in found
    assert "its calm sea varies by only" not in found
    assert "its calm sea varies by only" in _notes(tmp_path, logarithms, values="db")


def test_complex_pixels_of_unknown_size_say_what_to_do(tmp_path: Path) -> None:
    pixels = (_sea() * np.exp(1j)).astype(np.complex64)
    assert "Multilook, then Terrain Correction" in _notes(tmp_path, pixels, placed=False)
    assert "Multilook" not in _notes(tmp_path, pixels)
    assert "Multilook" not in _notes(tmp_path, pixels, placed=False, scale=1.0)


@pytest.mark.parametrize("axis", [0, 1])
def test_speckle_that_reaches_farther_along_one_side_tells_of_oblong_pixels(tmp_path: Path, axis: int) -> None:
    pixels = np.repeat(_sea(), 3, axis=axis)[:_SIDE, :_SIDE].astype(np.uint16)
    longer, shorter = (("columns", "rows"), ("rows", "columns"))[axis]
    told = f"farther along the {longer} than along the {shorter}, as where pixels are not square"
    assert told in _notes(tmp_path, pixels, placed=False)
    assert "not square" not in _notes(tmp_path, pixels)
    assert "not square" not in _notes(tmp_path, pixels, placed=False, scale=1.0)
    assert "not square" not in _notes(tmp_path, _sea().astype(np.uint16), placed=False)


def test_a_root_of_amplitude_in_floats_is_told(tmp_path: Path) -> None:
    sea = _sea() * np.linspace(1, 2, _SIDE)
    assert "in a root (gamma) of amplitude" in _notes(tmp_path, np.sqrt(sea).astype(np.float32))
    assert "gamma" not in _notes(tmp_path, sea.astype(np.float32))


def test_a_frame_in_white_is_told(tmp_path: Path) -> None:
    pixels = _sea().clip(0, 150).astype(np.uint8)
    assert "straight lines are drawn" not in _notes(tmp_path, pixels)
    pixels[100:130, 100:150] = 255
    pixels[102:128, 102:148] = 60
    assert "straight lines are drawn on it, such as frames" in _notes(tmp_path, pixels)
    assert "straight lines are drawn" not in _notes(tmp_path, pixels.astype(np.uint16))


def test_equalised_greys_are_told(tmp_path: Path) -> None:
    ranks = np.argsort(np.argsort(_sea(), axis=None)).reshape(_SIDE, _SIDE)
    assert "after an equalisation of its greys" in _notes(tmp_path, (ranks * 255 // _SIDE**2).astype(np.uint8))


def test_8_bits_that_overflowed_are_told_and_cut_ones_are_not(tmp_path: Path) -> None:
    numbers = _sea_with_bright_ships()
    assert "only the remainder of larger numbers" in _notes(tmp_path, (numbers % 256).astype(np.uint8))
    assert "remainder" not in _notes(tmp_path, numbers.clip(0, 255).astype(np.uint8))
    assert "remainder" not in _notes(tmp_path, (numbers * 255 / numbers.max()).astype(np.uint8))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_negative_decibels_without_a_sign_are_told(tmp_path: Path, dtype: str) -> None:
    decibels = 20 * np.log10(_sea_with_bright_ships() / 100)
    assert "at least 9" in _notes(tmp_path, decibels.clip(0).astype(dtype))


def test_zeros_around_an_image_are_not_told(tmp_path: Path) -> None:
    pixels = np.zeros((_SIDE, _SIDE), np.uint16)
    pixels[300:400, 200:400] = _sea()[300:400, 200:400]
    assert "in all parts" not in _notes(tmp_path, pixels)
