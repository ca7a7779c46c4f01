"""xView3's table of labels and its scenes, made small, through download and convert."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.datasets.xview3 import prepare_xview3
from pipeline.params import parse_params
from pipeline.stages.convert import convert
from pipeline.stages.download import download
from refinedet.errors import FileError, InputError
from refinedet.files import read_json
from refinedet.raster import write_scene

HEADER = (
    "detect_lat,detect_lon,vessel_length_m,source,detect_scene_row,detect_scene_column,is_vessel,is_fishing,"
    "distance_from_shore_km,scene_id,confidence,top,left,bottom,right,detect_id\n"
)


def row(scene: str, vessel: str, confidence: str, sides: str = "30,20,42,50", length: str = "") -> str:
    return f"1.0,2.0,{length},manual,36,35,{vessel},,3.0,{scene},{confidence},{sides},x\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "cache" / "xview3"
    rows = ""
    for number in range(5):
        scene = f"scene{number}v"
        (made / scene).mkdir(parents=True)
        pixels = np.random.default_rng(number).normal(-20, 3, (120, 150)).astype(np.float32)
        write_scene(made / scene / "VV_dB.tif", pixels, nodata=-32768)
        rows += row(scene, "True", "HIGH") + row(scene, "True", "LOW", "60,20,70,50")
        rows += row(scene, "", "MEDIUM", "80,20,90,50") + row(scene, "False", "HIGH", "100,20,110,50")
        rows += row(scene, "True", "HIGH", ",,,", "300.0") + row(scene, "True", "MEDIUM", "118,130,110,140")
    (made / "validation.csv").write_text(HEADER + rows + row("absentv", "True", "HIGH"), encoding="utf-8")
    return made


def test_scenes_and_labels_become_a_data_set(folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    params = parse_params({"recipe": "x", "recipes": {"x": {"dataset": "xview3-sar"}}})
    out = tmp_path / "outputs" / "download"
    download(params, out, mirror=None, cache=folder.parent)
    assert "5 of the 6 scenes of validation.csv are there" in caplog.text
    convert("xview3-sar", 0.1, out, tmp_path / "convert")
    splits = read_json(tmp_path / "convert" / "summary.json")["splits"]
    assert sum(found["images"] for found in splits.values()) == 5
    assert min(found["images"] for found in splits.values()) >= 1
    assert sum(found["boxes"] for found in splits.values()) == 5 * 5
    assert sum(found["ignored"] for found in splits.values()) == 5 * 3
    first = read_json(out / "annotations" / "test.json")
    boxes = {tuple(entry["bbox"]): entry["iscrowd"] for entry in first["annotations"] if entry["image_id"] == 1}
    assert boxes == {
        (20.0, 30.0, 30.0, 12.0): 0,
        (130.0, 110.0, 10.0, 8.0): 0,  # its rows are counted upwards
        (20.0, 60.0, 30.0, 10.0): 1,
        (20.0, 80.0, 30.0, 10.0): 1,
        (20.0, 21.0, 30.0, 30.0): 1,  # 300 m around the point
    }


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (("scene0v", "../../v"), InputError, "expected scene ids"),
        (("is_vessel", "vessel"), InputError, "none of the columns is_vessel there"),
        (("30,20,42,50", "30,2O,42,50"), InputError, "expected a number as left of scene0v"),
        ((",3.0,scene", ",3.0,other"), InputError, "for at least 3 of the"),
        (("detect_id\n", "detect_id\n1.0,2.0\n"), InputError, "expected scene ids .* found ''"),
    ],
)
def test_a_wrong_table_is_one_sentence(
    folder: Path, tmp_path: Path, change: tuple[str, str], error: type[Exception], message: str
) -> None:
    table = folder / "validation.csv"
    table.write_text(table.read_text(encoding="utf-8").replace(*change), encoding="utf-8")
    (tmp_path / "out").mkdir()
    with pytest.raises(error, match=message):
        prepare_xview3(folder, tmp_path / "out")


def test_no_table_is_said(folder: Path, tmp_path: Path) -> None:
    (folder / "validation.csv").unlink()
    with pytest.raises(FileError, match=r"expected labels at .*validation\.csv"):
        prepare_xview3(folder, tmp_path / "out")
