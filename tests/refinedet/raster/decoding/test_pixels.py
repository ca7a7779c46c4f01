"""Hidden pixels of a file: nodata of every kind, alpha, masks, palettes; and true values of scaled pixels."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from PIL import Image
from rasterio.enums import ColorInterp
from rasterio.errors import NotGeoreferencedWarning

from refinedet.radiometry import valid_mask
from refinedet.raster import open_scene
from refinedet.tiling import Window

SHAPE = (20, 30)
HIDDEN = np.zeros(SHAPE, bool)
HIDDEN[:, :10] = True


def _values(dtype: str = "uint16") -> NDArray[Any]:
    return np.random.default_rng(3).integers(1, 120, SHAPE).astype(dtype)


def _write(
    path: Path,
    pixels: NDArray[Any],
    *,
    mask: bool = False,
    alpha: bool = False,
    scale: tuple[float, float] = (1.0, 0.0),
    **profile: Any,
) -> Path:
    bands = pixels if pixels.ndim == 3 else pixels[None]
    count, height, width = bands.shape
    shape = {"width": width, "height": height, "count": count, "dtype": bands.dtype}
    with warnings.catch_warnings(), rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(path, "w", driver="GTiff", **shape, **profile) as dataset:
            if alpha:
                dataset.colorinterp = [*dataset.colorinterp[:-1], ColorInterp.alpha]
            if scale != (1.0, 0.0):
                dataset.scales, dataset.offsets = [scale[0]] * count, [scale[1]] * count
            dataset.write(bands)
            if mask:
                dataset.write_mask(~HIDDEN)
    return path


def _read(path: Path) -> tuple[NDArray[Any], NDArray[np.bool_], float | None]:
    """Pixels, which of them count, and the nodata value of a scene."""
    with open_scene(path) as scene:
        pixels = scene.read(Window(0, 0, *SHAPE))
        part = scene.read(Window(5, 7, 9, 12))
        np.testing.assert_array_equal(part, pixels[5:14, 7:19])
        assert pixels.dtype == scene.info.dtype
        return pixels, valid_mask(pixels, scene.info.nodata), scene.info.nodata


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "uint32", "int32", "float32", "float64", "complex64"])
@pytest.mark.parametrize("how", ["mask", "alpha"])
def test_a_mask_or_alpha_band_hides_pixels_of_any_type(tmp_path: Path, dtype: str, how: str) -> None:
    values = _values(dtype)
    if how == "mask":
        path = _write(tmp_path / "s.tif", values, mask=True)
    else:
        opaque = np.where(HIDDEN, 0, 255).astype(dtype)
        path = _write(tmp_path / "s.tif", np.stack([values, opaque]), alpha=True)
    pixels, valid, _ = _read(path)
    assert (valid == ~HIDDEN).all()
    assert (pixels[~HIDDEN] == np.abs(values[~HIDDEN])).all()


def test_an_alpha_band_and_a_declared_nodata_both_hide(tmp_path: Path) -> None:
    values = _values()
    values[0] = 999
    stack = np.stack([values, np.where(HIDDEN, 0, 65535).astype(np.uint16)])
    _, valid, _ = _read(_write(tmp_path / "s.tif", stack, alpha=True, nodata=999))
    assert not valid[0].any()
    assert (valid[1:] == ~HIDDEN[1:]).all()


def test_a_second_polarisation_is_no_alpha_band(tmp_path: Path) -> None:
    stack = np.stack([_values(), np.where(HIDDEN, 0, 5).astype(np.uint16)])
    assert _read(_write(tmp_path / "s.tif", stack))[1].all()


def test_a_mask_and_a_declared_nodata_both_hide(tmp_path: Path) -> None:
    values = _values()
    values[0] = 999
    _, valid, nodata = _read(_write(tmp_path / "s.tif", values, mask=True, nodata=999))
    assert nodata == 999
    assert not valid[0].any()
    assert (valid[1:] == ~HIDDEN[1:]).all()


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_transparent_pixels_of_a_picture_are_hidden(tmp_path: Path, mode: str) -> None:
    channels = [_values("uint8")] * (len(mode) - 1)
    Image.fromarray(np.dstack([*channels, np.where(HIDDEN, 0, 255).astype(np.uint8)]), mode).save(tmp_path / "s.png")
    pixels, valid, _ = _read(tmp_path / "s.png")
    assert (valid == ~HIDDEN).all()
    assert (pixels[~HIDDEN].reshape(-1, len(channels))[:, 0] == channels[0][~HIDDEN]).all()


def test_palettes_hide_what_is_transparent(tmp_path: Path) -> None:
    indices = np.where(HIDDEN, 3, 1).astype(np.uint8)
    picture = Image.fromarray(indices, "P")
    picture.putpalette([0, 0, 0, 10, 20, 30, 7, 7, 7, 200, 200, 200])
    picture.save(tmp_path / "s.png", transparency=3)
    pixels, valid, _ = _read(tmp_path / "s.png")
    assert (valid == ~HIDDEN).all()
    assert (pixels[~HIDDEN] == (10, 20, 30)).all()


@pytest.mark.parametrize(
    ("dtype", "nodata"), [("uint16", -9999), ("uint16", 1_000_000), ("int16", 1.53125), ("uint8", -100)]
)
def test_a_nodata_that_pixels_cannot_hold_marks_nothing(tmp_path: Path, dtype: str, nodata: float) -> None:
    values = _values(dtype)
    path = _write(tmp_path / "s.tif", values, nodata=1)
    path.write_bytes(_with_nodata(path.read_bytes(), str(nodata).encode()))
    _, valid, found = _read(path)
    assert found is None
    assert valid.all()


def _with_nodata(tiff: bytes, text: bytes) -> bytes:
    """Copy of a file with another text in tag 42113, which GDAL would not write."""
    place = tiff.index((42113).to_bytes(2, "little") + b"\x02\x00")
    count = (len(text) + 1).to_bytes(4, "little")
    offset = len(tiff).to_bytes(4, "little")
    return tiff[: place + 4] + count + offset + tiff[place + 12 :] + text + b"\0"


def test_zero_borders_are_padding_beside_a_useless_nodata(tmp_path: Path) -> None:
    values = np.where(HIDDEN, 0, _values())
    path = _write(tmp_path / "s.tif", values.astype(np.uint16), nodata=1)
    path.write_bytes(_with_nodata(path.read_bytes(), b"-9999"))
    assert (_read(path)[1] == ~HIDDEN).all()


def test_a_scale_may_be_negative(tmp_path: Path) -> None:
    stored = np.full((1, 40, 40), 60, np.uint8)
    pixels, _, _ = _read(_write(tmp_path / "s.tif", stored, scale=(-0.2, 1.0)))
    np.testing.assert_allclose(pixels, -11, rtol=1e-6)


def test_scaled_values_come_out_true_and_their_padding_stays_hidden(tmp_path: Path) -> None:
    stored = np.where(HIDDEN, -32768, _values("int16") * -20).astype(np.int16)
    pixels, valid, _ = _read(_write(tmp_path / "s.tif", stored, scale=(0.01, 1.5), nodata=-32768))
    assert (valid == ~HIDDEN).all()
    np.testing.assert_allclose(pixels[~HIDDEN], stored[~HIDDEN] * 0.01 + 1.5, rtol=1e-6)


def test_complex_pixels_hide_their_nodata_before_they_become_amplitudes(tmp_path: Path) -> None:
    values = _values("float32") * (0.6 + 0.8j)
    values[HIDDEN] = -9999
    values[0, 20], values[0, 21] = np.nan, np.inf
    path = _write(tmp_path / "s.tif", values.astype(np.complex64), nodata=-9999)
    pixels, valid, _ = _read(path)
    expected = ~HIDDEN
    expected[0, 20:22] = False
    assert (valid == expected).all()
    np.testing.assert_allclose(pixels[expected], _values("float32")[expected], rtol=1e-6)


def test_side_files_that_would_hide_pixels_are_not_read(tmp_path: Path) -> None:
    path = _write(tmp_path / "s.tif", _values())
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=False), warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(path, "r+") as dataset:
            dataset.write_mask(~HIDDEN)
    assert (tmp_path / "s.tif.msk").exists()
    assert _read(path)[1].all()
