"""Scenes and places without a position, and why."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refinedet.geo.position import distances_m, locate, why_nowhere
from refinedet.raster import GroundControlPoint
from tests.refinedet.geo.located import PIXEL_NUMBERS, UTM, WGS84, info_with


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        pytest.param({}, "its file holds no coordinates", id="a picture: nothing is known"),
        pytest.param(
            {"transform": (10.0, 0, 0, 0, -10.0, 0)},
            "its coordinates lack a reference system",
            id="a transform without a reference system",
        ),
        pytest.param(
            {"gcps": (GroundControlPoint(0, 0, 1, 1),)},
            "its coordinates lack a reference system",
            id="GCPs without a reference system",
        ),
        pytest.param(
            {"gcps": tuple(GroundControlPoint(i, i, i, i) for i in range(5)), "gcp_crs": WGS84},
            "its ground control points lie on one line",
            id="GCPs on one line",
        ),
        pytest.param(
            {"gcps": tuple(GroundControlPoint(i, 2 * i + 7, i, i) for i in range(5)), "gcp_crs": WGS84},
            "its ground control points lie on one line",
            id="GCPs on one line that misses the first pixel",
        ),
        pytest.param(
            {"gcps": tuple(GroundControlPoint(i, j, 1e9, 1e9) for i in (0, 9) for j in (0, 9)), "gcp_crs": UTM},
            "its ground control points lie outside of the earth",
            id="GCPs beyond the projection",
        ),
        pytest.param(
            {"crs": "not WKT", "transform": (1.0, 0, 9, 0, 1.0, 0)},
            "its reference system cannot be used (Invalid projection",
            id="a reference system that is broken",
        ),
        pytest.param(
            {"crs": 'LOCAL_CS["site",UNIT["metre",1]]', "transform": (1.0, 0, 9, 0, 1.0, 0)},
            "its reference system is that of no map",
            id="a system of a local site",
        ),
        pytest.param(
            {"crs": "EPSG:4978", "transform": (10.0, 0, 3e6, 0, -10.0, 3e6)},
            "its reference system is that of no map",
            id="metres from the middle of the earth",
        ),
        pytest.param({"crs": WGS84}, "its file names a reference system but no transform", id="no transform"),
        *(
            pytest.param(
                {"crs": crs, "transform": matrix},
                "its file names a reference system but no transform",
                id=f"{name}, {crs[:7]}",
            )
            for crs in (WGS84, UTM)
            for name, matrix in PIXEL_NUMBERS.items()
        ),
        pytest.param(
            {"crs": WGS84, "transform": (10.0, 0, 380_000.0, 0, -10.0, 6_050_000.0)},
            "its coordinates lie outside of the earth",
            id="metres as degrees",
        ),
    ],
)
def test_a_scene_that_cannot_be_located_has_no_position_and_a_reason(
    values: dict[str, object], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert locate(info_with(**values)) is None
    assert (why_nowhere(info_with(**values)) or "").startswith(reason)
    assert not caplog.records  # each who asks where the scene is would say so again


@settings(max_examples=200)
@given(
    st.tuples(*[st.floats(-1e9, 1e9) | st.floats(-100, 100)] * 6),
    st.lists(st.tuples(st.floats(-1e5, 1e5), st.floats(-1e5, 1e5)), min_size=1, max_size=8),
)
def test_no_transform_gives_degrees_beyond_the_earth(
    matrix: tuple[float, float, float, float, float, float], pixels: list[tuple[float, float]]
) -> None:
    position = locate(info_with(crs=WGS84, transform=matrix))
    if position is None:
        assert why_nowhere(info_with(crs=WGS84, transform=matrix))
        return
    lonlat = position.lonlat(np.array(pixels))
    known = np.isfinite(lonlat)
    assert (known.all(axis=1) == known.any(axis=1)).all()
    assert (np.abs(lonlat[known[:, 0]]) <= (180, 90)).all()


def test_places_beyond_a_pole_are_unknown_and_the_others_are_not() -> None:
    position = locate(info_with(crs=WGS84, transform=(0.1, 0, 0.0, 0, -0.1, 100.0)))
    assert position is not None
    lonlat = position.lonlat(np.array([[10.0, 50.0], [10.0, 150.0]]))
    assert np.isnan(lonlat[0]).all()
    assert lonlat[1].tolist() == pytest.approx([1.0, 85.0])


def test_a_scene_that_is_somewhere_has_no_reason_to_be_nowhere() -> None:
    assert why_nowhere(info_with(crs=WGS84, transform=(0.1, 0, 10.0, 0, -0.1, 50.0))) is None


def test_a_point_beyond_the_projection_is_nan_and_has_no_length() -> None:
    middle = (1e9, 0, 5e5 - 500e9, 0, 1e9, 5e6 - 400e9)
    position = locate(info_with(crs=UTM, transform=middle))
    assert position is not None
    assert np.isfinite(position.lonlat(np.array([[500.0, 400.0]]))).all()
    place = position.lonlat(np.array([[900.0, 400.0]]))
    assert np.isnan(place).all()
    assert np.isnan(distances_m(place, place)).all()
