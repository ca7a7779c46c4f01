"""KML: escaped, on the ground, coloured, and valid for GDAL with and without ships and position."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pyogrio
import pytest

from refinedet.scene.output.formats.kml import write_kml
from refinedet.scene.result import SceneResult

MakeResult = Callable[..., SceneResult]
KML = "{http://www.opengis.net/kml/2.2}"


def marks(result: SceneResult, folder: Path) -> list[ET.Element]:
    write_kml(result, folder / "a.kml")
    root = ET.fromstring((folder / "a.kml").read_bytes())  # noqa: S314 - our own document
    return list(root.iter(f"{KML}Placemark"))


def test_a_ship_is_named_by_score_and_length_and_coloured_by_its_class(tmp_path: Path, make_result: MakeResult) -> None:
    result = make_result(3)
    result.places.length_m[1] = np.nan
    found = marks(replace(result, flags=(("shore",), (), ())), tmp_path)
    assert [one.findtext(f"{KML}name") for one in found] == ["0.90, 574 m", "0.75", "0.60, 574 m"]
    assert [one.findtext(f"{KML}styleUrl") for one in found] == ["#coast", "#middle", "#middle"]
    table = found[0].findtext(f"{KML}description") or ""
    assert "<td>length_m</td><td>573.6</td>" in table


def test_places_are_on_the_ground_and_have_no_height(tmp_path: Path, make_result: MakeResult) -> None:
    found = marks(make_result(2, west=179.985), tmp_path)
    assert len(found[0].findall(f".//{KML}Polygon")) == 2, "cut at the antimeridian"
    for text in (one.text or "" for mark in found for one in mark.iter(f"{KML}coordinates")):
        assert all(place.count(",") == 1 for place in text.split())
    assert not [one for mark in found for one in mark.iter(f"{KML}altitudeMode")]


def test_names_are_escaped_and_what_xml_forbids_is_replaced(tmp_path: Path, make_result: MakeResult) -> None:
    name = "<script>&\x01\ud800 'a'.tif"
    (found,) = marks(make_result(1, scene=name), tmp_path)
    values = {one.get("name"): one.text for one in found.iter(f"{KML}SimpleData")}
    assert values["scene"] == "<script>&\ufffd\ufffd 'a'.tif"
    assert "&lt;script&gt;" in (found.findtext(f"{KML}description") or ""), "escaped in the table too"


@pytest.mark.parametrize(("ships", "located"), [(0, True), (2, False)])
def test_gdal_reads_a_file_without_ships_or_without_places(
    tmp_path: Path, make_result: MakeResult, ships: int, located: bool
) -> None:
    write_kml(make_result(ships, located=located), tmp_path / "a.kml")
    assert pyogrio.list_layers(tmp_path / "a.kml")[:, 0].tolist() == ["ships"]
    _, _, geometry, _ = pyogrio.raw.read(tmp_path / "a.kml")
    assert geometry.tolist() == [None] * ships
