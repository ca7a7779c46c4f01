"""Seen area of a scene: the part that was measured, in degrees, with the time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest
import shapely

from refinedet.scene.input.acquisition import Acquisition, LineTimes
from refinedet.scene.output.seen import seen_area, write_seen
from refinedet.scene.result import SceneResult

MakeResult = Callable[..., SceneResult]
START = datetime(2024, 5, 1, 17, 0, tzinfo=UTC)


def measured(result: SceneResult, mask: np.ndarray) -> SceneResult:
    return replace(result, preview=mask.astype(np.uint16))


def test_the_area_of_a_whole_scene_is_its_outline(make_result: MakeResult) -> None:
    area = seen_area(measured(make_result(), np.ones((100, 200), bool)))
    assert area is not None
    assert area.equals_exact(shapely.box(10.0, 49.9, 10.2, 50.0), 1e-6) or area.equals(
        shapely.box(10.0, 49.9, 10.2, 50)
    )


def test_missing_pixels_are_not_seen_and_single_ones_do_not_matter(make_result: MakeResult) -> None:
    mask = np.ones((100, 200), bool)
    mask[:, :100] = False
    mask[50, 150] = False
    area = seen_area(measured(make_result(), mask))
    assert area is not None
    assert shapely.symmetric_difference(area, shapely.box(10.1, 49.9, 10.2, 50.0)).area < 0.05 * area.area


def test_a_slanted_border_is_followed_to_a_cell(make_result: MakeResult) -> None:
    y, x = np.mgrid[:400, :800]
    area = seen_area(measured(make_result(), x > 100 + 0.5 * y))
    truth = shapely.Polygon([(10.025, 50), (10.2, 50), (10.2, 49.9), (10.075, 49.9)])
    assert area is not None
    assert shapely.symmetric_difference(area, truth).area < 0.03 * truth.area
    assert len(shapely.get_coordinates(area)) < 60


def test_an_area_across_the_antimeridian_is_cut(make_result: MakeResult) -> None:
    area = seen_area(measured(make_result(west=179.9), np.ones((100, 200), bool)))
    assert isinstance(area, shapely.MultiPolygon)
    assert area.area == pytest.approx(0.2 * 0.1, rel=1e-3)
    assert area.intersects(shapely.Point(-179.95, 49.95))


def test_nothing_is_seen_where_nothing_was_measured_and_unknown_without_a_position(make_result: MakeResult) -> None:
    empty = seen_area(measured(make_result(), np.zeros((100, 200), bool)))
    assert empty is not None
    assert empty.is_empty
    assert seen_area(make_result(located=False)) is None


def test_the_file_has_one_row_with_the_times_in_order(make_result: MakeResult, tmp_path: Path) -> None:
    lines = LineTimes(START, (0.0, 99.0), (9.9, 0.0))  # a satellite that flies north
    result = replace(measured(make_result(), np.ones((100, 200), bool)), acquired=Acquisition("file", lines))
    for name in ("a", "b"):
        write_seen(result, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    write_seen(make_result(located=False), tmp_path / "c")
    rows = [pyarrow.parquet.read_table(tmp_path / name).to_pylist()[0] for name in ("a", "c")]
    assert rows[0]["scene"] == "a scene.tif"
    assert (rows[0]["start"], (rows[0]["end"] - rows[0]["start"]).total_seconds()) == (START, 9.9)
    assert shapely.from_wkb(rows[0]["geometry"]).area == pytest.approx(0.02, rel=1e-3)
    assert [rows[1][name] for name in ("start", "end", "geometry")] == [None, None, None]
