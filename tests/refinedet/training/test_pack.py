"""A training in one file: pixels and weights come out as they went in, by the smallest way that there is."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load, save

from refinedet.boxes import as_boxes
from refinedet.config import ModelConfig, Radiometry, TrainConfig
from refinedet.data.coco import Annotated, Record, build_record
from refinedet.data.shards import read_chip
from refinedet.data.simulation.scene import simulate
from refinedet.data.simulation.sentinel1.ranges import Sentinel1Ranges
from refinedet.data.simulation.spec import SceneSpec
from refinedet.errors import FileError, InputError
from refinedet.model.checkpoint import Header
from refinedet.model.network import RefineDet
from refinedet.stretch.stretching import stretch_whole
from refinedet.training import pack, packed_chips, packed_weights
from refinedet.training.pack import Contents, read_pack, write_pack
from refinedet.training.recipe import Training

SPEC = SceneSpec(width_px=96, height_px=80, ships=2, seed=3)
MODEL = ModelConfig(backbone_weights="none", tcb_channels=8, input_px=64)
HEADER = Header(MODEL, ("ship",), Radiometry(), {"train": TrainConfig(seed=4).to_dict()})


@pytest.fixture
def training(tmp_path: Path) -> Training:
    """Chips of a simulated scene, of a JPEG file, and of a file that is not at hand."""
    rng = np.random.default_rng(0)
    photo = Image.fromarray(rng.integers(0, 255, (120, 160), dtype=np.uint8)).convert("RGB")
    (tmp_path / "scenes").mkdir()
    photo.save(tmp_path / "scenes" / "photo.jpg", quality=30)
    jpeg = np.asarray(Image.open(tmp_path / "scenes" / "photo.jpg"))[..., 0]
    simulated = stretch_whole(simulate(SPEC).pixels, 0, Radiometry())
    coloured = rng.integers(0, 255, (20, 30, 3), dtype=np.uint8)
    train = [
        chip(tmp_path, "train/sim_a.png", simulated, "simulated/a.tif", (0, 0, 64, 64)),
        chip(tmp_path, "train/sim_b.png", simulated, "simulated/a.tif", (32, 16, 64, 64)),
        chip(tmp_path, "train/photo.png", jpeg, "photo.jpg", (0, 0, 160, 120)),
    ]
    val = [chip(tmp_path, "val/colour.png", coloured, "gone.tif", (0, 0, 30, 20))]
    return Training(
        *(build_record(images, ("ship",)) for images in (train, val)), tmp_path / "tile", HEADER, {"made": 1}
    )


def chip(folder: Path, name: str, scene: Any, scene_name: str, window: tuple[int, int, int, int]) -> Annotated:
    """Cut a chip and write it."""
    x, y, width, height = window
    path = folder / "tile" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(scene[y : y + height, x : x + width]).save(path)
    extra = {"scene": scene_name, "window": list(window)}
    box = as_boxes([[1, 2, 9, 8]])
    return Annotated(name, width, height, box, np.zeros(1, np.int64), np.zeros(1, bool), extra)


def network(seed: int = 4) -> RefineDet:
    """A fresh network whose first tensor is a pretrained one."""
    torch.manual_seed(seed)
    model = RefineDet(MODEL)
    with torch.no_grad():
        next(model.parameters()).mul_(1.5)
    return model


def contents(tmp_path: Path, **changes: Any) -> Contents:
    return Contents("code", sources=tmp_path / "scenes", simulated={"simulated/a.tif": SPEC}, **changes)


def names(path: Path) -> set[str]:
    with zipfile.ZipFile(path) as packed:
        return set(packed.namelist())


def check(training: Training, path: Path, folder: Path) -> None:
    """Everything is as it was."""
    got = read_pack(path, folder)
    assert got.code_sha256 == "code"
    assert got.training.header == training.header
    assert got.training.key == training.key
    assert got.training.val_origins == training.val_origins
    for ours, theirs in ((got.training.train, training.train), (got.training.val, training.val)):
        assert pixels(ours, folder) == pixels(theirs, training.chips)
        assert [(i.file_name, i.extra) for i in ours.images] == [(i.file_name, i.extra) for i in theirs.images]
        assert all(np.array_equal(ours.boxes[i.id], theirs.boxes[i.id]) for i in theirs.images)
    for name, weights in network().state_dict().items():
        assert torch.equal(got.weights[name], weights), name


def pixels(record: Record, folder: Path) -> list[Any]:
    return [read_chip(folder / image.file_name).tolist() for image in record.images]


def test_it_comes_out_as_it_went_in(training: Training, tmp_path: Path) -> None:
    path = tmp_path / "t.zip"
    write_pack(path, training, network(), contents(tmp_path))
    assert names(path) == {
        *("training.json", "train.json", "val.json", "weights"),
        *("source/photo.jpg", "chips/val/colour.png"),
    }
    check(training, path, tmp_path / "there")
    stamp = (tmp_path / "there" / "val" / "colour.png").stat().st_mtime_ns
    check(training, path, tmp_path / "there")  # again, from what lies there
    assert (tmp_path / "there" / "val" / "colour.png").stat().st_mtime_ns == stamp


def test_chips_that_no_scene_gives_back_are_packed_as_they_are(training: Training, tmp_path: Path) -> None:
    for name in ("sim_b", "photo"):
        own = np.array(Image.open(training.chips / f"train/{name}.png"))
        own[5, 5] ^= 255
        Image.fromarray(own).save(training.chips / f"train/{name}.png")
    path = tmp_path / "t.zip"
    write_pack(path, training, network(), contents(tmp_path))
    assert {"chips/train/sim_a.png", "chips/train/sim_b.png", "chips/train/photo.png"} <= names(path)
    check(training, path, tmp_path / "there")


def test_a_jpeg_is_packed_smaller_where_it_can_be(
    training: Training, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = {}
    for name in ("installed", "missing"):
        if name == "missing":
            monkeypatch.setattr(packed_chips, "optimize", None)
        path = tmp_path / f"{name}.zip"
        write_pack(path, training, network(), contents(tmp_path))
        with zipfile.ZipFile(path) as packed:
            sizes[name] = len(packed.read("source/photo.jpg"))
        check(training, path, tmp_path / name)
    assert sizes["installed"] <= sizes["missing"] == (tmp_path / "scenes" / "photo.jpg").stat().st_size


def test_weights_of_the_seed_need_no_room(training: Training) -> None:
    model = network()
    changed = [name for name, _ in model.named_parameters()][:1]
    assert list(packed_weights.weights_to_pack(training, model, all_weights=False)) == changed
    whole = packed_weights.weights_to_pack(training, model, all_weights=True)
    assert list(whole) == list(model.state_dict())
    small = {name: whole[name] for name in (*changed, "odm.0.bias")}
    there = load(packed_weights.joined(packed_weights.planes(save(small))))
    assert all(torch.equal(there[name], tensor) for name, tensor in small.items())


def test_a_machine_that_draws_others_is_told(
    training: Training, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "t.zip"
    write_pack(path, training, network(), contents(tmp_path))
    other = replace(training, header=replace(HEADER, provenance={"train": TrainConfig(seed=5).to_dict()}))
    drawn = packed_weights.drawn_weights(other)
    monkeypatch.setattr("refinedet.training.pack.drawn_weights", lambda _: drawn)
    with pytest.raises(InputError, match=r"this machine draws others from the seed .*; pack all weights"):
        read_pack(path, tmp_path / "there")


def test_a_machine_that_simulates_others_is_told(
    training: Training, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "t.zip"
    write_pack(path, training, network(), contents(tmp_path))
    other = np.zeros((SPEC.height_px, SPEC.width_px), np.uint8)
    monkeypatch.setattr("refinedet.training.pack._simulated", lambda *_: other)
    with pytest.raises(InputError, match=r"scene 'simulated/a.tif' as they were packed, found that"):
        read_pack(path, tmp_path / "there")
    assert not (tmp_path / "there").exists()


def test_what_is_too_large_says_what_takes_the_room(training: Training, tmp_path: Path) -> None:
    sentence = r"at most 0\.00\d+ MiB to pack, found [\d.]+ MiB \(files of scenes [\d.]+, "
    with pytest.raises(InputError, match=sentence):
        write_pack(tmp_path / "t.zip", training, network(), contents(tmp_path, largest_bytes=2000))
    assert not (tmp_path / "t.zip").exists()


def test_other_files_are_refused(training: Training, tmp_path: Path) -> None:
    path = tmp_path / "t.zip"
    with pytest.raises(FileError, match=r"expected a packed training at .*, found none"):
        read_pack(path, tmp_path / "there")
    path.write_bytes(b"no zip")
    with pytest.raises(FileError, match="expected a whole packed training"):
        read_pack(path, tmp_path / "there")
    write_pack(path, training, network(), contents(tmp_path))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FileError, match="expected a whole packed training"):
        read_pack(path, tmp_path / "there")
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as packed:
        packed.writestr("training.json", '{"format": 99}')
    path.write_bytes(stream.getvalue())
    with pytest.raises(InputError, match=r"expected a packed training of format 1 .*, found 99"):
        read_pack(path, tmp_path / "there")


@pytest.mark.parametrize("more", [{}, {"kind": "sentinel1"}, {"kind": "sentinel1", "ranges": Sentinel1Ranges()}])
def test_specification_of_a_scene_comes_back_from_its_truth(more: dict[str, Any]) -> None:
    spec = SceneSpec(width_px=600, height_px=500, ships=5, seed=3, **more)
    assert pack._spec(json.loads(json.dumps(asdict(spec)))) == spec
