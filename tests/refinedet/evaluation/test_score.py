"""Scores: one to one, in pixels and in metres, whatever the order."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from refinedet.boxes import as_boxes, iou
from refinedet.detections import Detections
from refinedet.errors import FileError, InputError
from refinedet.evaluation.score import Score, match_boxes, score_files
from refinedet.files import write_json


def detections(*boxes: tuple[float, float, float, float]) -> Detections:
    return Detections.of(boxes, np.linspace(0.9, 0.5, len(boxes)), [0] * len(boxes))


SHIP = (100.0, 100.0, 120.0, 110.0)


@pytest.mark.parametrize(
    ("pred", "truth", "expected"),
    [
        pytest.param([SHIP], [SHIP], Score(1, 0, 0), id="the same box"),
        pytest.param([SHIP, SHIP], [SHIP], Score(1, 1, 0), id="found twice: one is a false alarm"),
        pytest.param([SHIP], [SHIP, SHIP], Score(1, 0, 1), id="one detection cannot be two ships"),
        pytest.param([(100, 100, 120, 105)], [SHIP], Score(1, 0, 0), id="IoU 0.5"),
        pytest.param([(100, 100, 125, 122)], [SHIP], Score(1, 0, 0), id="IoU 0.36, centres 7 px apart"),
        pytest.param([(100, 100, 130, 123)], [SHIP], Score(0, 1, 1), id="IoU 0.29, centres 8 px apart"),
        pytest.param([(112, 105, 114, 106)], [SHIP], Score(1, 0, 0), id="tiny, but centre within 4 px"),
        pytest.param([(115, 105, 117, 106)], [SHIP], Score(0, 1, 1), id="tiny, and centre beyond 4 px"),
        pytest.param([], [SHIP], Score(0, 0, 1), id="nothing found"),
        pytest.param([SHIP], [], Score(0, 1, 0), id="nothing there"),
        pytest.param([], [], Score(0, 0, 0), id="neither"),
        pytest.param([(5, 5, 5, 5)], [(5, 5, 5, 5)], Score(1, 0, 0), id="boxes without area meet by their centres"),
    ],
)
def test_match_boxes(pred: list[Any], truth: list[Any], expected: Score) -> None:
    assert match_boxes(detections(*pred), as_boxes(truth)) == expected


def test_the_match_is_a_largest_one_where_greedy_takes_a_wrong_turn() -> None:
    left, right = (0.0, 0.0, 10.0, 10.0), (4.0, 0.0, 14.0, 10.0)
    # the first detection fits both ships, and better the one that is the only choice of the second detection
    assert match_boxes(detections((1, 0, 11, 10), (0, -3, 6, 10)), as_boxes([left, right])) == Score(2, 0, 0)


BOXES = arrays(np.float32, st.tuples(st.integers(0, 6), st.just(4)), elements=st.integers(0, 30).map(float))


@given(BOXES, BOXES)
def test_as_many_pairs_as_trying_every_assignment(a: Any, b: Any) -> None:
    pred, truth = (as_boxes(np.concatenate([v[:, :2], v[:, :2] + v[:, 2:]], axis=1)) for v in (a, b))
    centres = [(v[:, :2].astype(float) + v[:, 2:]) / 2 for v in (pred, truth)]
    near = np.hypot(*(centres[0][:, None] - centres[1][None]).transpose(2, 0, 1)) <= 4
    allowed = (iou(pred, truth) >= 0.3) | near
    few, many = allowed.shape if len(pred) <= len(truth) else allowed.T.shape
    table = allowed if len(pred) <= len(truth) else allowed.T
    best = max((int(table[range(few), list(p)].sum()) for p in itertools.permutations(range(many), few)), default=0)
    found = match_boxes(Detections.of(pred, np.ones(len(pred)), np.zeros(len(pred))), truth)
    assert found == Score(best, len(pred) - best, len(truth) - best)


@pytest.mark.parametrize(
    ("score", "ratios"),
    [
        (Score(3, 1, 2), (0.75, 0.6, 2 / 3)),
        (Score(0, 0, 0), (1.0, 1.0, 1.0)),
        (Score(0, 4, 0), (0.0, 1.0, 0.0)),
        (Score(0, 0, 4), (1.0, 0.0, 0.0)),
    ],
    ids=["usual", "nothing there and nothing found is perfect", "only false alarms", "all missed"],
)
def test_ratios(score: Score, ratios: tuple[float, float, float]) -> None:
    assert (score.precision, score.recall, score.f1) == pytest.approx(ratios)
    assert score.to_dict()["f1"] == pytest.approx(ratios[2])


def square(lon: float, lat: float, side_m: float = 100.0) -> dict[str, Any]:
    dy = side_m / 2 / 111_200
    dx = dy / np.cos(np.radians(lat))
    ring = [
        [lon - dx, lat - dy],
        [lon + dx, lat - dy],
        [lon + dx, lat + dy],
        [lon - dx, lat + dy],
        [lon - dx, lat - dy],
    ]
    return {"type": "Polygon", "coordinates": [ring]}


def collection(path: Path, geometries: list[Any], **properties: list[Any]) -> Path:
    features = [
        {"type": "Feature", "geometry": geometry, "properties": {k: v[i] for k, v in properties.items()}}
        for i, geometry in enumerate(geometries)
    ]
    write_json(path, {"type": "FeatureCollection", "features": features})
    return path


@pytest.mark.parametrize("place", [(9.0, 54.0), (-179.9999, 70.0), (30.0, 89.0)], ids=["mid", "antimeridian", "pole"])
@pytest.mark.parametrize(("shift_m", "expected"), [(39, Score(1, 0, 0)), (41, Score(0, 1, 1))])
def test_centres_count_to_40_metres_on_the_ground(
    tmp_path: Path, place: tuple[float, float], shift_m: float, expected: Score
) -> None:
    lon, lat = place
    moved = lon - shift_m / (111_320 * np.cos(np.radians(lat)))
    pred = collection(tmp_path / "pred.geojson", [square((moved + 180) % 360 - 180, lat, side_m=5)])
    truth = collection(tmp_path / "truth.geojson", [square(lon, lat, side_m=5)])
    assert score_files(pred, truth) == expected


def test_a_weak_detection_can_be_left_out(tmp_path: Path) -> None:
    pred = collection(tmp_path / "pred.geojson", [square(9, 54), square(9.1, 54)], score=[0.9, 0.3])
    truth = collection(tmp_path / "truth.geojson", [square(9, 54)])
    assert score_files(pred, truth) == Score(1, 1, 0)
    assert score_files(pred, truth, score_min=0.5) == Score(1, 0, 0)


def test_files_without_position_are_compared_in_pixels(tmp_path: Path) -> None:
    pred = collection(tmp_path / "pred.geojson", [None, None], bbox_px=[[0, 0, 10, 10], [50, 50, 60, 60]])
    truth = collection(tmp_path / "truth.geojson", [None], bbox_px=[[1, 1, 11, 11]])
    with pytest.raises(InputError, match="`centre_m`, found boxes in pixels"):
        score_files(pred, truth, centre_max_m=10)
    assert score_files(pred, truth) == Score(1, 1, 0)


def test_files_in_pixels_without_a_match_say_how_far_apart_they_are(tmp_path: Path) -> None:
    pred = collection(tmp_path / "pred.geojson", [None], bbox_px=[[0, 0, 10, 10]])
    truth = collection(tmp_path / "truth.geojson", [None], bbox_px=[[3000, 4000, 3010, 4010]])
    found = score_files(pred, truth)
    assert found == Score(0, 1, 1)
    assert "lies 5,000 pixels from a detection" in found.notes[0]


def test_empty_files_are_a_perfect_match(tmp_path: Path) -> None:
    empty = collection(tmp_path / "empty.geojson", [])
    assert score_files(empty, empty) == Score(0, 0, 0)
    assert "holds no ships: every detection is a false alarm" in score_files(empty, empty).notes[0]
    assert "precision means nothing" in score_files(empty, empty).notes[1]
    assert score_files(empty, collection(tmp_path / "truth.geojson", [square(9, 54)])) == Score(0, 0, 1)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        pytest.param(None, FileError, id="no such file"),
        pytest.param("not JSON", FileError, id="not JSON"),
        pytest.param("[1, 2]", InputError, id="other JSON"),
        pytest.param('{"type": "FeatureCollection", "features": [{"type": "Feature"}]}', InputError, id="no geometry"),
        pytest.param(
            '{"type": "FeatureCollection", "features": [{"geometry": {"type": "LineString", "coordinates": '
            '[[9, 54], [9, 55]]}, "properties": {}}]}',
            InputError,
            id="lines",
        ),
        pytest.param(
            '{"type": "FeatureCollection", "features": [{"geometry": {"type": "Polygon", "coordinates": [[[9]]]}, '
            '"properties": {}}]}',
            InputError,
            id="a broken polygon",
        ),
        pytest.param(
            '{"type": "FeatureCollection", "features": [{"geometry": null, "properties": {}}]}',
            InputError,
            id="no position of any kind",
        ),
    ],
)
def test_a_file_that_is_not_such_a_geojson_is_one_clear_error(
    tmp_path: Path, content: str | None, error: type[Exception]
) -> None:
    path = tmp_path / "pred.geojson"
    if content is not None:
        path.write_text(content)
    truth = collection(tmp_path / "truth.geojson", [square(9, 54)])
    with pytest.raises(error, match=r"expected .*pred\.geojson"):
        score_files(path, truth)


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        ({"score": None}, "expected a number as 'score' .*, found None"),
        ({"score": "0.5"}, "expected a number as 'score' .*, found '0.5'"),
        ({"score": [1]}, "expected a number as 'score'"),
        ({"score": 10**400}, "expected a number as 'score'"),
        ({"score": float("nan")}, "expected a number as 'score' .*, found nan"),
        ({"bbox_px": None}, "expected four numbers as 'bbox_px' .*, found None"),
        ({"bbox_px": [1, 2, 3]}, "expected four numbers as 'bbox_px'"),
        ({"bbox_px": [1, 2, 3, None]}, "expected four numbers as 'bbox_px'"),
        ({"bbox_px": [1, 2, 3, 1e300]}, "expected four numbers as 'bbox_px'"),
    ],
)
def test_values_of_another_kind_are_one_sentence(tmp_path: Path, properties: dict[str, Any], words: str) -> None:
    good = {"type": "Feature", "geometry": None, "properties": {"bbox_px": [0, 0, 9, 9], "score": 0.9}}
    bad = {**good, "properties": {**good["properties"], **properties}}
    for name, feature in (("good", good), ("bad", bad)):
        content = {"type": "FeatureCollection", "features": [feature]}
        (tmp_path / f"{name}.geojson").write_text(json.dumps(content), encoding="utf-8")
    for pair in (("bad", "good"), ("good", "bad")):
        with pytest.raises(InputError, match=words) as caught:
            score_files(*(tmp_path / f"{name}.geojson" for name in pair))
        assert "bad.geojson" in str(caught.value)
