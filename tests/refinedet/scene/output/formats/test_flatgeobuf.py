"""FlatGeobuf: an index that readers use, and ships without an outline."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyogrio

from refinedet.scene.output.formats.flatgeobuf import write_flatgeobuf
from refinedet.scene.result import SceneResult

MakeResult = Callable[..., SceneResult]


def test_a_window_is_read_by_the_index(tmp_path: Path, make_result: MakeResult) -> None:
    path = tmp_path / "a.fgb"
    write_flatgeobuf(make_result(4), path)
    info = pyogrio.read_info(path)
    assert info["capabilities"]["fast_spatial_filter"], "there is an index"
    assert info["crs"] == "EPSG:4326"
    _, _, geometry, _ = pyogrio.raw.read(path, bbox=(10.02, 49.99, 10.021, 50.0))
    assert len(geometry) == 1


def test_a_ship_off_the_earth_stays_in_the_file(tmp_path: Path, make_result: MakeResult) -> None:
    result = make_result(3)
    result.places.corners_lonlat[1] = np.nan
    write_flatgeobuf(result, tmp_path / "a.fgb")
    _, _, geometry, _ = pyogrio.raw.read(tmp_path / "a.fgb")
    assert [one is None for one in geometry] == [False, True, False]
