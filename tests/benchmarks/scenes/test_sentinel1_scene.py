"""A simulated product is one that detect takes, with its truth at the right places."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from refinedet.boxes import as_boxes
from refinedet.config.options.detect import SceneSettings
from refinedet.geo.position import distances_m, locate
from refinedet.scene.products import measurement_of
from refinedet.scene.sentinel1.ambiguity import find_ambiguities
from refinedet.scene.source import open_source
from refinedet.tiling import Window

_ROOT = Path(__file__).resolve().parents[3]


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, _ROOT / "benchmarks" / "scenes" / "sentinel1_scene.py", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(_ROOT)},
    )


def features(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text())["features"]
    return found


def check_product(out: Path) -> None:
    """Raster, metadata and truth of a product agree."""
    raster = next((out / "measurement").iterdir())
    with rasterio.open(raster) as dataset:
        assert dataset.block_shapes == [(1, dataset.width)]
        assert not dataset.compression
        assert dataset.dtypes == ("uint16",)
    with open_source(out, SceneSettings(calibrate="sigma0-denoised")) as reader:
        assert np.isfinite(reader.read(Window(0, 0, 50, 50))).all()
    with open_source(out) as reader:
        info = reader.info
        pixels = reader.read(Window(0, 0, info.height, info.width))
    found = measurement_of(out, None)
    assert found is not None
    annotation = found.annotation(info)
    assert annotation is not None
    assert info.gcps == annotation.grid.control_points()
    position = locate(info)
    assert position is not None
    truth = [f["properties"] for f in features(out.parent / "ships.geojson")]
    boxes = np.array([one["bbox_px"] for one in truth])
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    lonlat = np.array([(one["lon"], one["lat"]) for one in truth])
    assert distances_m(position.lonlat(middles), lonlat).max() < 30  # of a box and of its hull
    sea = np.median(pixels[pixels > 0])
    for x1, y1, x2, y2 in boxes.astype(int):
        assert pixels[y1 : y2 + 1, x1 : x2 + 1].max() > 1.7 * sea
    assert (pixels == 0).any()
    ghosts = np.array([f["properties"]["bbox_px"] for f in features(out.parent / "ambiguities.geojson")])
    if len(ghosts):
        everything = as_boxes(np.concatenate([boxes, ghosts]))
        contrast = np.array([one["peak_to_clutter_db"] for one in truth] + [12.0] * len(ghosts))
        at = (everything[:, :2] + everything[:, 2:]).astype(np.float64) / 2
        found = find_ambiguities(everything, contrast, annotation.geometry(at))
        assert found[len(boxes) :].mean() >= 0.9
        assert found[: len(boxes)].mean() <= 0.02


def test_a_product_around_made_up_metadata(tmp_path: Path, made_up_product: Callable[..., Path]) -> None:
    source = made_up_product(1300, 700)
    out = tmp_path / "out" / "S1A_SIMULATED.SAFE"
    done = run(source, out, "--ships", 25, "--seed", 3)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("700 x 1300 pixels, 25 ships, ")
    check_product(out)
    assert len(features(out.parent / "ambiguities.geojson")) >= 1
    assert len(features(out.parent / "land.geojson")) >= 1
    again = tmp_path / "again" / "S1A_SIMULATED.SAFE"
    assert run(source, again, "--ships", 25, "--seed", 3).returncode == 0
    rasters = [next((folder / "measurement").iterdir()).read_bytes() for folder in (out, again)]
    assert rasters[0] == rasters[1]
    land = out.parent / "land.geojson"
    half = tmp_path / "half" / "S1A_SIMULATED.SAFE"
    done = run(source, half, "--ships", 9, "--fraction", 0.5, "--land", land)
    assert done.stdout.startswith("700 x 650 pixels, 9 ships, "), done.stderr
    check_product(half)


def test_a_small_product_around_real_metadata_is_where_the_real_one_is(tmp_path: Path, sample_data: Path) -> None:
    source = next((sample_data / "s1").glob("*.SAFE"), None)
    if source is None:
        pytest.skip(f"no Sentinel-1 metadata under {sample_data / 's1'}; point REFINEDET_DATA at the samples")
    out = tmp_path / "out" / source.name
    done = run(source, out, "--ships", 20, "--fraction", 0.06, "--samples-fraction", 0.03)
    assert (done.returncode, done.stderr) == (0, "")
    check_product(out)
    with open_source(out) as reader:
        small = locate(reader.info)
    whole = annotation_of_metadata(source)
    assert small is not None
    assert whole is not None
    points = np.array([[0.5, 0.5], [300.0, 700.0], [750.0, 1100.0]])
    assert distances_m(small.lonlat(points), whole.lonlat(points)).max() < 0.1


def annotation_of_metadata(product: Path) -> Any:
    """The position of a product that has no raster."""
    from xml.etree import ElementTree as ET

    from refinedet.raster import RasterInfo
    from refinedet.scene.sentinel1.annotation import read_annotation

    file = next((product / "annotation").glob("*-vv-*.xml"))
    annotation = read_annotation(ET.parse(file).getroot(), "here")  # noqa: S314 - a sample of our own
    points = annotation.grid.control_points()
    shape = (annotation.samples, annotation.lines)
    return locate(RasterInfo(*shape, 1, "uint16", gcps=points, gcp_crs="EPSG:4326", gcp_zero="centre"))


def test_what_is_wrong_is_one_line(tmp_path: Path, made_up_product: Callable[..., Path]) -> None:
    done = run(tmp_path, tmp_path / "out.SAFE")
    assert done.returncode == 2
    assert done.stderr.startswith("error: expected a folder with manifest.safe")
    source = made_up_product(200, 200)
    assert run(source, source).stderr.startswith("error: expected nothing at")
    assert run(source, tmp_path / "o", "--fraction", 2).stderr.startswith("error: expected fractions within")
