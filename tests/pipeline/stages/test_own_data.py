"""A user's own COCO file to a checkpoint and a report, for real on a very small network."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pipeline.datasets.scene_labels.choices import LabelChoices
from pipeline.stages import own_data
from pipeline.stages.own_data import Choices, check_free, train_own
from refinedet.config import ModelConfig, Radiometry, TileConfig, TrainedOn
from refinedet.data.coco import read_record
from refinedet.errors import FileError, InputError
from refinedet.files import read_json
from refinedet.model.checkpoint import Header, read_header, save_checkpoint
from refinedet.model.network import RefineDet
from refinedet.raster import write_scene

IMAGES = 24


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder with its own MLflow database."""
    monkeypatch.chdir(tmp_path)
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def annotations(tmp_path: Path) -> Path:
    """A COCO file of two classes with gaps in its ids, and its images beside it."""
    rng = np.random.default_rng(3)
    content: dict[str, list[dict[str, object]]] = {
        "images": [],
        "annotations": [],
        "categories": [{"id": 7, "name": "tanker"}, {"id": 3, "name": "ferry"}],
    }
    for number in range(IMAGES):
        pixels = rng.integers(0, 40, (60, 96)).astype(np.uint8)
        x, y = rng.integers(0, 60), rng.integers(0, 40)
        pixels[y : y + 12, x : x + 24] = 250
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
        content["images"].append({"id": number, "file_name": f"{number}.png", "width": 96, "height": 60})
        box = [int(x), int(y), 24, 12]
        content["annotations"].append(
            {
                "id": number + 1,
                "image_id": number,
                "category_id": (7, 3)[number % 2],
                "bbox": box,
                "area": 288,
                "iscrowd": 0,
            }
        )
    path = tmp_path / "my.coco.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A checkpoint of one class, whose network is small."""
    torch.manual_seed(0)
    model = RefineDet(ModelConfig(backbone_weights="none", input_px=64, tcb_channels=8, tcb_norm="batch"))
    header = Header(model.config, ("ship",), Radiometry(), {}, trained_on=TrainedOn(TileConfig(128, 32)))
    save_checkpoint(tmp_path / "small.safetensors", model.state_dict(), header)
    return tmp_path / "small.safetensors"


def test_one_call_ends_with_a_checkpoint_and_a_report(
    project: Path, annotations: Path, small: Path, caplog: pytest.LogCaptureFixture
) -> None:
    out = project / "trained"
    choices = Choices(init=str(small), epochs=1, batch_size=4, val_fraction=0.2, test_fraction=0.2)
    metrics = train_own(annotations, annotations.parent, out, choices)
    assert metrics["chips"] > 0
    assert "uncertain, because val has few objects to choose it on (4)" in caplog.text
    splits = [read_record(out / "tile" / f"{split}.json") for split in ("train", "val", "test")]
    assert sum(len(record.images) for record in splits) == IMAGES
    assert all(record.images for record in splits)
    header = read_header(out / "train" / "model.safetensors")
    assert header.classes == ("ferry", "tanker")
    assert header.provenance["train"]["init"] == str(small)
    assert header.provenance["train"]["canvas_width"] == 64
    assert header.trained_on == TrainedOn(TileConfig(128, 32)), "windows of the checkpoint; pixel sizes are not known"
    assert "my.coco.json" in (out / "report" / "report.html").read_text(encoding="utf-8")
    assert read_json(out / "evaluate" / "metrics.json")["test"] == metrics
    before = (out / "train" / "model.safetensors").stat().st_mtime_ns
    assert train_own(annotations, annotations.parent, out, choices) == metrics
    assert (out / "train" / "model.safetensors").stat().st_mtime_ns == before, "a finished training is not repeated"


@pytest.mark.slow
def test_labels_over_a_scene_end_with_a_checkpoint_that_knows_the_pixel_size(project: Path, small: Path) -> None:
    rng = np.random.default_rng(5)
    pixels = rng.rayleigh(80, (512, 640)).astype(np.uint16) + 1
    at = [(60 + 120 * i, 60 + 110 * j) for i in range(5) for j in range(4)]
    for x, y in at:
        pixels[y - 4 : y + 4, x - 9 : x + 9] = 2000
    write_scene(project / "s.tif", pixels, crs="EPSG:32632", transform=(10.0, 0.0, 380_000.0, 0.0, -10.0, 6_050_000.0))
    rows = "\n".join(f"{x - 9},{y - 4},{x + 9},{y + 4}" for x, y in at)
    labels = project / "labels.csv"
    labels.write_text(f"left,top,right,bottom\n{rows}\n")
    choices = Choices(init=str(small), epochs=1, batch_size=4, labels=LabelChoices((project / "s.tif",)))
    out = project / "trained"
    with pytest.raises(InputError, match="expected no `images` for labels over scenes"):
        train_own(labels, project, out, choices)
    metrics = train_own(labels, None, out, choices)
    assert metrics["chips"] > 0
    splits = [read_record(out / "tile" / f"{split}.json") for split in ("train", "val", "test")]
    assert sum(int((~record.ignored[i.id]).sum()) for record in splits for i in record.images) == len(at)
    known = read_header(out / "train" / "model.safetensors").trained_on.gsd_m
    assert known is not None
    assert known.best_m == pytest.approx(10, abs=0.01)
    before = (out / "train" / "model.safetensors").stat().st_mtime_ns
    assert train_own(labels, None, out, choices) == metrics
    assert (out / "train" / "model.safetensors").stat().st_mtime_ns == before, "a finished training is not repeated"


