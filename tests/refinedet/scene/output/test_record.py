"""The record of a run: complete, JSON whatever the scene says, and equal for equal runs."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from refinedet.errors import InputError
from refinedet.files import sha256_file
from refinedet.radiometry import StretchLimits
from refinedet.raster import GroundControlPoint
from refinedet.scene.identity import RunIdentity, scene_sha256
from refinedet.scene.output.record import run_record, write_run_record
from refinedet.scene.result import SceneResult

MakeResult = Callable[..., SceneResult]


def record_of(result: SceneResult, **changed: Any) -> dict[str, Any]:
    given = {"weights": None, "settings": {}, "device": "cpu", "seconds": 1.234}
    return run_record(result, **(given | changed))


def test_counts_add_up(make_result: MakeResult) -> None:
    result = replace(
        make_result(3),
        dropped={"land": 4, "excluded": 1},
        stretch_limits=StretchLimits(1.5, 99.0),
        seconds={"read": 0.5},
    )
    record = record_of(result)
    assert record["counts"] == {
        "windows": 1,
        "windows_skipped": 0,
        "ships": 3,
        "ships_by_class": {"ship": 2, "iceberg": 1},
        "ships_flagged": 1,
        "ships_by_outline": {"box": 3},
        "ships_by_flag": {"edge": 1, "joined": 1},
        "dropped_by_reason": {"land": 4, "excluded": 1},
    }
    assert record["stretch_limits"] == {"low": 1.5, "high": 99.0, "domain": "amplitude", "sea_db": None}
    assert record["time"] == {"seconds": 1.23, "read": 0.5}
    assert record["versions"]["numpy"]


def test_the_convention_of_the_control_points_is_recorded_with_what_says_so(make_result: MakeResult) -> None:
    result = make_result(1)
    point = GroundControlPoint(0, 0, 8, 55)
    located = replace(result.info, gcps=(point,) * 4, gcp_crs="EPSG:4326", gcp_zero="centre", gcp_evidence="tags")
    found = record_of(replace(result, info=located))["scene"]["control_points"]
    assert found == {"count": 4, "zero": "centre", "evidence": "tags"}
    assert record_of(replace(result, info=replace(located, gcps=())))["scene"]["control_points"] is None


def test_the_weights_are_named_by_their_content(tmp_path: Path, make_result: MakeResult) -> None:
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(b"weights")
    record = record_of(make_result(), weights=weights)
    assert record["weights"] == {"name": "model.safetensors", "sha256": sha256_file(weights)}
    assert record_of(make_result())["weights"] is None


def test_the_identity_of_the_run_is_in_it_where_it_is_known(make_result: MakeResult) -> None:
    identity = RunIdentity("5ce7e", {"weights": "ab"}, {"score_min": 0.5})
    record = record_of(replace(make_result(), identity=identity))
    assert RunIdentity.from_record(record, Path("a.run.json")).changed_since(identity) == []
    assert record["scene"]["sha256"] == "5ce7e"
    assert record_of(make_result())["identity"] is None


def test_settings_and_nodata_that_json_cannot_hold_become_text(tmp_path: Path, make_result: MakeResult) -> None:
    result = make_result(0)
    odd = replace(result, info=replace(result.info, nodata=math.nan))
    record = record_of(odd, settings={"land": Path("coast.gpkg"), "inner": {"values": (1, math.inf)}})
    write_run_record(tmp_path / "r.run.json", record)
    content = json.loads((tmp_path / "r.run.json").read_text())
    assert content["scene"]["nodata"] == "nan"
    assert content["settings"] == {"land": "coast.gpkg", "inner": {"values": [1, "inf"]}}


def test_a_product_is_known_by_the_raster_that_was_looked_at(make_product: Callable[..., Path]) -> None:
    product = make_product("vv", "vh")
    before = {pol: scene_sha256(product, pol) for pol in ("vv", "vh")}
    assert before["vv"] != before["vh"]
    (product / "preview.png").write_bytes(b"not looked at")
    next(product.glob("measurement/*-vh-*")).write_bytes(b"changed")
    assert scene_sha256(product, "vv") == before["vv"]
    assert scene_sha256(product, "vh") != before["vh"]
    with pytest.raises(InputError):
        scene_sha256(product, "hh")
