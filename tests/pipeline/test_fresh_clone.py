"""The first commands in a fresh clone: no results are there yet, in no cache and no remote, and none is missed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path

    from tests.pipeline.project import NewProject, Project

IMAGES = 8


@pytest.fixture(scope="module")
def clone(new_project: NewProject, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A clone in which nothing was run; tests leave it like that."""
    return new_project(tmp_path_factory.mktemp("clone"))


def add_own_data(folder: Path) -> None:
    """Images with a ship each, where the recipe `own` looks for them."""
    (folder / "images").mkdir(parents=True)
    (folder / "annotations").mkdir()
    images, boxes = [], []
    for number in range(1, IMAGES + 1):
        pixels = np.random.default_rng(number).integers(0, 90, (64, 64), dtype=np.uint8)
        pixels[20:30, 20:45] = 220
        Image.fromarray(pixels).save(folder / "images" / f"{number}.png")
        images.append({"id": number, "file_name": f"{number}.png", "width": 64, "height": 64})
        boxes.append({"id": number, "image_id": number, "category_id": 1, "bbox": [20, 20, 25, 10], "area": 250})
    record = {"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "ship"}]}
    (folder / "annotations" / "train.json").write_text(json.dumps(record))


@pytest.mark.parametrize(
    "words",
    ["status", "metrics show", "metrics diff", "plots show --json", "params diff", "exp show --no-pager", "dag"],
)
def test_commands_that_look_end_well(clone: Project, words: str) -> None:
    printed = clone.dvc(*words.split())
    assert "ERROR" not in printed
    assert ".dvc/cache" not in printed, "nothing is missed in the cache"
    assert not clone.git("status", "--porcelain")


def test_no_results_are_promised(clone: Project) -> None:
    assert not clone.git("ls-files", "dvc.lock"), "its outputs are in no remote"


@pytest.mark.slow
def test_an_experiment_on_a_folder_that_is_not_there_says_so(clone: Project) -> None:
    process = clone.start("exp", "run", "-S", "recipe=own", "download")
    printed, _ = process.communicate()
    assert process.returncode != 0
    assert "expected your data in the folder" in printed
    assert "failed to load" not in printed
    clone.git("checkout", "-q", "--", ".")


@pytest.mark.slow
def test_an_experiment_on_own_data_is_the_first_run(new_project: NewProject, tmp_path: Path) -> None:
    project = new_project(tmp_path)
    add_own_data(tmp_path / "my-data")
    printed = project.dvc("exp", "run", "--name", "mine", "-S", "recipe=own", "download")
    assert "ERROR" not in printed
    assert "mine" in project.dvc("exp", "list", "--name-only")
    assert (tmp_path / "dvc.lock").is_file()
