"""STAC collection of an archive: valid, relative, and as wide as its scenes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pystac.validation
import pytest

from refinedet.batch.collection import collection, write_collection
from refinedet.errors import InputError
from refinedet.scene.output.formats.stac_properties import ANY_TIME


def item(name: str, box: list[float] | None, **properties: Any) -> dict[str, Any]:
    return {"id": name, "properties": properties} | ({} if box is None else {"bbox": box})


def test_extents_are_those_of_the_scenes_that_know_theirs() -> None:
    items = {
        "scenes/2023-01-01/a b.stac.json": item(
            "a b",
            [170.0, 10.0, 172.0, 12.0],
            datetime="2023-01-01T00:00:10.000Z",
            start_datetime="2023-01-01T00:00:00.000Z",
            end_datetime="2023-01-01T00:00:20.000Z",
            platform="sentinel-1a",
            **{"sar:polarizations": ["VV"]},
        ),
        "c.stac.json": item("c", [179.0, -1.0, -178.0, 1.0], datetime="2023-02-01T00:00:00.000Z"),
        "d.stac.json": item("d", None, datetime=None, start_datetime=ANY_TIME[0], end_datetime=ANY_TIME[1]),
    }
    found = collection("ships", items)
    assert pystac.validation.validate_dict(found, extensions=[])
    assert found["extent"]["spatial"]["bbox"] == [[170.0, -1.0, -178.0, 12.0]]
    assert found["extent"]["temporal"]["interval"] == [["2023-01-01T00:00:00.000Z", "2023-02-01T00:00:00.000Z"]]
    assert found["summaries"] == {"platform": ["sentinel-1a"], "sar:polarizations": ["VV"]}
    assert [one["href"] for one in found["links"] if one["rel"] == "item"] == [
        "./scenes/2023-01-01/a%20b.stac.json",
        "./c.stac.json",
        "./d.stac.json",
    ]


def test_an_archive_without_places_and_times_is_valid_too() -> None:
    found = collection("ships", {})
    assert pystac.validation.validate_dict(found, extensions=[])
    assert found["extent"]["temporal"]["interval"] == [[None, None]]


def test_other_json_in_the_place_of_an_item_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.stac.json").write_text(json.dumps([1]))
    with pytest.raises(InputError, match=r"expected a STAC item of this archive at .*a\.stac\.json"):
        write_collection(tmp_path, ["a.stac.json", "a.csv"])
