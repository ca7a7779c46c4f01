"""The weights that ship, on a simulated scene: how it is computed does not show in what is found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from refinedet.config import TileConfig
from refinedet.data.simulation.scene import write_simulated
from refinedet.data.simulation.spec import SceneSpec
from refinedet.detections import Detections
from refinedet.predictors.predictor import Predictor, TorchPredictor, resolve_devices
from refinedet.scene.detect import detect_scene
from refinedet.scene.output.result_paths import result_paths
from refinedet.scene.output.writers import write_results
from refinedet.weights import shipped_weights

TILE = TileConfig(tile_px=192, overlap_px=64)
"""Sixteen windows."""


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scene") / "scene.tif"
    write_simulated(SceneSpec(width_px=560, height_px=560, ships=25, seed=20261124), path)
    return path


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    """Torch's threads are those of the whole process: put them back."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def predictor(device: str = "cpu", batch_size: int = 8) -> Predictor:
    return TorchPredictor.load(shipped_weights(), device=device, batch_size=batch_size)


@pytest.fixture(scope="module")
def one_by_one(scene: Path) -> Detections:
    """Each window alone, on one thread."""
    torch.set_num_threads(1)
    found = detect_scene(scene, predictor(), tile=TILE, batch_size=1).detections
    assert len(found) > 10
    return found


def assert_same_boxes(found: Detections, wanted: Detections) -> None:
    assert len(found) == len(wanted)
    # two scores a last bit apart may change places
    order = [np.lexsort(np.round(one.boxes_xyxy, 0).T) for one in (found, wanted)]
    np.testing.assert_allclose(found.boxes_xyxy[order[0]], wanted.boxes_xyxy[order[1]], rtol=0, atol=0.01)
    np.testing.assert_allclose(found.scores[order[0]], wanted.scores[order[1]], rtol=0, atol=1e-3)


@pytest.mark.parametrize(("batch_size", "count"), [(1, 2), (2, 1), (5, 2)], ids=["1, 2 threads", "2", "5, 2 threads"])
def test_batches_and_threads_do_not_change_boxes(
    scene: Path, one_by_one: Detections, batch_size: int, count: int
) -> None:
    torch.set_num_threads(count)
    found = detect_scene(scene, predictor(batch_size=batch_size), tile=TILE, batch_size=batch_size)
    assert_same_boxes(found.detections, one_by_one)


def test_two_predictors_find_the_boxes_of_one(scene: Path, one_by_one: Detections) -> None:
    found = detect_scene(scene, [predictor(), predictor()], tile=TILE, batch_size=2)
    assert_same_boxes(found.detections, one_by_one)


def test_the_same_settings_twice_give_equal_bytes(scene: Path, tmp_path: Path) -> None:
    written = []
    for name in ("a", "b"):
        paths = result_paths(scene, tmp_path / name, ("geojson", "csv", "coco"), quicklook=False)
        write_results(detect_scene(scene, predictor(), tile=TILE, batch_size=5), paths)
        written.append([path.read_bytes() for path in paths.values()])
    assert written[0] == written[1]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_every_gpu_together_finds_the_boxes_of_the_processor(
    scene: Path, one_by_one: Detections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)  # as the command line has it
    found = detect_scene(scene, [predictor(device) for device in resolve_devices("all")], tile=TILE)
    assert_same_boxes(found.detections, one_by_one)
