"""The detector behind the server: the bytes of the command, for several clients at once."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import refinedet
from refinedet.config.options.serve import ServeSettings
from refinedet.config.options.settings import DetectSettings
from refinedet.raster import write_scene
from refinedet.serving import worker
from tests.refinedet.serving.clients import Client, served

FEW = {"land_mask": "off", "quicklook": False, "map": False, "format": "geojson"}


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three scenes of dim sea with bright ships."""
    folder, found = tmp_path_factory.mktemp("scenes"), []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        pixels = rng.gamma(4, 25, (180, 200 + seed)).astype(np.uint16)
        for x, y in zip(rng.integers(10, 160, 4), rng.integers(10, 160, 4), strict=True):
            pixels[y : y + 5, x : x + 16] = 3000
        found.append(folder / f"scene_{seed}_20200101T000000.tif")
        write_scene(found[-1], pixels, crs="EPSG:32633", transform=(10.0, 0, 5e5, 0, -10.0, 5.3e6))
    return found


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """A program that asks a server with the shipped detector."""
    with served(DetectSettings.of(land_mask="off"), ServeSettings(port=0)) as found:
        yield found


def test_ships_are_those_of_the_command_whoever_asks_beside(client: Client, scenes: list[Path], tmp_path: Path) -> None:
    expected = {}
    with refinedet.Detector.load() as detector:
        for scene in scenes:
            run = refinedet.find_ships(scene, tmp_path, detector=detector, **FEW)
            expected[scene] = run.files["geojson"].read_bytes()
            assert run.ships > 0
    asked = scenes * 3
    with ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(lambda scene: client.send("/detect", scene.read_bytes(), scene.name), asked))
    assert [answer.status for answer in answers] == [200] * len(asked)
    assert [answer.body for answer in answers] == [expected[scene] for scene in asked]


def test_a_job_leaves_picture_map_and_record(client: Client, scenes: list[Path]) -> None:
    answer = client.send("/jobs?score_min=0.4", scenes[0].read_bytes(), scenes[0].name)
    job = client.wait(answer.json["id"])
    assert job["state"] == "done", job

    def result(name: str) -> bytes:
        return client.ask("GET", f"/jobs/{job['id']}/{name}").body

    record: Any = json.loads(result("record.json"))
    assert record["settings"]["score_min"] == 0.4
    assert record["scene"]["name"] == scenes[0].name
    assert record["counts"]["ships"] == job["ships"] == len(json.loads(result("ships.geojson"))["features"])
    assert result("picture.png").startswith(b"\x89PNG")
    assert b"Content-Security-Policy" in result("map.html")


@pytest.mark.parametrize(
    ("content", "name", "query"),
    [
        (b"garbage" * 100, "a.tif", ""),
        (b"II*\x00" + b"\xff" * 400, "a.tif", ""),
        (b"PK\x03\x04" + b"\x00" * 400, "a.zip", ""),
        (b"<VRTDataset/>", "a.vrt", ""),
        (None, "a.tif", "?calibrate=sigma0"),
        (None, "a.tif", "?band=9"),
    ],
    ids=["garbage", "tiff", "zip", "vrt", "calibrate", "band"],
)
def test_a_scene_or_an_option_that_does_not_fit_is_one_sentence(
    client: Client, scenes: list[Path], content: bytes | None, name: str, query: str
) -> None:
    answer = client.send(f"/detect{query}", scenes[0].read_bytes() if content is None else content, name)
    assert answer.status == 422, answer.body
    sentence = answer.json["error"]
    assert "expected" in sentence
    assert "\n" not in sentence
    assert "refinedet-serve" not in sentence, "a folder of the server"


@pytest.mark.parametrize(("messages", "cancelled"), [(["job", "cancel"], True), (["cancel", "job"], False)])
def test_a_cancel_is_of_the_job_before_it_however_soon_it_comes(
    messages: list[str], cancelled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Ended(BaseException):
        pass

    def find(_detector: object, _job: object, wire: worker._Wire) -> None:
        assert wire.cancelled.is_set() is cancelled
        raise Ended

    monkeypatch.setattr(worker, "_find", find)
    monkeypatch.setattr(worker.os, "_exit", lambda _status: None)
    wire = worker._Wire(io.StringIO("".join(json.dumps({one: {}}) + "\n" for one in messages)), io.StringIO())
    wire.listen()
    with pytest.raises(Ended):
        worker._process_jobs(None, wire)  # type: ignore[arg-type]  # no detector is needed


@pytest.mark.slow
def test_memory_and_disk_stay_flat(client: Client, scenes: list[Path]) -> None:
    def memory() -> int:
        pid = client.running.worker.pid
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096

    def ask(count: int) -> None:
        for n in range(count):
            client.wait(client.send("/jobs", scenes[n % 3].read_bytes(), scenes[n % 3].name).json["id"])

    ask(40)
    before = memory()
    ask(200)
    assert memory() < before + 30e6
    assert client.ask("GET", "/health").json["kept"] == 32
