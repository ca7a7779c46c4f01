"""GeoTIFF as ESA's toolbox SNAP writes it, which GDAL cannot write: for tests.

The XML is that of SNAP's format BEAM-DIMAP, after its source code (DimapHeaderWriter, AbstractMetadataIO).
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray


def tie_point_grid(height: int, width: int, rows: int, columns: int) -> NDArray[np.float64]:
    """Tie points (N, 6) from the middle of the first pixel to that of the last, off the coast of Denmark."""
    y = 0.5 + np.arange(rows) * (height - 1) / (rows - 1)
    x = 0.5 + np.arange(columns) * (width - 1) / (columns - 1)
    across, down = (one.ravel() for one in np.meshgrid(x, y))
    zero = np.zeros_like(across)
    return np.stack([across, down, zero, *place(across, down), zero], axis=1)


def place(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Longitude and latitude at pixels of a scene with such tie points."""
    return 8.0 + 1.6e-4 * x + 3e-5 * y, 56.0 - 9e-5 * y + 2e-5 * x


def write_snap_tiff(
    path: Path,
    pixels: NDArray[Any],
    tie_points: NDArray[np.float64],
    xml: bytes | None = None,
    *,
    scale: float | None = 1,
) -> Path:
    """Write a TIFF as ESA's toolbox SNAP does: big-endian, one strip, a tie-point grid, a pixel scale, its XML.

    GDAL cannot write such a file. `pixels` (H, W) become float32; `tie_points` (N, 6) are on WGS 84.
    """
    height, width = pixels.shape
    keys = struct.pack(">16H", *(1, 1, 0, 3), *(1024, 0, 1, 2), *(1025, 0, 1, 1), *(2048, 0, 1, 4326))
    tags: list[tuple[int, int, int, bytes]] = [
        *((tag, 4, 1, struct.pack(">I", value)) for tag, value in ((256, width), (257, height))),
        *((tag, 3, 1, struct.pack(">HH", value, 0)) for tag, value in ((258, 32), (259, 1), (262, 1))),
        (273, 4, 1, b"place"),
        (277, 3, 1, struct.pack(">HH", 1, 0)),
        *((tag, 4, 1, struct.pack(">I", value)) for tag, value in ((278, height), (279, pixels.size * 4))),
        (339, 3, 1, struct.pack(">HH", 3, 0)),
        *([(33550, 12, 3, struct.pack(">3d", scale, scale, 0))] if scale is not None else []),
        (33922, 12, tie_points.size, tie_points.astype(">f8").tobytes()),
        (34735, 3, 16, keys),
        *([(65000, 2, len(xml) + 1, xml + b"\0")] if xml is not None else []),
    ]
    first = 8 + 2 + 12 * len(tags) + 4
    place = first + sum(len(content) + len(content) % 2 for *_, content in tags if len(content) > 5)
    directory, values = b"", b""
    for tag, kind, count, content in tags:
        if content == b"place":
            inline = struct.pack(">I", place)
        elif len(content) <= 4:
            inline = content.ljust(4, b"\0")
        else:
            inline = struct.pack(">I", first + len(values))
            values += content + b"\0" * (len(content) % 2)
        directory += struct.pack(">HHI", tag, kind, count) + inline
    head = b"MM" + struct.pack(">HIH", 42, 8, len(tags))
    path.write_bytes(head + directory + struct.pack(">I", 0) + values + pixels.astype(">f4").tobytes())
    return path


def dimap(
    *bands: tuple[str, str], abstract: dict[str, object] | None = None, annotations: dict[str, Element] | None = None
) -> bytes:
    """XML of an image with bands (name, unit), the values of its abstract, and annotations by file name."""
    described = "".join(
        f"<Spectral_Band_Info><BAND_INDEX>{number}</BAND_INDEX><BAND_NAME>{name}</BAND_NAME>"
        f"<PHYSICAL_UNIT>{unit}</PHYSICAL_UNIT></Spectral_Band_Info>"
        for number, (name, unit) in enumerate(bands)
    )
    virtual = "<Spectral_Band_Info><BAND_NAME>Mean</BAND_NAME><VIRTUAL_BAND>true</VIRTUAL_BAND></Spectral_Band_Info>"
    values = "".join(_attribute(name, value) for name, value in (abstract or {}).items())
    vectors = f'<MDElem name="Orbit_State_Vectors">{_attribute("first_line_time", "not this one")}</MDElem>'
    copies = "".join(f'<MDElem name="{name}">{_copied(root)}</MDElem>' for name, root in (annotations or {}).items())
    original = f'<MDElem name="Original_Product_Metadata"><MDElem name="annotation">{copies}</MDElem></MDElem>'
    sources = (
        f'<MDElem name="metadata"><MDElem name="Abstracted_Metadata">{values}{vectors}</MDElem>{original}</MDElem>'
    )
    text = (
        '<?xml version="1.0" encoding="ISO-8859-1"?>\n<Dimap_Document name="scene.dim">\n'
        f"<Image_Interpretation>{described}{virtual}</Image_Interpretation>\n"
        f"<Dataset_Sources>{sources}</Dataset_Sources>\n</Dimap_Document>"
    )
    return text.encode("latin-1")


def _attribute(name: str, value: object) -> str:
    return f'<MDATTR name="{name}" type="ascii" mode="rw">{value}</MDATTR>'


def _copied(element: Element) -> str:
    """Element of an annotation as SNAP keeps it: values become attributes, all else elements."""
    if not len(element) and not element.attrib:
        return _attribute(element.tag, (element.text or "").strip())
    own = "".join(_attribute(name, value) for name, value in element.attrib.items())
    value = "" if len(element) else _attribute(element.tag, (element.text or "").strip())
    return f'<MDElem name="{element.tag}">{own}{value}{"".join(map(_copied, element))}</MDElem>'
