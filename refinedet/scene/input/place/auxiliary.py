"""GDAL's auxiliary file (`.aux.xml`) beside a raster: the transform, control points, reference system and RPC in it.

Programs write it where the format of the picture holds no position, for example beside a PNG. It is untrusted: it is
read up to a small limit, by a parser that opens no other file, and its content is never shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element, ParseError  # made by defusedxml's parser

from defusedxml import DefusedXmlException, ElementTree

from refinedet.raster import GroundControlPoint
from refinedet.raster.info import Matrix
from refinedet.scene.input.place.untrusted import finite_numbers, safe_wkt

_POINTS = 10_000
"""Most control points that are read."""


@dataclass(frozen=True, slots=True)
class Auxiliary:
    """Position in an auxiliary file, as far as it has one."""

    transform: Matrix | None = None
    """Coordinates of pixel corners."""
    crs: str | None = None
    """WKT of the reference system of the transform."""
    gcps: tuple[GroundControlPoint, ...] = ()
    gcp_crs: str | None = None
    """WKT of the reference system of the control points."""
    polynomials: Mapping[str, str] = field(default_factory=dict)
    """RPC by the names that GDAL gives them."""


def parsed_auxiliary(content: bytes) -> Auxiliary | None:
    """Position in the content of an auxiliary file; None if it is not XML that can be read."""
    try:
        root = ElementTree.fromstring(content)
    except (ParseError, DefusedXmlException, ValueError):
        return None
    listed = root.find("GCPList")
    points = () if listed is None else _points(listed)
    system = None if listed is None else safe_wkt(listed.get("Projection") or listed.findtext("SRS"))
    domains = [one for one in root.iter("Metadata") if one.get("domain") == "RPC"]
    entries = {item.get("key", ""): item.text or "" for one in domains for item in one.iter("MDI")}
    return Auxiliary(_transform(root.findtext("GeoTransform")), safe_wkt(root.findtext("SRS")), points, system, entries)


def _transform(text: str | None) -> Matrix | None:
    """Transform of six numbers in GDAL's order, with the place of the first corner before its column and row."""
    numbers = finite_numbers(text.split(",") if text else [])
    if len(numbers) != 6:
        return None
    c, a, b, f, d, e = numbers
    return None if a * e == b * d else (a, b, c, d, e, f)


def _points(listed: Element) -> tuple[GroundControlPoint, ...]:
    """Control points; those that lack a number are left out."""
    rows = [finite_numbers([one.get(name) for name in ("Pixel", "Line", "X", "Y")]) for one in listed.iter("GCP")]
    return tuple(GroundControlPoint(*row) for row in rows[:_POINTS] if len(row) == 4)
