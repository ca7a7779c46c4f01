"""The real archives, served by a real web server on loopback, through download and convert, twice.

The slow test goes through every stage of dvc.yaml: all images are downloaded, audited and read, a few are trained on,
and all of the test split are evaluated. `pytest -m slow -s` shows what DVC printed and when.
"""

from __future__ import annotations

import functools
import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from subprocess import PIPE, STDOUT, Popen
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.web_server import Server

ROOT = Path(__file__).resolve().parents[2]
ASKED: list[str] = []

TRAINED_ON = 16

SHORT: dict[str, dict[str, Any]] = {
    "convert": {"train_images": TRAINED_ON},
    "model": {"input_px": 128, "tcb_channels": 16, "arm_channels": 0},
    "train": {"epochs": 1, "canvas_width": 128, "canvas_height": 128, "warmup_epochs": 0, "workers": 0},
}
"""Changes to a recipe that make its training last a minute, and worthless as a detector."""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        ASKED.append(self.path)


@pytest.fixture
def loopback(mirror: Path) -> Iterator[str]:
    """Address of a web server that serves the mirror."""
    ASKED.clear()
    handler = functools.partial(_Quiet, directory=str(mirror))
    with Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def project(folder: Path, recipe: str, **changes: dict[str, Any]) -> None:
    """A fresh copy of the project's code and pipeline, without git, on this recipe with changes to its sections."""
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
    for section, values in changes.items():
        content["recipes"][recipe][section].update(values)
    content["recipe"] = recipe
    yaml.dump(content, path)


def tell(*words: str) -> None:
    """One line of the log."""
    print(*words, flush=True)  # noqa: T201 - seen with -s


def dvc(folder: Path, mirror: str, *words: str) -> str:
    unset = ("DVC_EXP_NAME", "MLFLOW_TRACKING_URI")
    environment = {k: v for k, v in os.environ.items() if k not in unset}
    environment |= {"REFINEDET_MIRROR": mirror, "no_proxy": "127.0.0.1", "DVC_NO_ANALYTICS": "1"}
    environment |= {"PYTHONUNBUFFERED": "1"}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    command, lines, began = [sys.executable, "-m", "dvc", *words], list[str](), time.monotonic()
    tell("$ dvc", *words)
    with Popen(command, cwd=folder, env=environment, stdout=PIPE, stderr=STDOUT, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            tell(f"{time.monotonic() - began:6.1f} s  {line}".rstrip())
    assert process.returncode == 0, "".join(lines)
    return "".join(lines)


def ran(printed: str) -> list[str]:
    """Stages that DVC ran, in order, by what it printed."""
    return [line.split("'")[1] for line in printed.splitlines() if line.startswith("Running stage")]


SETS = pytest.mark.parametrize(
    ("recipe", "fixture", "archives", "images"),
    [("ssdd", "ssdd_archive", 1, (928, 232)), ("voc2007-mini", "voc_archives", 2, (300, 150))],
)


@pytest.mark.timeout(600)
@SETS
@pytest.mark.slow
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
    assert ran(first) == ["download", "convert"]
    assert first.count("content verified") == archives
    assert len(ASKED) == archives
    summary = YAML(typ="safe").load(tmp_path / "outputs/convert/summary.json")["splits"]
    assert (summary["train"]["images"] + summary["val"]["images"], summary["test"]["images"]) == images
    assert "Running stage" not in dvc(tmp_path, loopback, "repro", "convert")
    assert len(ASKED) == archives
    forced = dvc(tmp_path, "http://127.0.0.1:9", "repro", "--force", "--single-item", "download")  # nobody is there
    assert forced.count("content verified") == archives, "from the cache of archives"
    assert "Running stage" not in dvc(tmp_path, loopback, "repro", "convert")


@pytest.mark.slow
@pytest.mark.timeout(1800)
@SETS
def test_every_stage_runs_once_and_the_second_time_none(  # noqa: PLR0917 - fixtures
    loopback: str,
    tmp_path: Path,
    recipe: str,
    fixture: str,
    archives: int,
    images: tuple[int, int],
    request: pytest.FixtureRequest,
) -> None:
    request.getfixturevalue(fixture)
    project(tmp_path, recipe, **SHORT)
    dvc(tmp_path, loopback, "init", "--no-scm", "-q")
    first = dvc(tmp_path, loopback, "repro")
    stages = YAML(typ="safe").load(tmp_path / "dvc.yaml")["stages"]
    assert sorted(ran(first)) == sorted(stages), "each of them, once"
    assert len(ASKED) == len(set(ASKED)) == archives, "one GET for each archive"
    for stage in stages:
        assert any((tmp_path / "outputs" / stage).iterdir()), stage
    looked_at = YAML(typ="safe").load(tmp_path / "outputs/audit/metrics.json")["images"]
    assert (looked_at["train"] + looked_at["val"], looked_at["test"]) == images
    chips = YAML(typ="safe").load(tmp_path / "outputs/tile/summary.json")
    assert (chips["train"]["chips"], chips["test"]["chips"]) == (TRAINED_ON, images[1])
    tell("asked for:", *ASKED)
    second = dvc(tmp_path, loopback, "repro")
    assert ran(second) == []
    assert "Data and pipelines are up to date" in second
    assert len(ASKED) == archives
    tell("asked for again: nothing")
