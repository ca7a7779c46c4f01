"""Scenes made of real samples: what they hold, that nothing set apart is in them, and that they can be made again."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from pipeline.datasets.reading import read_dataset
from pipeline.datasets.real_scenes import scenes, split
from pipeline.datasets.real_scenes.pictures import read_chip
from pipeline.datasets.real_scenes.scenes import RealScene, real_scenes
from pipeline.datasets.real_scenes.writing import find_samples, write_real
from pipeline.params import RealParams
from pipeline.stage import REAL
from refinedet.errors import FileError, InputError
from refinedet.raster import write_scene

TRAIN, VAL = (
    "S1A_IW_GRDH_1SDV_20161018T095407_20161018T095432_013543_015ACD_AB15",
    next(iter(split.VALIDATE["opensarship"])),
)
DECIDES = "S1A_IW_GRDH_1SDV_20160131T101646_20160131T101715_009737_00E392_36F7"


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small samples in the layout of the real ones; what decides has pixels of 255 or 60000 alone."""
    root = tmp_path_factory.mktemp("samples") / "real"
    rng = np.random.default_rng(5)
    for folder in ("opensarship", "chips/boats", "chips/windmills", "sea", "slicks", "hrsid", "city", "dualpol_land"):
        (root / folder).mkdir(parents=True)
    for product, ships in ((TRAIN, 3), (VAL, 1), (DECIDES, 1)):
        _product(root / "opensarship" / product, ships, rng, bright=product == DECIDES)
    for degree in ("3", "1", "2"):
        for kind in ("boats", "windmills"):
            chip = rng.integers(20, 40, (30, 30), np.uint8)
            chip[14:17, 12:18] = 255
            Image.fromarray(chip).save(root / "chips" / kind / f"{degree}_1-50_1.png")
    sea = rng.integers(30, 60, (200, 400), np.uint8)
    mask = np.zeros((150, 180, 3), np.uint8)
    mask[50:54, 60:66] = (153, 76, 0)
    for name in ("test8", "test28", "test6"):
        Image.fromarray(sea).save(root / "sea" / f"{name}.jpg")
    for name in ("img_0001", "img_0033", "img_0002"):
        Image.fromarray(sea[:150, :180]).save(root / "slicks" / f"{name}.jpg")
        Image.fromarray(mask).save(root / "slicks" / f"{name}.png")
    for name in ("P0001_0", "P0017_0", "P0002_0"):
        Image.fromarray(sea[:150, :180]).save(root / "hrsid" / f"{name}.jpg")
        Image.fromarray(mask.max(axis=2)).save(root / "hrsid" / f"{name}.png")
    Image.fromarray(np.hstack([sea, sea])).save(root / "city" / "original_crop.png")
    decibels = rng.normal(-12, 2, (64, 80)).astype(np.float32)
    write_scene(root / "dualpol_land" / "VV.tif", decibels, crs="EPSG:32633", transform=(10.0, 0, 0, 0, -10.0, 0))
    return root


def _product(path: Path, ships: int, rng: np.random.Generator, *, bright: bool) -> None:
    entries, patches = [], {}
    for index in range(ships):
        patch = 60 * np.sqrt(rng.gamma(4.4, 1 / 4.4, (2, 41, 41))).astype(np.float32)
        patch[:, 19:22, 16:26] = 700
        name = f"x{100 + index}_y200"
        patches[name] = np.full_like(patch, 60000) if bright else patch
        entries.append(
            {
                "patch": name,
                "bands": ["vh", "vv"],
                "centre_px": [100, 200],
                "head_px": [105, 200],
                "tail_px": [95, 200],
                "register": {"length_m": 100, "width_m": 20},
            }
        )
    path.with_suffix(".json").write_text(json.dumps({"ships": entries}))
    np.savez(path.with_suffix(".npz"), **patches)


def _made(samples: Path, **changes: Any) -> Iterator[RealScene]:
    return real_scenes(samples, **({"use": "train", "copies": 1, "seed": 4} | changes))


