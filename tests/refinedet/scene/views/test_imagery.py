"""Pictures for the eye: cut-outs stay in the scene, dim ones are lifted, nothing grows with the box."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from refinedet.detections import Detections
from refinedet.predictors.predictor import Predictor
from refinedet.radiometry import StretchLimits
from refinedet.raster import write_scene
from refinedet.scene.detect import detect_scene
from refinedet.scene.result import SceneResult
from refinedet.scene.views.imagery import cutout_square, picture, read_cutouts

MakeResult = Callable[..., SceneResult]


def test_greys_keep_their_order_and_colours_their_hue(make_result: MakeResult) -> None:
    result = replace(make_result(0), stretch_limits=StretchLimits(0.0, 255.0))
    shades = picture(np.arange(1, 256, dtype=np.uint16)[None], result)[0].astype(int)
    assert (np.diff(shades.sum(axis=1)) >= 0).all()
    assert shades[-1].tolist() == [255, 255, 255]
    rgb = np.full((4, 4, 3), (10, 220, 30), np.uint8)
    np.testing.assert_array_equal(picture(rgb, replace(result, stretch_limits=None)), rgb)


def test_dim_pixels_are_lifted_and_bright_ones_are_not(make_result: MakeResult) -> None:
    result = make_result(0)
    dim, bright = np.full((2, 2), 40, np.uint8), np.full((2, 2), 255, np.uint8)
    assert picture(dim, result, lift=2.5).mean() > 1.5 * picture(dim, result).mean()
    np.testing.assert_array_equal(picture(bright, result, lift=2.5), picture(bright, result))
    assert picture(np.zeros((2, 2), np.uint8), result, lift=2.5).max() < 20


def test_cut_outs_lie_in_the_scene_around_their_ships(tmp_path: Path, make_result: MakeResult) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (100, 200)).astype(np.uint8)
    write_scene(tmp_path / "s.tif", pixels)
    boxes = [[0, 0, 8, 4], [100, 40, 140, 60], [190, 90, 200, 100], [0, 0, 200, 100]]
    found = Detections.of(boxes, [0.9, 0.8, 0.7, 0.6], [0] * 4)
    cut = read_cutouts(tmp_path / "s.tif", replace(make_result(0), detections=found), most=3)
    assert len(cut) == 3
    for (x1, y1, x2, y2), (shown, window) in zip(boxes, cut, strict=False):
        assert window.x <= x1
        assert window.y <= y1
        assert x2 <= window.x + window.width <= 200
        assert y2 <= window.y + window.height <= 100
        assert shown.shape == (window.height, window.width, 3)
    assert cutout_square(replace(make_result(0), detections=found), 1) == (76, 6, 88)


def test_a_cut_out_of_a_huge_box_is_thinned(tmp_path: Path, make_result: MakeResult) -> None:
    write_scene(tmp_path / "s.tif", np.ones((1500, 1500), np.uint8))
    found = Detections.of([[0, 0, 1500, 1500]], [0.9], [0])
    empty = make_result(0)
    result = replace(empty, detections=found, info=replace(empty.info, width=1500, height=1500))
    (shown, window), *_ = read_cutouts(tmp_path / "s.tif", result, most=1)
    assert (window.width, window.height) == (1500, 1500)
    assert max(shown.shape) <= 512


def test_cut_outs_of_a_small_scene_do_not_open_it_again(tmp_path: Path, bright_blobs: Predictor) -> None:
    pixels = np.random.default_rng(0).integers(0, 60, (100, 200)).astype(np.uint8)
    pixels[40:50, 60:80] = 250
    write_scene(tmp_path / "s.tif", pixels)
    result = detect_scene(tmp_path / "s.tif", bright_blobs)
    opened = read_cutouts(tmp_path / "s.tif", replace(result, readers=()), most=3)
    (tmp_path / "s.tif").unlink()
    held = read_cutouts(tmp_path / "s.tif", result, most=3)
    assert len(held) == len(opened) > 0
    for (one, place), (other, same) in zip(held, opened, strict=True):
        assert place == same
        np.testing.assert_array_equal(one, other)
