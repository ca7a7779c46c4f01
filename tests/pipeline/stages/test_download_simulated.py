"""Scenes that stage download simulates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.datasets.catalogue import Source
from pipeline.stages.download import download, scene_specs
from refinedet.errors import InputError
from refinedet.files import read_json, sha256_file, sha256_tree
from tests.pipeline.stages.downloading import Zip, names, params_of


def test_simulated_scenes_differ_and_repeat(tmp_path: Path, cache: Path) -> None:
    scenes = {"train": 2, "val": 1, "test": 1, "width_px": 256, "height_px": 224, "ships": 1, "seed": 5}
    params = params_of("simulated", scenes=scenes)
    for name in ("a", "b"):
        download(params, tmp_path / name, mirror=None, cache=cache)
    assert names(tmp_path / "a") == [
        f"simulated/{split}/scene_{i:03d}.{end}"
        for split, i in (("test", 0), ("train", 0), ("train", 1), ("val", 0))
        for end in ("tif", "truth.geojson")
    ]
    assert sha256_tree(tmp_path / "a") == sha256_tree(tmp_path / "b")
    assert len({sha256_file(path) for path in (tmp_path / "a").rglob("*.tif")}) == 4


def test_kinds_of_simulated_scenes_take_turns(out: Path, cache: Path) -> None:
    scenes = {"train": 3, "val": 1, "test": 1, "width_px": 256, "height_px": 224, "ships": 1, "seed": 5}
    download(params_of("simulated", scenes=scenes | {"kinds": ["plain", "sentinel1"]}), out, mirror=None, cache=cache)
    truths = [read_json(path) for path in sorted((out / "simulated" / "train").glob("*.geojson"))]
    assert ["non_ships" in truth for truth in truths] == [False, True, False]


def test_numbers_of_ships_take_turns_beside_the_kinds() -> None:
    scenes = params_of("s", scenes={"train": 4, "kinds": ["plain", "sentinel1"], "ships": [9, 9, 0, 0]}).scenes
    assert scenes is not None
    specs = [spec for name, spec in scene_specs(scenes).items() if name.startswith("train/")]
    assert [(spec.kind, spec.ships) for spec in specs] == [
        *(("plain", 9), ("sentinel1", 9)),
        *(("plain", 0), ("sentinel1", 0)),
    ]


def test_no_number_of_ships_is_an_error() -> None:
    with pytest.raises(InputError, match="at least one number of ships"):
        params_of("s", scenes={"ships": []})


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        pytest.param({}, "found 'sdd' without scenes", id="neither in the catalogue nor simulated"),
        pytest.param({"scenes": {"val": 0}}, "found 0 and 4", id="nothing to validate on"),
        pytest.param({"scenes": {"test": 0}}, "found 4 and 0", id="nothing to test on"),
    ],
)
def test_simulated_data_must_be_complete(recipe: dict[str, Any], message: str, out: Path, cache: Path) -> None:
    with pytest.raises(InputError, match=message):
        download(params_of("sdd", **recipe), out, mirror=None, cache=cache)


def test_scenes_are_simulated_beside_a_published_set(
    tiny: Source, tiny_folder: Path, zip_folder: Zip, out: Path, cache: Path
) -> None:
    archive = zip_folder(tiny_folder, tiny.files[0].folder)
    scenes = {"train": 1, "val": 1, "test": 0, "width_px": 256, "height_px": 224, "ships": 1}
    download(params_of("tiny", scenes=scenes), out, mirror=str(archive.parent), cache=cache)
    assert (out / "train" / "000.png").is_file()
    assert names(out / "simulated") == [
        f"{s}/scene_000.{end}" for s in ("train", "val") for end in ("tif", "truth.geojson")
    ]
