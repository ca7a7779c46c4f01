"""Numbers that a file stores in another way than it says give the same amplitudes as plain ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from refinedet.config.options.detect import SceneSettings
from refinedet.errors import InputError
from refinedet.scene.source import open_source
from refinedet.tiling import Window

SIDE = 256


def _counts() -> np.ndarray:
    counts = 100 * np.sqrt(np.random.default_rng(5).gamma(4.4, 1 / 4.4, (SIDE, SIDE)))
    counts[40:48, 60:80] = np.random.default_rng(6).uniform(1200, 2400, (8, 20))
    return np.asarray(np.rint(counts))


def _write(path: Path, *bands: np.ndarray, photometric: str = "MINISBLACK") -> Path:
    height, width = bands[0].shape
    profile = {"driver": "GTiff", "height": height, "width": width, "count": len(bands), "dtype": bands[0].dtype.name}
    place = {"crs": "EPSG:32632", "transform": rasterio.Affine(10, 0, 500_000, 0, -10, 6_000_000)}
    with rasterio.open(path, "w", photometric=photometric, **profile, **place) as file:
        file.write(np.stack(bands))
    return path


def _parts() -> tuple[np.ndarray, np.ndarray]:
    phase = np.random.default_rng(7).uniform(0, 2 * np.pi, (SIDE, SIDE))
    return np.rint(10 * _counts() * np.cos(phase)), np.rint(10 * _counts() * np.sin(phase))


def _about_the_middle() -> tuple[np.ndarray, ...]:
    return tuple((part + 32768).astype(np.uint16) for part in _parts())


def _signed_parts() -> tuple[np.ndarray, ...]:
    return tuple(part.astype(np.int16).view(np.uint16) for part in _parts())


def _signed_decibels() -> tuple[np.ndarray, ...]:
    return (np.rint(2000 * np.log10(_counts() / 700)).astype(np.int16).view(np.uint16),)


def _decibels_below_zero() -> tuple[np.ndarray, ...]:
    return (np.rint(2000 * np.log10(_counts() / 4000)).astype(np.int16).view(np.uint16),)


def _read(path: Path, **choice: Any) -> tuple[np.ndarray, list[str]]:
    with open_source(path, SceneSettings(**choice)) as reader:
        return np.asarray(reader.read(Window(0, 0, SIDE, SIDE)), np.float64), list(reader.notes)


@pytest.mark.parametrize(
    ("bands", "note"),
    [
        (_about_the_middle, "evenly about 32768"),
        (_signed_parts, "signed ones that were stored as unsigned"),
        (_signed_decibels, "signed ones that were stored as unsigned"),
        (_decibels_below_zero, "signed ones that were stored as unsigned"),
    ],
)
def test_numbers_of_another_type_are_recognised_and_told(
    bands: Callable[[], tuple[np.ndarray, ...]], note: str, tmp_path: Path
) -> None:
    pixels, notes = _read(_write(tmp_path / "scene.tif", *bands()))
    ratio = pixels / _counts()
    np.testing.assert_allclose(ratio, np.median(ratio), rtol=0.05)
    assert any(note in one for one in notes)


@pytest.mark.parametrize("dtype", ["uint16", "int16"])
def test_exchanged_bytes_are_put_right_and_told(dtype: str, tmp_path: Path) -> None:
    counts = np.rint(3 * _counts()).astype(dtype)
    path = _write(tmp_path / "scene.tif", counts.byteswap())
    pixels, notes = _read(path)
    np.testing.assert_array_equal(pixels, counts)
    assert any("bytes of its whole numbers look exchanged" in note for note in notes)
    if dtype == "uint16":
        np.testing.assert_array_equal(_read(path, values="amplitude")[0], counts.byteswap())


@pytest.mark.parametrize(
    "counts",
    [
        *(_counts(), 3 * _counts(), np.rint(_counts() ** 2 / 1000)),
        *(factor * (_counts() / 10).round() for factor in (256, 256.5, 257)),
    ],
    ids=["plain", "larger", "small", "8 bits times 256", "8 bits times 256.5", "8 bits times 257"],
)
def test_bytes_that_may_be_in_order_stay_so(counts: np.ndarray, tmp_path: Path) -> None:
    _, notes = _read(_write(tmp_path / "scene.tif", counts.astype(np.uint16)))
    assert not any("look exchanged" in note for note in notes)


def test_stated_amplitude_is_read_as_the_file_says(tmp_path: Path) -> None:
    pixels, notes = _read(_write(tmp_path / "scene.tif", *_signed_decibels()), values="amplitude")
    assert pixels.max() > 60_000
    assert not any("signed" in one for one in notes)


def test_plain_counts_up_to_both_ends_stay_as_they_are(tmp_path: Path) -> None:
    counts = _counts().astype(np.uint16)
    counts[100:110, 100:110] = 65535
    pixels, notes = _read(_write(tmp_path / "scene.tif", counts))
    assert not any("signed" in one for one in notes)
    assert pixels[0, 0] == counts[0, 0]


@pytest.mark.parametrize(
    ("stored", "choice"),
    [
        (lambda counts: (65535 - counts).astype(np.uint16), {}),
        (lambda counts: (3000 - counts).astype(np.float32), {}),
        (lambda counts: (-20 * np.log10(counts / 700)).astype(np.float32), {"values": "db"}),
        (lambda counts: (255 - np.clip(counts / 10, 0, 255)).astype(np.uint8), {"values": "amplitude"}),
    ],
    ids=["uint16", "float32", "decibels without their sign", "8 bits"],
)
def test_inverted_greys_have_bright_ships_again(
    stored: Callable[[np.ndarray], np.ndarray], choice: dict[str, str], tmp_path: Path
) -> None:
    path = _write(tmp_path / "scene.tif", stored(_counts()))
    pixels, _ = _read(path, inverted="on", **choice)
    counts = _counts()
    assert pixels[40:48, 60:80].min() > 3 * np.median(pixels)
    assert np.corrcoef(pixels.ravel(), counts.ravel())[0, 1] > 0.9


def test_inverted_decibels_in_8_bits_are_told(tmp_path: Path) -> None:
    levels = np.linspace(60, 160, SIDE * 3)[:, None]
    counts = levels * np.sqrt(np.random.default_rng(8).gamma(4.4, 1 / 4.4, (SIDE * 3, SIDE * 3)))
    grey = np.rint(255 * (20 * np.log10(np.clip(counts / 700, 1e-3, None)) + 35) / 35).clip(0, 255).astype(np.uint8)
    assert not any("grows less" in note for note in _read(_write(tmp_path / "plain.tif", grey))[1])
    assert any("`inverted` to on" in note for note in _read(_write(tmp_path / "scene.tif", 255 - grey))[1])


def test_decibels_without_their_sign_in_8_bits_are_told_and_read_once_inverted(tmp_path: Path) -> None:
    levels = np.linspace(30, 160, SIDE * 3)[:, None]
    looks = np.linspace(3, 5.5, SIDE * 3)[:, None]  # dark sea varies more
    counts = levels * np.sqrt(np.random.default_rng(8).gamma(looks, 1 / looks, (SIDE * 3, SIDE * 3)))
    counts[40:48, 60:80] = 650
    grey = np.rint(-20 * np.log10(counts.clip(1) / 700)).clip(0, 255).astype(np.uint8)
    path = _write(tmp_path / "scene.tif", grey)
    assert any("`inverted` to on" in note for note in _read(path)[1])
    pixels, notes = _read(path, inverted="on")
    assert any("its 8 bits look like whole decibels" in note for note in notes)
    assert not any("look inverted" in note for note in notes)
    assert np.ptp(20 * np.log10(pixels) + grey[:SIDE, :SIDE]) == pytest.approx(0, abs=0.01)


def test_amplitude_that_was_inverted_by_mistake_says_how_to_undo_it(tmp_path: Path) -> None:
    levels = np.linspace(40, 160, SIDE * 3)[:, None]
    counts = levels * np.sqrt(np.random.default_rng(8).gamma(4.4, 1 / 4.4, (SIDE * 3, SIDE * 3)))
    notes = _read(_write(tmp_path / "scene.tif", (counts / 2).clip(0, 255).astype(np.uint8)), inverted="on")[1]
    assert any("look inverted" in note and "set `inverted` to off" in note for note in notes)


def test_missing_lines_are_interpolated_whatever_the_window(tmp_path: Path) -> None:
    counts = _counts().astype(np.uint16)
    holed = counts.copy()
    holed[3::8] = 0
    path = _write(tmp_path / "scene.tif", holed)
    pixels, notes = _read(path)
    assert any("whole rows of pixels are missing" in note for note in notes)
    rows = np.arange(3, SIDE - 1, 8)
    mean = np.rint((counts[rows - 1].astype(float) + counts[rows + 1]) / 2)
    np.testing.assert_array_equal(pixels[rows], mean)
    with open_source(path, SceneSettings()) as reader:
        np.testing.assert_array_equal(reader.read(Window(11, 5, 9, 30)), pixels[11:20, 5:35])
    assert (_read(path, nodata=0.0)[0][rows] == 0).all()


def test_colours_cannot_be_inverted(tmp_path: Path) -> None:
    grey = np.clip(_counts() / 10, 0, 255).astype(np.uint8)
    path = _write(tmp_path / "scene.tif", grey, grey, grey, photometric="RGB")
    with (
        pytest.raises(InputError, match="expected grey pixels for `inverted`"),
        open_source(path, SceneSettings(inverted="on")),
    ):
        pass


def test_inverted_amplitudes_at_the_upper_end_are_no_negative_decibels(tmp_path: Path) -> None:
    _, notes = _read(_write(tmp_path / "scene.tif", (65535 - _counts()).astype(np.uint16)))
    assert "signed ones" not in " ".join(notes)
