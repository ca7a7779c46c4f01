"""What the pipeline's tests share: a small data set like a published one, and a web server that can misbehave."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.datasets.catalogue import CATALOGUE, ArchiveFile, CocoSplit, Source
from refinedet.files import sha256_tree
from tests.pipeline.mlflow_server import MlflowServer
from tests.pipeline.project import NewProject, Project


def write_coco(
    path: Path, images: dict[str, tuple[int, int]], boxes: dict[str, list[list[float]]], first_id: int
) -> None:
    """COCO JSON as SSDD has it: category 0, ids from `first_id`; name -> (width, height), name -> [x, y, w, h] rows."""
    ids = {name: first_id + index for index, name in enumerate(images)}
    entries = [{"id": ids[n], "file_name": n, "width": w, "height": h} for n, (w, h) in images.items()]
    rows = [(ids[name], row) for name, found in boxes.items() for row in found]
    annotations = [
        {"id": i, "image_id": image, "category_id": 0, "bbox": row, "iscrowd": 0} for i, (image, row) in enumerate(rows)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {"images": entries, "annotations": annotations, "categories": [{"id": 0, "name": "ship"}]}
    path.write_text(json.dumps(document), encoding="utf-8")


def chip(seed: int, size: tuple[int, int] = (60, 40)) -> Image.Image:
    """Grey noise as RGB with equal channels; equal seeds give equal pixels."""
    grey = np.random.default_rng(seed).integers(0, 256, size[::-1], dtype=np.uint8)
    return Image.fromarray(np.repeat(grey[..., None], 3, axis=2))


@pytest.fixture
def tiny_folder(tmp_path: Path) -> Path:
    """Folder of a data set of 30 + 4 chips; test chip 1 is a copy of training chip 3, and 7 and 8 are equal."""
    folder = tmp_path / "tiny-published"
    seeds = {"train": {f"{i:03d}.png": i for i in range(30)}, "test": {f"{i:03d}.png": 100 + i for i in range(4)}}
    seeds["train"]["008.png"] = 7
    seeds["test"]["001.png"] = 3
    for first_id, (split, images) in enumerate(seeds.items()):
        (folder / split).mkdir(parents=True)
        for name, seed in images.items():
            chip(seed).save(folder / split / name)
        sizes = dict.fromkeys(images, (60, 40))
        boxes = {name: [[2.0, 3.0, 20.0, 10.0]] for name in images}
        write_coco(folder / "annotations" / f"{split}.json", sizes, boxes, 1 + 1000 * first_id)
    write_coco(folder / "annotations/near.json", {"001.png": (60, 40), "003.png": (60, 40)}, {}, 5000)
    write_coco(folder / "annotations/far.json", {"000.png": (60, 40), "002.png": (60, 40)}, {}, 6000)
    return folder


@pytest.fixture
def tiny_source(tiny_folder: Path) -> Source:
    """Catalogue entry of `tiny_folder`."""
    archive = ArchiveFile(
        "tiny.zip", "http://127.0.0.1:9/tiny.zip", folder="tiny-master", sha256=sha256_tree(tiny_folder)
    )
    return Source(
        files=(archive,),
        licence="none",
        citation="none",
        splits={
            "train": CocoSplit("annotations/train.json", "train"),
            "test": CocoSplit("annotations/test.json", "test"),
        },
        subsets={"inshore": "annotations/near.json", "offshore": "annotations/far.json"},
    )


@pytest.fixture
def tiny(tiny_source: Source, monkeypatch: pytest.MonkeyPatch) -> Source:
    """The same, known to the pipeline as data set `tiny`."""
    monkeypatch.setitem(CATALOGUE, "tiny", tiny_source)
    return tiny_source


@pytest.fixture
def zip_folder(tmp_path: Path) -> Callable[[Path, str], Path]:
    """Function (folder, name in the archive) -> zip file of the folder below that name."""

    def pack(folder: Path, name: str) -> Path:
        archive = tmp_path / "mirror" / "tiny.zip"
        archive.parent.mkdir(exist_ok=True)
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
            for path in sorted(folder.rglob("*")):
                packed.write(path, f"{name}/{path.relative_to(folder).as_posix()}")
        return archive

    return pack


@pytest.fixture
def voc_archives(mirror: Path) -> Path:
    """Folder of the real archives of voc2007-mini; skips the test where the mirror has none."""
    for archive in CATALOGUE["voc2007-mini"].files:
        if not (mirror / archive.name).is_file():
            pytest.skip(f"{archive.name} not found in the mirror {mirror}")
    return mirror


@pytest.fixture
def ssdd_archive(mirror: Path) -> Path:
    """The real SSDD archive; skips the test where the mirror has none."""
    archive = mirror / CATALOGUE["ssdd"].files[0].name
    if not archive.is_file():
        pytest.skip(f"{archive.name} not found in the mirror {mirror}")
    return archive


MAKE_STORE = """
from pipeline.tracking.store import LOCAL, connected_client
with connected_client(LOCAL):
    pass
"""


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """mlflow.db as the first run makes it, in a process that was killed once on the way."""
    folder = tmp_path_factory.mktemp("store")
    command, environment = (
        [sys.executable, "-c", MAKE_STORE],
        {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
    )
    environment.pop("MLFLOW_TRACKING_URI", None)
    first = subprocess.Popen(command, cwd=folder, env=environment)
    deadline = time.monotonic() + 60
    while not any(f.stat().st_size > 50_000 for f in folder.glob(".part-*/mlflow.db")) and time.monotonic() < deadline:
        time.sleep(0.02)
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert not (folder / "mlflow.db").exists(), "a half-made database must not stand at the place of a whole one"
    subprocess.run(command, cwd=folder, env=environment, check=True)
    assert [f.name for f in folder.glob(".part-*")] == []
    return folder / "mlflow.db"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_database: Path) -> Path:
    """A project folder with an empty store, outside any git repository, as working folder."""
    shutil.copy(empty_database, tmp_path / "mlflow.db")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME", "DVC_EXP_NAME"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def mlflow_server(
    tmp_path: Path,
    project: Path,  # noqa: ARG001 - the working folder
    empty_database: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[MlflowServer]:
    """A real `mlflow server` on loopback, which the project in the working folder uses."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    folder = tmp_path / "server"
    folder.mkdir()
    shutil.copy(empty_database, folder / "mlflow.db")
    server = MlflowServer(folder)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.url)
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="session")
def new_project() -> NewProject:
    """Function (folder) -> a fresh checkout there, in which nothing has run."""
    return Project
