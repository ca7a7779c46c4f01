"""Paths of results, and refusals before the work."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from refinedet.errors import FileError, MissingExtra
from refinedet.scene.output.result_paths import SUFFIXES, Format, check_writable, result_paths


def test_paths_follow_the_stem_and_default_to_its_own_folder() -> None:
    paths = result_paths("far/away/scene.v2.tif", None, ["coco", "csv"], quicklook=True)
    folder = Path("scene.v2_ships")
    assert paths == {
        "csv": folder / "scene.v2.csv",
        "coco": folder / "scene.v2.coco.json",
        "quicklook": folder / "scene.v2.png",
    }


def test_existing_results_are_refused_unless_they_may_be_replaced(tmp_path: Path) -> None:
    paths = result_paths("scene.tif", tmp_path, SUFFIXES, quicklook=True)
    paths["csv"].write_text("old")
    with pytest.raises(FileError, match="`overwrite`"):
        check_writable(paths, overwrite=False)
    check_writable(paths, overwrite=True)
    check_writable(result_paths("other.tif", tmp_path, SUFFIXES, quicklook=True), overwrite=False)


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(FileError, match="expected a folder for results"):
        check_writable(result_paths("scene.tif", tmp_path / "out", ["csv"], quicklook=False), overwrite=True)


def test_a_folder_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "scene.csv").mkdir()
    with pytest.raises(FileError, match="found a folder"):
        check_writable(result_paths("scene.tif", tmp_path, ["csv"], quicklook=False), overwrite=True)


@pytest.mark.parametrize(
    ("package", "name", "extra"),
    [("pyogrio", "gpkg", "gpkg"), ("pyogrio", "fgb", "gpkg"), ("pyarrow", "geoparquet", "geoparquet")],
)
def test_a_format_without_its_package_is_refused_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str, name: Format, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtra, match=rf"refinedet\[{extra}\]"):
        check_writable(result_paths("scene.tif", tmp_path, [name], quicklook=False), overwrite=True)
