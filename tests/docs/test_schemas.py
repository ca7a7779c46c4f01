"""Result files are as the schemas of the documentation say."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

import refinedet
from refinedet.data.simulation.settings import SimulationSettings
from refinedet.data.simulation.simulating import simulate_files
from refinedet.detection.outcome import DetectionRun
from refinedet.scene.reported import AIS_COLUMNS
from refinedet.scene.views.columns import MEASURES

SCHEMAS = Path(__file__).resolve().parents[2] / "docs" / "reference" / "schemas"


def schema(name: str) -> dict[str, object]:
    content: dict[str, object] = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(content)
    return content


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> DetectionRun:
    """A detection with AIS on a small simulated scene."""
    folder = tmp_path_factory.mktemp("schemas")
    sea = SimulationSettings(width_px=320, height_px=256, ships=4, seed=3, ais=True)
    (made,) = simulate_files(folder / "sea.tif", sea)
    return refinedet.find_ships(made.scene, folder / "out", ais=made.reports, quicklook=False, map=False)


def test_ships_are_as_the_schema_says(run: DetectionRun) -> None:
    check = jsonschema.Draft202012Validator(schema("ship"))
    ships = [one["properties"] for one in json.loads(run.files["geojson"].read_text("utf-8"))["features"]]
    assert ships
    for ship in ships:
        check.validate(ship)
    with pytest.raises(jsonschema.ValidationError, match="speed"):
        check.validate(ships[0] | {"speed": 1})


def test_the_record_is_as_the_schema_says(run: DetectionRun) -> None:
    check = jsonschema.Draft202012Validator(schema("run") | {"additionalProperties": False})
    check.validate(json.loads(run.files["record"].read_text("utf-8")))


def test_the_schema_of_a_ship_has_every_column() -> None:
    names = set(schema("ship")["properties"])  # type: ignore[call-overload]  # a mapping
    assert set(MEASURES) | set(AIS_COLUMNS) <= names
