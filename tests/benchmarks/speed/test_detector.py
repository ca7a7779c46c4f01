"""The table of whole detectors: it counts what it says, and compares networks that are the same."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import get_args

import pytest

from benchmarks.speed import detector
from refinedet.model.network import RefineDet
from refinedet.model.variants import VARIANTS
from refinedet.runtimes.graphs import GraphPrecision

LITE0 = "refinedetpp512_lite0"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run the script in this process; returns what it printed."""

    def script(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["detector.py", *arguments])
        monkeypatch.setattr(detector, "keep_freed_memory", lambda: True)  # it would outlast the test
        detector.main()
        return capsys.readouterr().out

    return script


def test_the_published_design_has_24_deformable_convolutions_and_the_outputs_of_ours(run: Callable[..., str]) -> None:
    out = run("--image-px", "64", "--repeats", "1", "--no-exported")
    ran = re.search(r"ran (\d+) deformable convolutions.*differ by (\S+) at most", out)
    assert ran
    assert int(ran[1]) == 24
    assert float(ran[2]) < 1e-5
    rows = re.findall(r"^\| (published|ours).* \| ([\d.]+) \| ([\d.]+) \|$", out, re.MULTILINE)
    assert [kind for kind, _, _ in rows] == ["published", "ours", "ours"]
    assert float(rows[0][2]) == 1


@pytest.mark.slow
def test_exported_networks_are_timed_by_the_image_in_each_precision_there_is(run: Callable[..., str]) -> None:
    pytest.importorskip("openvino")
    pytest.importorskip("onnx")
    out = run("--image-px", "64", "--repeats", "1", "--chips", "2")
    rows = re.findall(r"^\| ours, (.*), OpenVINO (\w+) \| ([\d.]+) \| [\d.]+ \|$", out, re.MULTILINE)
    assert [name for name, precision, _ in rows if precision == "fp32"] == ["VGG16-BN", "EfficientNet-Lite0"]
    left_out = re.findall(r"^OpenVINO (\w+) is left out: expected", out, re.MULTILINE)
    assert {precision for _, precision, _ in rows} | set(left_out) == set(get_args(GraphPrecision))
    assert all(float(seconds) > 0 for _, _, seconds in rows)


@pytest.mark.slow
def test_each_exported_network_has_a_row_in_8_bits_where_that_is_asked_for(run: Callable[..., str]) -> None:
    pytest.importorskip("nncf")
    out = run("--image-px", "64", "--repeats", "1", "--chips", "2", "--int8")
    found = re.findall(r"^\| ours, (.*), OpenVINO int8 \| [\d.]+ \| [\d.]+ \|$", out, re.MULTILINE)
    assert found == ["VGG16-BN", "EfficientNet-Lite0"]


def test_the_family_table_counts_the_parameters(run: Callable[..., str]) -> None:
    out = run("--family", "--only", LITE0, "--image-px", "64", "--repeats", "1")
    cells = [cell.strip() for cell in out.splitlines()[2].strip("|").split("|")]
    assert cells[:3] == [LITE0, "efficientnet_lite0", "64"]
    parameters = sum(p.numel() for p in RefineDet(detector.offline(VARIANTS[LITE0])).parameters())
    assert cells[4] == f"{parameters / 1e6:.1f}"
    assert float(cells[6]) > 0


def test_multiply_accumulates_grow_with_the_area() -> None:
    config = detector.offline(VARIANTS["refinedet320_vgg16"])
    assert detector.size_of(config, 256)[1] == 4 * detector.size_of(config, 128)[1]
