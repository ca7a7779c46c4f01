"""8 bits: amplitude or decibels, told by the speckle, and read so."""

from __future__ import annotations

import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from refinedet.config.options.detect import SceneSettings
from refinedet.config.scene import StretchChoice
from refinedet.errors import InputError
from refinedet.raster import open_scene, write_scene
from refinedet.scene.detect import detect_scene
from refinedet.scene.input.pixels.eight_bit import apply_eight_bit, guess_eight_bit
from refinedet.scene.source import open_source
from tests.conftest import BrightBlobs

seeds = st.integers(0, 2**32 - 1)
Grey = NDArray[np.uint8]


def sea(seed: int, looks: float = 4.4, side: int = 256, ramp_db: float = 0.0) -> NDArray[np.float64]:
    """Amplitude of a sea of mean power 1 whose level rises by `ramp_db` from left to right."""
    speckle = np.random.default_rng(seed).gamma(looks, 1 / looks, (side, side))
    return np.asarray(np.sqrt(speckle * 10 ** (np.linspace(0, ramp_db, side) / 10)))


def squeezed(amplitude: NDArray[np.float64], span_db: float, level: float = 128) -> Grey:
    """Amplitude as 8-bit decibels; amplitude 1 becomes `level`."""
    return np.clip(np.rint(20 * np.log10(amplitude) * 255 / span_db + level), 0, 255).astype(np.uint8)


def linear(amplitude: NDArray[np.float64], level: float) -> Grey:
    """Amplitude as 8 bits; amplitude 1 becomes `level`."""
    return np.clip(np.rint(amplitude * level), 0, 255).astype(np.uint8)


def jpeg(picture: Grey, quality: int) -> Grey:
    """Picture after a JPEG file."""
    Image.fromarray(picture).save(file := BytesIO(), "JPEG", quality=quality)
    return np.asarray(Image.open(file))


@settings(max_examples=40)
@given(seeds, st.floats(20, 70), st.floats(100, 170), st.floats(2, 8), st.floats(0, 6))
def test_decibels_are_found_and_their_slope_within_three_tenths(
    seed: int, span_db: float, level: float, looks: float, ramp_db: float
) -> None:
    guess = guess_eight_bit([squeezed(sea(seed, looks, ramp_db=min(ramp_db, span_db / 8)), span_db, level)])
    assert guess.kind == "db", guess
    assert guess.db_per_step * 255 == pytest.approx(span_db, rel=0.3)


@settings(max_examples=40)
@given(seeds, st.floats(10, 160), st.floats(1, 8), st.floats(0, 10), st.sampled_from([0.5, 1.0, 2.0]))
def test_amplitude_its_square_and_its_root_stay(
    seed: int, level: float, looks: float, ramp_db: float, power: float
) -> None:
    amplitude = sea(seed, looks, ramp_db=ramp_db)
    guess = guess_eight_bit([linear(amplitude**power / (amplitude**power).max(), 1.5 * level)])
    assert guess.kind == "amplitude", guess


@pytest.mark.parametrize(("seed", "level", "looks"), [(4017, 10, 2.057), (12, 31.2, 1.69)])
def test_the_root_of_a_flat_sea_stays(seed: int, level: float, looks: float) -> None:
    amplitude = sea(seed, looks) ** 0.5
    assert guess_eight_bit([linear(amplitude / amplitude.max(), 1.5 * level)]).kind == "amplitude"


def test_an_undecided_picture_stays_and_is_told(tmp_path: Path) -> None:
    amplitude = sea(4017, 2.057) ** 0.5
    write_scene(tmp_path / "root.tif", linear(amplitude / amplitude.max(), 15))
    with open_source(tmp_path / "root.tif") as reader:
        assert reader.info.dtype == "uint8"
        (note,) = reader.notes
    assert note.startswith("its 8 bits may be decibels or a root of amplitude")


def test_an_inverted_picture_is_told(tmp_path: Path) -> None:
    write_scene(tmp_path / "dark_ships.tif", np.uint8(255) - linear(sea(3, ramp_db=10), 25))
    with open_source(tmp_path / "dark_ships.tif") as reader:
        assert reader.info.dtype == "uint8"
        (note,) = reader.notes
    assert note.startswith("its greys look inverted")


@settings(max_examples=20)
@given(seeds, st.floats(30, 50), st.integers(85, 100))
def test_jpeg_changes_neither_guess(seed: int, span_db: float, quality: int) -> None:
    assert guess_eight_bit([jpeg(squeezed(sea(seed), span_db), quality)]).kind == "db"
    assert guess_eight_bit([jpeg(linear(sea(seed), 60), quality)]).kind == "amplitude"