def test_folders_of_the_user_are_never_replaced(project: Path, annotations: Path, small: Path) -> None:
    (project / "train").mkdir()
    precious = project / "train" / "0.png"
    precious.write_bytes(b"an image of the user")
    with pytest.raises(FileError, match="train to be of an earlier training"):
        train_own(annotations, annotations.parent, project, Choices(init=str(small)))
    assert precious.read_bytes() == b"an image of the user"


def test_a_finished_report_is_in_the_way_unless_it_may_be_replaced(tmp_path: Path) -> None:
    report = tmp_path / "report" / "report.html"
    assert check_free(tmp_path, overwrite=False) == report
    report.parent.mkdir()
    report.write_text("weeks of work")
    with pytest.raises(FileError, match="name another `out`, or set `overwrite`"):
        check_free(tmp_path, overwrite=False)
    assert check_free(tmp_path, overwrite=True) == report


def test_annotations_that_match_no_image_are_refused(project: Path, annotations: Path, small: Path) -> None:
    content = json.loads(annotations.read_text(encoding="utf-8"))
    for entry in content["annotations"]:
        entry["image_id"] += 1000
    annotations.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(InputError, match=r"none of 24 that can be used \(unknown image: 24\)"):
        train_own(annotations, annotations.parent, project / "o", Choices(init=str(small)))


@pytest.mark.slow
def test_one_class_by_another_name_is_searched_for_as_ships(
    project: Path, annotations: Path, small: Path, caplog: pytest.LogCaptureFixture
) -> None:
    content = json.loads(annotations.read_text(encoding="utf-8"))
    content["categories"] = [{"id": 7, "name": "vessel"}, {"id": 3, "name": "Vessels"}, {"id": 0, "name": "my-data"}]
    content["images"].append({"id": 99, "file_name": "lost.png", "width": 96, "height": 60})
    content["annotations"][0]["bbox"] = "left"
    annotations.write_text(json.dumps(content), encoding="utf-8")
    caplog.set_level("INFO", logger="pipeline")
    train_own(annotations, None, project / "o", Choices(init=str(small), epochs=1, batch_size=4))
    header = read_header(project / "o" / "train" / "model.safetensors")
    assert header.classes == ("vessel",)
    assert header.trained_on.ships
    assert header.finds_ships
    told = [record.getMessage() for record in caplog.records]
    for sentence in (
        "24 images, 24 objects of the class vessel",
        "'Vessels', 'vessel' are taken as one class, 'vessel'",
        "no object is of the category 'my-data'",
        "scenes are searched for 'vessel' as for ships",
        "1 of 24 objects (4.2 %) cannot be read (malformed 1)",
        "1 of 25 images (4.0 %) are not there",
    ):
        assert any(sentence in one for one in told), sentence
    labels = read_json(project / "o" / "convert" / "summary.json")["labels"]
    assert labels["counts"] == {
        "images": 24,
        "objects": 24,
        "from_polygon": 0,
        "from_mask": 0,
        "from_turned_box": 0,
        "clipped": 0,
        "ignored": 1,
        "left_out": 0,
        "images_not_there": 1,
    }
    assert any("'my-data'" in note for note in labels["notes"])


@pytest.mark.slow
def test_a_fresh_network_of_another_class_is_no_ship_detector(project: Path, annotations: Path, small: Path) -> None:
    """Two classes, or weights that find something else, are searched for without the prescreen."""
    train_own(annotations, None, project / "o", Choices(init=str(small), epochs=1, batch_size=4))
    assert not read_header(project / "o" / "train" / "model.safetensors").finds_ships


def test_boxes_beside_the_ships_are_a_warning_before_training(
    project: Path, annotations: Path, small: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = json.loads(annotations.read_text(encoding="utf-8"))
    for row in content["annotations"]:
        row["bbox"][:2] = [2, 2]
    annotations.write_text(json.dumps(content), encoding="utf-8")

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(own_data, "train", stop)
    with pytest.raises(KeyboardInterrupt):
        train_own(annotations, annotations.parent, project / "o", Choices(init=str(small)))
    assert "boxes are brighter than what lies around them" in caplog.text


def test_a_learning_rate_of_zero_is_refused(project: Path, annotations: Path, small: Path) -> None:
    with pytest.raises(InputError, match=r"`lr`: expected a number of more than 0"):
        train_own(annotations, annotations.parent, project / "o", Choices(init=str(small), lr=0.0))


def test_too_few_images_and_odd_shares_are_refused(project: Path, annotations: Path, small: Path) -> None:
    with pytest.raises(InputError, match=r"test_fraction within \[0, 0.5\), found 0.9"):
        train_own(annotations, annotations.parent, project / "o", Choices(init=str(small), test_fraction=0.9))
    content = json.loads(annotations.read_text(encoding="utf-8"))
    content["images"], content["annotations"] = content["images"][:2], content["annotations"][:2]
    annotations.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(InputError, match="at least 3 different images"):
        train_own(annotations, annotations.parent, project / "o", Choices(init=str(small)))
