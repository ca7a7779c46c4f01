"""Two rasters of one scene, with one polarisation each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from refinedet.config.options.detect import SceneSettings
from refinedet.errors import InputError
from refinedet.raster import write_scene
from refinedet.scene.identity import scene_sha256
from refinedet.scene.input.pair import raster_of
from refinedet.scene.source import open_polarisations, open_source

BOTH = SceneSettings(pol="vv+vh", values="amplitude")
PLACE = (10.0, 0.0, 5e5, 0.0, -10.0, 1e6)


def write(path: Path, level: float, shape: tuple[int, int] = (60, 80), left_m: float = 5e5) -> Path:
    values = level * np.sqrt(np.random.default_rng(round(level)).gamma(4.4, 1 / 4.4, shape))
    write_scene(path, values.astype(np.float32), crs="EPSG:32626", transform=(10.0, 0.0, left_m, 0.0, -10.0, 1e6))
    return path


@pytest.mark.parametrize(
    ("own", "other"),
    [
        ("S1A_IW_RTC30_ABCD_VV.tif", "S1A_IW_RTC30_ABCD_VH.tif"),
        ("vv.tif", "vh.tif"),
        ("port-vv-2020.tiff", "port-vh-2020.tiff"),
        ("ice_HH.tif", "ice_HV.tif"),
    ],
)
def test_the_other_file_has_the_same_name_but_for_the_polarisation(tmp_path: Path, own: str, other: str) -> None:
    first, second = tmp_path / own, tmp_path / other
    first.touch()
    wanted = "hv" if "HH" in own else "vh"
    assert raster_of(first, wanted) == first
    second.touch()
    assert raster_of(first, wanted) == second
    assert raster_of(second, "hh" if wanted == "hv" else "vv") == first
    assert raster_of(first, None) == first


def test_a_word_with_the_letters_is_no_polarisation(tmp_path: Path) -> None:
    for name in ("savvy.tif", "savhy.tif"):
        (tmp_path / name).touch()
    assert raster_of(tmp_path / "savvy.tif", "vh") == tmp_path / "savvy.tif"


def test_both_files_are_read_whichever_is_named(tmp_path: Path) -> None:
    files = write(tmp_path / "s_VV.tif", 100), write(tmp_path / "s_VH.tif", 40)
    for named in files:
        with open_polarisations(named, BOTH) as readers:
            for reader, file, label in zip(readers, files, ("vv", "vh"), strict=True):
                with open_source(file, SceneSettings(values="amplitude")) as alone:
                    np.testing.assert_array_equal(reader.read_whole(), alone.read_whole())
                assert reader.label == label
                assert [note for note in reader.notes if file.name in note] == (
                    [] if file == named else [f"read from {file.name}, beside the scene"]
                )


def test_a_file_beside_that_is_not_searched_is_told(tmp_path: Path) -> None:
    write(tmp_path / "s_VV.tif", 100)
    with open_source(write(tmp_path / "s_VH.tif", 40)) as reader:
        assert any('vh is searched, not vv in s_VV.tif; set `pol="vv+vh"`' in note for note in reader.notes)
    with open_source(tmp_path / "s_VH.tif", SceneSettings(band=1)) as reader:
        assert not any("s_VV.tif" in note for note in reader.notes)


def test_one_polarisation_is_not_looked_for_in_another_file(tmp_path: Path) -> None:
    write(tmp_path / "s_VH.tif", 40)
    with pytest.raises(InputError, match="expected a band of polarisation vh in"):
        open_source(write(tmp_path / "s_VV.tif", 100), SceneSettings(pol="vh")).__enter__()


@pytest.mark.parametrize(
    ("shape", "left_m", "told"),
    [((60, 81), 5e5, "80 x 60 and 81 x 60 pixels"), ((60, 80), 5.1e5, "two positions")],
)
def test_files_of_two_grids_are_refused(tmp_path: Path, shape: tuple[int, int], left_m: float, told: str) -> None:
    write(tmp_path / "s_VH.tif", 40, shape, left_m)
    with pytest.raises(InputError, match=told):
        open_polarisations(write(tmp_path / "s_VV.tif", 100), BOTH).__enter__()


def test_the_identity_covers_both_files(tmp_path: Path) -> None:
    first, second = write(tmp_path / "s_VV.tif", 100), write(tmp_path / "s_VH.tif", 40)
    alone, both = scene_sha256(first), scene_sha256(first, "vv+vh")
    assert alone != both
    write_scene(second, np.ones((60, 80), np.float32), crs="EPSG:32626", transform=PLACE)
    assert scene_sha256(first) == alone
    assert scene_sha256(first, "vv+vh") != both
