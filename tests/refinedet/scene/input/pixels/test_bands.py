"""Bands by name, else by their pixels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from refinedet.errors import InputError
from refinedet.scene.input.pixels.band_pixels import is_complex_pair, is_image, is_phase, without_contrast
from refinedet.scene.input.pixels.bands import choose_band, name_of, polarisation_of, role_of

HERE = Path("scene.tif")


def speckle(level: float, seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [level * np.sqrt(rng.gamma(4.4, 1 / 4.4, (64, 64))) for _ in range(4)]


def angles() -> list[np.ndarray]:
    return [np.tile(np.linspace(30 + k, 31 + k, 64, dtype=np.float32), (64, 1)) for k in range(4)]


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("VV", "vv"),
        ("Sigma0_VH_db", "vh"),
        ("Intensity_HH", "hh"),
        ("Gamma0_VV_use_local_incidence_angle_from_dem", "vv"),
        ("angle", "angle"),
        ("localIncidenceAngle", "angle"),
        ("projected_local_incidence_angle", "angle"),
        ("LIA", "angle"),
        ("elevation", "height"),
        ("layover_shadow_mask", "mask"),
        ("VV_VH_ratio", "ratio"),
        ("VV/VH", "ratio"),
        ("VVdivVH", "ratio"),
        ("coh_VV", "derived"),
        ("Phase_ifg_VV", "derived"),
        ("VV_count", "derived"),
        ("GLCM_VV", "derived"),
        ("Sigma0_VV_GLCMMean", "derived"),
        ("Sigma0_VV_Contrast", "derived"),
        ("VV_change", "derived"),
        ("i_VV", "i"),
        ("q_VV", "q"),
        ("I", "i"),
        ("Q", "q"),
        ("bands", None),
        ("", None),
        ("Waves", None),
    ],
)
def test_a_name_tells_the_role(name: str, role: str | None) -> None:
    assert role_of(name) == role


def test_a_tag_names_a_band_without_description() -> None:
    assert name_of("", {"Polarisation": "VH"}) == "VH"
    assert name_of("VV", {"long_name": "angle"}) == "VV"
    assert name_of("", {"scale": "1"}) == ""


@pytest.mark.parametrize(
    ("file", "expected"),
    [("port_VV.tif", "vv"), ("s1a-iw-grd-vh-2021.tiff", "vh"), ("S1A_1SDV_2021.tif", None), ("VV_VH.tif", None)],
)
def test_a_file_name_tells_the_polarisation_of_its_only_band(file: str, expected: str | None) -> None:
    assert polarisation_of(Path(file)) == expected


def test_the_named_polarisation_is_taken_and_told() -> None:
    found = choose_band(HERE, ["angle", "VH", "VV"], None, lambda _: pytest.fail("no pixels are needed"))
    assert (found.numbers, found.label, found.unsearched) == ((3,), "vv", "vh")
    assert found.note == "band 3 (VV) is used, not angle"
    assert choose_band(HERE, ["VH", "VV"], None, angles_of).note is None
    asked = choose_band(HERE, ["angle", "VH", "VV"], "vh", angles_of)
    assert (asked.numbers, asked.unsearched) == ((2,), None)


def angles_of(_: int) -> list[np.ndarray]:
    return angles()


def test_a_stack_of_dates_is_told() -> None:
    names = [f"S1A_202401{day:02}_VV" for day in range(1, 11)]
    note = choose_band(HERE, names, None, {}.__getitem__).note or ""
    assert note.startswith("band 1 (S1A_20240101_VV) is used, not S1A_20240102_VV, ")
    assert "S1A_20240105_VV and 5 more; 9 more of vv not searched: if of other dates, name each" in note


def test_a_polarisation_that_is_not_there_is_an_error() -> None:
    with pytest.raises(InputError, match=r"expected a band of polarisation hh in scene\.tif, found vh, vv alone"):
        choose_band(HERE, ["angle", "VH", "VV"], "hh", angles_of)
    with pytest.raises(InputError, match="found no name or tag that tells a polarisation"):
        choose_band(HERE, ["", ""], "vv", angles_of)
    assert choose_band(Path("port_VV.tif"), [""], "vv", angles_of).numbers == (1,)
    with pytest.raises(InputError, match="found vv alone"):
        choose_band(Path("port_VV.tif"), [""], "vh", angles_of)


def test_nameless_bands_are_told_apart_by_their_pixels() -> None:
    bands = {1: angles(), 2: speckle(0.05), 3: speckle(0.2, seed=1)}
    found = choose_band(HERE, ["", "", ""], None, bands.__getitem__)
    assert found.numbers == (3,)
    assert "the brightest image" in (found.note or "")
    in_decibels = {1: [20 * np.log10(b) for b in speckle(0.2)], 2: [20 * np.log10(b) for b in speckle(0.05, seed=1)]}
    assert choose_band(HERE, ["bands", "bands"], None, in_decibels.__getitem__).numbers == (1,)


_FULL_CIRCLE = {"uint16": (0, 65535), "uint8": (0, 255), "float32": (-np.pi, np.pi), "float64": (0, 360)}


@pytest.mark.parametrize("dtype", _FULL_CIRCLE)
def test_a_phase_beside_an_image_is_left_out_and_told(dtype: str) -> None:
    low, high = _FULL_CIRCLE[dtype]
    rng = np.random.default_rng(2)
    phase = [rng.uniform(low, high, (64, 64)).astype(dtype) for _ in range(4)]
    phase[0][:, :16] = 0  # padding
    bands = {1: speckle(0.2), 2: phase}
    found = choose_band(HERE, ["", ""], None, bands.__getitem__)
    assert found.numbers == (1,)
    assert "band 2 is left out, as its values lie evenly on a full circle like a phase" in (found.note or "")


def test_an_image_whose_greys_were_equalised_is_no_phase() -> None:
    blocks = [ndimage.gaussian_filter(block, 0.6) for block in speckle(0.2)]
    ranks = np.argsort(np.argsort(np.stack(blocks), axis=None)).reshape(4, 64, 64) / 64
    assert not is_phase(list(ranks))
    assert is_phase(list(np.random.default_rng(2).permutation(ranks.ravel()).reshape(4, 64, 64)))


@pytest.mark.parametrize("decibels", [False, True])
def test_a_nameless_ratio_of_two_bands_is_no_image(decibels: bool) -> None:
    vv, vh = speckle(0.2), speckle(0.02, seed=1)
    ratio = [a / b for a, b in zip(vv, vh, strict=True)]
    bands = {1: vv, 2: vh, 3: ratio}
    if decibels:
        bands = {number: [20 * np.log10(b) for b in blocks] for number, blocks in bands.items()}
    assert choose_band(HERE, ["", "", ""], None, bands.__getitem__).numbers == (1,)


def test_a_composite_of_whole_numbers_may_scale_its_ratio() -> None:
    vv, vh = ([block**2 for block in made] for made in (speckle(0.2), speckle(0.05, seed=1)))
    ratio = [np.rint(1000 * a / b).astype(np.uint16) for a, b in zip(vv, vh, strict=True)]
    whole = [[np.rint(20_000 * block).astype(np.uint16) for block in made] for made in (vv, vh)]
    bands = {1: whole[0], 2: whole[1], 3: ratio}
    assert choose_band(HERE, ["", "", ""], None, bands.__getitem__).numbers == (1,)


@pytest.mark.parametrize("index", [lambda r: 4 / (1 + r), lambda r: (r - 1) / (r + 1)], ids=["rvi", "ndpi"])
def test_an_index_of_two_bands_is_no_image(index: Callable[[np.ndarray], np.ndarray]) -> None:
    vv, vh = ([block**2 for block in made] for made in (speckle(0.2), speckle(0.05, seed=1)))
    bands = {1: vv, 2: vh, 3: [index(a / b) for a, b in zip(vv, vh, strict=True)]}
    assert choose_band(HERE, ["", "", ""], None, bands.__getitem__).numbers == (1,)


def test_beside_decibels_all_that_is_above_zero_is_another_quantity() -> None:
    decibels = [20 * np.log10(block) for block in speckle(0.1)]
    for other in (speckle(0.3, seed=1), [9 + 20 * np.log10(block / 0.1) for block in speckle(0.1, seed=1)]):
        assert choose_band(HERE, ["", ""], None, {1: other, 2: decibels}.__getitem__).numbers == (2,)


def test_a_covariance_matrix_has_its_powers_searched() -> None:
    bands = {1: speckle(0.02), 4: speckle(0.004, seed=1)}
    found = choose_band(HERE, ["C11", "C12_real", "C12_imag", "C22"], None, bands.__getitem__)
    assert found.numbers == (1,)


def test_complex_parts_are_paired_by_their_polarisation() -> None:
    names = ["i_VH", "q_VH", "i_VV", "q_VV"]
    found = choose_band(HERE, names, None, angles_of)
    assert (found.numbers, found.label, found.unsearched) == ((3, 4), "vv", "vh")
    assert choose_band(HERE, names, "vh", angles_of).numbers == (1, 2)
    with pytest.raises(InputError, match="found vh, vv alone"):
        choose_band(HERE, names, "hh", angles_of)


def test_the_only_band_that_is_no_angle_or_alpha_needs_no_pixels() -> None:
    for names in (["", "alpha"], ["angle", ""]):
        found = choose_band(HERE, names, None, lambda _: pytest.fail("no pixels are needed"))
        assert (found.numbers, found.note) == ((names.index("") + 1,), None)


def test_equally_bright_bands_are_looked_at_from_the_first() -> None:
    bands = {1: speckle(0.2), 2: speckle(0.205, seed=1)}
    assert choose_band(HERE, ["", ""], None, bands.__getitem__).numbers == (1,)


def test_no_band_but_angles_and_masks_is_an_error() -> None:
    mask = [np.arange(64 * 64).reshape(64, 64) % 2 for _ in range(4)]
    with pytest.raises(InputError, match="expected a band with an image of the sea"):
        choose_band(HERE, ["", ""], None, {1: angles(), 2: mask}.__getitem__)


def test_an_image_is_speckled_and_an_angle_is_smooth() -> None:
    assert is_image(speckle(0.2))
    assert is_image([np.rint(100 * block) for block in speckle(0.2)])
    assert not is_image(angles())
    assert not is_image([np.rint(10 * block).astype(np.uint8) for block in [*angles(), *[a + 5 for a in angles()]]])
    assert not is_image([np.zeros((64, 64))])
    assert not is_image([np.full((64, 64), np.nan)])
    assert is_image([np.where(np.arange(64) < 20, np.nan, block) for block in speckle(0.2)])


def test_a_sea_beside_a_city_in_power_is_an_image() -> None:
    sea, city = ([block**2 for block in speckle(level)] for level in (0.05, 2.0))
    assert is_image([*sea, *city[:2]])
    assert not is_image([*angles(), *(20 * block for block in angles()[:2])])


def test_real_and_imaginary_part_are_found_without_names() -> None:
    rng = np.random.default_rng(1)
    phase = [rng.uniform(0, 2 * np.pi, (64, 64)) for _ in range(4)]
    amplitude = speckle(90)
    real = [np.rint(a * np.cos(p)).astype(np.int16) for a, p in zip(amplitude, phase, strict=True)]
    imaginary = [np.rint(a * np.sin(p)).astype(np.int16) for a, p in zip(amplitude, phase, strict=True)]
    assert is_complex_pair(real, imaginary)
    assert not is_complex_pair(real, real)
    assert not is_complex_pair(speckle(0.2), speckle(0.2, seed=1))
    assert choose_band(HERE, ["", ""], None, {1: real, 2: imaginary}.__getitem__).numbers == (1, 2)
    assert choose_band(HERE, ["q_VV", "i_VV"], None, angles_of).numbers == (2, 1)
    weak = ([0.3 * block for block in made] for made in (imaginary, real))
    four = dict(enumerate((*weak, real, imaginary), 1))
    found = choose_band(HERE, [""] * 4, None, four.__getitem__)
    assert (found.numbers, found.label) == ((3, 4), "band 3")
    assert "2 complex images: bands 3 and 4 are used" in (found.note or "")


def test_covariances_of_nisar_are_polarisations() -> None:
    assert [role_of(name) for name in ("HHHH", "HVHV", "VVVV")] == ["hh", "hv", "vv"]
    assert role_of("HHHV") is None


def test_a_coherence_beside_power_has_no_contrast() -> None:
    rng = np.random.default_rng(4)
    power = 0.02 * rng.gamma(4, 0.25, (128, 128))
    power[20:24, 30:50] = 2
    coherence = rng.beta(2, 3, power.shape)
    assert without_contrast({1: [coherence], 2: [power]}) == {1}
    assert without_contrast({1: [coherence], 2: [coherence]}) == set()
    assert without_contrast({1: [power], 2: [0.1 * power]}) == set()
