"""Map of a match."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from refinedet.ais.results.match_files import match_files
from refinedet.ais.results.settings import MatchOptions
from refinedet.geo.position import distances_m
from tests.refinedet.ais.results.matched import VIEW
from tests.refinedet.scene.output.test_webmap import data_of


def test_the_map_shows_every_ship_on_a_plane(files: tuple[Any, Path, Path]) -> None:
    made, ships, ais = files
    (found,) = match_files([ships], [ais], VIEW)
    data = data_of(found.files["map"])
    assert data["ships"]["ais"] == list(found.match.verdicts.status)
    told = found.summary["ais_ships"]
    assert [one["seen"] for one in data["ais"]["ships"]].count(True) == told["seen"]
    assert len(data["ais"]["ships"]) == told["seen"] + told["unseen"]
    middle = np.array(data["ships"]["bbox_px"]).reshape(-1, 2, 2).mean(axis=1)
    apart = np.hypot(*(10 * (middle[1:] - middle[0])).T)
    assert apart == pytest.approx(distances_m(*ends(made.scene.detected.lonlat)), rel=1e-3)
    for one in data["ais"]["ships"]:
        if one["seen"]:
            assert np.hypot(*(np.array(one["at"]) - middle[one["detection"]])) < 30


def ends(lonlat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first place, and each of the others."""
    return np.repeat(lonlat[:1], len(lonlat) - 1, axis=0), lonlat[1:]


def test_a_map_leaves_out_what_scores_too_low(files: tuple[Any, Path, Path]) -> None:
    _, ships, ais = files
    content = json.loads(ships.read_text())
    for one in content["features"][::2]:
        one["properties"]["score"] = 0.1
    ships.write_text(json.dumps(content))
    (found,) = match_files([ships], [ais], VIEW, MatchOptions(score_min=0.5))
    data = data_of(found.files["map"])
    assert len(data["ships"]["score"]) == 10
    assert found.summary["unseen_because"]["score below the lowest"] >= 3
    told = [one for one in data["ais"]["ships"] if one["detection"] is not None]
    assert told
    for one in told:
        assert data["ships"]["mmsi"][one["detection"]] == one["mmsi"]
