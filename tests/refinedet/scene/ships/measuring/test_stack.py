"""Shapes of many ships in arrays, against the same measured one at a time."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from refinedet.scene.ships.measuring.resolution import Sensor
from refinedet.scene.ships.measuring.shape import Shape, measure_all
from refinedet.scene.ships.measuring.stack import Around, grouped, stacked
from tests.refinedet.scene.ships.measuring import one_by_one


def around(rng: np.random.Generator) -> Around:
    """Pixels of some size around a box, with bright patches, missing pixels and a border close by, at random."""
    height, width = rng.integers(8, 80, 2).tolist()
    power = rng.gamma(4, 0.25, (height, width))
    if rng.random() < 0.5:
        power = ndimage.gaussian_filter(power, 0.7)
    x, y, wide, high = *rng.uniform(0, (width, height)), *rng.uniform(3, 35, 2)
    for _ in range(rng.integers(0, 6)):
        left, top = np.clip(rng.normal((x, y), 4), 0, (width - 1, height - 1)).astype(int)
        across, down = rng.integers(1, 18), rng.integers(1, 6)
        power[top : top + down, left : left + across] += 10 ** rng.uniform(0, 4)
    if rng.random() < 0.3:
        power = np.rint(10 * power)  # a picture has many equal values
    valid = rng.random(power.shape) > rng.choice([0.0, 0.0, 0.1])
    if rng.random() < 0.2:
        valid[:, : rng.integers(0, width)] = False
    box = max(0.0, x - wide / 2), max(0.0, y - high / 2), min(width, x + wide / 2), min(height, y + high / 2)
    return Around(np.where(valid, power, 0.0), valid, box)


def values(shape: Shape) -> list[float]:
    return [*shape.centre_xy, *shape.axis_xy, *shape.side_xy, *shape.blur, shape.elongated, shape.contrast_db]


@pytest.mark.parametrize(
    "sensor", [Sensor(), Sensor((10.0, 10.0), (2.0, 2.4)), Sensor((3.0, 14.0), (1.3, 1.8))], ids=["px", "m", "long"]
)
def test_arrays_measure_what_is_measured_one_by_one(sensor: Sensor) -> None:
    rng = np.random.default_rng(0)
    members = [around(rng) for _ in range(120)]
    expected = [values(one_by_one.measure(*one, sensor)) for one in members]
    found = [values(shape) for shape in measure_all(members, sensor)]
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-8)
    known = np.isfinite(expected).all(axis=1)
    assert 40 < known.sum() < 120
    turned = [values(shape) for shape in measure_all(members[::-1], sensor)]
    np.testing.assert_allclose(turned[::-1], found, rtol=1e-8, atol=1e-8)


def test_a_stack_holds_what_has_about_one_size() -> None:
    every = [
        Around(np.ones(shape), np.ones(shape, bool), (1.0, 2.0, 3.0, 4.0)) for shape in [(9, 9), (140, 9), (7, 14)]
    ]
    assert list(grouped(every)) == [[0, 2], [1]]
    pixels = stacked([every[0], every[2]])
    assert pixels.power.shape == pixels.valid.shape == (2, 9, 14)
    assert pixels.valid.sum(axis=(1, 2)).tolist() == [81, 98]
    assert pixels.size.tolist() == [[9, 9], [7, 14]]


def test_nothing_is_measured_of_no_ship() -> None:
    assert measure_all([]) == []
