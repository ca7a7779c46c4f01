"""One product in SAFE and in each layout of EOPF's Zarr: pixels, positions, times, calibration, ships."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from eopf_store import Layout

from refinedet import extras
from refinedet.config.options.detect import SceneSettings
from refinedet.errors import InputError, MissingExtra
from refinedet.geo.position import distances_m, locate
from refinedet.raster.stores import is_store
from refinedet.scene.detect import detect_scene
from refinedet.scene.identity import scene_sha256
from refinedet.scene.metadata import read_metadata
from refinedet.scene.naming import scene_stem
from refinedet.scene.source import open_source
from refinedet.tiling import Window

Store = Callable[[Layout], Path]
LAYOUTS = get_args(Layout)
WINDOWS = [Window(0, 0, 900, 640), Window(250, 190, 20, 30), Window(0, 600, 900, 40), Window(511, 199, 2, 202)]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_store_has_the_pixels_and_positions_of_the_product(safe: Path, store: Store, layout: Layout) -> None:
    path = store(layout)
    for pol in ("vv", "vh"):
        with open_source(safe, SceneSettings(pol=pol)) as ours, open_source(path, SceneSettings(pol=pol)) as reader:
            for window in WINDOWS:
                np.testing.assert_array_equal(reader.read(window), ours.read(window))
            np.testing.assert_array_equal(reader.sample(), ours.sample())
            expected, found = locate(ours.info), locate(reader.info)
            assert reader.label == pol
    assert expected is not None
    assert found is not None
    points = np.random.default_rng(2).uniform((0, 0), (640, 900), (200, 2))
    points = np.concatenate([points, [[0, 0], [640, 0], [0, 900], [640, 900]]])
    assert distances_m(found.lonlat(points), expected.lonlat(points)).max() < 0.01


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_store_has_the_annotation_of_the_product(safe: Path, store: Store, layout: Layout) -> None:
    read = {}
    for path in (safe, store(layout)):
        with open_source(path) as reader:
            read[path.suffix] = (*read_metadata(path, SceneSettings(), reader), reader)
    (ours, our_time, before), (found, time, reader) = read[".SAFE"], read[".zarr"]
    assert ours is not None
    assert found is not None
    if layout == "cpm2-degraded":
        assert found.swaths == ()
        assert "azimuth ambiguities cannot be told" in " ".join(reader.notes)
        assert "10 m by the control points" in " ".join(reader.notes)
        assert found.line_s == pytest.approx(ours.line_s, rel=1e-6)
    else:
        assert found.swaths == ours.swaths
        assert found.line_s == ours.line_s
        assert reader.notes == before.notes
    assert (found.first_line, found.mission, found.mode, found.steered) == (ours.first_line, "S1A", "IW", True)
    assert (found.azimuth_spacing_m, found.range_spacing_m) == (10, 10)
    assert found.wavelength_m == pytest.approx(ours.wavelength_m, rel=1e-4)
    places = np.array([[320.0, 450.0], [10.0, 880.0]])
    for name in ("velocity_m_s", "slant_range_m", "incidence_rad"):
        values = [getattr(one.geometry(places), name) for one in (found, ours)]
        np.testing.assert_allclose(values[0], values[1], rtol=1e-9)
    assert time.times(np.array([0.5, 450.0])) == our_time.times(np.array([0.5, 450.0]))
    np.testing.assert_allclose(reader.read_as["view"]["nodes"], before.read_as["view"]["nodes"], atol=1e-5)
    assert reader.read_as["product"]["zarr_format"] == (3 if layout == "cpm3" else 2)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("calibrate", ["sigma0", "sigma0-denoised"])
def test_calibrated_pixels_are_those_of_the_product(safe: Path, store: Store, layout: Layout, calibrate: Any) -> None:
    settings, path = SceneSettings(calibrate=calibrate), store(layout)
    if (layout, calibrate) == ("cpm2-degraded", "sigma0-denoised"):
        with pytest.raises(InputError, match=r"thermal noise at .*quality/noise_range, found none"):
            open_source(path, settings).__enter__()
        return
    with open_source(safe, settings) as ours, open_source(path, settings) as reader:
        assert reader.info.dtype == "float32"
        for window in WINDOWS:
            np.testing.assert_allclose(reader.read(window), ours.read(window), rtol=2e-6, atol=1e-7)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_same_ships_are_found(safe: Path, store: Store, layout: Layout, bright_blobs: Any, tmp_path: Path) -> None:
    path, settings = store(layout), SceneSettings(pol="vv+vh")
    packed = Path(shutil.make_archive(str(tmp_path / "scene.zarr"), "zip", path.parent, path.name))
    ours = detect_scene(safe, bright_blobs, scene=settings)
    assert len(ours.detections) == 3
    for one, name in ((path, f"{layout}.zarr"), (packed, "scene.zarr")):
        found = detect_scene(one, bright_blobs, scene=settings)
        np.testing.assert_array_equal(found.detections.boxes_xyxy, ours.detections.boxes_xyxy)
        np.testing.assert_array_equal(found.detections.scores, ours.detections.scores)
        np.testing.assert_allclose(found.places.centres_lonlat, ours.places.centres_lonlat, atol=1e-7)
        assert (found.flags, found.label, found.scene) == (ours.flags, ours.label, name)


def test_an_archive_and_its_folder_hold_the_same(store: Store, tmp_path: Path) -> None:
    path = store("cpm3")
    inside = tmp_path / "one.zip"
    shutil.make_archive(str(inside.with_suffix("")), "zip", path)  # its files at the top
    assert is_store(inside)
    with open_source(path) as folder, open_source(inside) as archive:
        np.testing.assert_array_equal(archive.read(WINDOWS[0]), folder.read(WINDOWS[0]))
    assert scene_stem(inside) == "one"


def test_only_the_polarisation_that_is_looked_at_decides_the_hash(store: Store, tmp_path: Path) -> None:
    path = Path(shutil.copytree(store("cpm2"), tmp_path / "other.zarr"))
    before = {pol: scene_sha256(path, pol) for pol in ("vv", "vh", "vv+vh")}
    assert before["vv"] == scene_sha256(store("cpm2"), "vv")
    chunk = next(path.glob("*_VH/measurements/grd/0.0"))
    chunk.write_bytes(chunk.read_bytes() + b"x")
    after = {pol: scene_sha256(path, pol) for pol in before}
    assert {pol for pol in before if before[pol] != after[pol]} == {"vh", "vv+vh"}


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (SceneSettings(band=1), "expected no `band` for the Sentinel-1 product"),
        (SceneSettings(values="db"), "expected amplitudes in the Sentinel-1 product"),
        (SceneSettings(nodata=0.0), "expected no `nodata`"),
        (SceneSettings(crs="EPSG:4326"), "expected no `crs`"),
        (SceneSettings(pol="hh"), "expected polarisation hh in .*, found vh, vv; name one of these"),
        (SceneSettings(max_pixels=1000), "expected at most 1,000 pixels in .*, found 640 x 900"),
    ],
)
def test_settings_that_do_not_apply_are_errors(store: Store, settings: SceneSettings, told: str) -> None:
    with pytest.raises(InputError, match=told):
        open_source(store("cpm2"), settings).__enter__()


def test_a_store_without_zarr_names_the_extra(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "installed", lambda package: package != "zarr")
    with pytest.raises(MissingExtra, match=r"pip install 'refinedet\[eopf\]'"):
        open_source(store("cpm2")).__enter__()


def test_a_chunk_that_is_not_stored_holds_no_data_and_is_told(safe: Path, store: Store, tmp_path: Path) -> None:
    path = Path(shutil.copytree(store("cpm2"), tmp_path / "other.zarr"))
    next(path.glob("*_VV/measurements/grd/1.1")).unlink()
    with open_source(safe) as ours, open_source(path) as reader:
        expected = ours.read(WINDOWS[0])
        expected[256:512, 200:400] = 0
        np.testing.assert_array_equal(reader.read(WINDOWS[0]), expected)
        assert any("1 of the 16 chunks of pixels are not in the store" in note for note in reader.notes)
        assert reader.read_as["missing_chunks"] == 1
