"""View of the radar on a product, as its record keeps it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from refinedet.scene.sentinel1.annotation import read_annotation
from refinedet.scene.sentinel1.looking import radar_of, view_of


def test_the_view_of_a_real_product(sample_data: Path) -> None:
    files = sorted(sample_data.glob("s1/*.SAFE/annotation/s1a-iw-grd-vv-*.xml"))
    if not files:
        pytest.skip(f"no Sentinel-1 metadata under {sample_data / 's1'}; point REFINEDET_DATA at the samples")
    annotation = read_annotation(ET.parse(files[0]).getroot(), "here")  # noqa: S314 - a sample of our own
    view = view_of(annotation)
    assert radar_of(annotation) == {
        "platform": "sentinel-1a",
        "mode": "IW",
        "product_type": "GRD",
        "frequency_ghz": pytest.approx(5.405, abs=1e-3),
        "spacing_m": [10.0, 10.0],
        "look": "right",
        "orbit_pass": annotation.orbit_pass.lower(),
    }
    nodes = np.array(view["nodes"])
    assert (view["look"], nodes.shape) == ("right", (24, 6))
    ratio, incidence, track = nodes[:, 3:].T
    assert (ratio.min(), ratio.max()) == pytest.approx((105, 126), rel=0.03)  # IW, at 31 and at 46 degrees
    assert (np.diff(ratio[np.argsort(incidence)]) > -0.5).all()
    assert track == pytest.approx(annotation.heading_deg % 360, abs=3)
    assert nodes[:, 2].min() == pytest.approx(0, abs=0.5)


def test_one_line_of_nodes_does_for_no_direction_but_two_do(made_up_product: object) -> None:
    product = made_up_product(400, 600)  # type: ignore[operator]
    file = next((product / "annotation").glob("*.xml"))
    nodes = np.array(view_of(read_annotation(ET.parse(file).getroot(), "here"))["nodes"])  # noqa: S314
    assert nodes[:, 5] == pytest.approx(90, abs=1)  # it flies to the east
    assert np.isfinite(nodes).all()
