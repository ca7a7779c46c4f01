"""Kinds of values, told by names, range, sign and speckle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinedet.scene.input.pixels.speckle import calm_cells, symmetric_exponent
from refinedet.scene.input.pixels.values import guess_values, lowest_of_scaled


def power(level: float = 0.02, looks: float = 4.4, seed: int = 0) -> list[np.ndarray]:
    """Blocks of sea in power, with a bright ship in one of them."""
    rng = np.random.default_rng(seed)
    blocks = [level * rng.gamma(looks, 1 / looks, (64, 64)) for _ in range(64)]
    blocks[3][20:24, 30:50] = 50 * level
    return [block.astype(np.float32) for block in blocks]


def amplitude(**how: float) -> list[np.ndarray]:
    return [np.sqrt(block) for block in power(**how)]  # type: ignore[arg-type]  # seed is whole


def decibel(**how: float) -> list[np.ndarray]:
    return [10 * np.log10(block) for block in power(**how)]  # type: ignore[arg-type]  # seed is whole


@given(st.floats(0.002, 0.04), st.floats(1, 20), st.integers(0, 99))
def test_calibrated_seas_are_told_apart_whatever_their_looks(level: float, looks: float, seed: int) -> None:
    how = {"level": level, "looks": looks, "seed": seed}
    assert level < 0.006 or guess_values("float32", amplitude(**how), []).kind == "amplitude"
    assert level > 0.02 or guess_values("float32", power(**how), []).kind == "power"
    assert guess_values("float32", decibel(**how), []).kind == "db"


@given(st.floats(40, 400), st.integers(0, 99))
def test_counts_are_told_apart(counts: float, seed: int) -> None:
    how = {"level": counts**2, "seed": seed}
    assert guess_values("float32", amplitude(**how), []).kind == "amplitude"
    assert guess_values("float32", power(**how), []).kind == "power"


def test_power_below_zero_stays_power() -> None:
    for scale in (1.0, 4e5):
        subtracted = [scale * (block - np.median(block)) for block in power()]
        assert guess_values("float32", subtracted, []).kind == "power"


def test_whole_numbers() -> None:
    assert guess_values("uint16", [np.rint(1e3 * b) for b in power()], []).kind == "amplitude"
    assert guess_values("uint16", [np.rint(1e3 * b) for b in power()], ["Intensity_VV"]).kind == "power"
    assert guess_values("uint8", [np.rint(1e3 * b) for b in power()], ["Intensity_VV"]).kind == "amplitude"
    assert guess_values("int16", [np.rint(1e3 * b) for b in amplitude()], []).kind == "amplitude"
    assert guess_values("int16", [np.rint(b) for b in decibel()], []).kind == "db"
    for steps, kind in ((10, "db10"), (100, "db100"), (1000, "db1000"), (1e5, "amplitude")):
        assert guess_values("int32", [np.rint(steps * b) for b in decibel()], []).kind == kind
    assert guess_values("complex64", [], []).kind == "amplitude"


@pytest.mark.parametrize("factor", [1e2, 1e3, 1e4])
def test_scaled_power_in_floats_is_power_or_told(factor: float) -> None:
    assert guess_values("float32", power(factor * 0.005, looks=2), []).kind == "power"
    doubtful = guess_values("float32", power(factor * 0.005, looks=4.4), [])
    assert doubtful.kind == "power" or "though they may be power" in (doubtful.note() or "")
    few_looks = guess_values("float32", amplitude(level=(factor * 0.005) ** 2, looks=1), [])
    assert (few_looks.kind, few_looks.rival) == ("amplitude", None)


@pytest.mark.parametrize(("steps", "kind"), [(10, "db10"), (100, "db100"), (1000, "db1000")])
@pytest.mark.parametrize("sea_db", [-22.0, -12.0])
def test_floats_may_be_decibels_in_a_smaller_unit(steps: int, kind: str, sea_db: float) -> None:
    shift_db = sea_db - float(np.median(decibel()))
    assert guess_values("float32", [steps * (block + shift_db) for block in decibel()], []).kind == kind


@pytest.mark.parametrize("removed", [5, 30, 60])
@pytest.mark.parametrize(("dtype", "steps", "kind"), [("float32", 1, "db"), ("int16", 100, "db100")])
@pytest.mark.parametrize("words", [[], ["Sigma0_VV_db"]])
def test_a_floor_of_removed_noise_is_no_part_of_the_range(
    removed: int, dtype: str, steps: int, kind: str, words: list[str]
) -> None:
    cut = np.percentile(power(), removed)
    blocks = [np.where(b <= cut, -200, 10 * np.log10(np.maximum(b - cut, 1e-9))) for b in power()]
    assert guess_values(dtype, [np.rint(steps * b) if steps > 1 else b for b in blocks], words).kind == kind


def test_whole_numbers_that_look_like_power_are_told_or_read_so() -> None:
    doubtful = guess_values("uint16", [np.rint(65535 * b) for b in power(looks=6)], [])
    assert (doubtful.kind, doubtful.evidence) == ("amplitude", "usual")
    assert "speckle may be that of power; set `values`" in (doubtful.note() or "")
    assert guess_values("uint16", [np.rint(700 * b) for b in amplitude()], []).note() is None
    wide = guess_values("uint32", [np.rint(b) for b in power(level=1e4)], [])
    assert (wide.kind, wide.evidence) == ("power", "speckle")
    assert guess_values("uint32", [np.rint(b) for b in amplitude(level=1e4)], []).kind == "amplitude"


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (["Sigma0_VV_db"], "db"),
        (["", "dB"], "db"),
        (["Intensity_VV"], "power"),
        (["Sigma0_VV"], "power"),
        (["beta nought"], "power"),
        (["Amplitude_VV"], "amplitude"),
        (["S1A_IW_20200101T000000_DVP_RTC30_G_gpuned_1A2B_VV"], "power"),
        (["S1A_IW_20200101T000000_DVP_RTC30_G_gauned_1A2B_VV"], "amplitude"),
        (["S1A_IW_20200101T000000_DVP_RTC10_G_sdufem_1A2B_VV"], "db"),
    ],
)
def test_a_name_tells_the_kind(words: list[str], kind: str) -> None:
    blocks = {"db": decibel, "power": power, "amplitude": amplitude}[kind]()
    found = guess_values("float32", blocks, words)
    assert (found.kind, found.evidence) == (kind, "name")
    assert "as its name or tags say; set `values` to change this" in (found.note() or "")


def test_a_name_that_the_values_contradict_is_not_believed() -> None:
    assert guess_values("float32", power(), ["Sigma0_VV_db"]).evidence == "speckle"
    assert guess_values("float32", decibel(), ["Amplitude_VV"]).kind == "db"
    assert guess_values("float32", power(), ["db_to_power"]).evidence == "speckle"


@pytest.mark.parametrize("level", [0.02, 0.2, 0.5])
def test_calibrated_backscatter_is_power_whatever_its_level(level: float) -> None:
    assert guess_values("float32", power(level), ["Sigma0_VV"]).kind == "power"
    assert guess_values("float32", decibel(level=level), ["Gamma0_VV"]).kind == "db"
    assert guess_values("float32", amplitude(level=level), ["Sigma0_VV"]).kind == "amplitude"


def test_decibels_under_the_name_of_power_are_decibels() -> None:
    assert guess_values("float32", decibel(), ["Intensity_VV"]).kind == "db"
    subtracted = [block - np.percentile(block, 55) for block in power()]
    found = guess_values("float32", subtracted, ["Intensity_VV"])
    assert (found.kind, found.evidence) == ("power", "name")


def test_the_guess_is_told_unless_the_type_leaves_no_doubt() -> None:
    assert guess_values("uint16", [], []).note() is None
    told = guess_values("float32", power(), []).note()
    assert told == "its values are read as power, by their speckle; set `values` to change this"


def test_nothing_measured_is_amplitude() -> None:
    assert guess_values("float32", [np.full((64, 64), np.nan)], []).kind == "amplitude"
    assert guess_values("float32", [], []).kind == "amplitude"


def test_the_exponent_is_that_of_a_gamma_distribution() -> None:
    for looks in (2.0, 4.4, 20.0):
        cells = calm_cells(power(looks=looks))
        assert cells is not None
        assert symmetric_exponent(cells) == pytest.approx(1 / 3, abs=0.12)
        assert symmetric_exponent(cells / 2) == pytest.approx(2 / 3, abs=0.24)
    assert calm_cells([np.ones((9, 9))]) is None


def test_values_that_were_scaled_for_a_network_have_a_lowest_one() -> None:
    sea = np.stack(amplitude())
    assert lowest_of_scaled((sea - sea.mean()) / sea.std()) == pytest.approx(-sea.mean() / sea.std(), rel=0.3)
    assert lowest_of_scaled(2 * (sea - sea.min()) / np.ptp(sea) - 1) == -1
    for values in (sea, np.stack(decibel()), np.stack(power()) - np.median(power()), np.full((8, 8), np.nan)):
        assert lowest_of_scaled(values) is None


@pytest.mark.parametrize("scale", [1e-6, 1e8])
def test_a_level_that_no_radar_has_says_nothing(scale: float) -> None:
    assert guess_values("float32", [scale * block for block in amplitude()], []).kind == "amplitude"
    assert guess_values("float32", [scale * block for block in power(looks=1)], []).kind == "power"


def test_a_word_in_a_name_is_not_believed_against_the_speckle() -> None:
    assert guess_values("float32", amplitude(), ["wind_power_bay"]).kind == "amplitude"
    subtracted = [block - np.median(block) for block in power()]
    assert guess_values("float32", subtracted, ["export_of_db"]).kind == "power"


def test_whole_numbers_that_vary_more_than_any_amplitude_are_power() -> None:
    few_looks = [np.rint(block) for block in power(level=200, looks=2)]
    for dtype in ("uint16", "int16"):
        guess = guess_values(dtype, few_looks, [])
        assert (guess.kind, guess.evidence) == ("power", "speckle")
    assert guess_values("uint16", few_looks, ["amplitude"]).kind == "amplitude"
    for looks in (1, 4.4):
        assert guess_values("uint16", [np.rint(b) for b in amplitude(level=2e4, looks=looks)], []).note() is None


def test_amplitude_from_which_noise_was_removed_is_not_power() -> None:
    noisy = power(level=2e4, looks=3)
    dark = np.percentile(np.stack(noisy), 50)
    removed = [np.rint(np.sqrt(np.maximum(block - dark, 1))) for block in noisy]
    assert guess_values("uint16", removed, []).kind == "amplitude"


def test_8_bits_of_a_scene_may_be_power_but_a_subtracted_level_is_not() -> None:
    assert guess_values("uint8", [np.clip(np.rint(b), 0, 255) for b in power(level=30, looks=2)], []).kind == "power"
    darkened = [np.clip(np.rint(b - 35), 0, 255) for b in amplitude(level=3600, looks=2)]
    assert guess_values("uint8", darkened, []).kind == "amplitude"
    assert guess_values("uint8", [], []).kind == "amplitude"


def test_signed_whole_numbers_may_be_power() -> None:
    wide = guess_values("int32", [np.rint(block) for block in power(level=1e4)], [])
    assert (wide.kind, wide.evidence) == ("power", "speckle")
    assert guess_values("int16", [np.rint(block) for block in power(level=1e4, looks=6)], []).evidence == "usual"


def test_a_sea_beside_a_city_is_not_doubted() -> None:
    """Where little sea is left, some of the calm cells are rough ones; the calmest are amplitude all the same."""
    rng = np.random.default_rng(8)
    sea = [180 * np.sqrt(rng.gamma(4, 0.25, (64, 64))) for _ in range(5)]
    city = [180 * np.sqrt(rng.gamma(4, 0.25, (64, 64))) * rng.lognormal(1, 0.8, (64, 64)) for _ in range(16)]
    found = guess_values("uint16", [np.rint(block) for block in (*sea, *city)], [])
    assert (found.kind, found.evidence) == ("amplitude", "type")


def _rough() -> list[np.ndarray]:
    """Blocks of power with texture, which lowers the exponent that makes them symmetric."""
    rng = np.random.default_rng(5)
    return [(block * rng.gamma(30, 1 / 30, block.shape)).astype(np.float32) for block in power()]


def test_a_name_of_amplitude_is_not_believed_of_what_varies_like_power() -> None:
    found = guess_values("float32", _rough(), ["Amplitude_VV"])
    assert (found.kind, found.evidence) == ("power", "speckle")
    assert guess_values("float32", [np.sqrt(b) for b in _rough()], ["Amplitude_VV"]).evidence == "name"
    assert guess_values("float32", amplitude(looks=1), ["Amplitude_VV"]).kind == "amplitude"


def test_a_name_of_power_is_doubted_if_level_and_speckle_are_those_of_amplitude() -> None:
    rough = [np.sqrt(block) for block in _rough()]
    for name in ("Sigma0_VV", "intensity"):
        found = guess_values("float32", rough, [name])
        assert (found.kind, found.evidence, found.rival) == ("power", "name", "amplitude")
        told = "its values are read as power, as its name or tags say, though they may be amplitude; set `values`"
        assert (found.note() or "").startswith(told)
        assert guess_values("float32", power(), [name]).rival is None
        assert guess_values("float32", power(level=0.2), [name]).rival is None


def test_power_that_was_cut_off_at_one_is_told() -> None:
    cut = [np.clip(25 * block, 0, 1) for block in power(looks=1.5)]
    found = guess_values("float32", cut, [], has_level=False)
    assert (found.kind, found.rival) == ("amplitude", "power")
    assert "by their speckle, though they may be power; set `values`" in (found.note() or "")
    assert guess_values("float32", amplitude(looks=1), [], has_level=False).rival is None


def test_8_bits_of_power_that_was_cut_off_are_told() -> None:
    cut = [np.clip(np.rint(block), 0, 255) for block in power(level=130, looks=1.6)]
    found = guess_values("uint8", cut, [])
    assert (found.kind, found.evidence) == ("amplitude", "usual")
    assert guess_values("uint8", cut, ["Amplitude_VV"]).evidence == "type"