def noise_of_a_camera() -> Grey:
    rng = np.random.default_rng(0)
    return np.clip(np.linspace(30, 220, 256) + rng.normal(0, 6, (256, 256)), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((256, 256), np.uint8),
        np.full((256, 256), 255, np.uint8),
        np.tile(np.arange(256, dtype=np.uint8), (256, 1)),
        noise_of_a_camera(),
        squeezed(sea(0, side=64), 40),
        np.zeros((5, 7), np.uint8),
        np.clip(squeezed(sea(0), 40).astype(int) * 3, 0, 255).astype(np.uint8),
    ],
    ids=["black", "white", "ramp", "camera", "chip of 64 pixels", "less than a cell", "cut off at white"],
)
def test_little_evidence_leaves_amplitude(picture: Grey) -> None:
    assert guess_eight_bit([picture]).kind == "amplitude"
    assert guess_eight_bit([]).kind == "amplitude"


def test_ships_coasts_and_a_frame_do_not_hide_decibels() -> None:
    amplitude = sea(1, side=512)
    amplitude[:, 300:] *= 4 * np.random.default_rng(2).lognormal(0, 0.5, (512, 212))
    amplitude[50:55, 60:75] = 40
    picture = squeezed(amplitude, 40)
    picture[:20] = 0
    picture[-20:] = 255
    assert guess_eight_bit([picture]).kind == "db"


def test_the_ssdd_chips_stay_amplitude(mirror: Path) -> None:
    with zipfile.ZipFile(mirror / "SSDD_coco-master.zip") as archive:
        names = [name for name in sorted(archive.namelist()) if name.endswith(".jpg")][::10]
        chips = {name: np.asarray(Image.open(BytesIO(archive.read(name))).convert("L")) for name in names}
    assert len(chips) == 116
    assert [name for name, chip in chips.items() if guess_eight_bit([chip]).kind == "db"] == []


@pytest.mark.parametrize("ends", [(0, 100), (1, 99), (2, 98)])
def test_the_real_port_is_known_for_decibels(sample_data: Path, ends: tuple[float, float]) -> None:
    with open_scene(sample_data / "real" / "port_la" / "2021-01-05.tif") as reader:
        db = reader.read_whole().astype(np.float64)
    low, high = np.percentile(db[db != 0], ends)
    picture = np.where(db != 0, np.clip(np.rint((db - low) * (255 / (high - low))), 0, 255), 0).astype(np.uint8)
    guess = guess_eight_bit([picture])
    assert guess.kind == "db"
    assert guess.db_per_step * 255 == pytest.approx(high - low, rel=0.5)  # a factor of two either way costs no ship


def test_a_picture_in_decibels_is_read_as_amplitude_and_told(tmp_path: Path) -> None:
    amplitude = sea(3)
    write_scene(tmp_path / "db.tif", squeezed(amplitude, 40))
    with open_source(tmp_path / "db.tif") as reader:
        pixels = reader.read_whole()
        assert (reader.info.dtype, reader.info.nodata, pixels.dtype) == ("float32", None, np.float32)
        assert reader.read_as["values"]["kind"] == "db"
        assert reader.read_as["values"]["db_per_step"] == pytest.approx(40 / 255, rel=0.25)
        (note,) = reader.notes
    assert note.startswith("its 8 bits look like decibels over a range of ")
    assert note.endswith(" dB, and are read so; set `values` to change this")
    assert np.corrcoef(pixels.ravel(), amplitude.ravel())[0, 1] > 0.98
    assert pixels.std() / pixels.mean() == pytest.approx(amplitude.std() / amplitude.mean(), rel=0.3)


def test_an_amplitude_picture_is_read_as_it_is(tmp_path: Path) -> None:
    picture = linear(sea(3), 60)
    write_scene(tmp_path / "amplitude.tif", picture)
    with open_source(tmp_path / "amplitude.tif") as reader:
        assert reader.info.dtype == "uint8"
        assert reader.notes == ()
        np.testing.assert_array_equal(reader.read_whole(), picture)


def test_nodata_is_not_measured(tmp_path: Path) -> None:
    picture = squeezed(sea(3), 40)
    picture[:64] = 0
    write_scene(tmp_path / "db.tif", picture, nodata=0)
    with open_source(tmp_path / "db.tif") as reader:
        assert np.isnan(reader.info.nodata or 0)
        np.testing.assert_array_equal(np.isnan(reader.read_whole()), picture == 0)


