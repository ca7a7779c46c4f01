"""Scenes on disk: round trips, windows, hostile and damaged files, silence on stderr."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from PIL import Image
from rasterio.errors import NotGeoreferencedWarning

from refinedet.errors import FileError, InputError
from refinedet.raster import BLOCK_PX, RasterInfo, open_scene, write_blocks, write_scene
from refinedet.tiling import Window

UTM = "EPSG:32632"
MATRIX = (10.0, 0.0, 380_000.0, 0.0, -10.0, 6_050_000.0)


def _noise(height: int, width: int, dtype: str = "uint16") -> np.ndarray:
    return np.random.default_rng(7).integers(1, 200, (height, width)).astype(dtype)


def _read_all(path: Path) -> np.ndarray:
    with open_scene(path) as scene:
        return scene.read(Window(0, 0, scene.info.height, scene.info.width))


def _rasterio_write(path: Path, pixels: np.ndarray, **profile: object) -> None:
    count, height, width = pixels.shape
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        shape = {"width": width, "height": height, "count": count, "dtype": pixels.dtype}
        with rasterio.open(path, "w", driver="GTiff", **shape, **profile) as dataset:
            dataset.write(pixels)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
def test_pixels_and_place_come_back(tmp_path: Path, dtype: str) -> None:
    pixels = _noise(300, 500, dtype)
    write_scene(tmp_path / "s.tif", pixels, crs=UTM, transform=MATRIX, nodata=0)
    with open_scene(tmp_path / "s.tif") as scene:
        info = scene.info
        assert (info.width, info.height, info.count, info.dtype, info.nodata) == (500, 300, 1, dtype, 0)
        assert info.transform == MATRIX
        assert "UTM zone 32N" in (info.crs or "")
        assert (scene.read(Window(20, 30, 200, 100)) == pixels[20:220, 30:130]).all()


def test_equal_input_gives_equal_bytes(tmp_path: Path) -> None:
    for name in ("a.tif", "b.tif"):
        write_scene(tmp_path / name, _noise(300, 300), crs=UTM, transform=MATRIX)
    assert (tmp_path / "a.tif").read_bytes() == (tmp_path / "b.tif").read_bytes()


def test_written_block_by_block_reads_as_written_at_once(tmp_path: Path) -> None:
    pixels = _noise(2 * BLOCK_PX + 50, BLOCK_PX + 30)
    info = RasterInfo(pixels.shape[1], pixels.shape[0], 1, "uint16", None, UTM, MATRIX)
    rows = range(0, info.height, BLOCK_PX)
    blocks = ((Window(y, 0, min(BLOCK_PX, info.height - y), info.width), pixels[y : y + BLOCK_PX]) for y in rows)
    write_blocks(tmp_path / "s.tif", info, blocks)
    assert (_read_all(tmp_path / "s.tif") == pixels).all()


def test_no_georeference_is_none_not_identity(tmp_path: Path) -> None:
    write_scene(tmp_path / "s.tif", _noise(20, 20))
    Image.fromarray(_noise(20, 20, "uint8")).save(tmp_path / "s.png")
    for name in ("s.tif", "s.png"):
        with open_scene(tmp_path / name) as scene:
            assert scene.info.transform is None, name
            assert scene.info.crs is None, name


def test_failed_write_leaves_nothing_and_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "s.tif"
    write_scene(path, _noise(40, 40))
    old = path.read_bytes()
    with pytest.raises(InputError, match="reference system"):
        write_scene(path, _noise(40, 40), crs="EPSG:nonsense", transform=MATRIX)
    assert path.read_bytes() == old
    assert [p.name for p in tmp_path.iterdir()] == ["s.tif"]


@pytest.mark.parametrize(
    "pixels", [np.zeros((2, 3, 4), np.uint16), np.zeros((0, 5), np.uint16), np.zeros((3, 3), np.bool_)]
)
def test_what_is_no_band_is_not_written(tmp_path: Path, pixels: np.ndarray) -> None:
    with pytest.raises(InputError, match="expected pixels"):
        write_scene(tmp_path / "s.tif", pixels)


@pytest.mark.parametrize(
    ("max_px", "step"),
    [
        pytest.param(1000, 1, id="fits: every pixel"),
        pytest.param(200, 4, id="thinned"),
        pytest.param(1, 700, id="one pixel"),
    ],
)
def test_sample_picks_every_nth_pixel(tmp_path: Path, max_px: int, step: int) -> None:
    pixels = _noise(530, 700)
    write_scene(tmp_path / "s.tif", pixels)
    with open_scene(tmp_path / "s.tif") as scene:
        assert (scene.sample(max_px) == pixels[::step, ::step]).all()
        with pytest.raises(InputError, match="max_px"):
            scene.sample(0)


@pytest.mark.parametrize("layout", [{}, {"tiled": True, "blockxsize": 256, "blockysize": 256}], ids=["strips", "tiles"])
def test_a_sample_of_a_long_scene_has_all_of_its_few_rows(tmp_path: Path, layout: dict[str, Any]) -> None:
    pixels = _noise(10, 5000)
    _rasterio_write(tmp_path / "s.tif", pixels[None], transform=rasterio.Affine(*MATRIX), **layout)
    with open_scene(tmp_path / "s.tif") as scene:
        assert (scene.sample(100) == pixels[:, ::50]).all()
        assert (scene.sample(1) == pixels[:1, :1]).all()


def test_averaged_overviews_do_not_change_the_sample(tmp_path: Path) -> None:
    pixels = _noise(512, 512)
    write_scene(tmp_path / "s.tif", pixels, crs=UTM, transform=MATRIX)
    with rasterio.open(tmp_path / "s.tif", "r+") as dataset:
        dataset.build_overviews([2, 4], rasterio.enums.Resampling.average)
    with open_scene(tmp_path / "s.tif") as scene:
        assert (scene.sample(128) == pixels[::4, ::4]).all()


@pytest.mark.parametrize(
    "window",
    [
        pytest.param(Window(0, 0, 21, 20), id="too high"),
        pytest.param(Window(0, 10, 5, 11), id="too far right"),
        pytest.param(Window(-1, 0, 5, 5), id="above"),
        pytest.param(Window(0, 0, 0, 5), id="empty"),
    ],
)
def test_windows_must_lie_within_the_scene(tmp_path: Path, window: Window) -> None:
    write_scene(tmp_path / "s.tif", _noise(20, 20))
    with open_scene(tmp_path / "s.tif") as scene, pytest.raises(InputError, match="window within"):
        scene.read(window)


def test_pictures_of_several_kinds(tmp_path: Path) -> None:
    grey, rgb = _noise(30, 40, "uint8"), np.dstack([_noise(30, 40, "uint8")] * 3)
    Image.fromarray(grey).save(tmp_path / "grey.png")
    Image.fromarray(np.dstack([grey, 255 - grey]), "LA").save(tmp_path / "alpha.png")
    Image.fromarray(rgb).save(tmp_path / "rgb.png")
    palette = Image.fromarray(rgb).quantize(16)
    palette.save(tmp_path / "palette.png")
    assert (_read_all(tmp_path / "grey.png") == grey).all()
    assert (_read_all(tmp_path / "alpha.png") == grey).all()
    assert (_read_all(tmp_path / "rgb.png") == rgb).all()
    assert (_read_all(tmp_path / "palette.png") == np.asarray(palette.convert("RGB"))).all()


def test_first_band_of_two_polarisations_and_amplitude_of_complex(tmp_path: Path) -> None:
    both = np.stack([_noise(20, 30), _noise(20, 30) + 5])
    _rasterio_write(tmp_path / "two.tif", both)
    _rasterio_write(tmp_path / "complex.tif", (both[:1] * (3 + 4j)).astype(np.complex64))
    assert (_read_all(tmp_path / "two.tif") == both[0]).all()
    with open_scene(tmp_path / "complex.tif") as scene:
        assert scene.info.dtype == "float32"
    np.testing.assert_allclose(_read_all(tmp_path / "complex.tif"), both[0] * 5.0, rtol=1e-6)


def test_unsupported_pixels_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("refinedet.raster.reader.REAL_TYPES", ("uint8",))  # float16 needs a newer rasterio
    _rasterio_write(tmp_path / "s.tif", np.ones((1, 5, 5), np.int64))
    with pytest.raises(InputError, match="found int64; convert them: gdal_translate"), open_scene(tmp_path / "s.tif"):
        pass


def _text(path: Path) -> None:
    path.write_text("no picture")


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _vrt(path: Path) -> None:
    path.write_text(
        "<VRTDataset rasterXSize='5' rasterYSize='5'><VRTRasterBand dataType='Byte' band='1'/></VRTDataset>"
    )


def _cut_header(path: Path) -> None:
    write_scene(path, _noise(600, 600))
    path.write_bytes(path.read_bytes()[:60])


def _cut_tif(path: Path) -> None:
    write_scene(path, _noise(600, 600))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _cut_png(path: Path) -> None:
    Image.fromarray(_noise(300, 300, "uint8")).save(path, format="PNG")
    path.write_bytes(path.read_bytes()[:20_000])


def _cut_jpeg(path: Path) -> None:
    Image.fromarray(_noise(300, 300, "uint8")).save(path, format="JPEG", quality=95)
    path.write_bytes(path.read_bytes()[:20_000])


@pytest.mark.parametrize(
    ("make", "says"),
    [
        pytest.param(lambda _: None, "found nothing there", id="missing"),
        pytest.param(Path.mkdir, "found a folder", id="folder"),
        pytest.param(_text, "found text", id="text named .tif"),
        pytest.param(_empty, "found an empty file", id="empty"),
        pytest.param(_vrt, "a VRT file", id="VRT, which could read other files"),
        pytest.param(_cut_header, "damaged or cut off", id="GeoTIFF cut in its header"),
        pytest.param(_cut_tif, "damaged or cut off", id="GeoTIFF cut in its pixels"),
        pytest.param(_cut_png, "damaged or cut off", id="PNG cut"),
        pytest.param(_cut_jpeg, "damaged or cut off", id="JPEG cut"),
    ],
)
def test_bad_files_give_one_sentence_and_no_noise(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], make: Callable[[Path], None], says: str
) -> None:
    path = tmp_path / "scene.tif"
    make(path)
    with pytest.raises(FileError, match=says) as caught:
        _read_all(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_remote_and_virtual_names_are_only_names() -> None:
    for name in ("/vsicurl/http://example.org/s.tif", "https://example.org/s.tif", "/vsizip/a.zip/s.tif"):
        with pytest.raises(FileError, match="found nothing there"), open_scene(name):
            pass


def test_side_files_are_ignored(tmp_path: Path) -> None:
    write_scene(tmp_path / "s.tif", _noise(20, 20))
    (tmp_path / "s.tfw").write_text("10\n0\n0\n-10\n500000\n6000000\n")
    (tmp_path / "s.tif.aux.xml").write_text("<PAMDataset><SRS>EPSG:32632</SRS></PAMDataset>")
    with open_scene(tmp_path / "s.tif") as scene:
        assert scene.info.transform is None
        assert scene.info.crs is None


def test_a_band_is_taken_by_number_or_by_its_description(tmp_path: Path) -> None:
    stack = np.stack([_noise(20, 30), _noise(20, 30) + 500])
    _rasterio_write(tmp_path / "two.tif", stack, transform=rasterio.Affine(*MATRIX))
    with rasterio.open(tmp_path / "two.tif", "r+") as dataset:
        dataset.set_band_description(2, "VH")
    window = Window(0, 0, 20, 30)
    for band, index in ((None, 0), (1, 0), ("2", 1), ("vh", 1)):
        with open_scene(tmp_path / "two.tif", band=band) as scene:
            assert (scene.read(window) == stack[index]).all()
    for band in (0, 3, "hv", "-1"):
        with pytest.raises(InputError, match="found 2 bands"), open_scene(tmp_path / "two.tif", band=band):
            pass


def test_a_scene_of_too_many_pixels_is_refused(tmp_path: Path) -> None:
    write_scene(tmp_path / "s.tif", _noise(20, 30))
    many = pytest.raises(InputError, match=r"at most 599 pixels .* found 30 x 20")
    with many, open_scene(tmp_path / "s.tif", max_pixels=599):
        pass
    with open_scene(tmp_path / "s.tif", max_pixels=600):
        pass