def test_each_use_reads_its_own_samples(samples: Path) -> None:
    train = {scene.name: scene for scene in _made(samples)}
    assert set(train) == {
        *("laid_20161018_vv_0", "laid_20161018_vh_0", "pasted_0_0", "pasted_0_1"),
        *("chips_0_0", "chips_0_1", "chips_0_2"),
        *("sea_test8_0", "slicks_img_0001_0", "sea_test8", "slicks_img_0001"),
        *("hrsid_P0001_0", "city", "land_VV"),
    }
    assert len(train["laid_20161018_vv_0"].boxes_xyxy) == 3
    assert len(train["chips_0_0"].boxes_xyxy) == 3  # the boat three times, and not the turbine beside it
    assert (len(train["sea_test8"].boxes_xyxy), len(train["hrsid_P0001_0"].boxes_xyxy)) == (0, 1)
    assert all(scene.pixels.max() < 60000 for scene in train.values())
    val = {scene.name for scene in _made(samples, use="val")}
    assert {"laid_20150902_vv_0", "sea_test28_0", "slicks_img_0033", "hrsid_P0017_0"} < val
    assert "city" not in val


def test_chips_of_boats_are_shown_more_often_than_those_of_turbines(
    samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: Counter[str] = Counter()

    def counted(path: Path, **settings: float) -> NDArray[np.float32]:
        shown[path.parent.name] += 1
        return read_chip(path, **settings)

    monkeypatch.setattr(scenes, "read_chip", counted)
    list(_made(samples, copies=4))
    assert shown["boats"] == 4 * 3 * 3
    assert 0 < shown["windmills"] < 8  # a quarter of 12, drawn at random
    shown.clear()
    list(_made(samples, copies=4, use="val"))
    assert shown == {"boats": 4, "windmills": 4}


def test_pictures_of_the_sea_are_in_every_third_arrangement(samples: Path) -> None:
    names = {scene.name for scene in _made(samples, copies=4)}
    assert {name for name in names if name.startswith("sea_test8")} == {"sea_test8", "sea_test8_0", "sea_test8_3"}
    assert "laid_20161018_vv_3" in names


def test_boxes_lie_on_ships(samples: Path) -> None:
    for scene in _made(samples):
        if scene.name.startswith(("laid", "pasted")):
            sea = np.median(scene.pixels)
            peaks = [
                scene.pixels[max(int(y1), 0) : int(y2) + 1, max(int(x1), 0) : int(x2) + 1].max()
                for x1, y1, x2, y2 in scene.boxes_xyxy
            ]
            assert len(peaks) > 2
            assert np.median(peaks) > 3 * sea


def test_equal_seeds_give_equal_bytes_and_others_do_not(samples: Path) -> None:
    one, again, other = (list(_made(samples, seed=seed)) for seed in (4, 4, 5))
    assert all((a.pixels == b.pixels).all() for a, b in zip(one, again, strict=True))
    assert all((a.boxes_xyxy == b.boxes_xyxy).all() for a, b in zip(one, again, strict=True))
    assert any(
        a.pixels.shape != b.pixels.shape or (a.pixels != b.pixels).any() for a, b in zip(one, other, strict=True)
    )


def test_written_scenes_are_read_with_their_ignored_boxes(samples: Path, tmp_path: Path) -> None:
    write_real(samples, RealParams(train=1, val=1, seed=4), tmp_path / REAL)
    found = read_dataset("none", 0.1, tmp_path)
    assert {split: len(images) for split, images in found.splits.items()} == {"train": 14, "val": 9, "test": 0}
    assert found.problems == ()
    for path in (tmp_path / REAL / "train").glob("*.truth.geojson"):
        features = json.loads(path.read_text())["features"]
        name = path.name.replace(".truth.geojson", ".tif")
        (image,) = [one for one in found.splits["train"] if one.annotated.file_name.endswith(f"/{name}")]
        assert int(image.annotated.ignored.sum()) == sum(one["properties"]["ignored"] for one in features)


def test_missing_samples_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="REFINEDET_DATA"):
        find_samples(None)
    with pytest.raises(FileError, match="no folder opensarship there"):
        find_samples(str(tmp_path))
