"""Ghosts at the shift that the annotation predicts are flagged, ships are not."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from numpy.typing import NDArray

from refinedet.scene.sentinel1.ambiguity import CLEARLY_DB, Geometry, displacement, find_ambiguities
from refinedet.scene.sentinel1.annotation import Annotation, read_annotation

Array = NDArray[np.float64]


@pytest.fixture(scope="module")
def annotation(sample_data: Path) -> Annotation:
    files = sorted(sample_data.glob("s1/*.SAFE/annotation/s1a-iw-grd-vv-*.xml"))
    if not files:
        pytest.skip(f"no Sentinel-1 metadata under {sample_data / 's1'}; point REFINEDET_DATA at the samples")
    return read_annotation(ET.parse(files[0]).getroot(), "here")  # noqa: S314 - a sample of our own


def geometry(count: int = 1, *, steered: bool = False) -> Geometry:
    """Geometry of a C-band satellite in a low orbit; ghosts of first order lie 494 rows away."""
    one = np.ones(count)
    return Geometry(0.0555, 1700 * one, 7200 * one, 8e5 * one, np.radians(35) * one, 1.5e-3, 10.0, 10.0, steered)


def boxes_at(centres: Array, sizes: Array) -> NDArray[np.float32]:
    return np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=1).astype(np.float32)


def test_the_shift_is_that_of_the_formula() -> None:
    rows, columns, tolerance_px = displacement(geometry(), 1)
    assert rows[0] == pytest.approx(0.0555 * 8e5 * 1700 / (2 * 7200**2) / 1.5e-3, rel=1e-12)
    assert columns[0] == pytest.approx(0.0555**2 * 8e5 / (8 * 7200**2) * 1700**2 / np.sin(np.radians(35)) / 10)
    assert tolerance_px[0] == 0
    assert displacement(geometry(), -2)[0][0] == pytest.approx(-2 * rows[0])
    assert displacement(geometry(), -2)[1][0] == pytest.approx(4 * columns[0])  # farther, on both sides
    assert displacement(geometry(steered=True), 1)[2][0] > columns[0]


def test_shifts_on_the_sample_product_are_five_kilometres_or_so(annotation: Annotation) -> None:
    """4.5 to 5.7 km by swath, as De Zan and Monti Guarnieri's formula gives from ESA's own Doppler rates."""
    rows, _, _ = displacement(annotation.geometry(np.array([[3768.5, 1.0], [12_560.5, 9e3], [21_352.5, 9e3]])), 1)
    line_s, prf, rates = 1.488345778199723e-3, (1717.129, 1451.627, 1685.817), (2283.120, 2144.50, 2011.28)
    expected = [f / k / line_s for f, k in zip(prf, rates, strict=True)]
    assert rows == pytest.approx(expected, rel=3e-3)
    assert (rows * 10 > 4500).all()
    assert (rows * 10 < 5700).all()


@pytest.mark.parametrize("order", [-2, -1, 1, 2])
def test_a_ghost_is_flagged_and_its_ship_is_not(order: int) -> None:
    rows, columns, _ = displacement(geometry(), order)
    centres = np.array([[500.0, 1200.0], [500.0 + columns[0] + 4, 1200.0 + rows[0] - 6]])
    boxes = boxes_at(centres, np.array([[20.0, 12.0], [8.0, 18.0]]))
    assert find_ambiguities(boxes, np.array([30.0, 14.0]), geometry(2)).tolist() == [False, True]
    not_brighter = np.array([30.0, 30.5 - CLEARLY_DB])
    assert find_ambiguities(boxes, not_brighter, geometry(2)).tolist() == [False, False]
    for unknown in ([np.nan, 14.0], [30.0, np.nan]):
        assert not find_ambiguities(boxes, np.array(unknown), geometry(2)).any()
    elsewhere = boxes + np.array([[0, 0, 0, 0], [0, 25, 0, 25]], np.float32)
    assert not find_ambiguities(elsewhere, np.array([30.0, 14.0]), geometry(2)).any()


def test_no_detections() -> None:
    assert find_ambiguities(np.zeros((0, 4), np.float32), np.zeros(0), geometry(0)).tolist() == []


def simulated(annotation: Annotation, seed: int) -> tuple[NDArray[np.float32], Array, NDArray[np.bool_]]:
    """Boxes, contrasts and which are ghosts: 1,000 ships, half of them in crowded anchorages, and 100 ghosts.

    A ghost lies at the shift that the annotation gives for a Doppler centroid drawn within a burst, 20 to 28 dB below
    its ship, its box off by some pixels.
    """
    rng = np.random.default_rng(seed)
    size = np.array([annotation.samples, annotation.lines])
    anchorages = rng.uniform(0.1, 0.9, (8, 2)) * size
    alone = rng.uniform(0, 1, (500, 2)) * size
    crowded = anchorages[rng.integers(8, size=500)] + rng.normal(0, 250, (500, 2))
    ships = np.clip(np.concatenate([alone, crowded]), 0, size - 1)
    contrast = rng.uniform(8, 38, len(ships))
    sources = rng.choice(np.flatnonzero(contrast > 30), 100)
    seen = annotation.geometry(ships[sources])
    orders = rng.choice([-1, 1, -1, 1, -2, 2], 100)
    ghosts = np.zeros((100, 2))
    for order in np.unique(orders):
        rows, columns, tolerance_px = displacement(seen, int(order))
        offset = np.stack([columns + rng.uniform(-0.92, 0.92, 100) * tolerance_px, rows], axis=1)  # within +-2400 Hz
        ghosts[orders == order] = (ships[sources] + offset + rng.normal(0, 3, (100, 2)))[orders == order]
    centres = np.concatenate([ships, ghosts])
    decibel = np.concatenate([contrast, contrast[sources] - rng.uniform(20, 28, 100) + rng.normal(0, 1.5, 100)])
    within = ((centres >= 0) & (centres < size)).all(axis=1)
    boxes = boxes_at(centres, rng.uniform(6, 30, centres.shape))
    return boxes[within], decibel[within], (np.arange(len(centres)) >= len(ships))[within]


@pytest.mark.parametrize("seed", range(5))
def test_nine_of_ten_planted_ghosts_and_at_most_two_ships_of_a_hundred_are_flagged(
    annotation: Annotation, seed: int
) -> None:
    boxes, contrast, is_ghost = simulated(annotation, seed)
    middles = (boxes[:, :2] + boxes[:, 2:]).astype(np.float64) / 2
    found = find_ambiguities(boxes, contrast, annotation.geometry(middles))
    assert found[is_ghost].mean() >= 0.9
    assert found[~is_ghost].mean() <= 0.02


def test_fifty_thousand_detections_take_seconds(annotation: Annotation) -> None:
    rng = np.random.default_rng(1)
    centres = rng.uniform(0, 1, (50_000, 2)) * (annotation.samples, annotation.lines)
    began = time.perf_counter()
    found = find_ambiguities(
        boxes_at(centres, np.full((50_000, 2), 12.0)), rng.uniform(5, 40, 50_000), annotation.geometry(centres)
    )
    assert time.perf_counter() - began < 10
    assert found.any()


def test_the_index_finds_what_all_pairs_find() -> None:
    rng = np.random.default_rng(3)
    centres, contrast = rng.uniform(0, 1500, (300, 2)), rng.uniform(5, 40, 300)
    seen = replace(geometry(300, steered=True))
    expected = np.zeros(300, np.bool_)
    for order in (-2, -1, 1, 2):
        rows, columns, tolerance_px = displacement(seen, order)
        dx = centres[None, :, 0] - (centres[:, 0] + columns)[:, None]
        dy = centres[None, :, 1] - (centres[:, 1] + rows)[:, None]
        near = (np.abs(dx) <= tolerance_px[:, None] + 10) & (np.abs(dy) <= 10)
        expected |= (near & (contrast[:, None] >= contrast[None, :] + CLEARLY_DB)).any(axis=0)
    found = find_ambiguities(boxes_at(centres, np.full((300, 2), 8.0)), contrast, seen)
    assert found.tolist() == expected.tolist()
    assert 0 < found.sum() < 300
