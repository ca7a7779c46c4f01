"""The coastline of a region: cut in a child process, kept, found again, and honest when it cannot be had."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
import pytest
import shapely

from refinedet import user_cache
from refinedet.errors import FileError
from refinedet.scene.land import coastline as module
from refinedet.scene.land.coastline import coastline, coastline_version

FIJI = [(-180.0, -17.5, -179.5, -16.5), (179.5, -17.5, 180.0, -16.5)]
SQUARE = shapely.to_wkb(shapely.MultiPolygon([shapely.box(0, 0, 1, 1)]))


@pytest.fixture
def cuts(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Takes the place of the child; what it was asked for."""
    asked: list[Any] = []

    def cut_in_child(boxes: Any) -> bytes:
        asked.append(boxes)
        return SQUARE

    monkeypatch.setattr(module, "_cut_in_child", cut_in_child)
    return asked


def test_the_real_coastline_is_cut_by_a_child_and_kept(real_coastline: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    first = coastline(FIJI, real_coastline)
    grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb) / 1024
    assert grown_mb < 60  # the whole earth takes ten times as much
    on_both_sides = shapely.Point(179.968, -16.904), shapely.Point(-179.92, -16.83)  # Taveuni lies across 180 degrees
    assert shapely.intersects(first[:, None], np.array(on_both_sides, object)).any(axis=0).all()
    assert not shapely.intersects(first, shapely.Point(179.6, -17.45)).any()
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("a second child"))
    np.testing.assert_array_equal(coastline(FIJI, real_coastline), first)


@pytest.mark.usefixtures("real_coastline")
def test_the_version_is_that_of_the_package_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert coastline_version() == metadata.version("roaring-landmask")
    monkeypatch.setattr(module, "_PACKAGE", "no-such-package-of-ours")
    assert coastline_version() is None


def test_each_region_is_cut_once(cuts: list[Any], tmp_path: Path) -> None:
    for _ in range(2):
        coastline(FIJI, tmp_path)
        coastline(FIJI[:1], tmp_path)
    assert cuts == [FIJI, FIJI[:1]]


def test_another_version_is_another_cut(cuts: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    coastline(FIJI, tmp_path)
    monkeypatch.setattr(module, "coastline_version", lambda: "99")
    coastline(FIJI, tmp_path)
    assert len(cuts) == 2


@pytest.mark.parametrize("left", [b"", SQUARE[:40], b"not a geometry"])
def test_a_damaged_cut_is_made_anew(cuts: list[Any], tmp_path: Path, left: bytes) -> None:
    coastline(FIJI, tmp_path)
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(left)
    assert len(coastline(FIJI, tmp_path)) == 1
    assert kept.read_bytes() == SQUARE
    assert len(cuts) == 2


def test_a_cache_that_cannot_be_written_costs_time_only(cuts: list[Any], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert len(coastline(FIJI, tmp_path / "file")) == 1
    assert len(cuts) == 1


def test_the_cuts_not_used_for_longest_go(cuts: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_KEPT", 2)
    regions = [[(0.0, 0.0, float(east), 1.0)] for east in (1, 2, 3)]
    for age, region in enumerate(regions[:2]):
        coastline(region, tmp_path)
        for path in tmp_path.iterdir():
            os.utime(path, (1e9 - age, path.stat().st_mtime - 100))
    coastline(regions[0], tmp_path)  # used again: now newer than the second
    coastline(regions[2], tmp_path)
    asked = len(cuts)
    coastline(regions[0], tmp_path)
    assert len(cuts) == asked
    coastline(regions[1], tmp_path)
    assert len(cuts) == asked + 1


def test_the_default_cache_is_the_users_own(cuts: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REFINEDET_CACHE", raising=False)
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name, **_: tmp_path / name)
    coastline(FIJI)
    assert len(list((tmp_path / "refinedet" / "coastline").glob("gshhg-*.wkb"))) == len(cuts) == 1


@pytest.mark.parametrize("home", ["/dev/null", "~", "/" + "x" * 5000])
def test_without_a_home_that_can_be_used_it_is_cut_anew(
    cuts: list[Any], home: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REFINEDET_CACHE", raising=False)
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name, **_: Path(home) / name)
    monkeypatch.setattr(user_cache, "_temporary", lambda: None)
    user_cache._usable.cache_clear()
    for _ in range(2):
        coastline(FIJI)
    assert len(cuts) == 2
    assert not Path("~").exists()


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        pytest.param(["-c", "raise SystemExit('no room for the earth')"], "no room for the earth", id="it says why"),
        pytest.param(["-c", "import os; os.kill(os.getpid(), 9)"], "SIGKILL", id="killed for memory"),
    ],
)
def test_a_child_that_fails_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: list[str], reason: str
) -> None:
    run = subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda _, **settings: run([sys.executable, *program], **settings))
    with pytest.raises(FileError, match=rf"{reason}.*`land` takes a file"):
        coastline(FIJI, tmp_path)
    assert list(tmp_path.iterdir()) == []
