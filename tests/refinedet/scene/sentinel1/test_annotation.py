"""Annotations: a real one agrees with itself, a damaged one is one sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from numpy.typing import NDArray

from refinedet.errors import FileError
from refinedet.scene.sentinel1.annotation import Annotation, read_annotation


@pytest.fixture(scope="module")
def real_root(sample_data: Path) -> ET.Element:
    files = sorted(sample_data.glob("s1/*.SAFE/annotation/s1a-iw-grd-vv-*.xml"))
    if not files:
        pytest.skip(f"no Sentinel-1 metadata under {sample_data / 's1'}; point REFINEDET_DATA at the samples")
    return ET.parse(files[0]).getroot()  # noqa: S314 - a sample of our own


@pytest.fixture
def made_up(made_up_product: Callable[..., Path]) -> ET.Element:
    file = next((made_up_product(400, 600) / "annotation").glob("*.xml"))
    return ET.parse(file).getroot()  # noqa: S314 - the test's own


def doppler_rates(root: ET.Element, annotation: Annotation) -> NDArray[np.float64]:
    """(G,) Hz/s that ESA's processor focused the points of the grid with: polynomials of the nearest time."""
    first = np.datetime64(root.findtext("imageAnnotation/imageInformation/productFirstLineUtcTime"))
    rates = root.findall("generalAnnotation/azimuthFmRateList/azimuthFmRate")
    seconds = [(np.datetime64(r.findtext("azimuthTime")) - first) / np.timedelta64(1, "s") for r in rates]
    result = []
    for time, slant in zip(annotation.grid.seconds, annotation.grid.slant_range_s, strict=True):
        rate = rates[int(np.argmin(np.abs(np.array(seconds) - time)))]
        terms = [float(c) for c in rate.findtext("azimuthFmRatePolynomial", "").split()]
        result.append(-np.polynomial.polynomial.polyval(slant - float(rate.findtext("t0", "")), terms))
    return np.array(result)


def test_a_real_annotation_is_read(real_root: ET.Element) -> None:
    found = read_annotation(real_root, "here")
    assert (found.mission, found.product_type, found.mode, found.polarisation) == ("S1A", "GRD", "IW", "vv")
    assert (found.lines, found.samples, found.orbit_pass, found.steered) == (19497, 25117, "Descending", True)
    assert found.wavelength_m == pytest.approx(0.0554658, abs=1e-6)
    assert (found.azimuth_spacing_m, found.range_spacing_m) == (10, 10)
    assert [swath.name for swath in found.swaths] == ["IW1", "IW2", "IW3"]
    assert len(found.grid.line) == 231
    assert len(found.orbit.seconds) == 17


def test_effective_velocity_gives_the_doppler_rate_that_the_processor_used(real_root: ET.Element) -> None:
    found = read_annotation(real_root, "here")
    points = np.stack([found.grid.pixel, found.grid.line], axis=1) + 0.5
    seen = found.geometry(points)
    rate = 2 * seen.velocity_m_s**2 / (seen.wavelength_m * seen.slant_range_m)
    off = rate / doppler_rates(real_root, found) - 1
    near = found.grid.pixel < 10_000  # the polynomials are fitted near the first swath, and drift beyond
    assert np.abs(off[near]).max() < 2e-4
    assert np.abs(off).max() < 6e-3


def test_the_pulse_repetition_frequency_is_that_of_the_swath(real_root: ET.Element) -> None:
    found = read_annotation(real_root, "here")
    points = np.array([[100, 10_000], [12_000, 10_000], [24_000, 10_000], [24_000, 3], [8500.5, 100], [8500.5, 9000]])
    prf = found.geometry(points.astype(np.float64)).prf_hz
    assert prf.round().tolist() == [1717, 1452, 1686, 1686, 1717, 1452]


def test_made_up_metadata_has_the_geometry_of_its_orbit(made_up: ET.Element) -> None:
    found = read_annotation(made_up, "here")
    seen = found.geometry(np.array([[10.0, 10.0], [590.0, 390.0], [-5.0, 900.0]]))
    assert seen.velocity_m_s == pytest.approx([7050] * 3, rel=0.02)
    assert (np.diff(seen.slant_range_m[:2]) > 0).all()
    assert np.isfinite(seen.incidence_rad).all()
    control = found.grid.control_points()
    assert (control[0].pixel, control[0].line) == (0, 0)
    assert (control[-1].pixel, control[-1].line) == (599, 399)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("imageAnnotation/imageInformation/numberOfLines", ""),
        ("imageAnnotation/imageInformation/numberOfLines", "-5"),
        ("imageAnnotation/imageInformation/azimuthTimeInterval", "nan"),
        ("generalAnnotation/productInformation/radarFrequency", "fast"),
        ("imageAnnotation/imageInformation/productFirstLineUtcTime", "yesterday"),
        ("generalAnnotation/downlinkInformationList/downlinkInformation/prf", "0"),
        ("generalAnnotation/orbitList/orbit/position/x", "1e999"),
        ("generalAnnotation/orbitList/orbit/time", "2030-01-01T00:00:00"),
        ("geolocationGrid/geolocationGridPointList/geolocationGridPoint/latitude", "91"),
        ("swathMerging/swathMergeList/swathMerge/swathBoundsList/swathBounds/firstAzimuthLine", "x"),
    ],
)
def test_a_damaged_annotation_is_one_sentence(made_up: ET.Element, path: str, text: str) -> None:
    element = made_up.find(path)
    assert element is not None
    element.text = text
    with pytest.raises(FileError, match=r"^expected the annotation .* at here, found .*; the file is damaged"):
        read_annotation(made_up, "here")


@pytest.mark.parametrize("path", ["generalAnnotation/orbitList", "geolocationGrid", "generalAnnotation"])
def test_a_part_that_is_missing_is_named(made_up: ET.Element, path: str) -> None:
    parent, _, name = path.rpartition("/")
    above = made_up.find(parent) if parent else made_up
    assert above is not None
    part = above.find(name)
    assert part is not None
    above.remove(part)
    with pytest.raises(FileError, match=path):
        read_annotation(made_up, "here")


def test_points_on_one_line_do_not_span_a_raster(made_up: ET.Element) -> None:
    for point in made_up.iter("geolocationGridPoint"):
        point.find("line").text = "7"  # type: ignore[union-attr]  # it is there
    with pytest.raises(FileError, match="do not span"):
        read_annotation(made_up, "here")


def test_times_may_name_their_zone(made_up: ET.Element) -> None:
    for element in made_up.iter("azimuthTime"):
        element.text = f"{element.text}Z"
    assert read_annotation(made_up, "here").grid.seconds[0] == 0


def test_damage_anywhere_is_a_sentence_or_nothing(made_up: ET.Element) -> None:
    """Each number in turn becomes nonsense: it is refused, or it was of no account."""
    rng = np.random.default_rng(1)
    leaves, refused = [element for element in made_up.iter() if not len(element)], 0
    for index in rng.permutation(len(leaves))[:150]:
        element, nonsense = leaves[index], rng.choice(["", "-1", "1e308", "nan", "0", "x" * 9, "9" * 30])
        before, element.text = element.text, str(nonsense)
        try:
            read_annotation(made_up, "here").geometry(np.array([[5.0, 5.0]]))
        except FileError:  # and no other error
            refused += 1
        element.text = before
    assert 50 < refused < 150