@pytest.mark.parametrize("channels", [3, 4])
def test_a_grey_screenshot_is_grey(tmp_path: Path, channels: int) -> None:
    shot = np.stack([squeezed(sea(3), 40)] * 3 + [np.full((256, 256), 255, np.uint8)] * (channels - 3), axis=-1)
    Image.fromarray(shot).save(tmp_path / "shot.png")
    with open_source(tmp_path / "shot.png") as reader:
        assert reader.read_whole().shape == (256, 256)
        assert reader.read_as["values"]["kind"] == "db"


def test_colours_stay_as_they_are_and_are_refused_as_decibels(tmp_path: Path) -> None:
    shot = np.stack([squeezed(sea(seed), 40) for seed in range(3)], axis=-1)
    Image.fromarray(shot).save(tmp_path / "shot.png")
    with open_source(tmp_path / "shot.png") as reader:
        np.testing.assert_array_equal(reader.read_whole(), shot)
    with (
        open_scene(tmp_path / "shot.png") as reader,
        pytest.raises(InputError, match="`values` of db"),
    ):
        apply_eight_bit(reader, "db")


def test_a_stated_kind_is_taken(tmp_path: Path) -> None:
    write_scene(tmp_path / "db.tif", squeezed(sea(3), 40))
    with open_scene(tmp_path / "db.tif") as reader:
        apply_eight_bit(reader, "amplitude")
        assert reader.info.dtype == "uint8"
    write_scene(tmp_path / "flat.tif", np.full((40, 40), 255, np.uint8))
    with open_scene(tmp_path / "flat.tif") as reader:
        apply_eight_bit(reader, "db")
        assert reader.read_whole() == pytest.approx(100, rel=0.01)  # 40 dB above grey 0
        assert reader.notes == ("its 8 bits are read as decibels over a range of 40 dB, a span judged by the speckle",)


def test_the_stretch_none_gets_the_stored_values(tmp_path: Path) -> None:
    write_scene(tmp_path / "db.tif", squeezed(sea(3), 40))
    with open_source(tmp_path / "db.tif", SceneSettings(stretch=StretchChoice("none"))) as reader:
        assert reader.info.dtype == "uint8"


def test_the_ends_of_a_fixed_stretch_are_grey_steps(tmp_path: Path) -> None:
    write_scene(tmp_path / "db.tif", squeezed(sea(3), 40))
    with open_source(tmp_path / "db.tif") as reader:
        slope = reader.read_as["values"]["db_per_step"]
        assert reader.amplitude(0) == 1
        assert reader.amplitude(200) == pytest.approx(10 ** (200 * slope / 20), rel=1e-5)


def test_settings_state_the_values_of_a_picture(tmp_path: Path) -> None:
    write_scene(tmp_path / "db.tif", squeezed(sea(3), 40))
    with open_source(tmp_path / "db.tif", SceneSettings(values="amplitude")) as reader:
        assert reader.info.dtype == "uint8"
    Image.fromarray(np.stack([linear(sea(3), 60)] * 3, axis=-1)).save(tmp_path / "amplitude.png")
    with open_source(tmp_path / "amplitude.png", SceneSettings(values="db")) as reader:
        assert reader.info.dtype == "float32"
        assert reader.read_as["values"]["from"] == "setting"


def test_a_large_picture_is_judged_by_blocks_of_all_its_parts(tmp_path: Path) -> None:
    picture = squeezed(sea(3, side=2048), 40)
    picture[:1500] = 0
    write_scene(tmp_path / "db.tif", picture)
    with open_source(tmp_path / "db.tif") as reader:
        assert reader.read_as["values"]["kind"] == "db"


def test_the_network_sees_amplitude(tmp_path: Path, bright_blobs: BrightBlobs) -> None:
    amplitude = sea(3, side=400)
    amplitude[100:110, 200:220] = 60
    write_scene(tmp_path / "db.tif", squeezed(amplitude, 60, 80))
    result = detect_scene(tmp_path / "db.tif", bright_blobs)
    (chip,) = bright_blobs.chips
    assert np.median(chip) < 40  # the sea is dark below a ship of 35 dB, as in the training chips; in decibels 80
    assert result.read_as["values"]["kind"] == "db"
    assert any("decibels over a range of" in note for note in result.notes)
    (box,) = result.detections.boxes_xyxy
    np.testing.assert_array_equal(box, [200, 100, 220, 110])
