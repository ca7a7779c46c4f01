"""The Python examples of the documents run, from top to bottom of a page, in an empty folder."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from refinedet.data.simulation.scene import write_simulated
from refinedet.data.simulation.spec import SceneSpec

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
"""`python notest` marks what needs a package that is no dependency."""
AIS = ROOT / "docs" / "tutorials" / "dark_ships.ipynb"
PAGES = [
    page
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
    if BLOCK.search(page.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_examples_of_a_page_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_simulated(SceneSpec(width_px=320, height_px=256, ships=3, seed=1), tmp_path / "scene.tif")
    names: dict[str, object] = {"__name__": "example"}
    for block in BLOCK.findall(page.read_text(encoding="utf-8")):
        exec(compile(block, page.name, "exec"), names)  # noqa: S102 - our own pages


def test_the_page_on_other_detectors_leaves_result_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = ROOT / "docs" / "howto" / "own-detector.md"
    assert page in PAGES
    monkeypatch.chdir(tmp_path)
    exec(compile(BLOCK.findall(page.read_text(encoding="utf-8"))[0], page.name, "exec"), {})  # noqa: S102 - ditto
    assert json.loads((tmp_path / "ships" / "scene.geojson").read_text())["type"] == "FeatureCollection"
    assert (tmp_path / "ships" / "scene.csv").is_file()


def test_the_tutorial_on_dark_ships_ends_as_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for cell in json.loads(AIS.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), AIS.name, "exec"), names)  # noqa: S102 - our own page
    assert names["run"].record["ais"]["detections"] == {"matched": 8, "dark": 4, "unknown": 0}
    assert names["right"] == names["run"].ships == 12
    assert '"ais":["' in (tmp_path / "out" / "sea.html").read_text(encoding="utf-8")
