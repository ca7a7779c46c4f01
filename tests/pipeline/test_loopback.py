"""The real archives, served by a real web server on loopback, through download and convert, twice."""

from __future__ import annotations

import functools
import os
import shutil
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from subprocess import run
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
ASKED: list[str] = []


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        ASKED.append(self.path)


@pytest.fixture
def loopback(mirror: Path) -> Iterator[str]:
    """Address of a web server that serves the mirror."""
    ASKED.clear()
    handler = functools.partial(_Quiet, directory=str(mirror))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def project(folder: Path, recipe: str) -> None:
    """A fresh copy of the project's code and pipeline, without git, on this recipe."""
    for name in ("pipeline", "refinedet"):
        shutil.copytree(
            ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.safetensors", "*.pyc")
        )
    for name in ("dvc.yaml", "params.yaml", ".dvcignore"):
        shutil.copy(ROOT / name, folder / name)
    yaml, path = YAML(), folder / "params.yaml"
    content = yaml.load(path)
    if recipe not in content["recipes"]:  # a name of the catalogue
        content["recipes"][recipe] = {**content["recipes"]["ssdd"], "dataset": recipe}
    content["recipe"] = recipe
    yaml.dump(content, path)


def dvc(folder: Path, mirror: str, *words: str) -> str:
    unset = ("DVC_EXP_NAME", "MLFLOW_TRACKING_URI")
    environment = {k: v for k, v in os.environ.items() if k not in unset}
    environment |= {"REFINEDET_MIRROR": mirror, "no_proxy": "127.0.0.1", "DVC_NO_ANALYTICS": "1"}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    done = run(
        [sys.executable, "-m", "dvc", *words], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("recipe", "fixture", "archives", "images"),
    [("ssdd", "ssdd_archive", 1, (928, 232)), ("voc2007-mini", "voc_archives", 2, (300, 150))],
)
def test_the_second_time_nothing_is_fetched_and_nothing_runs(  # noqa: PLR0917 - fixtures
    loopback: str,
    tmp_path: Path,
    recipe: str,
    fixture: str,
    archives: int,
    images: tuple[int, int],
    request: pytest.FixtureRequest,
) -> None:
    request.getfixturevalue(fixture)
    project(tmp_path, recipe)
    dvc(tmp_path, loopback, "init", "--no-scm", "-q")
    first = dvc(tmp_path, loopback, "repro", "convert")
    assert [line for line in first.splitlines() if line.startswith("Running stage")] == [
        "Running stage 'download':",
        "Running stage 'convert':",
    ]
    assert first.count("content verified") == archives
    assert len(ASKED) == archives
    summary = YAML(typ="safe").load(tmp_path / "outputs/convert/summary.json")["splits"]
    assert (summary["train"]["images"] + summary["val"]["images"], summary["test"]["images"]) == images
    assert "Running stage" not in dvc(tmp_path, loopback, "repro", "convert")
    assert len(ASKED) == archives
    forced = dvc(tmp_path, "http://127.0.0.1:9", "repro", "--force", "--single-item", "download")  # nobody is there
    assert forced.count("content verified") == archives, "from the cache of archives"
    assert "Running stage" not in dvc(tmp_path, loopback, "repro", "convert")
