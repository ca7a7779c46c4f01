"""Rasters as they are read: the same amplitudes and powers of every kind of values, and options that apply or fail."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from PIL import Image

from refinedet.config import TileConfig
from refinedet.config.options.detect import SceneSettings
from refinedet.config.scene import StretchChoice
from refinedet.errors import InputError
from refinedet.raster import write_scene
from refinedet.scene.detect import detect_scene
from refinedet.scene.source import open_source
from tests.conftest import BrightBlobs

_SHIPS = ((40, 60), (150, 200), (220, 30))


def _amplitude() -> np.ndarray:
    pixels = 0.15 * np.sqrt(np.random.default_rng(5).gamma(4.4, 1 / 4.4, (256, 256)))
    for y, x in _SHIPS:
        pixels[y : y + 8, x : x + 20] = 2.0
    return pixels.astype(np.float32)


def _write(path: Path, *bands: np.ndarray, names: tuple[str, ...] = (), **more: Any) -> Path:
    height, width = bands[0].shape
    profile = {"driver": "GTiff", "height": height, "width": width, "count": len(bands), "dtype": bands[0].dtype.name}
    place = {"crs": "EPSG:32632", "transform": rasterio.Affine(10, 0, 500_000, 0, -10, 6_000_000)}
    with rasterio.open(path, "w", **profile, **place, **more) as file:
        file.write(np.stack(bands))
        if names:
            file.descriptions = names
    return path


def _iq(amplitude: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    phase = np.random.default_rng(6).uniform(0, 2 * np.pi, amplitude.shape)
    return tuple((1e4 * amplitude * part(phase)).round().astype(np.int16) for part in (np.cos, np.sin))  # type: ignore[return-value]  # two


def _of_kind(kind: str, path: Path) -> Path:
    amplitude = _amplitude()
    decibel = 20 * np.log10(amplitude)
    bands = {
        "amplitude": (amplitude,),
        "power": (amplitude**2,),
        "db": (decibel,),
        **{f"db{n}": ((n * decibel).round().astype(np.int16),) for n in (10, 100, 1000)},
        "iq": _iq(amplitude),
    }[kind]
    return _write(path, *bands)


@pytest.mark.parametrize("kind", ["amplitude", "power", "db", "db10", "db100", "db1000", "iq"])
@pytest.mark.parametrize("stated", [False, True], ids=["guessed", "stated"])
def test_every_kind_of_values_is_the_same_scene(kind: str, stated: bool, tmp_path: Path) -> None:
    path = _of_kind(kind, tmp_path / "scene.tif")
    settings = SceneSettings(values=kind if stated else "auto")
    tile = TileConfig(tile_px=128, overlap_px=32)
    found = detect_scene(path, BrightBlobs(), scene=settings, tile=tile)
    expected = detect_scene(_of_kind("amplitude", tmp_path / "plain.tif"), BrightBlobs(), tile=tile)
    assert sorted(found.detections.boxes_xyxy.tolist()) == sorted(expected.detections.boxes_xyxy.tolist())
    assert len(found.detections) == len(_SHIPS)
    contrast, wanted = (np.sort(result.places.contrast_db) for result in (found, expected))
    assert contrast == pytest.approx(wanted, abs=0.1)
    assert found.flags == expected.flags
    assert found.read_as["values"]["kind"] == kind
    assert any("its values are read as" in note for note in found.notes) is not stated


@pytest.mark.parametrize("kind", ["power", "db", "db100", "iq"])
def test_power_is_averaged_under_every_kind(kind: str, tmp_path: Path) -> None:
    halved = SceneSettings(scale=0.5)
    results = [
        detect_scene(_of_kind(one, tmp_path / f"{one}.tif"), BrightBlobs(), scene=halved) for one in (kind, "amplitude")
    ]
    assert results[0].stretch_limits is not None
    assert results[1].stretch_limits is not None
    scale = 1e4 if kind == "iq" else 1
    assert results[0].stretch_limits.high / scale == pytest.approx(results[1].stretch_limits.high, rel=5e-3)


def test_a_fixed_stretch_is_in_the_values_of_the_scene(tmp_path: Path) -> None:
    settings = SceneSettings(stretch=StretchChoice("fixed", -40, 0))
    limits = detect_scene(_of_kind("db", tmp_path / "scene.tif"), BrightBlobs(), scene=settings).stretch_limits
    assert limits is not None
    assert (limits.low, limits.high) == pytest.approx((0.01, 1.0))


def test_the_fill_of_each_kind_stays_missing(tmp_path: Path) -> None:
    amplitude = _amplitude()
    power = amplitude**2
    power[:, :50] = -9999
    decibel = 20 * np.log10(amplitude)
    decibel[:, :50] = 0
    for name, band, nodata in (("power", power, -9999), ("db", decibel, 0)):
        with open_source(_write(tmp_path / f"{name}.tif", band, nodata=nodata)) as reader:
            pixels = reader.read_whole()
        assert np.isnan(pixels[:, :50]).all()
        np.testing.assert_allclose(pixels[:, 50:], amplitude[:, 50:], rtol=1e-4)


def test_power_below_zero_is_dark_and_not_missing(tmp_path: Path) -> None:
    power = _amplitude() ** 2
    with open_source(_write(tmp_path / "scene.tif", power - np.median(power))) as reader:
        pixels = reader.read_whole()
    assert np.isfinite(pixels).all()
    assert (pixels > 0).all()


def test_the_polarisation_is_a_band_of_a_raster(tmp_path: Path) -> None:
    amplitude = _amplitude()
    path = _write(tmp_path / "scene.tif", amplitude / 3, amplitude, names=("VH", "VV"))
    with open_source(path) as reader:
        assert (reader.bands, reader.label, reader.unsearched) == ([2], "vv", "vh")
    with open_source(path, SceneSettings(pol="vh")) as reader:
        assert (reader.bands, reader.label, reader.unsearched) == ([1], "vh", None)
    with pytest.raises(InputError, match="found vh, vv alone"), open_source(path, SceneSettings(pol="hh")):
        pass
    both = SceneSettings(pol="vv", band=1)
    with pytest.raises(InputError, match="expected either `pol` or `band`"), open_source(path, both):
        pass


@pytest.mark.parametrize(
    ("dtype", "values", "message"),
    [
        ("uint8", "db100", "found 8 bits, which cannot hold them"),
        ("float32", "iq", "expected two bands"),
        ("complex64", "power", "found complex pixels"),
    ],
)
def test_values_that_cannot_be_are_an_error(dtype: str, values: str, message: str, tmp_path: Path) -> None:
    path = _write(tmp_path / "scene.tif", (100 * _amplitude()).astype(dtype))
    with pytest.raises(InputError, match=message), open_source(path, SceneSettings(values=values)):
        pass


@pytest.mark.parametrize("nodata", [None, 255])
def test_greys_whose_lowest_value_is_white_are_inverted(nodata: int | None, tmp_path: Path) -> None:
    grey = np.clip(300 * _amplitude(), 1, 255).astype(np.uint8)
    grey[:32] = 1 if nodata is None else 0
    with open_source(
        _write(tmp_path / "s.tif", np.uint8(255) - grey, photometric="MINISWHITE", nodata=nodata)
    ) as reader:
        np.testing.assert_array_equal(reader.read_whole(), grey)
        assert reader.info.nodata == (None if nodata is None else 0)
        assert reader.read_as["inverted"]
        assert "its lowest value is white" in " ".join(reader.notes)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16"])
def test_a_scale_in_the_file_may_give_decibels(dtype: str, tmp_path: Path) -> None:
    amplitude = _amplitude()
    path = _write(tmp_path / "scene.tif", np.rint((20 * np.log10(amplitude) + 50) * 4).astype(dtype))
    with rasterio.open(path, "r+") as file:
        file.scales, file.offsets = [0.25], [-50]
    with open_source(path) as reader:
        np.testing.assert_allclose(reader.read_whole(), amplitude, rtol=0.02)
        assert reader.read_as["values"]["kind"] == "db"


def test_one_part_of_complex_numbers_is_refused(tmp_path: Path) -> None:
    path = _write(tmp_path / "scene.tif", _iq(_amplitude())[0])
    with pytest.raises(InputError, match="like one part of complex numbers"), open_source(path):
        pass
    with open_source(path, SceneSettings(values="amplitude")) as reader:
        assert reader.info.dtype == "int16"


def test_colours_have_no_polarisation_and_no_kind(tmp_path: Path) -> None:
    grey = np.clip(300 * _amplitude(), 0, 255).astype(np.uint8)
    path = _write(tmp_path / "scene.tif", grey, grey, grey)
    with pytest.raises(InputError, match="found a picture in colours"), open_source(path, SceneSettings(pol="vv")):
        pass
    power = SceneSettings(values="power")
    with pytest.raises(InputError, match="found a picture in colours"), open_source(path, power):
        pass


def test_a_product_takes_no_band_and_no_kind_of_values(made_up_product: Any) -> None:
    product = made_up_product(256, 256)
    (product / "measurement").mkdir()
    _write(
        product / "measurement" / "s1a-iw-grd-vv-20200101t000000-20200101t000030-000001-000001-001.tiff", _amplitude()
    )
    for settings, message in ((SceneSettings(band=1), "use `pol`"), (SceneSettings(values="db"), "leave it out")):
        with pytest.raises(InputError, match=message), open_source(product, settings):
            pass


@pytest.mark.parametrize("share", [8, 49, 62, 74])
@pytest.mark.parametrize("hole", [np.nan, 0.0])
def test_decibels_from_which_noise_was_removed_are_decibels_and_their_holes_are_sea(
    share: int, hole: float, tmp_path: Path
) -> None:
    power = np.round(1000 * _amplitude()) ** 2
    power = np.maximum(power - np.percentile(power, share), 0) / 1e6
    stored = np.where(power > 0, 10 * np.log10(np.where(power > 0, power, 1)), hole).astype(np.float32)
    with open_source(_write(tmp_path / "s.tif", stored)) as reader:
        pixels = reader.read_whole()
        assert reader.read_as["values"] == {"kind": "db", "from": "range"}
    np.testing.assert_allclose(pixels, np.sqrt(power), rtol=1e-4, atol=1e-9)


def test_rasters_that_show_no_sea_are_told(tmp_path: Path) -> None:
    height, width = 256, 256
    angles = np.tile(np.linspace(30, 45, width, dtype=np.float32), (height, 1))
    mask = (np.indices((height, width)).sum(axis=0) % 3).astype(np.uint8)
    sea = np.random.default_rng(0).gamma(4.4, 1 / 4.4, (height, width)).astype(np.float32) * 0.02
    for pixels, told in ((angles, True), (mask, True), (sea, False), ((1000 * sea).astype(np.uint8), False)):
        write_scene(tmp_path / "s.tif", pixels)
        with open_source(tmp_path / "s.tif") as reader:
            assert any("does not look like a radar image" in note for note in reader.notes) is told


def test_pictures_in_colours_are_told(tmp_path: Path) -> None:
    grey = np.random.default_rng(0).integers(0, 200, (64, 64, 1), np.uint8)
    for picture, told in (
        (np.repeat(grey, 3, axis=2), False),
        (np.concatenate([grey, 200 - grey, grey], axis=2), True),
    ):
        Image.fromarray(picture).save(tmp_path / "s.png")
        with open_source(tmp_path / "s.png") as reader:
            assert any("it is a picture in colours" in note for note in reader.notes) is told


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("decibels", [False, True])
def test_a_large_grey_picture_in_three_channels_is_read_like_one_in_grey(
    channels: int, decibels: bool, tmp_path: Path
) -> None:
    sea = 20 * np.random.default_rng(0).gamma(4.4, 1 / 4.4, (512, 512)) ** 0.5
    grey = np.clip(np.rint(60 * np.log10(sea) + 50 if decibels else sea), 2, 255).astype(np.uint8)
    shot = np.dstack([grey] * 3 + [np.full_like(grey, 255)] * (channels - 3))
    shot[:8, :8, :3] = 255, 0, 0  # a mark does not make it a picture in colours
    found = {}
    for name, picture in (("grey", grey), ("shot", shot)):
        Image.fromarray(picture).save(tmp_path / f"{name}.png")
        with open_source(tmp_path / f"{name}.png") as reader:
            found[name] = reader.read_whole()[8:]
            assert (reader.read_as["values"]["kind"] == "db") is decibels
            assert any("coloured lines" in note for note in reader.notes) is (name == "shot")
    np.testing.assert_array_equal(found["grey"], found["shot"])


def test_black_beside_hidden_pixels_is_no_speckle(tmp_path: Path) -> None:
    grey = np.clip(20 * np.random.default_rng(0).gamma(4.4, 1 / 4.4, (512, 512)) ** 0.5, 2, 255).astype(np.uint8)
    grey[:, 200:] = np.random.default_rng(1).random((512, 312)) < 0.3  # land of 0 and 1, as after a dark stretch
    Image.fromarray(np.dstack([grey] * 3 + [np.full_like(grey, 255)])).save(tmp_path / "shot.png")
    with open_source(tmp_path / "shot.png") as reader:
        assert reader.read_as["values"]["kind"] == "amplitude"


@pytest.mark.parametrize("dtype", ["int8", "int64", "uint64"])
def test_integers_of_every_width_are_read(dtype: str, tmp_path: Path) -> None:
    amplitude = _amplitude()
    values = np.rint(20 * np.log10(amplitude)) if dtype == "int8" else np.rint(700 * amplitude)
    found = detect_scene(_write(tmp_path / "scene.tif", values.astype(dtype)), BrightBlobs())
    assert len(found.detections) == len(_SHIPS)
    assert found.read_as["values"]["kind"] == ("db" if dtype == "int8" else "amplitude")


def test_three_bands_of_8_bits_are_colours_only_if_the_file_says_so(tmp_path: Path) -> None:
    grey = np.clip(400 * _amplitude(), 1, 255).astype(np.uint8)
    angle = np.tile(np.linspace(30, 46, 256), (256, 1)).astype(np.uint8)
    for photometric, bands in (("MINISBLACK", [3]), ("RGB", [1, 2, 3])):
        path = _write(tmp_path / f"{photometric}.tif", angle, angle, grey, photometric=photometric)
        with open_source(str(path), SceneSettings()) as reader:
            assert reader.read_as["bands"] == bands
