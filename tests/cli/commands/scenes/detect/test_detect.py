"""refinedet detect, as a user types it."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import Result

from refinedet import raster
from refinedet.files import sha256_file
from refinedet.model import checkpoint
from refinedet.scene import detect
from refinedet.scene.output import result_paths
from refinedet.scene.windows.overlap import LONGEST_SHIP_M
from refinedet.scene.windows.prescreen import K

Run = Callable[..., Result]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_detect_writes_the_default_files_into_the_default_folder(
    run: Run, tmp_path: Path, weights: Path, scene: Path, ships: tuple[tuple[int, ...], ...]
) -> None:
    ran = run("detect", scene, "--weights", weights)
    assert ran.exit_code == 0, ran.output
    folder = tmp_path / "scene_ships"
    assert names(folder) == ["scene.csv", "scene.geojson", "scene.html", "scene.png", "scene.run.json"]
    with (folder / "scene.csv").open(newline="") as stream:
        found = sorted(
            tuple(int(float(row[key])) for key in ("x1", "y1", "x2", "y2")) for row in csv.DictReader(stream)
        )
    assert found == sorted(ships)
    assert "scene_ships" in ran.stdout


def test_detect_writes_the_formats_asked_for(run: Run, tmp_path: Path, weights: Path, scene: Path) -> None:
    options = [
        "--weights",
        weights,
        "--out",
        tmp_path / "out",
        "--format",
        "coco",
        "--format",
        "gpkg",
        "--format",
        "geoparquet",
        "--no-quicklook",
        "--no-map",
    ]
    ran = run("detect", scene, *options)
    assert ran.exit_code == 0, ran.output
    assert names(tmp_path / "out") == ["scene.coco.json", "scene.gpkg", "scene.parquet", "scene.run.json"]


def test_detect_json_is_all_there_is_on_stdout(run: Run, tmp_path: Path, weights: Path, scene: Path) -> None:
    ran = run("detect", scene, tmp_path / "missing.tif", "--weights", weights, "--json")
    assert ran.exit_code == 1
    summary = json.loads(ran.stdout)
    assert summary["ships"] == 2
    good, bad = summary["scenes"]
    assert (good["ok"], good["ships"], good["windows"], good["windows_skipped"]) == (True, 2, 12, 0)
    assert [Path(file).suffix for file in good["files"]] == [".geojson", ".csv", ".png", ".html", ".json"]
    assert not bad["ok"]
    assert "missing.tif" in bad["error"]


def test_a_time_by_hand_is_in_every_row_and_a_wrong_one_is_refused(
    run: Run, tmp_path: Path, weights: Path, scene: Path
) -> None:
    ran = run("detect", scene, "--weights", weights, "--time", "2021-07-01T14:01:02+02:00", "--format", "csv")
    assert ran.exit_code == 0, ran.output
    with (tmp_path / "scene_ships" / "scene.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["time"], row["scene"]) for row in rows] == [("2021-07-01T12:01:02.000Z", "scene.tif")] * 2
    record = json.loads((tmp_path / "scene_ships" / "scene.run.json").read_text())
    assert record["scene"]["read_as"]["time"] == {"from": "option", "start": rows[0]["time"], "end": None}
    ran = run("detect", scene, "--weights", weights, "--time", "yesterday", "--overwrite")
    assert ran.exit_code == 1
    assert "expected --time such as 2021-07-01T12:01:02Z, found 'yesterday'" in " ".join(ran.stderr.split())
    ran = run("detect", scene, "--weights", weights, "--time", "2021-07-01T14:01:02Z", "--skip-existing")
    assert ran.exit_code == 1  # another time is another result


def test_windows_are_of_the_size_that_is_asked_for(run: Run, weights: Path, scene: Path) -> None:
    ran = run("detect", scene, "--weights", weights, "--json", "--tile-px", 256, "--overlap-px", 64)
    assert json.loads(ran.stdout)["scenes"][0]["windows"] == 1


def test_calm_windows_are_skipped_for_ships_unless_that_is_switched_off(
    run: Run, tmp_path: Path, weights: Path, scene: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = replace(checkpoint.read_header(weights), classes=("ship",))
    monkeypatch.setattr(checkpoint, "read_header", lambda _: header)
    told = {}
    shared, handed = set(), set()
    real = detect.detect_scene

    def seen(*given: Any, **settings: Any) -> Any:
        handed.add(settings["ship_m"])
        return real(*given, **settings)

    monkeypatch.setattr(detect, "detect_scene", seen)
    for choice in ([], ["--prescreen", "on"], ["--prescreen", "off"]):
        ran = run("detect", scene, "--weights", weights, "--json", "--overwrite", *choice)
        one = json.loads(ran.stdout)["scenes"][0]
        record = json.loads((tmp_path / "scene_ships" / "scene.run.json").read_text())
        told["".join(choice[1:])] = (one["ships"], record["settings"]["tile_px"], record["settings"]["prescreen"])
        shared.add(record["settings"]["ship_m"])
        assert (one["windows_skipped"] > 0.5 * one["windows"]) == (choice[1:] != ["off"])
    assert told == {"": (2, 64, K), "on": (2, 64, K), "off": (2, 128, None)}
    assert shared == handed == {LONGEST_SHIP_M}
    run("detect", scene, "--weights", weights, "--overwrite", "--overlap-px", 20)
    record = json.loads((tmp_path / "scene_ships" / "scene.run.json").read_text())
    assert (record["settings"]["overlap_px"], record["settings"]["ship_m"]) == (20, None)


@pytest.mark.parametrize("ships", [(), ((20, 30, 40, 38), (150, 120, 162, 150))], ids=["no ship", "two ships"])
def test_score_and_detect_agree_with_themselves(run: Run, tmp_path: Path, weights: Path, scene: Path) -> None:
    """The stretch is fixed, since noise alone would be stretched until it shows thousands of bright blobs."""
    run("detect", scene, "--weights", weights, "--out", tmp_path, "--stretch", "fixed:50:1000")
    ran = run("score", tmp_path / "scene.geojson", tmp_path / "scene.geojson")
    assert "F1 1.000" in ran.stdout
    assert json.loads(run("score", *[tmp_path / "scene.geojson"] * 2, "--json").stdout)["f1"] == 1


def test_what_an_earlier_call_has_finished_is_skipped_unless_anything_differs(
    run: Run, tmp_path: Path, weights: Path, scene: Path
) -> None:
    words = ("detect", scene, "--weights", weights, "--skip-existing")
    first = run(*words, "--json")
    assert (first.exit_code, json.loads(first.stdout)["scenes"][0]["skipped"]) == (0, False)
    table = tmp_path / "scene_ships" / "scene.csv"
    before = table.stat().st_mtime_ns
    again = json.loads(run(*words, "--batch-size", 1, "--json").stdout)
    assert again["scenes"][0]["skipped"]
    assert again["ships"] == json.loads(first.stdout)["ships"]
    assert table.stat().st_mtime_ns == before
    assert "as before" in run(*words).stdout
    other = run(*words, "--score-min", 0.7)
    assert other.exit_code == 1
    assert "settings.score_min was 0.5, is 0.7" in " ".join(other.stderr.split())
    table.unlink()
    refused = run(*words)
    assert refused.exit_code == 1, "some results are there, some are not"
    assert "--overwrite" in refused.stderr
    (tmp_path / "scene_ships" / "scene.run.json").write_text("[]")
    table.touch()
    assert "expected the record of a run" in " ".join(run(*words).stderr.split())


@pytest.mark.parametrize(
    ("make", "windows_skipped"),
    [
        pytest.param(lambda path: raster.write_scene(path, np.zeros((300, 300), np.uint16)), 16, id="no data"),
        pytest.param(
            lambda path: raster.write_scene(path, np.full((20, 30), 7, np.uint16)), 0, id="smaller than a tile"
        ),
    ],
)
def test_scenes_without_ships_give_valid_empty_results(
    run: Run, tmp_path: Path, weights: Path, make: Any, windows_skipped: int
) -> None:
    make(tmp_path / "scene.tif")
    formats = [word for name in result_paths.SUFFIXES for word in ("--format", name)]
    ran = run("detect", tmp_path / "scene.tif", "--weights", weights, "--out", tmp_path / "o", "--json", *formats)
    assert ran.exit_code == 0, ran.output
    one = json.loads(ran.stdout)["scenes"][0]
    assert (one["ships"], one["windows_skipped"]) == (0, windows_skipped)
    assert json.loads((tmp_path / "o/scene.geojson").read_text())["features"] == []
    assert json.loads((tmp_path / "o/scene.coco.json").read_text()) == []
    assert (tmp_path / "o/scene.csv").read_text().count("\n") == 1
    assert len(names(tmp_path / "o")) == len(result_paths.SUFFIXES) + len(result_paths.VIEWS)


def test_the_weights_of_the_package_are_the_default(
    run: Run, weights: Path, scene: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("refinedet.detection.detector.shipped_weights", lambda: weights)
    assert run("detect", scene).exit_code == 0


def test_the_real_network_runs_from_the_command_line(run: Run, scene: Path, tiny_network: Path) -> None:
    options = "--weights", tiny_network, "--json", "--overwrite", "--restart", "--device", "cpu"
    ran = run("detect", scene, *options, "--prescreen", "off", "--score-min", "0.9")
    assert ran.exit_code == 0, ran.output
    assert json.loads(ran.stdout)["scenes"][0]["windows"] == 6, "of 128 pixels, where it was trained on 64"
    for more in ((), ("--prescreen", "off", "--tile-px", 64)):
        assert json.loads(run("detect", scene, *options, *more).stdout)["scenes"][0]["windows"] == 30


def test_detect_looks_again_where_asked(run: Run, scene: Path, tiny_network: Path) -> None:
    """Two runs through a real network: at one scale, and at the scales of a preset."""
    options = ("--json", "--device", "cpu", "--score-min", "0")
    counts = []
    for more in ((), ("--multiscale", "light", "--overwrite")):
        ran = run("detect", scene, "--weights", tiny_network, *options, *more)
        assert ran.exit_code == 0, ran.stderr
        counts.append(json.loads(ran.stdout)["ships"])
    assert counts[0] != counts[1]


def test_equal_runs_give_equal_files_but_for_the_time_in_the_record(
    run: Run, tmp_path: Path, weights: Path, scene: Path
) -> None:
    formats = [word for name in result_paths.SUFFIXES for word in ("--format", name)]
    for folder in ("a", "b"):
        assert run("detect", scene, "--weights", weights, "--out", tmp_path / folder, *formats).exit_code == 0
    records = []
    for name in names(tmp_path / "a"):
        first, second = (tmp_path / folder / name for folder in ("a", "b"))
        if name == "scene.run.json":
            records = [json.loads(path.read_text()) for path in (first, second)]
        else:
            assert first.read_bytes() == second.read_bytes(), name
    parts = ["describe", "hash", "land", "merge", "predict", "read", "seconds", "stretch"]
    assert [sorted(record.pop("time")) for record in records] == [parts, parts]
    assert records[0] == records[1]


def test_the_record_says_what_was_run_and_on_what(run: Run, tmp_path: Path, weights: Path, scene: Path) -> None:
    assert run("detect", scene, "--weights", weights, "--score-min", "0.25").exit_code == 0
    record = json.loads((tmp_path / "scene_ships" / "scene.run.json").read_text())
    assert record["scene"]["sha256"] == sha256_file(scene)
    assert record["weights"] == {"name": weights.name, "sha256": sha256_file(weights)}
    assert (record["settings"]["score_min"], record["settings"]["tile_px"]) == (0.25, 128)  # asked for, and as trained
    assert record["counts"]["ships"] == 2
    assert record["device"] in ("cpu", "cuda")
    assert str(tmp_path) not in json.dumps(record)


def test_the_stretch_and_the_scale_are_reported(run: Run, weights: Path, scene: Path) -> None:
    ran = run("detect", scene, "--weights", weights, "--json", "--scale", 0.5, "--stretch", "fixed:90:1000")
    assert ran.exit_code == 0, ran.output
    summary = json.loads(ran.stdout)["scenes"][0]
    assert summary["stretch_limits"] == {"low": 90, "high": 1000, "domain": "amplitude", "sea_db": None}
    assert summary["scale"] == [0.5, 0.5]
    assert summary["ships"] == 2
    ran = run("detect", scene, "--weights", weights, "--overwrite", "--gsd-m", 20, "--stretch", "percentile")
    assert ran.exit_code == 0, ran.output
    assert "ships" in ran.stdout
