"""Files of features: what a table says in its first line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import shapely

from refinedet.geo.feature_files import write_features


def test_a_table_without_rows_names_its_columns(tmp_path: Path) -> None:
    write_features(tmp_path / "none.csv", "csv", np.zeros(0, object), [], ("lon", "lat"))
    assert (tmp_path / "none.csv").read_text() == "lon,lat\n"


def test_a_table_with_rows_has_their_columns(tmp_path: Path) -> None:
    row = {"lon": 1.5, "lat": 2.0, "name": None}
    write_features(tmp_path / "one.csv", "csv", np.array([shapely.Point(1.5, 2.0)], object), [row], ("lon", "lat"))
    assert (tmp_path / "one.csv").read_text() == "lon,lat,name\n1.5,2.0,\n"
