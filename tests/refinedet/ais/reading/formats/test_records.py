"""AIS messages in JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from refinedet.ais.reading import reasons
from refinedet.ais.reading.read import read_ais
from refinedet.errors import InputError

SHIP = {"MMSI": 219000001, "TIME": "2024-06-05 12:00:00 GMT", "LONGITUDE": 10.5, "LATITUDE": 55.25, "SOG": 12.5}


@pytest.mark.parametrize("document", [[{"ERROR": False}, [SHIP]], {"data": [SHIP]}, [SHIP], SHIP])
def test_records_are_found_in_a_document(document: object, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(document))
    assert read_ais([path], area=None, time=None).fixes.speed_kn.tolist() == [12.5]


def test_lines_that_are_no_record_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(f"{json.dumps(SHIP)}\n\n{{broken\n[1]\n")
    found = read_ais([path], area=None, time=None)
    assert (found.counts[reasons.MESSAGES], found.counts[reasons.KEPT], found.counts[reasons.DAMAGED]) == (3, 1, 2)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"features": [', "AIS messages as JSON in"),
        ('{"data": [[257000001, "2024-06-05T12:00:00", 10.5, 55.25]]}', "a list of AIS messages with names"),
        ("[]", "a list of AIS messages with names"),
        ('[{"id": 1}]', "none for mmsi and time and longitude and latitude among id"),
    ],
)
def test_json_without_messages_is_one_sentence(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(InputError, match=words):
        read_ais([path], area=None, time=None)


def test_a_record_separator_may_begin_each_line(tmp_path: Path) -> None:
    record = {"mmsi": 219000001, "time": "2024-06-05T12:00:00Z", "lon": 10.5, "lat": 55.25}
    (tmp_path / "a.geojsons").write_text("".join(f"\x1e{json.dumps(record | {'lat': y})}\n" for y in (55, 56)))
    assert read_ais([tmp_path / "a.geojsons"], area=None, time=None).fixes.latitude_deg.tolist() == [55.0, 56.0]
