"""Lost pixels differ from a sea without noise: their surroundings are as bright as any."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from scipy import ndimage

from refinedet.raster import open_scene
from refinedet.scene.input.pixels.holes import are_lost, lost_share, scattered_amid, without_lost
from refinedet.scene.input.pixels.missing import settle_missing

SIDE = 300


def sea() -> np.ndarray:
    """Amplitude with the correlated speckle of a detected product."""
    rng = np.random.default_rng(0)
    fields = [ndimage.gaussian_filter(rng.standard_normal((SIDE, SIDE)), 1.0) for _ in range(8)]
    power = np.sum(np.square(fields), axis=0)
    return np.sqrt(power / power.mean()).astype(np.float32)


def lost(values: np.ndarray, share: float, value: float) -> np.ndarray:
    return np.where(np.random.default_rng(1).random(values.shape) < share, np.float32(value), values)


def denoised(values: np.ndarray, share: float, value: float) -> np.ndarray:
    left = np.square(values) - np.quantile(np.square(values), share)
    return np.where(left > 0, np.sqrt(left.clip(0)), np.float32(value))


@pytest.mark.parametrize("value", [0.0, np.nan, -9999.0])
@pytest.mark.parametrize("share", [0.01, 0.2, 0.6])
def test_lost_pixels_are_told_from_removed_noise(share: float, value: float) -> None:
    assert are_lost([lost(sea(), share, value)], value)
    assert not are_lost([denoised(sea(), share, value)], value)


def test_decibels_are_judged_alike() -> None:
    assert are_lost([lost(20 * np.log10(sea()), 0.2, np.nan)], np.nan)


def test_a_value_amid_the_others_is_measured() -> None:
    assert not are_lost([lost(sea() - 1, 0.1, 0.0)], 0.0)


@pytest.mark.parametrize("percentile", [1, 50, 99, 99.8])
def test_a_value_as_frequent_as_its_neighbours_is_measured(percentile: float) -> None:
    counts = (80 * sea()).astype(np.uint16)
    value = int(np.percentile(counts, percentile))
    assert scattered_amid(counts, value, 8) == pytest.approx(np.mean(counts == value), rel=0.1)
    assert scattered_amid(lost(counts, 0.05, value).astype(np.uint16), value, 8) == 0
    assert scattered_amid(counts, int(counts.max()) + 1, 8) == 0


def test_few_pixels_tell_nothing() -> None:
    assert not are_lost([lost(sea(), 0.0005, 0)], 0)
    assert not are_lost([], 0)


@pytest.mark.parametrize(("share", "told"), [(0.001, 0.0), (0.05, 0.05), (0.7, 0.7)])
def test_share_is_of_single_pixels(share: float, told: float) -> None:
    values = sea()
    values[:60, :] = 0
    assert lost_share(lost(values, share, 0.0)[90:], 0.0, 16) == pytest.approx(told, rel=0.1)
    assert lost_share(values, 0.0, 16) == 0


def test_areas_become_whole_without_lost_pixels() -> None:
    values = sea()
    values[:90] = 0
    whole = without_lost(lost(values, 0.1, np.nan), [np.nan])
    assert (whole[:90] == 0).all()
    assert np.isfinite(whole).all()


def written(path: Path, values: np.ndarray, nodata: float | None = None) -> Path:
    height, width = values.shape
    profile = {"driver": "GTiff", "height": height, "width": width, "count": 1, "dtype": values.dtype.name}
    with rasterio.open(path, "w", **profile, nodata=nodata, transform=rasterio.Affine(10, 0, 0, 0, -10, 0)) as file:
        file.write(values, 1)
    return path


@pytest.mark.parametrize(("value", "nodata"), [(0, 0), (0, None), (np.nan, None), (-9999, -9999)])
def test_lost_pixels_are_interpolated_and_told(tmp_path: Path, value: float, nodata: float | None) -> None:
    values = lost(sea() * 500 + 20, 0.2, value)
    with open_scene(written(tmp_path / "a.tif", values.astype("uint16") if value == 0 else values, nodata)) as reader:
        reader.use([1], missing=settle_missing(reader, None))
        pixels = reader.read_whole()
    assert (pixels > 15).mean() > 0.999
    assert "as lost pixels do" in reader.notes[-1]


def test_a_stated_value_is_not_interpolated(tmp_path: Path) -> None:
    with open_scene(written(tmp_path / "a.tif", lost(sea(), 0.2, np.nan))) as reader:
        reader.use([1], missing=settle_missing(reader, float("nan")))
        assert np.isnan(reader.read_whole()).mean() == pytest.approx(0.2, abs=0.02)


def test_padding_beside_lost_pixels_stays_missing(tmp_path: Path) -> None:
    values = sea()
    values[:90] = 0
    with open_scene(written(tmp_path / "a.tif", lost(values, 0.1, np.nan))) as reader:
        reader.use([1], missing=settle_missing(reader, None))
        pixels = reader.read_whole()
    assert not (pixels[:84] > 0).any()
    assert (pixels[96:] > 0).mean() > 0.999
