"""The same product in SAFE and in each layout of EOPF's Zarr: pixels, positions, times, calibration, ships."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from benchmarks.scenes.eopf_store import Layout
from refinedet.config.detect_options import SceneSettings
from refinedet.errors import InputError
from refinedet.geo.position import distances_m, locate
from refinedet.scene.detect import detect_scene
from refinedet.scene.metadata import read_metadata
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
    assert abs((time.of_row(450.0) - our_time.of_row(450.0)).total_seconds()) < 1e-5
    np.testing.assert_allclose(reader.read_as["view"]["nodes"], before.read_as["view"]["nodes"], atol=1e-5)
    assert reader.read_as["product"]["zarr_format"] == (3 if layout == "cpm3" else 2)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("calibrate", ["sigma0", "sigma0-denoised"])
def test_calibrated_pixels_are_those_of_the_product(safe: Path, store: Store, layout: Layout, calibrate: Any) -> None:
    settings, path = SceneSettings(calibrate=calibrate), store(layout)
    if (layout, calibrate) == ("cpm2-degraded", "sigma0-denoised"):
        with (
            pytest.raises(InputError, match=r"thermal noise at .*quality/noise_range, found none"),
            open_source(path, settings),
        ):
            pass
        return
    with open_source(safe, settings) as ours, open_source(path, settings) as reader:
        assert reader.info.dtype == "float32"
        for window in WINDOWS:
            np.testing.assert_allclose(reader.read(window), ours.read(window), rtol=2e-6)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_same_ships_are_found(safe: Path, store: Store, layout: Layout, bright_blobs: Any, tmp_path: Path) -> None:
    path = store(layout)
    archive = Path(shutil.make_archive(str(tmp_path / "packed" / "scene.zarr"), "zip", path.parent, path.name))
    for pol in ("vv", "vv+vh"):
        settings = SceneSettings(pol=pol)
        ours, found, packed = (detect_scene(one, bright_blobs, scene=settings) for one in (safe, path, archive))
        assert len(ours.detections) == 3
        for one in (found, packed):
            np.testing.assert_array_equal(one.detections.boxes_xyxy, ours.detections.boxes_xyxy)
            np.testing.assert_array_equal(one.detections.scores, ours.detections.scores)
            assert one.flags == ours.flags
            np.testing.assert_allclose(one.places.lonlat, ours.places.lonlat, atol=1e-7)
            assert one.label == ours.label
    assert (found.scene, packed.scene) == (f"{layout}.zarr", "scene.zarr")
