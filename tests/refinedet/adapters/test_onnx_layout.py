"""Meaning of the outputs of a graph, by their names and shapes."""

from __future__ import annotations

import pytest

from refinedet.adapters.onnx_layout import OnnxLayout, Plan, Port, plan_outputs
from refinedet.errors import InputError


def port(name: str, *shape: int, dtype: str = "float32") -> Port:
    return Port(name, shape, dtype)


def plan(outputs: list[Port], classes: int = 1, **layout: object) -> Plan:
    return plan_outputs(outputs, OnnxLayout(**layout), classes, "it")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("shape", "classes", "kind", "channels_last"),
    [
        ((1, 5, 8400), 1, "yolo", False),
        ((1, 84, 8400), 80, "yolo", False),
        ((1, 8400, 84), 80, "yolo", True),
        ((1, 25200, 85), 80, "yolo_objectness", True),
        ((1, 25200, 6), 1, "yolo_objectness", True),
        ((1, 300, 6), 1, "rows", True),
        ((1, 300, 6), 80, "rows", True),
    ],
)
def test_one_table_is_told_by_its_shape(shape: tuple[int, ...], classes: int, kind: str, channels_last: bool) -> None:
    found = plan([port("output0", *shape)], classes)
    assert (found.kind, found.channels_last) == (kind, channels_last)
    assert found.centres == (kind != "rows")


def test_the_maps_beside_a_table_are_not_looked_at() -> None:
    heads = [port(f"head{i}", 1, 3, 80 >> i, 80 >> i, 6) for i in range(3)]
    assert plan([port("output", 1, 25200, 6), *heads]).names == ["output"]


@pytest.mark.parametrize(
    "outputs",
    [
        [port("pred_boxes", 1, 9, 4), port("pred_scores", 1, 9), port("classes", 1, 9)],
        [port("2711", 9, 4), port("2713", 9, dtype="int64"), port("2712", 9)],
        [port("labels", 1, 9, dtype="int64"), port("dets", 1, 9, 5)],
        [port("b", 1, 9, 4), port("s", 1, 9, 1)],
    ],
    ids=["by name", "by shape, as torchvision numbers them", "boxes with scores, as mmdeploy", "scores by class"],
)
def test_outputs_of_their_own_are_told_by_name_or_shape(outputs: list[Port]) -> None:
    found = plan(outputs)
    assert found.kind == "boxes"
    by_name = {one.name: one for one in outputs}
    assert by_name[found.boxes].shape[-1] in (4, 5)
    assert (found.scores is None) == (by_name[found.boxes].shape[-1] == 5)
    assert (found.labels is None) == (len(outputs) == 2 and "labels" not in by_name)


def test_names_that_are_given_win() -> None:
    outputs = [port("a", 1, 9, 4), port("boxes", 1, 9, 4), port("s", 1, 9), port("scores", 1, 9)]
    found = plan(outputs, boxes="a", scores="s", box_format="cxcywh")
    assert (found.boxes, found.scores, found.centres) == ("a", "s", True)


@pytest.mark.parametrize(
    ("outputs", "classes", "layout", "sentence"),
    [
        ([port("o", 1, 84, 8400)], 1, {}, r"scores of 1 class\(es\) in it, found o \(1, 84, 8400\); name all"),
        ([port("o", 1, 300, 6)], 7, {"kind": "yolo"}, r"scores of 7 class\(es\)"),
        ([port("logits", 1, 1000)], 1, {}, "expected an output of three axes in it"),
        ([port("a", 1, 9), port("b", 1, 9)], 1, {}, "expected outputs for boxes and scores"),
        ([port("o", 1, 5, 9)], 1, {"kind": "yolo", "boxes": "p"}, r"expected an output 'p' in it, found \['o'\]"),
    ],
    ids=["other classes", "not that kind", "a classifier", "no boxes", "no such name"],
)
def test_what_fits_nothing_is_one_sentence(
    outputs: list[Port], classes: int, layout: dict[str, object], sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        plan(outputs, classes, **layout)


@pytest.mark.parametrize("setting", [{"kind": "yolov9"}, {"box_unit": "mile"}, {"std": (0, 1, 1)}, {"input_px": 0}])
def test_settings_out_of_range_are_refused(setting: dict[str, object]) -> None:
    with pytest.raises(InputError, match="setting"):
        OnnxLayout(**setting)  # type: ignore[arg-type]
