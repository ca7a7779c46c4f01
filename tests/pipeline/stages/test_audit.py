"""The audit finds what was hidden in a small set, and SSDD's leaks by itself; only unusable images stop it."""

from __future__ import annotations

import json
import re
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from pipeline.audit import duplicates
from pipeline.datasets.catalogue import CATALOGUE
from pipeline.downloads.extract import extract
from pipeline.stage import SPLITS
from pipeline.stages.audit import audit
from refinedet.data.coco import SIMULATED
from refinedet.data.simulation.scene import write_simulated
from refinedet.data.simulation.spec import SceneSpec
from refinedet.errors import FileError
from refinedet.files import read_json, sha256_tree

LEAKED = ["000001", "000011", "000229", "000389", "000501", "000631", "000639", "000641", "000739", "001121"]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "audit"


def edit(path: Path, change: Any) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    change(document)
    path.write_text(json.dumps(document), encoding="utf-8")


@pytest.mark.usefixtures("tiny")
def test_copies_and_leaks_are_found(tiny_folder: Path, out: Path) -> None:
    metrics = audit("tiny", 0.0, tiny_folder, out)
    assert metrics == read_json(out / "metrics.json")
    assert metrics["images"] == {"train": 30, "val": 0, "test": 4}
    assert metrics["copies"] == {
        "groups_within_a_split": 1,
        "of_these_byte_identical": 1,
        "groups_across_splits": 1,
        "label_disagreements": 0,
        "leaked_test_images": 1,
    }
    alike = read_json(out / "findings.json")["alike"]
    assert [sorted(name for _, name in f["images"]) for f in alike if f["kind"] != "near"] == [
        ["test/001.png", "train/003.png"],
        ["train/007.png", "train/008.png"],
    ]


@pytest.mark.usefixtures("tiny")
def test_equal_pixels_in_other_bytes_are_told_from_equal_bytes(tiny_folder: Path, out: Path) -> None:
    with Image.open(tiny_folder / "train/007.png") as image:
        image.save(tiny_folder / "train/008.png", compress_level=0)
    copies = audit("tiny", 0.0, tiny_folder, out)["copies"]
    assert (copies["groups_within_a_split"], copies["of_these_byte_identical"]) == (1, 0)


@pytest.mark.usefixtures("tiny")
def test_a_cut_of_the_same_scene_and_its_labels_are_compared(tiny_folder: Path, out: Path) -> None:
    rng = np.random.default_rng(5)
    swell = gaussian_filter(rng.normal(0, 1, (50, 70)), 8)
    scene = (110 + 60 * swell / abs(swell).max() + rng.normal(0, 12, swell.shape)).astype(np.uint8)
    Image.fromarray(scene[:40, :60]).save(tiny_folder / "train/010.png")
    Image.fromarray(scene[1:41, 2:62]).save(tiny_folder / "test/002.png")
    metrics = audit("tiny", 0.0, tiny_folder, out)
    assert metrics["near"]["pairs_across_splits"] == 1
    assert metrics["near"]["leaked_test_images"] == 1
    (found,) = (f for f in read_json(out / "findings.json")["alike"] if f["kind"] == "near")
    assert sorted(found["images"]) == [["test", "test/002.png"], ["train", "train/010.png"]]
    assert (found["placement"]["x"], found["placement"]["y"]) == (2, 1)
    assert found["agrees"], "two pixels of twenty are one ship still"


@pytest.mark.usefixtures("tiny")
def test_labels_that_disagree_on_copies_are_named_and_shown(tiny_folder: Path, out: Path) -> None:
    edit(tiny_folder / "annotations/train.json", lambda d: d["annotations"][8].update(bbox=[30, 20, 20, 10]))
    metrics = audit("tiny", 0.0, tiny_folder, out)
    assert metrics["copies"]["label_disagreements"] == 1
    assert "0 matched to 0 px, 2 only in one" in (out / "audit.html").read_text(encoding="utf-8")
    (found,) = (f for f in read_json(out / "findings.json")["alike"] if not f["agrees"])
    assert found["agreements"][0]["only_first"] == [[2, 3, 22, 13]]
    assert found["agreements"][0]["only_second"] == [[30, 20, 50, 30]]


