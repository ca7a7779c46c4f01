"""Words of the pages for the names in the tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class KindWords:
    """Words for one kind of detection error."""

    name: str
    heading: str
    definition: str


KIND_WORDS: Mapping[str, KindWords] = {
    "missed": KindWords(
        "missed", "Missed", "A ship that no detection hits, is badly placed on, or lies on with the wrong class."
    ),
    "badly_placed": KindWords(
        "badly placed", "Badly placed", "Best IoU with a ship of its class from 0.1 up to, but below, 0.5."
    ),
    "double": KindWords("double", "Doubles", "IoU of at least 0.5 with a ship that a stronger detection hits already."),
    "false_alarm": KindWords("false alarm", "False alarms", "IoU below 0.1 with every ship: there is nothing."),
    "wrong_class": KindWords("wrong class", "Wrong class", "IoU of at least 0.5 with an object of another class."),
    "wrong_class_and_place": KindWords(
        "wrong class, badly placed",
        "Wrong class and badly placed",
        "Best IoU with an object of another class from 0.1 up to, but below, 0.5.",
    ),
}
"""Kind of refinedet.evaluation.detection_errors -> its words."""

SIZE_WORDS: Mapping[str, str] = {"AP_small": "small", "AP_medium": "medium", "AP_large": "large"}

_PARTS = {"val": "Validation, last epoch", "test": "Test", "test_without_leaked": "Test without leaked images"}
_LABEL = 22
_SHORT = {"test": "all", "test_without_leaked": "not leaked"}


def part(name: str) -> str:
    """Title of a part of the test split: `test_without_leaked` -> `Test without leaked images`."""
    return _PARTS.get(name) or name.replace("test_", "Test, ").replace("_", " ")


def in_order(parts: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Parts of the test split in the order of tables and charts: those of a multi-scale test come last."""
    return dict(sorted(parts.items(), key=lambda item: item[0].startswith("test_multiscale")))


def part_word(name: str) -> str:
    """Name of a part of the test split in a word or two, for a chart."""
    return _SHORT.get(name) or name.removeprefix("test_").replace("_", " ")


def short_labels(labels: Sequence[str]) -> dict[str, str]:
    """Shorten labels to the room of a chart: a long one keeps its end, and equal ends are numbered."""
    cut = {label: label if len(label) <= _LABEL else f"\u2026{label[1 - _LABEL :]}" for label in labels}
    if len(set(cut.values())) == len(cut):
        return cut
    return {label: f"{number}: {end}" for number, (label, end) in enumerate(cut.items(), 1)}
