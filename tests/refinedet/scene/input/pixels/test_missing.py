"""Missing pixels of a scene: stated, declared, found, or zeros that hang together; always told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from numpy.typing import NDArray
from PIL import Image

from refinedet.config import TileConfig, ValueKind
from refinedet.config.options.detect import NoData, SceneSettings, parse_nodata
from refinedet.errors import InputError
from refinedet.radiometry import valid_mask
from refinedet.raster import write_scene
from refinedet.scene.detect import detect_scene
from refinedet.scene.source import open_source
from refinedet.tiling import Window

SHAPE = (240, 320)
HIDDEN = np.zeros(SHAPE, np.bool_)
HIDDEN[:, :97] = True
SHIP = (200, 100, 230, 112)
AMPLITUDE = SceneSettings(values="amplitude")


def sea(dtype: str = "float32", scale: float = 100.0) -> NDArray[Any]:
    values = scale * np.sqrt(np.random.default_rng(2).gamma(4.4, 1 / 4.4, SHAPE))
    return np.maximum(values, 1).astype(dtype)


def denoised(dtype: str = "float32", *, padded: bool = False) -> NDArray[Any]:
    """Sea of which 62 % are exact zeros, with one ship."""
    power = sea("float64") ** 2
    values = np.sqrt(np.maximum(power - np.percentile(power, 62), 0))
    x1, y1, x2, y2 = SHIP
    values[y1:y2, x1:x2] = 600
    values[HIDDEN & padded] = 0
    return values.astype(dtype)


def read(path: Path, settings: SceneSettings = AMPLITUDE) -> tuple[NDArray[np.bool_], Any]:
    """Which pixels were measured, the same through every window, and the reader."""
    with open_source(path, settings) as reader:
        pixels = reader.read_whole()
        for window in (Window(3, 5, 40, 200), Window(100, 80, 140, 33)):
            part = pixels[window.y : window.y + window.height, window.x : window.x + window.width]
            np.testing.assert_array_equal(reader.read(window), part)
        assert pixels.dtype == reader.info.dtype
        return valid_mask(pixels, reader.info.nodata), reader


def write(folder: Path, pixels: NDArray[Any], nodata: float | None = None) -> Path:
    write_scene(folder / "s.tif", pixels, nodata=nodata)
    return folder / "s.tif"


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint16", "uint32"])
@pytest.mark.parametrize("nodata", [None, 0])
def test_scattered_zeros_are_sea_and_padding_is_not(tmp_path: Path, dtype: str, nodata: float | None) -> None:
    valid, reader = read(write(tmp_path, denoised(dtype, padded=True), nodata))
    assert not valid[HIDDEN].any()
    assert valid[:, 112:].all()  # 16 pixels of a cell beside one of padding
    assert reader.read_as["nodata"]["from"] == ("zero padding" if nodata is None else "declared")
    assert reader.read_as["nodata"]["share"] == pytest.approx(HIDDEN.mean(), abs=0.01)
    assert "zeros scattered amid other values" in " ".join(reader.notes)


@pytest.mark.parametrize(
    ("hole", "nodata", "kind"),
    [
        pytest.param(np.nan, None, "amplitude", id="NaN"),
        pytest.param(np.nan, np.nan, "db", id="NaN, declared, in decibels"),
        pytest.param(-np.inf, None, "db", id="logarithm of zero"),
        pytest.param(-9999, -9999, "amplitude", id="declared value"),
        pytest.param(-9999, -9999, "db", id="declared value in decibels"),
        pytest.param(0, 0, "db", id="zero, declared, in decibels"),
        pytest.param(0, None, "db", id="zero in decibels"),
        pytest.param(-9999, -9999, "power", id="declared value in power"),
    ],
)
def test_scattered_holes_are_dark_sea_and_areas_of_them_are_missing(
    tmp_path: Path, hole: float, nodata: float | None, kind: ValueKind
) -> None:
    amplitude = denoised(padded=True)
    dark = amplitude == 0
    values = np.where(dark, 1, amplitude / 1000)
    stored = {"amplitude": values, "power": values**2, "db": 20 * np.log10(values)}[kind].astype(np.float32)
    stored[dark] = hole
    path = write(tmp_path, stored, nodata)
    valid, reader = read(path, SceneSettings(values=kind))
    assert not valid[HIDDEN].any()
    assert valid[:, 112:].all()
    (note,) = [note for note in reader.notes if "scattered amid other values" in note]
    assert note.endswith("set `nodata` to change this")
    assert hole == 0 or reader.read_as["nodata"]["scattered"] > 0.3
    with open_source(path, SceneSettings(values=kind)) as opened:
        pixels = opened.read_whole()
    np.testing.assert_allclose(pixels[~dark], amplitude[~dark] / 1000, rtol=1e-4)
    assert pixels[:, 112:][dark[:, 112:]].max() <= 1e-10


def test_zeros_at_the_top_of_decibels_are_bright_and_areas_of_them_are_missing(tmp_path: Path) -> None:
    decibels = 20 * np.log10(sea() / 1000)
    x1, y1, x2, y2 = SHIP
    decibels[y1:y2, x1:x2] = np.random.default_rng(4).uniform(-2, 6, (y2 - y1, x2 - x1))
    bright = decibels > 0
    stored = np.minimum(decibels, 0).astype(np.float32)
    stored[HIDDEN] = 0
    path = write(tmp_path, stored)
    valid, reader = read(path, SceneSettings(values="db"))
    np.testing.assert_array_equal(valid, ~HIDDEN)
    assert "the brightest pixels are exactly 0: single zeros are taken for bright pixels" in reader.notes[0]
    with open_source(path, SceneSettings(values="db")) as opened:
        pixels = opened.read_whole()
    np.testing.assert_allclose(pixels[bright & ~HIDDEN], 1, rtol=1e-3)


def test_scattered_zeros_amid_complex_pixels_are_sea(tmp_path: Path) -> None:
    stored = denoised(padded=True).astype(np.complex64)
    place = {"crs": "EPSG:32626", "transform": Affine(10, 0, 5e5, 0, -10, 1e6)}
    with rasterio.open(tmp_path / "s.tif", "w", width=320, height=240, count=1, dtype="complex64", **place) as file:
        file.write(stored, 1)
    valid, _ = read(tmp_path / "s.tif", SceneSettings())
    assert not valid[HIDDEN].any()
    assert valid[:, 112:].all()


def test_saturated_ships_of_the_declared_value_are_measured(tmp_path: Path) -> None:
    pixels = sea("uint8", 40.0)
    x1, y1, x2, y2 = SHIP
    pixels[y1:y2, x1:x2:2] = 255
    pixels[HIDDEN] = 255
    valid, reader = read(write(tmp_path, pixels, 255), SceneSettings())
    np.testing.assert_array_equal(valid, ~HIDDEN)
    (note,) = [note for note in reader.notes if "as bright ships do" in note]
    assert note.startswith("the file declares 255 as no data")


def test_holes_are_missing_where_the_user_says_so(tmp_path: Path) -> None:
    pixels = sea()
    holes = np.random.default_rng(3).random(SHAPE) < 0.3
    pixels[holes] = np.nan
    settings = replace(AMPLITUDE, nodata="nan")
    np.testing.assert_array_equal(read(write(tmp_path, pixels), settings)[0], ~holes)


@pytest.mark.parametrize("decibels", [False, True])
def test_pixels_that_were_lost_in_a_bright_sea_are_interpolated(tmp_path: Path, decibels: bool) -> None:
    pixels = 20 * np.log10(sea() / 1000) if decibels else sea()
    holes = np.random.default_rng(3).random(SHAPE) < 0.02
    pixels[holes] = np.nan
    valid, reader = read(write(tmp_path, pixels), SceneSettings(values="db") if decibels else AMPLITUDE)
    assert valid.all()
    assert "as lost pixels do" in reader.notes[0]


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16"])
def test_a_declared_value_of_the_sea_is_missing_in_areas_alone(tmp_path: Path, dtype: str) -> None:
    pixels = (sea("float64") / 10).clip(1, 250).astype(dtype)
    pixels[HIDDEN] = value = int(np.median(pixels))
    valid, reader = read(write(tmp_path, pixels, value))
    assert not valid[HIDDEN].any()
    assert valid[~HIDDEN].mean() > 0.98  # but for single pixels close to the area
    assert "as often as the values beside it" in reader.notes[0]


def test_a_declared_value_that_is_more_frequent_than_its_neighbours_is_missing(tmp_path: Path) -> None:
    pixels = sea("uint16")
    value = int(np.median(pixels))
    holes = np.random.default_rng(3).random(SHAPE) < 0.1
    pixels[holes] = value
    np.testing.assert_array_equal(read(write(tmp_path, pixels, value))[0], pixels != value)


def test_a_slanted_edge_of_missing_pixels_is_no_scattered_hole(tmp_path: Path) -> None:
    pixels, (rows, columns) = sea(), np.indices(SHAPE)
    pixels[rows > 0.3 * columns + 90] = np.nan
    valid, reader = read(write(tmp_path, pixels))
    np.testing.assert_array_equal(valid, np.isfinite(pixels))
    assert reader.notes == ()


@pytest.mark.parametrize(("dtype", "nodata"), [("float32", np.nan), ("float32", -9999), ("uint16", 65535)])
@pytest.mark.parametrize("noisy", [False, True])
def test_zeros_in_areas_are_missing_beside_another_declared_value(
    tmp_path: Path, dtype: str, nodata: float, noisy: bool
) -> None:
    pixels = denoised(dtype, padded=True) if noisy else np.where(HIDDEN, 0, sea(dtype)).astype(dtype)
    pixels[200:, 150:] = nodata
    valid, reader = read(write(tmp_path, pixels, nodata))
    assert not valid[HIDDEN].any()
    assert not valid[200:, 150:].any()
    assert valid[:200, 112:].all()
    assert reader.read_as["nodata"]["others"] == [0]
    assert f"treated as no data, beside the {nodata:g} that the file declares" in " ".join(reader.notes)


@pytest.mark.parametrize("nodata", [None, 0])
def test_zeros_of_padding_alone_are_all_missing(tmp_path: Path, nodata: float | None) -> None:
    pixels = sea("uint16")
    pixels[HIDDEN] = 0
    valid, reader = read(write(tmp_path, pixels, nodata))
    assert (valid == ~HIDDEN).all()
    assert (reader.info.nodata, reader.notes) == (0, ())


@pytest.mark.parametrize(
    ("dtype", "fill"), [("float32", -9999), ("float32", 1e20), ("uint16", 65535), ("int16", -32768)]
)
def test_an_undeclared_fill_is_found_and_told(tmp_path: Path, dtype: str, fill: float) -> None:
    pixels = sea(dtype)
    pixels[HIDDEN] = fill
    valid, reader = read(write(tmp_path, pixels))
    assert (valid == ~HIDDEN).all()
    assert reader.read_as["nodata"]["from"] == "found"
    (note,) = reader.notes
    assert "fills 30 % of the scene in one piece, and is treated as no data; set `nodata` to change this" in note


def test_a_fill_is_found_beside_a_useless_declaration(tmp_path: Path) -> None:
    pixels = sea()
    pixels[HIDDEN] = -9999
    valid, reader = read(write(tmp_path, pixels, nodata=-32768))
    assert (valid == ~HIDDEN).all()
    assert "though the file declares -32768" in reader.notes[0]


@pytest.mark.parametrize(
    ("stated", "hides"), [(7.0, "sevens"), ("nan", "nothing"), ("none", "nothing"), (0.0, "zeros")]
)
@pytest.mark.parametrize("nodata", [None, 0])
def test_what_is_stated_overrules_the_file(tmp_path: Path, stated: NoData, hides: str, nodata: float | None) -> None:
    pixels = sea("float32")
    pixels[HIDDEN] = 0
    pixels[::7, ::9] = 7
    hidden = {"sevens": pixels == 7, "zeros": pixels == 0, "nothing": np.zeros(SHAPE, np.bool_)}[hides]
    valid, reader = read(write(tmp_path, pixels, nodata), replace(AMPLITUDE, nodata=stated))
    assert (valid == ~hidden).all()
    assert reader.read_as["nodata"]["from"] == "stated"


def test_none_holds_for_counts_too(tmp_path: Path) -> None:
    pixels = sea("uint16")
    pixels[HIDDEN] = 0
    assert read(write(tmp_path, pixels, 0), replace(AMPLITUDE, nodata="none"))[0].all()


@pytest.mark.parametrize(("dtype", "stated"), [("uint16", -9999.0), ("uint16", "nan"), ("uint8", 300.0)])
def test_a_value_that_pixels_cannot_hold_is_refused(tmp_path: Path, dtype: str, stated: NoData) -> None:
    path = write(tmp_path, sea(dtype))
    with (
        pytest.raises(InputError, match="expected a `nodata` that pixels of"),
        open_source(path, replace(AMPLITUDE, nodata=stated)),
    ):
        pass


def test_text_of_the_option() -> None:
    assert [parse_nodata(text) for text in ("-9999", "1e20", "NaN", "none")] == [-9999, 1e20, "nan", "none"]
    with pytest.raises(InputError, match="expected `nodata` as a number, nan, or none, found 'zero'"):
        parse_nodata("zero")


@pytest.mark.parametrize("share", [1.0, 0.5])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_black_beside_transparent_pixels_was_measured(tmp_path: Path, mode: str, share: float) -> None:
    grey = np.random.default_rng(3).integers(0, 60, SHAPE).astype(np.uint8)
    opaque = np.full(SHAPE, 255, np.uint8)
    opaque[:, : round(SHAPE[1] * (1 - share))] = 0
    picture = Image.fromarray(grey).convert(mode)
    picture.putalpha(Image.fromarray(opaque))
    picture.save(tmp_path / "s.png")
    valid, reader = read(tmp_path / "s.png", SceneSettings())
    assert (valid == (opaque > 0)).all()
    assert reader.read_as["nodata"]["from"] == "mask"


@pytest.mark.parametrize("kind", ["RGBA", "RGB", "L", "float32", "uint16"])
def test_ships_on_black_sea_are_not_flagged(tmp_path: Path, bright_blobs: Any, kind: str) -> None:
    pixels = np.clip(denoised() / 2.4, 0, 250)
    if kind in ("float32", "uint16"):
        path = write(tmp_path, pixels.astype(kind))
    else:
        path = tmp_path / "s.png"
        Image.fromarray(pixels.astype(np.uint8)).convert(kind).save(path)
    result = detect_scene(path, bright_blobs, scene=AMPLITUDE, tile=TileConfig(tile_px=128, overlap_px=64))
    assert SHIP in [tuple(box) for box in result.detections.boxes_xyxy.tolist()]
    assert {flag for flags in result.flags for flag in flags} <= {"edge", "joined"}
    assert result.dropped == {}
