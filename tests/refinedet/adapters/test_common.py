"""Strict reading of a foreign detector's answer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from refinedet.adapters.common import Found, Reading, class_names, to_rgb
from refinedet.errors import InputError

CHIP = np.zeros((40, 60), np.uint8)
READING = Reading("the test", ("ship", "boat"), first_label=1)


def found(boxes: Any = ((1, 2, 11, 12), (50, 30, 70, 45)), scores: Any = (0.4, 0.9), labels: Any = (1, 2)) -> Found:
    return Found(np.array(boxes, float), np.array(scores, float), np.array(labels))


def test_detections_are_cut_at_the_chip_sorted_and_counted_from_0() -> None:
    read = READING.detections(found(), CHIP)
    np.testing.assert_array_equal(read.boxes_xyxy, [[50, 30, 60, 40], [1, 2, 11, 12]])
    np.testing.assert_array_equal(read.labels, [1, 0])


def test_tensors_that_need_gradients_and_bfloat16_are_numbers_too() -> None:
    parts = [torch.tensor(np.array(part), dtype=torch.bfloat16, requires_grad=True) for part in found()]
    assert len(READING.detections(Found(*parts), CHIP)) == 2


def test_padding_below_the_score_is_dropped_before_anything_is_asked_of_it() -> None:
    padded = found(((1, 2, 11, 12), (-1, -1, -2, -2)), (0.4, 0.0), (1, -1))
    assert len(READING.detections(padded, CHIP)) == 1


def test_a_box_outside_of_the_chip_is_none() -> None:
    assert len(READING.detections(found(((1, 2, 11, 12), (61, 1, 70, 9))), CHIP)) == 1


def test_only_the_classes_that_are_wanted_are_kept_under_their_own_label() -> None:
    wanted = Reading("the test", ("ship", "boat"), first_label=1, keep=("boat",))
    np.testing.assert_array_equal(wanted.detections(found(), CHIP).labels, [1])


@pytest.mark.parametrize("boxes", [np.zeros((0, 4)), np.zeros(0), []], ids=["(0, 4)", "(0,)", "a list"])
def test_an_empty_answer_is_empty(boxes: Any) -> None:
    assert len(READING.detections(Found(boxes, [], []), CHIP)) == 0


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        pytest.param(found(((1, 2, 11),) * 2), r"expected boxes \(N, 4\).*found shapes \(2, 3\)", id="three sides"),
        pytest.param(found(scores=(0.4,)), r"found shapes \(2, 4\), \(1,\) and \(2,\)", id="a score too few"),
        pytest.param(found(scores=((0.4, 0.9),)), r"expected boxes .N, 4.*\(1, 2\)", id="scores of two axes"),
        pytest.param(found(scores=(0.4, 3.2)), r"expected scores in \[0, 1\].*found 3.2.*logits", id="logits"),
        pytest.param(found(scores=(0.4, np.nan)), "found NaN", id="NaN"),
        pytest.param(found(((5, 5, 4, 9), (1, 1, 2, 2))), "found an inverted one", id="inverted"),
        pytest.param(found(labels=(0, 2)), r"expected labels 1 to 2.*found 0; name all", id="background"),
        pytest.param(found(labels=(1, 1.5)), "found 1.5", id="half a label"),
    ],
)
def test_an_answer_that_does_not_fit_is_one_sentence(answer: Found, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence) as caught:
        READING.detections(answer, CHIP)
    assert "the test" in str(caught.value)


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ({"classes": ()}, "at least one class"),
        ({"classes": ("ship",), "keep": ("tank",)}, r"expected to keep some of.*found \['tank'\]"),
        ({"classes": ("ship",), "score_min": 0.0}, "lowest score"),
    ],
    ids=["no class", "unknown class", "score of 0"],
)
def test_settings_out_of_range_are_refused(setting: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        Reading("the test", **setting)


def test_class_names_come_from_mappings_and_lists_without_gaps() -> None:
    assert class_names({1: "boat", 0: "ship"}, "it") == class_names(["ship", "boat"], "it") == ("ship", "boat")
    for wrong in ({1: "ship"}, "ship", None):
        with pytest.raises(InputError, match="expected class"):
            class_names(wrong, "it")


def test_grey_becomes_three_equal_bands_and_colour_stays() -> None:
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4)
    np.testing.assert_array_equal(to_rgb(grey)[..., 2], grey)
    colour = np.zeros((3, 4, 3), np.uint8)
    assert to_rgb(colour) is colour