@pytest.mark.usefixtures("tiny")
def test_odd_boxes_are_listed_as_published(tiny_folder: Path, out: Path) -> None:
    def spoil(document: Any) -> None:
        rows = document["annotations"]
        rows[0]["bbox"] = [1, 1, 0, 5]
        rows[1]["bbox"] = [50, 1, 20, 5]
        rows[2]["bbox"] = [70, 1, 20, 5]
        rows[3]["bbox"] = [float("nan"), 1, 20, 5]
        rows += [{**rows[5]}, {**rows[6], "bbox": [2.5, 3, 20, 10]}, {**rows[7], "image_id": 99}]

    edit(tiny_folder / "annotations/train.json", spoil)
    metrics = audit("tiny", 0.0, tiny_folder, out)
    assert {k: metrics["boxes"][k] for k in ("out_of_bounds", "empty", "doubled", "malformed")} == {
        "out_of_bounds": 2,
        "empty": 1,
        "doubled": 2,
        "malformed": 2,
    }
    listed = {(b["file_name"], b["problem"]): b["box_xyxy"] for b in read_json(out / "findings.json")["boxes"]}
    assert listed["train/000.png", "without area"] == [1, 1, 1, 6]
    assert listed["train/001.png", "clipped"] == [50, 1, 70, 6]
    assert listed["train/005.png", "repeated"] == [2, 3, 22, 13]
    assert listed["train/006.png", "doubled"] == [2.5, 3, 22.5, 13]
    assert ("", "unknown image") in listed


@pytest.mark.usefixtures("tiny")
def test_unusable_images_stop_the_pipeline_after_all_is_written(tiny_folder: Path, out: Path) -> None:
    (tiny_folder / "train/004.png").unlink()
    (tiny_folder / "train/005.png").write_bytes((tiny_folder / "train/005.png").read_bytes()[:200])
    edit(tiny_folder / "annotations/test.json", lambda d: d["images"][0].update(width=61))
    with pytest.raises(FileError, match=r"found 3 that cannot, such as .*audit\.html lists them"):
        audit("tiny", 0.0, tiny_folder, out)
    assert read_json(out / "metrics.json")["unusable_images"] == {"missing": 1, "unreadable": 1, "another_size": 1}
    kinds = {p["file_name"]: p["kind"] for p in read_json(out / "findings.json")["images"]}
    assert kinds == {
        "train/004.png": "missing",
        "train/005.png": "unreadable",
        "test/000.png": "another size",
    }
    assert "train/004.png" in (out / "audit.html").read_text(encoding="utf-8")


@pytest.mark.usefixtures("tiny")
def test_the_page_fetches_nothing_and_equal_data_gives_equal_bytes(tiny_folder: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        audit("tiny", 0.3, tiny_folder, tmp_path / name)
    assert sha256_tree(tmp_path / "one") == sha256_tree(tmp_path / "two")
    page = (tmp_path / "one" / "audit.html").read_text(encoding="utf-8")
    sources = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert len(sources) == 2 + 2 + 1, "two pairs and the histograms"
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert "url(" not in page


def test_simulated_scenes_are_audited(tmp_path: Path, out: Path) -> None:
    for seed, split in enumerate(SPLITS):
        path = tmp_path / "download" / SIMULATED / split / "scene_000.tif"
        write_simulated(SceneSpec(width_px=320, height_px=256, ships=3, seed=seed), path)
    metrics = audit("simulated", 0.1, tmp_path / "download", out)
    assert metrics["images"] == {"train": 1, "val": 1, "test": 1}
    assert metrics["copies"]["groups_across_splits"] == metrics["near"]["pairs_across_splits"] == 0


@pytest.mark.slow
def test_real_ssdd(ssdd_archive: Path, tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "MOST_PAIRS", 300)  # the nearest of some 1,500
    (tmp_path / "download").mkdir()
    extract(ssdd_archive, tmp_path / "download", below=CATALOGUE["ssdd"].files[0].folder)
    metrics = audit("ssdd", 0.0, tmp_path / "download", out)
    alike = read_json(out / "findings.json")["alike"]
    across = [f for f in alike if f["kind"] != "near" and len({split for split, _ in f["images"]}) > 1]
    leaked = sorted(PurePosixPath(name).stem for f in across for split, name in f["images"] if split == "test")
    assert leaked == LEAKED
    assert metrics["copies"]["leaked_test_images"] == 10
    assert metrics["copies"]["of_these_byte_identical"] == 12
    assert metrics["copies"]["groups_within_a_split"] == 13, "one more of equal pixels in other bytes"
    assert metrics["boxes"] | {"out_of_bounds": 0, "empty": 0, "malformed": 0} == metrics["boxes"]
    cuts = {tuple(sorted(name for _, name in f["images"])) for f in alike if f["kind"] == "near"}
    assert ("test/001129.jpg", "train/001132.jpg") in cuts, "another cut of one harbour"
    assert ("test/000129.jpg", "train/000412.jpg") not in cuts, "two ships of one look"
    assert metrics["near"]["pairs_not_looked_at"] > 500
