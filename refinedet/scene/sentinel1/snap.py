"""GeoTIFF written by ESA's toolbox SNAP: names of its bands, and times and annotation of the source product.

SNAP keeps the metadata in the XML of its own format (BEAM-DIMAP) in tag 65000: names and units of the bands, then a
tree of `MDElem` and `MDATTR`. The element `Abstracted_Metadata` describes the image itself. The element
`Original_Product_Metadata` holds the annotation of the source product, which is valid if the image has the same size.
The XML has megabytes and is read piece by piece. Only the values in use are kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from xml.etree.ElementTree import Element, ParseError, SubElement  # the parser is defusedxml's

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from refinedet.errors import FileError
from refinedet.raster import RasterFile, RasterInfo, SceneReader, opened
from refinedet.raster.checks.tiff import SNAP_XML, read_text
from refinedet.scene.sentinel1.annotation import Annotation, read_annotation

_CHUNK_BYTES = 64 << 10
_MOST_NODES = 500_000
"""Largest number of elements of an annotation; a real one has 60,000."""
_METADATA = "Dataset_Sources"
"""Element after the description of the bands, which contains all other metadata."""
_ABSTRACT, _ANNOTATION = "Abstracted_Metadata", "annotation"
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_TIME = re.compile(r"(\d{1,2})-([A-Z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?", re.IGNORECASE)
_NUMBERED = re.compile(r"\.\d+$")
_NAME = re.compile(r"[A-Za-z_][\w.-]*")


@dataclass(slots=True)
class SnapMetadata:
    """Metadata that SNAP wrote into a file."""

    bands: list[dict[str, str]] = field(default_factory=list)
    """Values of each band that is in the file, such as BAND_NAME and PHYSICAL_UNIT."""
    abstract: dict[str, str] = field(default_factory=dict)
    """Values of `Abstracted_Metadata` by name, without those of nested elements."""
    annotation: Element | None = None
    """Annotation of the first raster of the product, in the form of an annotation file; None if it is missing."""

    def band_names(self) -> tuple[str, ...]:
        """Names of the bands, with their unit if the name does not contain it: Sigma0_VV (intensity)."""
        return tuple(_band_name(band) for band in self.bands)

    def time(self, name: str) -> datetime | None:
        """Time in UTC from the abstract, such as first_line_time; None if it is missing."""
        match = _TIME.fullmatch(self.abstract.get(name, "").strip())
        if match is None or match[2].upper() not in _MONTHS:
            return None
        day, _, year, hour, minute, second, fraction = match.groups()
        month = _MONTHS.index(match[2].upper()) + 1
        micro = int((fraction or "0").ljust(6, "0"))
        try:
            return datetime(int(year), month, int(day), int(hour), int(minute), int(second), micro, UTC)
        except ValueError:
            return None

    def number(self, name: str) -> float | None:
        """Number from the abstract; None if it is missing."""
        try:
            return float(self.abstract.get(name, ""))
        except ValueError:
            return None


def read_snap_metadata(path: RasterFile, *, bands_alone: bool = False) -> SnapMetadata | None:
    """Read the metadata that SNAP wrote into the TIFF at `path`; None if there are none, or they cannot be read.

    Args:
        path: the file.
        bands_alone: read no farther than the description of the bands.

    Raises:
        OSError: the file cannot be read.
    """
    with opened(path) as (stream, size):
        chunks = read_text(stream, size, path, SNAP_XML, _CHUNK_BYTES)
        return _parse(chunks, bands_alone=bands_alone)


def apply_band_names(reader: SceneReader) -> None:
    """Name the bands of a TIFF that SNAP wrote, whose own descriptions are empty."""
    if not reader.is_tiff or any(reader.band_names):
        return
    found = read_snap_metadata(reader.path, bands_alone=True)
    if found is not None and len(found.bands) == len(reader.band_names):
        reader.band_names = found.band_names()


def snap_annotation(found: SnapMetadata, info: RasterInfo, where: str) -> Annotation | None:
    """Annotation of the product, if it is valid for the image: an unprojected image of the same size."""
    if found.annotation is None or info.transform is not None:
        return None
    try:
        annotation = read_annotation(found.annotation, where)
    except FileError:  # SNAP has omitted some elements
        return None
    fits = (annotation.samples, annotation.lines) == (info.width, info.height) and annotation.product_type == "GRD"
    return annotation if fits else None


def _parse(chunks: Iterable[bytes], *, bands_alone: bool) -> SnapMetadata | None:
    target = _Target(bands_alone=bands_alone)
    parser = DefusedXMLParser(target=target, forbid_dtd=True)
    try:
        for chunk in chunks:
            if target.done:
                break
            parser.feed(chunk.rstrip(b"\0"))
        else:
            parser.close()
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        return target.found if target.done else None
    return target.found if target.known else None


class _Target:
    """Receiver of the parser's events, which keeps the requested metadata."""

    def __init__(self, *, bands_alone: bool) -> None:
        self.found, self.known, self.done = SnapMetadata(), False, False
        self._bands_alone = bands_alone
        self._path: list[str] = []
        self._band: dict[str, str] | None = None
        self._text: list[str] = []
        self._name = ""
        self._nodes: list[Element] = []
        """Open elements of the annotation that is being copied, from its root."""
        self._copied = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Process the start of an element."""
        self._text.clear()
        if not self._path:
            self.known = tag == "Dimap_Document"
        if tag == _METADATA and self._bands_alone:
            self.done = True
        name = _NUMBERED.sub("", attributes.get("name", "")) if tag in ("MDElem", "MDATTR") else tag
        self._name = name
        if tag == "Spectral_Band_Info":
            self._band = {}
        if tag == "MDElem":
            self._open(name)
        self._path.append(name)

    def data(self, text: str) -> None:
        """Process text within an element."""
        self._text.append(text)

    def end(self, tag: str) -> None:
        """Process the end of an element."""
        text = "".join(self._text).strip()
        self._text.clear()
        name = self._path.pop()
        if tag == "MDATTR":
            self._take(name, text)
        elif tag == "MDElem":
            if self._nodes:
                self._nodes.pop()
        elif tag == "Spectral_Band_Info":
            if self._band is not None and self._band.get("VIRTUAL_BAND", "").lower() != "true":
                self.found.bands.append(self._band)
            self._band = None
        elif self._band is not None:
            self._band[tag] = text

    def close(self) -> None:
        """Process the end of the document."""

    def _open(self, name: str) -> None:
        if self._nodes:
            self._nodes.append(self._copy(name))
        elif name == "product" and self.found.annotation is None and _ANNOTATION in self._path[-2:]:
            self.found.annotation = Element(name)
            self._nodes.append(self.found.annotation)

    def _copy(self, name: str) -> Element:
        self._copied += 1
        if self._copied > _MOST_NODES:
            raise ValueError("too many elements")
        return SubElement(self._nodes[-1], name if _NAME.fullmatch(name) else "other")

    def _take(self, name: str, text: str) -> None:
        if self._nodes:
            self._copy(name).text = text
        elif self._path and self._path[-1] == _ABSTRACT:
            self.found.abstract.setdefault(name, text)


def _band_name(band: dict[str, str]) -> str:
    name, unit = band.get("BAND_NAME", ""), band.get("PHYSICAL_UNIT", "")
    if "db" in unit.lower():
        unit = "dB"
    return f"{name} ({unit})" if unit and unit.lower() not in name.lower() else name
