"""Sigma nought against the formula, written down once more by other means."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from scipy.interpolate import RegularGridInterpolator

from refinedet.errors import FileError
from refinedet.scene.sentinel1.radiometric import RadiometricCalibration, read_noise, read_sigma_nought
from refinedet.tiling import Window


def root_of(path: Path) -> ET.Element:
    return ET.parse(path).getroot()  # noqa: S314 - a sample of our own


@pytest.fixture(scope="module")
def real(sample_data: Path) -> dict[str, ET.Element]:
    folder = next((sample_data / "s1").glob("*.SAFE/annotation/calibration"), None)
    if folder is None:
        pytest.skip(f"no Sentinel-1 metadata under {sample_data / 's1'}; point REFINEDET_DATA at the samples")
    return {kind: root_of(next(folder.glob(f"{kind}-*-vv-*.xml"))) for kind in ("calibration", "noise")}


@pytest.fixture
def made_up(made_up_product: Callable[..., Path]) -> dict[str, ET.Element]:
    folder = made_up_product(400, 600) / "annotation" / "calibration"
    return {kind: root_of(next(folder.glob(f"{kind}-*.xml"))) for kind in ("calibration", "noise")}


def values(element: ET.Element, name: str) -> list[float]:
    return [float(text) for text in element.findtext(name, "").split()]


def noise_at(root: ET.Element, line: int, pixel: int) -> float:
    """Noise power of one pixel, by the letter of the specification."""
    vectors = root.findall("noiseRangeVectorList/noiseRangeVector")
    lines = [int(v.findtext("line", "")) for v in vectors]
    along = [np.interp(pixel, values(v, "pixel"), values(v, "noiseRangeLut")) for v in vectors]
    power = float(np.interp(line, lines, along))
    for block in root.iterfind("noiseAzimuthVectorList/noiseAzimuthVector"):
        top, left, bottom, right = (
            int(block.findtext(edge, ""))
            for edge in ("firstAzimuthLine", "firstRangeSample", "lastAzimuthLine", "lastRangeSample")
        )
        if top <= line <= bottom and left <= pixel <= right:
            power *= float(np.interp(line, values(block, "line"), values(block, "noiseAzimuthLut")))
    return power


# the corners of the raster, the seam of two swaths, and where one of them begins
WINDOWS = [(0, 0), (19_497 - 40, 25_117 - 60), (700, 8430), (1350, 17_240), (9990, 12_345)]


@pytest.mark.parametrize(("y", "x"), WINDOWS)
def test_sigma_nought_of_a_real_product_is_the_formula(real: dict[str, ET.Element], y: int, x: int) -> None:
    vectors = real["calibration"].findall("calibrationVectorList/calibrationVector")
    lines = [int(v.findtext("line", "")) for v in vectors]
    table = RegularGridInterpolator((lines, values(vectors[0], "pixel")), [values(v, "sigmaNought") for v in vectors])
    counts = np.random.default_rng(y).integers(0, 400, (40, 60)).astype(np.uint16)
    grid = np.stack(np.meshgrid(np.arange(y, y + 40), np.arange(x, x + 60), indexing="ij"), axis=-1)
    expected = counts.astype(np.float64) ** 2 / table(grid) ** 2
    calibration = RadiometricCalibration(read_sigma_nought(real["calibration"], "here"))
    window = Window(y, x, 40, 60)
    np.testing.assert_allclose(calibration.sigma0(counts, window), expected, rtol=2e-7)
    np.testing.assert_allclose(calibration.amplitude(counts, window) ** 2, expected, rtol=5e-7)


@pytest.mark.parametrize(("y", "x"), WINDOWS)
def test_noise_of_a_real_product_is_range_times_azimuth(real: dict[str, ET.Element], y: int, x: int) -> None:
    noise = read_noise(real["noise"], "here")
    found = noise.at(np.arange(y, y + 40), np.arange(x, x + 60))
    for row, column in [(0, 0), (39, 59), (20, 25), (12, 26), (13, 21), (18, 22)]:
        assert found[row, column] == pytest.approx(noise_at(real["noise"], y + row, x + column), rel=1e-9)


def test_noise_is_taken_off_in_power_and_a_measured_pixel_stays_one(made_up: dict[str, ET.Element]) -> None:
    table = read_sigma_nought(made_up["calibration"], "here")
    noise = read_noise(made_up["noise"], "here")
    window = Window(100, 280, 20, 40)
    counts = np.full((20, 40), 100, np.uint16)
    counts[0, 0], counts[1, 1] = 0, 5
    plain = RadiometricCalibration(table).sigma0(counts, window)
    clean = RadiometricCalibration(table, noise).sigma0(counts, window)
    power = noise.at(np.arange(100, 120), np.arange(280, 320))
    np.testing.assert_allclose(clean[5:] / plain[5:], 1 - power[5:] / 1e4, rtol=1e-5)
    assert plain[0, 0] == clean[0, 0] == 0
    assert 0 < clean[1, 1] < plain[1, 1]
    step = noise.at(np.array([0]), np.array([299, 300]))[0]  # the block on the right has 1.2 times the noise
    assert step[1] / step[0] == pytest.approx(1.2, rel=0.01)


def test_old_noise_files_have_one_list() -> None:
    vector = "<noiseVector><line>{}</line><pixel>0 10</pixel><noiseLut>{} {}</noiseLut></noiseVector>"
    text = "".join(vector.format(line, line + 1, line + 11) for line in (0, 100))
    noise = read_noise(ET.fromstring(f"<noise><noiseVectorList>{text}</noiseVectorList></noise>"), "here")  # noqa: S314
    assert noise.at(np.array([50]), np.array([5])).tolist() == [[56.0]]


def test_windows_agree_with_the_whole(made_up: dict[str, ET.Element]) -> None:
    calibration = RadiometricCalibration(
        read_sigma_nought(made_up["calibration"], "here"), read_noise(made_up["noise"], "here")
    )
    counts = np.random.default_rng(1).integers(1, 500, (400, 600)).astype(np.uint16)
    whole = calibration.sigma0(counts, Window(0, 0, 400, 600))
    part = calibration.sigma0(counts[133:200, 250:411], Window(133, 250, 67, 161))
    np.testing.assert_array_equal(part, whole[133:200, 250:411])


def test_memory_is_that_of_the_result_and_little_more(made_up: dict[str, ET.Element]) -> None:
    calibration = RadiometricCalibration(
        read_sigma_nought(made_up["calibration"], "here"), read_noise(made_up["noise"], "here")
    )
    counts = np.ones((1200, 5000), np.uint16)
    tracemalloc.start()
    calibration.sigma0(counts, Window(0, 0, 1200, 5000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < counts.size * 4 + 80e6


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("sigmaNought", "1 2"),
        ("sigmaNought", "a b"),
        ("line", ""),
        ("line", "999999"),
        ("pixel", "5"),
        ("pixel", "inf"),
    ],
)
def test_a_damaged_table_is_one_sentence(made_up: dict[str, ET.Element], name: str, text: str) -> None:
    element = made_up["calibration"].find(f"calibrationVectorList/calibrationVector/{name}")
    assert element is not None
    element.text = text
    with pytest.raises(FileError, match=r"^expected vectors .* at here, found .*; the file is damaged"):
        read_sigma_nought(made_up["calibration"], "here")


def test_a_file_without_vectors_or_with_a_factor_of_zero_is_refused(made_up: dict[str, ET.Element]) -> None:
    with pytest.raises(FileError, match="found no 'calibrationVectorList"):
        read_sigma_nought(made_up["noise"], "here")
    for element in made_up["calibration"].iter("sigmaNought"):
        element.text = " ".join("0" for _ in (element.text or "").split())
    with pytest.raises(FileError, match="not above 0"):
        read_sigma_nought(made_up["calibration"], "here")
