"""Charts of the pages: the numbers are in them, their colours can be told apart, and equal numbers give equal text."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from pipeline.report.charts import COLOURS
from pipeline.report.figures import (
    THEME,
    Point,
    bars_svg,
    dots_svg,
    precision_recall_svg,
    reliability_svg,
    training_svgs,
)
from pipeline.report.labels import short_labels

CSS = (Path(__file__).resolve().parents[3] / "pipeline" / "report" / "page.css").read_text(encoding="utf-8")
THEMES = dict(zip(("light", "dark"), re.findall(r":root \{(.*?)\}", CSS, re.DOTALL), strict=True))
BIN = {"score": 0.85, "precision": 0.9, "precision_low": 0.8, "precision_high": 0.95, "count": 40}


def colours(theme: str) -> dict[str, str]:
    """Name -> #rrggbb."""
    found = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6})", THEMES[theme]))
    return {name: c if len(c) == 7 else "#" + "".join(2 * digit for digit in c[1:]) for name, c in found.items()}


def linear(colour: str) -> np.ndarray:
    """Linear light of an sRGB colour, as WCAG 2 has it."""
    rgb = np.array(list(bytes.fromhex(colour[1:]))) / 255
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """Contrast ratio of WCAG 2."""
    light = sorted(float(linear(colour) @ (0.2126, 0.7152, 0.0722)) for colour in (one, other))
    return (light[1] + 0.05) / (light[0] + 0.05)


@pytest.mark.parametrize("theme", THEMES)
def test_colours_stand_out_from_the_page(theme: str) -> None:
    found = colours(theme)
    for name in ("ink", "muted", "accent"):
        assert contrast(found[name], found["card"]) >= 4.5, f"{name}: text, WCAG 2 AA"
    assert contrast(found["tag-ink"], found["tag"]) >= 4.5
    for index in range(len(COLOURS)):
        assert contrast(found[f"s{index}"], found["card"]) >= 3, f"line {index}: graphics, WCAG 2 AA"


def test_the_light_theme_is_what_pictures_have() -> None:
    light = colours("light")
    assert [light[f"s{index}"] for index in range(len(COLOURS))] == list(COLOURS)
    assert all(light[re.sub(r"var\(--|\)", "", name)] == colour for colour, name in THEME.items())


DEUTERANOPIA = np.array(
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
)
"""Machado, Oliveira and Fernandes 2009, severity 1.0, on linear light."""


@pytest.mark.parametrize("theme", THEMES)
def test_the_first_lines_differ_without_green_too(theme: str) -> None:
    found = colours(theme)
    seen = [np.clip(DEUTERANOPIA @ linear(found[f"s{index}"]), 0, 1) ** (1 / 2.2) for index in range(3)]
    assert min(float(np.abs(one - other).max()) for one, other in combinations(seen, 2)) > 0.15


def charts() -> list[str]:
    curve = [{"recall": r / 100, "precision": 1 - r / 200} for r in range(101)]
    points = {"a & b": {"all": Point(50.0, (45.0, 56.0)), "inshore": Point(20.0)}, "c": {"all": Point(60.0)}}
    return [
        precision_recall_svg({"a & b": curve, "c": []}, (0.5, 0.75), "Curves"),
        dots_svg("AP", points, {"all": 62.9, "elsewhere": 1.0}),
        bars_svg("Cost", {"a & b": {"missed": 1.25, "double": 0.0}}, digits=1),
        reliability_svg({"a & b": [BIN], "c": []}),
        *training_svgs([{"epoch": 1, "loss": 2.0, "arm_class": 1.0, "val_AP": 9.0}]),
    ]


def test_charts_are_elements_that_say_what_they_show() -> None:
    for chart in charts():
        element = ET.fromstring(str(chart).replace("<svg", '<svg xmlns:xlink="x"', 1))  # noqa: S314 - our own
        assert element.attrib["role"] == "img"
        assert len(element.attrib["aria-label"]) > 10
        assert not re.search(r"#[0-9a-f]{6}\b|<style|<metadata|DejaVu|<!--", chart)
    assert "a &amp; b" in charts()[1]
    texts = ["".join(ET.fromstring(str(c).replace("<svg", '<svg xmlns:xlink="x"', 1)).itertext()) for c in charts()]  # noqa: S314 - our own
    assert "published" in texts[1]
    assert "elsewhere" not in texts[1], "a published figure of a part that is not shown"
    assert "1.2" in texts[2]


def test_equal_numbers_give_equal_text() -> None:
    assert charts() == charts()


def test_nothing_to_draw_is_drawn() -> None:
    for chart in (dots_svg("AP", {"": {}}, {}), bars_svg("Cost", {"": {}}, digits=1), reliability_svg({"": []})):
        assert chart.startswith("<svg")


def test_long_labels_keep_the_end_by_which_they_differ() -> None:
    assert short_labels(["a", "outputs"]) == {"a": "a", "outputs": "outputs"}
    first, second = "/data/runs/one/with/a/long/path", "/data/runs/two/with/a/long/path"
    cut = short_labels([first, second])
    assert len(set(cut.values())) == 2
    assert all(len(short) <= 25 and short.endswith("with/a/long/path") for short in cut.values())


def test_six_experiments_with_long_names_fit() -> None:
    labels = short_labels([f"/some/folder/of/mine/experiment-number-{number}" for number in range(6)]).values()
    for points in (1, 7):
        values = {label: {f"part {index}": 50.0 for index in range(points)} for label in labels}
        assert bars_svg("AP", values, digits=1).count("experiment-number-5") == 1 + 1, "legend and description"
        dots = {label: {name: Point(v, (v - 3, v + 3)) for name, v in row.items()} for label, row in values.items()}
        assert "published" in dots_svg("AP", dots, {"part 0": 60.0})
