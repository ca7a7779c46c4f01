"""Wakes trail a far brighter ship along its axis; convoys, tows and neighbours are no wakes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from refinedet.scene.ships.doubts.wakes import find_wakes
from refinedet.scene.ships.measuring.shape import UNKNOWN, Shape, measure_all
from refinedet.scene.ships.measuring.stack import Around


def hull(
    along: float, length: float, contrast_db: float, *, width: float = 4.0, turn_deg: float = 40.0, off: float = 0.0
) -> Shape:
    """Hull on a track at 40 degrees, `along` and `off` pixels from its start, itself turned to `turn_deg`."""
    way, across = unit(40.0), unit(130.0)
    axis, side = unit(turn_deg), unit(turn_deg + 90)
    middle = 300 + along * way + off * across
    return Shape(
        tuple(middle),
        tuple(length / 2 * axis),
        tuple(width / 2 * side),
        (0.1, 0.4),
        elongated=True,
        contrast_db=contrast_db,
    )


def unit(degrees: float) -> np.ndarray:
    return np.array([np.sin(np.radians(degrees)), -np.cos(np.radians(degrees))])


SHIP = hull(0, 20, 32.0)


@pytest.mark.parametrize("along", [-24.0, 24.0], ids=["astern", "ahead"])
def test_a_long_weak_patch_in_line_is_a_wake(along: float) -> None:
    wake = hull(along, 26, 9.0)
    assert find_wakes([SHIP, wake], (10.0, 10.0)).tolist() == [False, True]
    assert find_wakes([wake, UNKNOWN, SHIP], (1.0, 1.0)).tolist() == [True, False, False]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(hull(24, 26, 20.0), id="a ship that follows"),
        pytest.param(hull(18, 5, 9.0, width=3.0), id="a tug"),
        pytest.param(hull(60, 26, 9.0), id="far behind"),
        pytest.param(hull(24, 26, 9.0, turn_deg=70.0), id="another course"),
        pytest.param(hull(24, 26, 9.0, off=14.0), id="beside the track"),
        pytest.param(hull(24, 26, 9.0, width=13.0), id="broad"),
        pytest.param(replace(hull(24, 26, 9.0), elongated=False), id="without an axis"),
        pytest.param(replace(hull(24, 26, 9.0), contrast_db=float("nan")), id="of unknown contrast"),
    ],
)
def test_what_is_no_wake(other: Shape) -> None:
    assert not find_wakes([SHIP, other], (10.0, 10.0)).any()


def test_directions_are_those_on_the_ground() -> None:
    """Pixels twice as long as wide: in line on the ground is not in line in the picture."""

    def squeezed(shape: Shape) -> Shape:
        halved = {name: (x, y / 2) for name in ("centre_xy", "axis_xy", "side_xy") for x, y in [getattr(shape, name)]}
        return replace(shape, **halved)

    pair = [squeezed(SHIP), squeezed(hull(24, 26, 9.0))]
    assert find_wakes(pair, (10.0, 20.0)).tolist() == [False, True]


def test_a_wake_is_told_from_its_pixels() -> None:
    y, x = np.mgrid[0:160, 0:160] + 0.5
    sea = np.random.default_rng(3).gamma(4.4, 1 / 4.4, x.shape)
    ship = 900.0 * ((np.abs(x - 60) < 10) & (np.abs(y - 80) < 2))
    wake = 5.0 * ((np.abs(x - 92) < 18) & (np.abs(y - 80) < 2.5))
    every = np.ones(x.shape, np.bool_)
    shapes = measure_all([Around(sea + ship + wake, every, box) for box in ((48, 76, 72, 84), (73, 75, 112, 85))])
    assert find_wakes(shapes, (10.0, 10.0)).tolist() == [False, True]


def test_no_detections() -> None:
    assert find_wakes([], (10.0, 10.0)).tolist() == []
    assert find_wakes([UNKNOWN], (10.0, 10.0)).tolist() == [False]
