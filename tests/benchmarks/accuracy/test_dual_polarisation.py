"""Scenes of two polarisations hold real ships where they say, in a sea of the level of each; boxes are counted."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio


@pytest.fixture
def benchmark_module(beside_the_scripts: Path) -> Any:
    """Module of the script."""
    assert (beside_the_scripts / "dual_polarisation.py").is_file()
    return importlib.import_module("dual_polarisation")


@pytest.fixture
def laid(benchmark_module: Any, sample_data: Path, tmp_path: Path) -> Any:
    """Smallest scene: 13 ships."""
    source = sample_data / "real" / "opensarship"
    if not source.is_dir():
        pytest.skip(f"real ships not found at {source}; set REFINEDET_DATA to the folder above")
    return min(benchmark_module.scenes(source, tmp_path), key=lambda one: len(one.length_m))


@pytest.mark.slow
def test_ships_lie_where_they_are_said_to_in_both_bands_and_the_sea_fits(laid: Any) -> None:
    with rasterio.open(laid.path) as file:
        bands, names = file.read().astype(np.float64), file.descriptions
    assert (names, bands.shape, len(laid.length_m)) == (("VV", "VH"), (2, 1024, 1024), 13)
    for band in bands:
        for (x1, y1, x2, y2), (x, y) in zip(laid.patches_xyxy.astype(int), laid.places_xy, strict=True):
            patch, middle = band[y1:y2, x1:x2], band[int(y) - 5 : int(y) + 6, int(x) - 5 : int(x) + 6]
            assert middle.max() > 5 * np.median(patch)
            around = band[y1 - 12 : y1 - 2, x1:x2]
            assert 0.6 < np.median(around) / np.median(patch) < 1.7
    assert np.median(bands[0]) > 1.5 * np.median(bands[1])


@pytest.mark.slow
def test_boxes_are_counted_once_as_ship_neighbour_or_false_alarm(benchmark_module: Any, laid: Any) -> None:
    ships = np.concatenate([laid.places_xy - 2, laid.places_xy + 2], axis=1)
    corner = np.r_[laid.patches_xyxy[0, :2], laid.patches_xyxy[0, :2] + 1]
    sea = [[1, 1, 5, 5]]
    counts = benchmark_module.count(laid, np.concatenate([ships, ships[:1], [corner], sea]).astype(np.float32))
    assert (counts.found, counts.in_patches, counts.in_sea) == ((0, 2, 11), 1, 1)
