"""Names and units that state the kind of values, and what the values must show to be believed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray

from refinedet.scene.input.pixels.names import named_kind, names_backscatter
from refinedet.scene.source import open_source

_SIDE = 320


def _decibels() -> NDArray[np.float64]:
    """Decibels above zero of a sea that varies more than its skewness says, so that the slope seems to be less."""
    speckle = 10 * np.log10(np.random.default_rng(8).gamma(4.4, 1 / 4.4, (_SIDE, _SIDE)))
    return np.asarray(2.2 * speckle + np.linspace(20, 24, _SIDE))


def _values(path: Path, pixels: NDArray[np.float64], *, name: str = "", unit: str = "") -> tuple[dict[str, Any], str]:
    """Record and notes on the reading of the values of a raster."""
    place = {"crs": "EPSG:32632", "transform": rasterio.Affine(10, 0, 5e5, 0, -10, 6e6)}
    size = {"height": _SIDE, "width": _SIDE, "count": 1, "dtype": "float32"}
    with rasterio.open(path, "w", driver="GTiff", **size, **place) as file:
        file.write(pixels.astype(np.float32), 1)
        file.descriptions, file.units = (name,), (unit,)
    with open_source(path) as reader:
        return reader.read_as["values"], " ".join(reader.notes)


@pytest.mark.parametrize("stated", [{"name": "Sigma0_VV_db"}, {"unit": "dB"}])
def test_a_name_or_unit_of_decibels_means_one_per_unit(stated: dict[str, str], tmp_path: Path) -> None:
    by_speckle, _ = _values(tmp_path / "nameless.tif", _decibels())
    assert by_speckle["kind"] == "db"
    assert by_speckle["db_per_unit"] == pytest.approx(0.6, abs=0.1)
    found, notes = _values(tmp_path / "scene.tif", _decibels(), **stated)
    assert found == {"kind": "db", "from": "name", "db_per_unit": 1}
    assert "decibels above zero, 1 dB to each unit, as their name or unit says, and are read so" in notes


def test_a_name_of_decibels_is_not_believed_of_another_scale(tmp_path: Path) -> None:
    amplitude = 10 ** (_decibels() / 20)
    assert _values(tmp_path / "amplitude.tif", amplitude, unit="dB")[0]["kind"] != "db"
    scaled = _decibels() / 40
    found, _ = _values(tmp_path / "scaled.tif", scaled, unit="dB")
    assert (found["from"], found["db_per_unit"]) == ("speckle", pytest.approx(40 / 2.2, rel=0.35))


def test_several_kinds_are_none() -> None:
    assert named_kind(["Amplitude_VV", "db"]) is None
    assert names_backscatter(["Sigma0_VV"])
    assert not names_backscatter(["Sigma0_VV_db"])
