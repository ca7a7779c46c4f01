"""Time, pixel spacing and geometry as the metadata of a raster states them, by the tags of several satellites.

Sources of the names:

- ICEYE: product documentation of ICEYE (field list of its Cloud Optimized GeoTIFF, item `ICEYE_PROPERTIES`); older
  products by the reader of ESA's SNAP (`ACQUISITION_START_UTC`, `RANGE_SPACING`, ...).
- Capella: SAR Products Format Specification 1.8; the JSON is the tag ImageDescription.
- RADARSAT-2 and RCM: items that GDAL's drivers RS2 and RCM give a copy of the product (`PIXEL_SPACING`, ...).
- TerraSAR-X: items of GDAL's driver TSX (`COL_SPACING`, `PRODUCT_VARIANT`, ...).
- Sentinel-1 tiles of S1Tiling: `ACQUISITION_DATETIME`, `FLYING_UNIT_CODE`.

The tag DateTime is not among them: by TIFF 6.0 it is the time at which the file was made, often days later.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

Geometry = Literal["slant", "ground"]
"""Plane in which pixels are counted across the track: along the line of sight, or on the ground."""

_FIRST_YEAR = 1978
"""Year of the first radar satellite over the sea: an earlier time is none."""
_SPACING_M = (0.01, 1000.0)
_SLANT = ("SLC", "SSC", "MLC", "CPX")
"""Beginnings of the names of product types in slant range."""


@dataclass(frozen=True, slots=True)
class FileMetadata:
    """Statements of a file about its own image; None: it does not say."""

    acquired: datetime | None = None
    """Time at which the image was begun, in UTC; the middle of it where the file only has that."""
    spacing_m: tuple[float, float] | None = None
    """Metres between pixels along x and y; on the ground, if `geometry` is not "slant"."""
    geometry: Geometry | None = None
    platform: str | None = None
    """Satellite, as the file spells it."""
    source: str | None = None
    """Tag that says so."""

    def to_dict(self) -> dict[str, Any]:
        """Values for JSON."""
        return {
            "acquired": None if self.acquired is None else self.acquired.isoformat(),
            "spacing_m": None if self.spacing_m is None else list(self.spacing_m),
            "geometry": self.geometry,
            "platform": self.platform,
            "source": self.source,
        }


Tags = Mapping[str, Any]


def file_metadata(tags: Mapping[str, str]) -> FileMetadata:
    """Metadata that a file states about itself, by the tags of the first family of products that is recognised.

    Args:
        tags: tags of the file, by the names that GDAL gives them; values that make no sense count as missing.
    """
    upper = {name.upper(): text for name, text in tags.items()}
    found = (read(upper) for read in _FAMILIES)
    return next((one for one in found if one is not None), FileMetadata())


def _iceye(tags: Tags) -> FileMetadata | None:
    """Cloud Optimized GeoTIFF of ICEYE: its columns run along the track, its rows across."""
    stated = _json(tags.get("ICEYE_PROPERTIES"))
    if not stated:
        return None
    slant = str(stated.get("sar:product_type", "")).upper().startswith(_SLANT)
    across = _number(stated.get("sar:pixel_spacing_range"))
    incidence = _number(stated.get("view:incidence_angle"))
    across, geometry = _on_ground(across, incidence) if slant else (across, "ground")
    return FileMetadata(
        acquired=_time(stated.get("start_datetime"), stated.get("datetime")),
        spacing_m=_spacing(stated.get("sar:pixel_spacing_azimuth"), across),
        geometry=geometry if across is not None or slant else None,
        platform=_text(stated.get("platform")),
        source="ICEYE_PROPERTIES",
    )


def _iceye_items(tags: Tags) -> FileMetadata | None:
    """Older GeoTIFF of ICEYE, with an item of its own for each entry."""
    if "ACQUISITION_START_UTC" not in tags:
        return None
    across = _number(tags.get("SLANT_RANGE_SPACING"))
    geometry: Geometry | None = "slant" if across is not None else None
    if across is None:
        across = _number(tags.get("RANGE_SPACING"))
        geometry = "ground" if across is not None else None
    return FileMetadata(
        acquired=_time(tags["ACQUISITION_START_UTC"]),
        spacing_m=_spacing(across, tags.get("AZIMUTH_SPACING")),
        geometry=geometry,
        platform=_text(tags.get("SATELLITE_NAME")),
        source="ACQUISITION_START_UTC",
    )


def _capella(tags: Tags) -> FileMetadata | None:
    """GeoTIFF of Capella: rows follow the track; the distance of samples in slant range has an entry of its own."""
    collect = _inner(_json(tags.get("TIFFTAG_IMAGEDESCRIPTION")), "collect")
    if not collect:
        return None
    image = _inner(collect, "image")
    plane = _inner(image, "image_geometry")
    across = _number(image.get("pixel_spacing_column"))
    geometry: Geometry | None = None if across is None else "ground"
    if plane.get("type") == "slant_plane":
        sample = _number(plane.get("delta_range_sample"))
        incidence = _number(_inner(image, "center_pixel").get("incidence_angle"))
        across, geometry = _on_ground(across if sample is None else sample, incidence)
    return FileMetadata(
        acquired=_time(collect.get("start_timestamp"), _inner(image, "center_pixel").get("center_time")),
        spacing_m=_spacing(across, image.get("pixel_spacing_row")),
        geometry=geometry,
        platform=_text(collect.get("platform")),
        source="TIFFTAG_IMAGEDESCRIPTION",
    )


def _radarsat(tags: Tags) -> FileMetadata | None:
    """Copy of a RADARSAT-2 or RCM product that GDAL made."""
    if "ACQUISITION_START_TIME" not in tags or "PIXEL_SPACING" not in tags:
        return None
    spacing = _spacing(tags["PIXEL_SPACING"], tags.get("LINE_SPACING"))
    slant = str(tags.get("PRODUCT_TYPE", "")).upper().startswith(_SLANT)
    return FileMetadata(
        acquired=_time(tags["ACQUISITION_START_TIME"]),
        spacing_m=spacing,
        geometry="slant" if slant else "ground" if spacing else None,
        platform=_text(tags.get("SATELLITE_IDENTIFIER")),
        source="PIXEL_SPACING" if spacing else "ACQUISITION_START_TIME",
    )


def _terrasar(tags: Tags) -> FileMetadata | None:
    """Copy of a TerraSAR-X or TanDEM-X product that GDAL made; spacings in seconds are of no use here."""
    if "SCENE_CENTRE_TIME" not in tags or "COL_SPACING" not in tags:
        return None
    metres = str(tags.get("COL_SPACING_UNITS", "m")).strip().lower() != "s"
    spacing = _spacing(tags["COL_SPACING"], tags.get("ROW_SPACING")) if metres else None
    slant = str(tags.get("PRODUCT_VARIANT", "")).upper().startswith(_SLANT)
    return FileMetadata(
        acquired=_time(tags["SCENE_CENTRE_TIME"]),
        spacing_m=spacing,
        geometry="slant" if slant else "ground" if spacing else None,
        platform="TerraSAR-X",
        source="COL_SPACING" if spacing else "SCENE_CENTRE_TIME",
    )


def _times_alone(tags: Tags) -> FileMetadata | None:
    """Time without more, by the names that several programs use."""
    for name in ("ACQUISITION_START_TIME", "ACQUISITION_DATETIME"):
        acquired = _time(tags.get(name))
        if acquired is not None:
            platform = _text(tags.get("SATELLITE_IDENTIFIER")) or _text(tags.get("FLYING_UNIT_CODE"))
            return FileMetadata(acquired=acquired, platform=platform, source=name)
    return None


_FAMILIES: tuple[Callable[[Tags], FileMetadata | None], ...] = (
    _iceye,
    _iceye_items,
    _capella,
    _radarsat,
    _terrasar,
    _times_alone,
)


def _on_ground(slant_m: float | None, incidence_deg: float | None) -> tuple[float | None, Geometry]:
    """Distance on the ground of pixels in slant range, and the geometry of the result; as it is without an angle."""
    if slant_m is None or incidence_deg is None or not 5 <= incidence_deg <= 85:
        return slant_m, "slant"
    return slant_m / math.sin(math.radians(incidence_deg)), "slant"


def _json(text: Any) -> dict[str, Any]:
    """Object in a text; empty if it holds none."""
    try:
        found = json.loads(text) if isinstance(text, str) and text.lstrip().startswith("{") else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _inner(found: Mapping[str, Any], name: str) -> dict[str, Any]:
    inner = found.get(name)
    return inner if isinstance(inner, dict) else {}


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _spacing(x: Any, y: Any) -> tuple[float, float] | None:
    """Two distances in metres; None if one is missing or of no radar."""
    along_x, along_y = _number(x), _number(y)
    if along_x is None or along_y is None:
        return None
    least, most = _SPACING_M
    return (along_x, along_y) if least <= along_x <= most and least <= along_y <= most else None


def _time(*texts: Any) -> datetime | None:
    """First of several texts that is a time in ISO 8601; without a zone it is UTC."""
    for text in texts:
        try:
            found = datetime.fromisoformat(str(text).strip())
            found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        except (ValueError, OverflowError):
            continue
        if found.year >= _FIRST_YEAR:
            return found
    return None


def _text(value: Any) -> str | None:
    """Short text; None if there is none."""
    text = " ".join(value.split()) if isinstance(value, str) else ""
    return text[:40] if text and text.upper() not in ("UNK", "UNKNOWN") else None
