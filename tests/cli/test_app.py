"""The command line, as a user types it."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from cli.app import app
from cli.options import Format, Multiscale
from refinedet import config, predictor, raster
from refinedet.config import PRESETS, ModelConfig, Radiometry
from refinedet.errors import InputError
from refinedet.files import write_json
from refinedet.model import checkpoint
from refinedet.scene import detect, outputs

CHECKOUT = Path(__file__).resolve().parents[2]
SHIPS = [(20, 30, 40, 38), (150, 120, 162, 150)]
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in an empty folder; arguments are made strings."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> Result:
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return call


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bright_blobs: Any) -> Path:
    """A checkpoint whose network sees bright blobs."""
    path = tmp_path / "model.safetensors"
    header = checkpoint.Header(ModelConfig(), ("ship",), Radiometry(), {"tile": {"tile_px": 128, "overlap_px": 48}})
    monkeypatch.setattr(checkpoint, "read_header", lambda given: header if given == path else pytest.fail(str(given)))
    monkeypatch.setattr(predictor.TorchPredictor, "load", lambda *_, **__: bright_blobs)
    path.write_bytes(b"stand-in")
    return path


def make_scene(path: Path, ships: list[tuple[int, int, int, int]] | None = None) -> Path:
    pixels = np.random.default_rng(1).integers(90, 110, (220, 300)).astype(np.uint16)
    for x1, y1, x2, y2 in SHIPS if ships is None else ships:
        pixels[y1:y2, x1:x2] = 1000
    raster.write_scene(path, pixels, crs="EPSG:32633", transform=(10.0, 0, 5e5, 0, -10.0, 5.3e6))
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# --- detect


def test_detect_writes_the_default_files_into_the_default_folder(run: Run, tmp_path: Path, weights: Path) -> None:
    ran = run("detect", make_scene(tmp_path / "scene.tif"), "--weights", weights)
    assert ran.exit_code == 0, ran.output
    folder = tmp_path / "scene_ships"
    assert names(folder) == ["scene.csv", "scene.geojson", "scene.png"]
    with (folder / "scene.csv").open(newline="") as stream:
        found = sorted(
            tuple(int(float(row[key])) for key in ("x1", "y1", "x2", "y2")) for row in csv.DictReader(stream)
        )
    assert found == SHIPS
    assert "scene_ships" in ran.stdout


def test_detect_writes_the_formats_asked_for(run: Run, tmp_path: Path, weights: Path) -> None:
    options = [
        "--weights",
        weights,
        "--out",
        tmp_path / "out",
        "--format",
        "coco",
        "--format",
        "gpkg",
        "--no-quicklook",
    ]
    ran = run("detect", make_scene(tmp_path / "scene.tif"), *options)
    assert ran.exit_code == 0, ran.output
    assert names(tmp_path / "out") == ["scene.coco.json", "scene.gpkg"]


def test_detect_json_is_all_there_is_on_stdout(run: Run, tmp_path: Path, weights: Path) -> None:
    scene = make_scene(tmp_path / "scene.tif")
    ran = run("detect", scene, tmp_path / "missing.tif", "--weights", weights, "--json")
    assert ran.exit_code == 1
    summary = json.loads(ran.stdout)
    assert summary["ships"] == 2
    good, bad = summary["scenes"]
    assert (good["ok"], good["ships"], good["windows"], good["windows_empty"]) == (True, 2, 12, 0)
    assert [Path(file).suffix for file in good["files"]] == [".geojson", ".csv", ".png"]
    assert not bad["ok"]
    assert "missing.tif" in bad["error"]


def test_windows_are_as_trained_unless_told_otherwise(run: Run, tmp_path: Path, weights: Path) -> None:
    scene = make_scene(tmp_path / "scene.tif")
    ran = run("detect", scene, "--weights", weights, "--json", "--tile-px", 256, "--overlap-px", 64)
    assert json.loads(ran.stdout)["scenes"][0]["windows"] == 1


@pytest.mark.parametrize("ships", [[], None], ids=["no ship", "two ships"])
def test_score_and_detect_agree_with_themselves(run: Run, tmp_path: Path, weights: Path, ships: Any) -> None:
    run("detect", make_scene(tmp_path / "scene.tif", ships), "--weights", weights, "--out", tmp_path)
    ran = run("score", tmp_path / "scene.geojson", tmp_path / "scene.geojson")
    assert "F1 1.000" in ran.stdout
    assert json.loads(run("score", *[tmp_path / "scene.geojson"] * 2, "--json").stdout)["f1"] == 1


def test_existing_results_are_refused_before_the_network_is_even_loaded(
    run: Run, tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = make_scene(tmp_path / "scene.tif")
    assert run("detect", scene, "--weights", weights).exit_code == 0
    before = (tmp_path / "scene_ships" / "scene.csv").stat().st_mtime_ns
    with monkeypatch.context() as patch:
        patch.setattr(predictor.TorchPredictor, "load", lambda *_, **__: pytest.fail("loaded"))
        refused = run("detect", scene, "--weights", weights)
    assert refused.exit_code == 1
    assert "--overwrite" in refused.stderr
    assert (tmp_path / "scene_ships" / "scene.csv").stat().st_mtime_ns == before
    assert run("detect", scene, "--weights", weights, "--overwrite").exit_code == 0
    assert (tmp_path / "scene_ships" / "scene.csv").stat().st_mtime_ns > before


def truncate(path: Path) -> None:
    raster.write_scene(path, np.random.default_rng(0).integers(1, 60_000, (900, 900), dtype=np.uint16))
    path.write_bytes(path.read_bytes()[:400_000])


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(truncate, id="truncated GeoTIFF"),
        pytest.param(lambda path: path.write_text("hello"), id="text file named .tif"),
        pytest.param(Path.mkdir, id="folder"),
        pytest.param(Path.exists, id="missing"),
    ],
)
def test_a_bad_scene_is_one_sentence_and_the_others_go_on(run: Run, tmp_path: Path, weights: Path, spoil: Any) -> None:
    bad, good = tmp_path / "bad.tif", make_scene(tmp_path / "good.tif")
    spoil(bad)
    ran = run("detect", bad, good, "--weights", weights)
    assert ran.exit_code == 1
    sentences = ran.stderr.strip().splitlines()
    assert len(sentences) == 2
    assert sentences[0].startswith("refinedet: expected")
    assert "bad.tif" in sentences[0]
    assert sentences[1] == "refinedet: 1 of 2 scenes failed"
    assert "Traceback" not in ran.output
    assert (tmp_path / "good_ships" / "good.geojson").is_file()
    assert not (tmp_path / "bad_ships").exists()


@pytest.mark.parametrize(
    ("make", "windows_empty"),
    [
        pytest.param(lambda path: raster.write_scene(path, np.zeros((300, 300), np.uint16)), 16, id="no data"),
        pytest.param(
            lambda path: raster.write_scene(path, np.full((20, 30), 7, np.uint16)), 0, id="smaller than a tile"
        ),
    ],
)
def test_scenes_without_ships_give_valid_empty_results(
    run: Run, tmp_path: Path, weights: Path, make: Any, windows_empty: int
) -> None:
    make(tmp_path / "scene.tif")
    formats = [word for name in outputs.SUFFIXES for word in ("--format", name)]
    ran = run("detect", tmp_path / "scene.tif", "--weights", weights, "--out", tmp_path / "o", "--json", *formats)
    assert ran.exit_code == 0, ran.output
    one = json.loads(ran.stdout)["scenes"][0]
    assert (one["ships"], one["windows_empty"]) == (0, windows_empty)
    assert json.loads((tmp_path / "o/scene.geojson").read_text())["features"] == []
    assert json.loads((tmp_path / "o/scene.coco.json").read_text()) == []
    assert (tmp_path / "o/scene.csv").read_text().count("\n") == 1
    assert len(names(tmp_path / "o")) == 5


def test_two_scenes_of_one_name_are_refused(run: Run, tmp_path: Path, weights: Path) -> None:
    (tmp_path / "other").mkdir()
    scenes = make_scene(tmp_path / "scene.tif"), make_scene(tmp_path / "other" / "scene.tif")
    ran = run("detect", *scenes, "--weights", weights)
    assert ran.exit_code == 1
    assert "different names" in ran.stderr
    assert not (tmp_path / "scene_ships").exists()


def test_a_picture_is_never_replaced_by_its_own_quicklook(run: Run, tmp_path: Path, weights: Path) -> None:
    picture = tmp_path / "chip.png"
    Image.fromarray(np.full((64, 64), 9, np.uint8)).save(picture)
    before = picture.read_bytes()
    ran = run("detect", picture, "--weights", weights, "--out", tmp_path, "--overwrite")
    assert ran.exit_code == 1
    assert "is a scene" in ran.stderr
    assert picture.read_bytes() == before


def test_the_weights_of_the_package_are_the_default(
    run: Run, tmp_path: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.detecting.shipped_weights", lambda: weights)
    assert run("detect", make_scene(tmp_path / "scene.tif")).exit_code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["detect"], id="no scene"),
        pytest.param(["detect", "a.tif", "--score-min", "2"], id="a score above 1"),
        pytest.param(["detect", "a.tif", "--format", "xml"], id="an unknown format"),
        pytest.param(["fly"], id="an unknown command"),
    ],
)
def test_wrong_usage_exits_with_2(run: Run, arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        pytest.param(KeyboardInterrupt(), 130, "refinedet: interrupted", id="Ctrl-C"),
        pytest.param(ZeroDivisionError("oh"), 70, "refinedet: a bug in refinedet: ZeroDivisionError: oh", id="a bug"),
        pytest.param(InputError("expected x,\nfound y"), 1, "refinedet: expected x, found y", id="an expected error"),
    ],
)
def test_errors_are_one_sentence_and_a_code(  # noqa: PLR0917 - fixtures and cases
    run: Run,
    tmp_path: Path,
    weights: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    code: int,
    sentence: str,
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(detect, "detect_scene", fail)
    scene = make_scene(tmp_path / "scene.tif")
    ran = run("detect", scene, "--weights", weights)
    assert ran.exit_code == code
    assert ran.stderr.startswith(sentence)
    assert len(ran.stderr.strip().splitlines()) == 1
    if code != 130:
        assert run("detect", scene, "--weights", weights, "--debug").exception is error


def test_the_real_network_runs_from_the_command_line(run: Run, tmp_path: Path) -> None:
    from refinedet.model.network import RefineDet  # not above: importing torch is this test's business alone

    model = RefineDet(ModelConfig(backbone_weights="none", input_px=64, tcb_channels=8))
    header = checkpoint.Header(model.config, ("ship",), Radiometry(), {"tile": config.TileConfig(64, 16).to_dict()})
    checkpoint.save_checkpoint(tmp_path / "tiny.safetensors", model.state_dict(), header)
    scene = make_scene(tmp_path / "scene.tif")
    ran = run(
        "detect", scene, "--weights", tmp_path / "tiny.safetensors", "--json", "--device", "cpu", "--score-min", "0.9"
    )
    assert ran.exit_code == 0, ran.output
    assert json.loads(ran.stdout)["scenes"][0]["windows"] == 30
    described = run("info", tmp_path / "tiny.safetensors")
    assert described.exit_code == 0
    assert "efficientnet_lite0" in described.stdout
    assert json.loads(run("info", tmp_path / "tiny.safetensors", "--json").stdout)["model"]["input_px"] == 64


# --- simulate, score, info


def test_simulate_writes_a_scene_and_its_truth_with_equal_bytes_for_equal_seeds(run: Run, tmp_path: Path) -> None:
    options = ["--width-px", 256, "--height-px", 200, "--ships", 3, "--seed", 5]
    for name in ("a.tif", "b.tif"):
        assert run("simulate", tmp_path / name, *options).exit_code == 0
    assert (tmp_path / "a.tif").read_bytes() == (tmp_path / "b.tif").read_bytes()
    truth = json.loads((tmp_path / "a.truth.geojson").read_text())
    assert len(truth["features"]) == 3
    with raster.open_scene(tmp_path / "a.tif") as reader:
        assert (reader.info.width, reader.info.height, reader.info.dtype) == (256, 200, "uint16")


def test_simulate_does_not_replace_a_file_unless_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_text("precious")
    options = [tmp_path / "a.tif", "--width-px", 128, "--height-px", 128, "--ships", 1]
    assert "--overwrite" in run("simulate", *options).stderr
    assert (tmp_path / "a.tif").read_text() == "precious"
    assert run("simulate", *options, "--overwrite").exit_code == 0


@pytest.mark.parametrize("name", ["scene.png", "folder/"], ids=["another format", "a folder"])
def test_simulate_writes_geotiff_only(run: Run, name: str) -> None:
    ran = run("simulate", name)
    assert ran.exit_code == 1
    assert "ends in .tif" in ran.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["score", "a.geojson", "b.geojson"], id="score: files are missing"),
        pytest.param(["info", "model.safetensors"], id="info: file is missing"),
        pytest.param(["info", "."], id="info: a folder"),
    ],
)
def test_other_commands_fail_in_one_sentence_too(run: Run, arguments: list[str]) -> None:
    ran = run(*arguments)
    assert ran.exit_code == 1
    assert ran.stderr.startswith("refinedet: expected")
    assert len(ran.stderr.strip().splitlines()) == 1


def test_score_limits_can_be_set(run: Run, tmp_path: Path) -> None:
    def file(name: str, x: int) -> Path:
        properties = {"bbox_px": [x, 0, x + 10, 10], "score": 0.4}
        features = [{"type": "Feature", "geometry": None, "properties": properties}]
        write_json(tmp_path / name, {"type": "FeatureCollection", "features": features})
        return tmp_path / name

    a, b = file("a.geojson", 0), file("b.geojson", 5)
    assert "F1 1.000" in run("score", a, b).stdout
    assert "F1 0.000" in run("score", a, b, "--iou-min", "0.5").stdout
    assert "missed 1" in run("score", a, b, "--score-min", "0.5").stdout


# --- the program itself


def test_format_names_are_those_of_the_library() -> None:
    assert {item.value for item in Format} == set(outputs.SUFFIXES) == set(get_args(outputs.Format))
    assert {item.value for item in Multiscale} == set(PRESETS)


def test_help_answers_at_once_and_imports_nothing_heavy() -> None:
    code = (
        "import sys, runpy; sys.argv = ['refinedet', '--help']\n"
        "try: runpy.run_module('cli.app', run_name='__main__')\n"
        "finally: print([m for m in ('torch', 'rasterio', 'mlflow', 'numpy', 'matplotlib') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=CHECKOUT)
    assert ran.stdout.strip().splitlines()[-1] == "[]"
    assert "detect" in ran.stdout
    seconds = []  # of processor time: what else the machine does is not our business
    for _ in range(3):
        before = os.times()
        subprocess.run([sys.executable, "-m", "cli.app", "--help"], capture_output=True, check=True, cwd=CHECKOUT)
        after = os.times()
        seconds.append(after.children_user + after.children_system - before.children_user - before.children_system)
    assert min(seconds) < 0.5


def test_version_and_module_entry() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "cli.app", "--version"],
        capture_output=True,
        text=True,
        check=True,
        cwd=CHECKOUT,
        env=os.environ | {"PYTHONPATH": str(CHECKOUT)},
    )
    assert ran.stdout.startswith("refinedet ")


# --- train


def test_train_says_how_good_it_is_and_where_things_are(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def fake(*arguments: Any) -> dict[str, float]:
        asked.append(arguments)
        return {"AP": 61.25, "F1": 90.0, "chips": 7}

    monkeypatch.setattr("pipeline.own_data.train_own", fake)
    ran = run("train", tmp_path / "a" / "my.json", "--epochs", 3, "--out", tmp_path / "o")
    assert ran.exit_code == 0
    assert "AP 61.2   F1 90.0" in ran.stdout
    assert "model.safetensors" in ran.stdout
    assert "report.html" in ran.stdout
    annotations, images, out, choices = asked[0]
    assert (annotations.name, images, out) == ("my.json", tmp_path / "a", tmp_path / "o")
    assert (choices.init, choices.epochs) == ("shipped", 3)


def test_train_never_replaces_a_checkpoint_unasked(run: Run, tmp_path: Path) -> None:
    earlier = tmp_path / "o" / "report" / "report.html"
    earlier.parent.mkdir(parents=True)
    earlier.write_bytes(b"weeks of work")
    ran = run("train", tmp_path / "my.json", "--out", tmp_path / "o")
    assert ran.exit_code == 1
    assert "--overwrite" in ran.stderr
    assert earlier.read_bytes() == b"weeks of work"


def test_detect_looks_again_where_asked(run: Run, tmp_path: Path) -> None:
    """Two runs through a real network: at one scale, and at the scales of a preset."""
    from refinedet.model.network import RefineDet

    model = RefineDet(ModelConfig(backbone_weights="none", input_px=64, tcb_channels=8))
    header = checkpoint.Header(model.config, ("ship",), Radiometry(), {})
    checkpoint.save_checkpoint(tmp_path / "tiny.safetensors", model.state_dict(), header)
    scene, options = make_scene(tmp_path / "scene.tif"), ("--json", "--device", "cpu", "--score-min", "0")
    counts = []
    for more in ((), ("--multiscale", "light", "--overwrite")):
        ran = run("detect", scene, "--weights", tmp_path / "tiny.safetensors", *options, *more)
        assert ran.exit_code == 0, ran.stderr
        counts.append(json.loads(ran.stdout)["ships"])
    assert counts[0] != counts[1]
