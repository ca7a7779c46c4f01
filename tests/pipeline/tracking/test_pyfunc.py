"""pyfunc.py, served_model.py: the model in MLflow finds what the detector finds, also when served."""

from __future__ import annotations

import base64
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pipeline.tracking.pyfunc import log_detector, save_pyfunc
from pipeline.tracking.runs import MlflowTracker
from refinedet.data.simulation.scene import simulate
from refinedet.data.simulation.spec import SceneSpec
from refinedet.files import sha256_file
from refinedet.predictors.predictor import TorchPredictor
from refinedet.weights import shipped_weights
from tests.pipeline.mlflow_server import client_of, params_of

pytestmark = pytest.mark.filterwarnings("ignore:.*hint:UserWarning")  # MLflow about its own


@pytest.fixture(scope="module")
def chips(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Image files of two chips with ships, of different sizes and kinds."""
    folder = tmp_path_factory.mktemp("chips")
    scene = simulate(SceneSpec(384, 320, 14, seed=4, land_probability=0, nodata_probability=0)).pixels
    pixels = (np.clip(scene / np.percentile(scene, 99.5), 0, 2) * 127).astype(np.uint8)
    Image.fromarray(pixels).save(folder / "a.png")
    Image.fromarray(np.repeat(pixels[:250, :300, None], 3, axis=2)).save(folder / "b.tif")
    return [folder / "a.png", folder / "b.tif"]


def expected(chips: list[Path]) -> list[list[dict[str, Any]]]:
    """Detections of the detector itself in these chips."""
    predictor = TorchPredictor.load(shipped_weights())
    found = predictor.predict([np.asarray(Image.open(chip)) for chip in chips])
    rows = [[[*box.tolist(), score] for box, score in zip(f.boxes_xyxy, f.scores, strict=True)] for f in found]
    names = ("x1", "y1", "x2", "y2", "score")
    return [[dict(zip(names, row, strict=True)) for row in one if row[-1] >= 0.5] for one in rows]


def same(found: list[list[dict[str, Any]]], chips: list[Path]) -> None:
    """Equal boxes and scores, all of them ships."""
    assert len(found) == len(chips)
    for ours, theirs in zip(found, expected(chips), strict=True):
        assert ours, "the chips have ships"
        assert [one.pop("label") for one in ours] == ["ship"] * len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            assert one == pytest.approx(other, abs=1e-3)


def test_the_model_has_code_and_weights_and_no_pickle(tmp_path: Path, chips: list[Path]) -> None:
    import mlflow.pyfunc
    import pandas as pd

    folder = tmp_path / "model"
    save_pyfunc(shipped_weights(), chips[0], folder)
    suffixes = {path.suffix for path in folder.rglob("*") if path.is_file() and "code" not in path.parts}
    assert suffixes == {".safetensors", ".py", ".json", ".yaml", ".txt", ""}, "no pickle, no bytecode"
    assert (folder / "code" / "refinedet" / "predictors" / "predictor.py").is_file()
    assert sha256_file(*folder.rglob("*.safetensors")) == sha256_file(shipped_weights())
    model = mlflow.pyfunc.load_model(str(folder))
    table = pd.DataFrame({"image": [chip.read_bytes() for chip in chips]})
    same(model.predict(table)["detections"].tolist(), chips)
    assert len(model.predict(table, params={"score_min": 0.02})["detections"][0]) > len(expected(chips)[0])
    example = model.input_example
    assert example["image"][0] == chips[0].read_bytes()
    for content in (b"no image", b""):
        with pytest.raises(ValueError, match="row 0"):
            model.predict(pd.DataFrame({"image": [content]}))


@pytest.mark.slow
def test_a_model_that_cannot_be_made_is_a_warning(project: Path, caplog: pytest.LogCaptureFixture) -> None:
    tracker = MlflowTracker.start(params_of())
    with caplog.at_level(logging.WARNING):
        log_detector(tracker, params_of(), project / "absent.safetensors", project / "absent.png")
    tracker.close()
    assert "has no model to serve" in caplog.text


def test_the_model_is_registered_once_with_its_run(
    project: Path, chips: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_of(project)
    copy = project / ".dvc" / "tmp" / "exps" / "a"  # where DVC's queue runs a stage
    copy.mkdir(parents=True)
    monkeypatch.chdir(copy)
    for version in ("1", "2"):
        tracker = MlflowTracker.start(params_of())
        log_detector(tracker, params_of(), shipped_weights(), chips[0])
        log_detector(tracker, params_of(), shipped_weights(), chips[0])  # as after an answer that was lost
        tracker.close()
        (found,) = client.search_model_versions(f"run_id = '{tracker.run_id}'")
        assert (found.name, str(found.version), found.status) == ("refinedet-ssdd", version, "READY")
        assert found.tags == {"checkpoint_sha256": sha256_file(shipped_weights())}
        (output,) = client.get_run(tracker.run_id).outputs.model_outputs
        assert client.get_logged_model(output.model_id).status == "READY"
    assert list(copy.iterdir()) == [], "nothing is kept where DVC removes it"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_mlflow_serves_the_registered_model(project: Path, chips: list[Path]) -> None:
    tracker = MlflowTracker.start(params_of())
    log_detector(tracker, params_of(), shipped_weights(), chips[0])
    tracker.close()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", "models:/refinedet-ssdd/1"]
    command += ["--env-manager", "local", "--host", "127.0.0.1", "--port", str(port)]
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    environment |= {"MLFLOW_TRACKING_URI": f"sqlite:///{project / 'mlflow.db'}", "MLFLOW_DISABLE_TELEMETRY": "true"}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    elsewhere = project / "elsewhere"
    elsewhere.mkdir()
    with (project / "serve.txt").open("wb") as log:
        server = subprocess.Popen(
            command, cwd=elsewhere, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        end = time.monotonic() + 120
        while not answers(port):
            assert server.poll() is None, (project / "serve.txt").read_text()
            assert time.monotonic() < end, (project / "serve.txt").read_text()
            time.sleep(0.3)
        records = [{"image": base64.b64encode(chip.read_bytes()).decode()} for chip in chips]
        status, answer = ask(port, {"dataframe_records": records})
        assert status == 200, answer
        same([row["detections"] for row in answer["predictions"]], chips)
        status, answer = ask(port, {"dataframe_records": [{"image": base64.b64encode(b"no image").decode()}]})
        assert (status, "expected an image file" in json.dumps(answer)) == (400, True), answer
    finally:
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def ask(port: int, question: dict[str, Any]) -> tuple[int, Any]:
    """Status and content of the answer to a POST."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/invocations", json.dumps(question).encode())
    request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - http
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)
