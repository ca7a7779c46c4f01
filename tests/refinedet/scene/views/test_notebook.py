"""A result in a notebook: picture, strongest ships and notes, without a request."""

from __future__ import annotations

import base64
import io
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from refinedet.detection.outcome import DetectionRun
from refinedet.errors import MissingExtra
from refinedet.scene.reported import AIS_COLUMNS, Reported
from refinedet.scene.result import SceneResult

MakeResult = Callable[..., SceneResult]


def test_it_shows_picture_ships_and_notes(make_result: MakeResult) -> None:
    result = make_result(12)
    pixels = np.random.default_rng(0).integers(0, 200, (1000, 2000)).astype(np.uint8)
    shown = replace(result, preview=pixels, notes=("a <note> & more",))._repr_html_()
    assert "<b>a scene.tif</b>: 12 ships" in shown
    assert "a &lt;note&gt; &amp; more" in shown
    picture = re.search(r'src="data:image/png;base64,([^"]+)"', shown)
    assert picture
    image = Image.open(io.BytesIO(base64.b64decode(picture[1])))
    assert (image.format, image.size) == ("PNG", (480, 240))
    assert (255, 180, 84) in set(image.convert("RGB").get_flattened_data()), "ships are marked"
    assert shown.count("<tr>") == 11
    assert "and 2 more" in shown
    assert "<th>length (m)</th>" in shown
    assert "heading" not in shown, "no ship has one"
    assert "<td>574</td>" in shown
    assert "edge, joined" in shown
    assert not re.search(r"https?:|<script|<style", shown)
    assert shown == replace(result, preview=pixels, notes=("a <note> & more",))._repr_html_()


def test_a_result_and_a_run_are_one_line(make_result: MakeResult) -> None:
    result = make_result(12)
    assert repr(result) == "<SceneResult of a scene.tif: 12 ships>"
    record = {"scene": {"name": "a scene.tif"}, "counts": {"ships": 12}}
    run = DetectionRun(Path("a scene.tif"), record, {"csv": Path("out/a <scene>.csv")}, result)
    assert repr(run) == "<DetectionRun on a scene.tif: 12 ships; out/a <scene>.csv>"
    assert run._repr_html_() == f"{result._repr_html_()}<ul><li>csv: out/a &lt;scene&gt;.csv</li></ul>"
    skipped = replace(run, result=None)
    assert "12 ships as before" in repr(skipped)
    assert "&lt;DetectionRun" in skipped._repr_html_()


@pytest.mark.parametrize("ships", [0, 2])
def test_it_shows_scenes_without_ships_or_position(make_result: MakeResult, ships: int) -> None:
    shown = make_result(ships, located=False)._repr_html_()
    assert ("<table>" in shown) is bool(ships)
    assert ("no ship found" in shown) is (ships == 0)


def test_it_shows_what_ais_says(make_result: MakeResult) -> None:
    row = dict.fromkeys(AIS_COLUMNS) | {"ais": "matched", "ais_name": "<ship>"}
    shown = replace(make_result(1), ais=Reported((row,)))._repr_html_()
    assert "<td>matched</td><td>&lt;ship&gt;</td>" in shown


def test_a_table_without_geopandas_names_the_extra(make_result: MakeResult, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "geopandas", None)
    with pytest.raises(MissingExtra, match=r"refinedet\[geopandas\]"):
        make_result().to_geodataframe()
