"""The time of a scene, from the best source that it has, in a whole run."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray

from refinedet.config.options.detect import SceneSettings
from refinedet.config.options.settings import DetectSettings
from refinedet.errors import InputError
from refinedet.raster import write_scene
from refinedet.scene.detect import detect_scene
from refinedet.scene.sentinel1.annotation import read_annotation
from refinedet.scene.sentinel1.files import ProductFolder, read_xml
from refinedet.scene.views.columns import ship_rows

MakeProduct = Callable[..., Path]
ASKED = "2021-07-01T12:01:02Z"


def sea_with_a_ship() -> NDArray[np.uint16]:
    """Sea with a ship in lines 40 to 48."""
    pixels = np.random.default_rng(1).integers(30, 70, (90, 120)).astype(np.uint16)
    pixels[40:48, 60:80] = 5000
    return pixels


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """A raster of which nothing is known but its pixels, with a ship in it."""
    write_scene(tmp_path / "scene.tif", sea_with_a_ship())
    return tmp_path / "scene.tif"


def times(scene: Path, predictor: Any, **settings: Any) -> tuple[list[str | None], dict[str, Any], str]:
    found = detect_scene(scene, predictor, scene=SceneSettings(**settings))
    return [row["time"] for row in ship_rows(found)], found.read_as["time"], " ".join(found.notes)


def test_a_time_that_nobody_knows_is_null_and_told(plain: Path, bright_blobs: Any) -> None:
    found, read_as, notes = times(plain, bright_blobs)
    assert found == [None]
    assert read_as == {"from": "unknown", "start": None, "end": None}
    assert "set it with `time`" in notes


def test_the_setting_the_name_and_the_metadata_give_the_time(plain: Path, bright_blobs: Any) -> None:
    assert times(plain, bright_blobs, time=ASKED)[0] == ["2021-07-01T12:01:02.000Z"]
    named = plain.with_name("scene_20200102T030405.tif")
    shutil.copy(plain, named)
    found, read_as, notes = times(named, bright_blobs)
    assert found == ["2020-01-02T03:04:05.000Z"]
    assert read_as == {"from": "name", "start": found[0], "end": None}
    assert "from the name" in notes
    with rasterio.open(named, "r+") as dataset:
        dataset.update_tags(ACQUISITION_START_TIME="2020-01-02T03:04:05.678Z", TIFFTAG_DATETIME="2020:01:03 00:00:00")
    found, read_as, notes = times(named, bright_blobs)
    assert (found, read_as["from"]) == (["2020-01-02T03:04:05.678Z"], "file")
    found, read_as, notes = times(named, bright_blobs, time=ASKED)
    assert (found, read_as["from"]) == (["2021-07-01T12:01:02.000Z"], "option")
    assert "its metadata says 2020-01-02T03:04:05.678Z" in notes


def test_a_product_without_annotation_has_the_start_in_its_name(make_product: MakeProduct, bright_blobs: Any) -> None:
    product = make_product("vv")
    raster = next((product / "measurement").iterdir())
    assert times(raster, bright_blobs)[0] == ["2022-10-02T20:51:26.000Z"]
    whole = product.with_name("S1A_IW_GRDH_1SDV_20221002T205126_20221002T205156_045268_056950_0664.SAFE")
    product.rename(whole)
    found, read_as, _ = times(whole, bright_blobs)
    assert (found, read_as["from"]) == (["2022-10-02T20:51:26.000Z"], "name")


def test_a_product_with_annotation_takes_no_time_by_hand(made_up_product: MakeProduct, bright_blobs: Any) -> None:
    product = made_up_product(90, 120)
    raster = product / "measurement" / f"{next((product / 'annotation').glob('*.xml')).stem}.tiff"
    raster.parent.mkdir()
    write_scene(raster, sea_with_a_ship())
    found, read_as, _ = times(product, bright_blobs)
    assert found == ["2020-01-01T00:00:00.065Z"]  # 43.5 lines of 1.5 ms
    assert read_as == {"from": "annotation", "start": "2020-01-01T00:00:00.000Z", "end": "2020-01-01T00:00:00.134Z"}
    with pytest.raises(InputError, match="whose annotation has the time of every line"):
        times(product, bright_blobs, time=ASKED)


def test_the_lines_of_a_real_annotation_keep_its_own_pace(sample_data: Path) -> None:
    from refinedet.scene.metadata import _line_times

    product = ProductFolder(next((sample_data / "s1").glob("*.SAFE")))
    for file in product.names("annotation"):
        annotation = read_annotation(read_xml(product, f"annotation/{file}"), file)
        lines = _line_times(annotation)
        assert lines.start == datetime(2022, 10, 2, 20, 51, 26, 995649, tzinfo=UTC)
        y = np.arange(0.5, annotation.lines)
        seconds = [(time - lines.start).total_seconds() for time in lines.at(y)]
        np.testing.assert_allclose(seconds, np.arange(annotation.lines) * annotation.line_s, atol=5e-4)
        assert abs(lines.at(y[-1:])[0] - datetime(2022, 10, 2, 20, 51, 56, 12438, tzinfo=UTC)).total_seconds() < 1e-3


def test_a_setting_that_is_no_time_is_one_sentence() -> None:
    with pytest.raises(InputError, match="setting `time`: expected a time such as 2021-07-01T12:01:02Z, found 'noon'"):
        SceneSettings(time="noon")
    with pytest.raises(InputError, match="expected `time` such as"):
        DetectSettings.of(time="2021-07-01")
    assert DetectSettings.of(time="2021-07-01 14:01:02+02:00").scene.time == "2021-07-01T12:01:02.000Z"
