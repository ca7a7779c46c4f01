"""Time and view of each place of a scene."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from refinedet.ais.geometry import from_record, from_times, stated
from refinedet.errors import InputError
from refinedet.geo.steps import moved
from refinedet.scene.sentinel1.annotation import read_annotation
from refinedet.scene.sentinel1.looking import view_of

START = np.datetime64("2024-05-01T10:00:00", "ms")


def test_between_its_nodes_a_real_view_is_that_of_the_annotation(sample_data: Path) -> None:
    files = sorted(sample_data.glob("s1/*.SAFE/annotation/s1a-iw-grd-vv-*.xml"))
    if not files:
        pytest.skip(f"no Sentinel-1 metadata under {sample_data / 's1'}; point REFINEDET_DATA at the samples")
    annotation = read_annotation(ET.parse(files[0]).getroot(), "here")  # noqa: S314 - a sample of our own
    grid = annotation.grid
    found = from_record(view_of(annotation))
    lonlat = np.stack([grid.longitude, grid.latitude], axis=1)
    seen = annotation.geometry(np.stack([grid.pixel, grid.line], axis=1) + 0.5)
    view = found.view(lonlat)
    ratio = seen.slant_range_m * annotation.azimuth_spacing_m / annotation.line_s / seen.velocity_m_s**2
    np.testing.assert_allclose(view.seconds, ratio, rtol=2e-3)
    np.testing.assert_allclose(view.incidence_deg, grid.incidence_deg, atol=0.1)
    times = np.datetime64(annotation.first_line, "ms") + np.round(1000 * grid.seconds).astype("timedelta64[ms]")
    assert np.abs(found.times(lonlat) - times).max() < np.timedelta64(50, "ms")
    assert view.right


def places(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Places within 100 km, and seconds after the start that run along the north."""
    steps = np.random.default_rng(seed).uniform(-100_000, 100_000, (count, 2))
    return moved(np.tile([5.0, 54.0], (count, 1)), steps), 10 + steps[:, 1] / 6800


def test_times_of_ships_give_those_of_all_places() -> None:
    lonlat, seconds = places(20)
    times = START + np.round(1000 * seconds).astype("timedelta64[ms]")
    there, expected = places(50, 1)
    found = (from_times(lonlat, times).times(there) - START).astype(float) / 1000
    assert found == pytest.approx(expected, abs=0.2)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_one_time_for_all_ships_is_that_of_all_places(count: int) -> None:
    lonlat, _ = places(count)
    found = from_times(lonlat, np.full(count, START))
    assert (found.times(places(9, 2)[0]) == START).all()
    assert not found.view(lonlat).known.any()


def test_a_stated_view_is_that_of_all_places() -> None:
    lonlat, _ = places(3)
    view = stated(from_times(lonlat, np.full(3, START)), 190.0, 35.0, right=False).view(lonlat)
    assert view.track_deg == pytest.approx(190)
    assert (view.seconds == pytest.approx(109, abs=2), view.right) == (True, False)


@pytest.mark.parametrize("nodes", [[], [[1, 2, 3]], [[1, 2, 3, 4, 5, float("nan")]], "no nodes"])
def test_a_damaged_view_is_refused(nodes: object) -> None:
    with pytest.raises(InputError, match="view"):
        from_record({"start": "2024-05-01T10:00:00Z", "look": "right", "nodes": nodes})
