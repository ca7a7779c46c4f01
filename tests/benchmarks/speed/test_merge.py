"""The merging that is timed merges: ours finds every ship, and two that follow one rule keep the same boxes."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from benchmarks.speed import merge


def test_a_scene_shows_about_as_many_boxes_as_are_wanted() -> None:
    grid, parts, ships = merge.scene(3000)
    assert len(parts) == len(grid)
    assert sum(len(found) for _, found in parts) == pytest.approx(3000, rel=0.2)
    for window, found in parts:
        assert (found.boxes_xyxy[:, :2] >= (window.x, window.y)).all()
        assert (found.boxes_xyxy[:, 2:] <= (window.x + window.width, window.y + window.height)).all()
    assert len(ships) > 1000


def test_ours_finds_every_ship_and_suppression_leaves_some_twice() -> None:
    grid, parts, ships = merge.scene(3000)
    assert merge.f1(merge.by_refinedet(parts, grid)[1], ships) == 1
    assert merge.f1(merge.by_torchvision(parts, grid)[1], ships) < 1


def test_torchvision_and_sahi_keep_the_same_boxes() -> None:
    if find_spec("sahi") is None:
        pytest.skip("SAHI is not installed: pip install 'refinedet[bench]'")
    grid, parts, _ = merge.scene(2500)
    kept = [way(parts, grid)[1] for way in (merge.by_torchvision, merge.by_sahi_nms)]
    assert merge.difference(*kept) == f"equal, {len(kept[0]):,}"
    assert len(merge.by_sahi_merging(parts, grid)[1]) < len(kept[0])


def test_growth_is_told_by_its_power() -> None:
    assert merge.exponent((1000, 0.5), (10_000, 50.0)) == "2.00"


def test_a_way_that_takes_too_long_is_stopped_and_said_to_be() -> None:
    script = Path(merge.__file__)
    words = ("--boxes", "500", "--rounds", "2", "--limit-s", "0")
    done = subprocess.run([sys.executable, script, *words], capture_output=True, text=True, check=True)
    rows = [line for line in done.stdout.splitlines() if line.startswith(("| 4", "| 5"))]
    assert len(rows) >= 2
    assert all("more than 0: stopped" in row for row in rows)
