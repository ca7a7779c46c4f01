"""Time, pixel spacing and geometry from the metadata of a raster, by the tags of several satellites.

Sources of the names:

- ICEYE: product documentation of ICEYE (field list of its Cloud Optimized GeoTIFF, item `ICEYE_PROPERTIES`); older
  products by the reader of ESA's SNAP (`ACQUISITION_START_UTC`, `RANGE_SPACING`, ...).
- Capella: SAR Products Format Specification 1.8; the JSON is the tag ImageDescription.
- RADARSAT-2 and RCM: items that GDAL's drivers RS2 and RCM give a copy of the product (`PIXEL_SPACING`, ...).
- TerraSAR-X: items of GDAL's driver TSX (`COL_SPACING`, `PRODUCT_VARIANT`, ...).
- Envisat ASAR: items of GDAL's driver ESAT, by the names of ESA's product headers (`MPH_SENSING_START`, ...).
- Sentinel-1 tiles of S1Tiling: `ACQUISITION_DATETIME`, `FLYING_UNIT_CODE`.

The tag DateTime is not among them: by TIFF 6.0 it is the time at which the file was made, often days later.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

Geometry = Literal["slant", "ground"]
"""Plane in which pixels are counted across the track: along the line of sight, or on the ground."""

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_ESA_DATE = re.compile(r"(\d\d)-([A-Za-z]{3})-(\d{4}) (\d\d:\d\d:\d\d(?:\.\d+)?)$")
_FIRST_YEAR = 1978
"""Year of the first radar satellite over the sea; an earlier time is invalid."""
_SPACING_M = (0.01, 1000.0)
_SLANT = ("SLC", "SSC", "MLC", "CPX")
"""Beginnings of the names of product types in slant range."""


@dataclass(frozen=True, slots=True)
class FileMetadata:
    """Statements of a file about its own image; None: it does not say."""

    acquired: datetime | None = None
    """Start of the acquisition in UTC, or its middle if the file has only that."""
    spacing_m: tuple[float, float] | None = None
    """Metres between pixels along x and y."""
    on_ground: bool = True
    """False if `spacing_m` is in slant range across the track, because the file states no incidence angle."""
    geometry: Geometry | None = None
    """Plane in which the pixels are stored."""
    size_px: tuple[int, int] | None = None
    """Pixels along x and y for which `spacing_m` holds; a copy of another size was cut or resampled."""
    platform: str | None = None
    """Satellite, as the file spells it."""
    source: str | None = None
    """Tag that states these values."""

    def to_dict(self) -> dict[str, Any]:
        """Values for JSON."""
        return {
            "acquired": None if self.acquired is None else self.acquired.isoformat(),
            "spacing_m": None if self.spacing_m is None else list(self.spacing_m),
            "on_ground": self.on_ground,
            "geometry": self.geometry,
            "size_px": None if self.size_px is None else list(self.size_px),
            "platform": self.platform,
            "source": self.source,
        }


Tags = Mapping[str, Any]


def file_metadata(tags: Mapping[str, str]) -> FileMetadata:
    """Metadata that a file states about itself, by the tags of the first family of products that is recognised.

    Args:
        tags: tags of the file, by the names that GDAL gives them; invalid values count as missing.
    """
    upper = {name.upper(): text for name, text in tags.items()}
    found = (read(upper) for read in _FAMILIES)
    return next((one for one in found if one is not None), FileMetadata())


def _iceye(tags: Tags) -> FileMetadata | None:
    """Cloud Optimized GeoTIFF of ICEYE: columns run along the track, rows across; its shape has this order."""
    stated = _json(tags.get("ICEYE_PROPERTIES"))
    if not stated:
        return None
    slant = str(stated.get("sar:product_type", "")).upper().startswith(_SLANT)
    across = _number(stated.get("sar:pixel_spacing_range"))
    across, on_ground = _on_ground(across, stated.get("view:incidence_angle")) if slant else (across, True)
    return FileMetadata(
        acquired=_time(stated.get("start_datetime"), stated.get("datetime")),
        spacing_m=_spacing(stated.get("sar:pixel_spacing_azimuth"), across),
        on_ground=on_ground,
        geometry="slant" if slant else None if across is None else "ground",
        platform=_text(stated.get("platform")),
        size_px=_size(*_pair(stated.get("proj:shape"))),
        source="ICEYE_PROPERTIES",
    )


def _iceye_items(tags: Tags) -> FileMetadata | None:
    """Older GeoTIFF of ICEYE, with an item of its own for each entry."""
    if "ACQUISITION_START_UTC" not in tags:
        return None
    slant = "SLANT_RANGE_SPACING" in tags
    across, on_ground = _number(tags.get("RANGE_SPACING")), True
    if slant:
        across, on_ground = _on_ground(_number(tags["SLANT_RANGE_SPACING"]), tags.get("INCIDENCE_CENTER"))
    return FileMetadata(
        acquired=_time(tags["ACQUISITION_START_UTC"]),
        spacing_m=_spacing(across, tags.get("AZIMUTH_SPACING")),
        on_ground=on_ground,
        geometry="slant" if slant else None if across is None else "ground",
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
    middle = _inner(image, "center_pixel")
    slant, across, on_ground = plane.get("type") == "slant_plane", _number(image.get("pixel_spacing_column")), True
    if slant:
        sample = _number(plane.get("delta_range_sample"))
        across, on_ground = _on_ground(across if sample is None else sample, middle.get("incidence_angle"))
    return FileMetadata(
        acquired=_time(collect.get("start_timestamp"), middle.get("center_time")),
        spacing_m=_spacing(across, image.get("pixel_spacing_row")),
        on_ground=on_ground,
        geometry="slant" if slant else None if across is None else "ground",
        platform=_text(collect.get("platform")),
        size_px=_size(image.get("columns"), image.get("rows")),
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
        on_ground=not slant,
        geometry="slant" if slant else "ground" if spacing else None,
        platform=_text(tags.get("SATELLITE_IDENTIFIER")),
        source="PIXEL_SPACING" if spacing else "ACQUISITION_START_TIME",
    )


def _terrasar(tags: Tags) -> FileMetadata | None:
    """Copy of a TerraSAR-X or TanDEM-X product that GDAL made; spacings in seconds are ignored."""
    if "SCENE_CENTRE_TIME" not in tags or "COL_SPACING" not in tags:
        return None
    metres = str(tags.get("COL_SPACING_UNITS", "m")).strip().lower() != "s"
    spacing = _spacing(tags["COL_SPACING"], tags.get("ROW_SPACING")) if metres else None
    slant = str(tags.get("PRODUCT_VARIANT", "")).upper().startswith(_SLANT)
    return FileMetadata(
        acquired=_time(tags["SCENE_CENTRE_TIME"]),
        spacing_m=spacing,
        on_ground=not slant,
        geometry="slant" if slant else "ground" if spacing else None,
        platform="TerraSAR-X",
        source="COL_SPACING" if spacing else "SCENE_CENTRE_TIME",
    )


def _envisat(tags: Tags) -> FileMetadata | None:
    """Copy of an Envisat product that GDAL made."""
    if "MPH_SENSING_START" not in tags or "MPH_PRODUCT" not in tags:
        return None
    slant = str(tags.get("SPH_SAMPLE_TYPE", "")).strip().upper() == "COMPLEX"
    spacing = _spacing(tags.get("SPH_RANGE_SPACING"), tags.get("SPH_AZIMUTH_SPACING"))
    return FileMetadata(
        acquired=_time(tags.get("SPH_FIRST_LINE_TIME"), tags["MPH_SENSING_START"]),
        spacing_m=spacing,
        on_ground=not slant,
        geometry="slant" if slant else "ground" if spacing else None,
        platform="Envisat" if str(tags["MPH_PRODUCT"]).startswith("ASA_") else None,
        size_px=_size(tags.get("SPH_LINE_LENGTH"), None),
        source="MPH_SENSING_START",
    )


def _times_alone(tags: Tags) -> FileMetadata | None:
    """Time only, by the names that several programs use."""
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
    _envisat,
    _times_alone,
)


def _on_ground(slant_m: float | None, incidence_deg: Any) -> tuple[float | None, bool]:
    """Distance on the ground of pixels in slant range, and True; without an angle, the slant distance and False."""
    angle = _number(incidence_deg)
    if slant_m is None or angle is None or not 5 <= angle <= 85:
        return slant_m, False
    return slant_m / math.sin(math.radians(angle)), True


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
    """Two distances in metres; None if one is missing or impossible for a radar."""
    along_x, along_y = _number(x), _number(y)
    if along_x is None or along_y is None:
        return None
    least, most = _SPACING_M
    return (along_x, along_y) if least <= along_x <= most and least <= along_y <= most else None


def _pair(values: Any) -> tuple[Any, Any]:
    return (values[0], values[1]) if isinstance(values, list) and len(values) == 2 else (None, None)


def _size(x: Any, y: Any) -> tuple[int, int] | None:
    """Two numbers of pixels, 0 for one that is not stated; None if neither is."""
    along_x, along_y = (max(0, int(_number(value) or 0)) for value in (x, y))
    return (along_x, along_y) if along_x or along_y else None


def _time(*texts: Any) -> datetime | None:
    """First of several texts that is a time, in ISO 8601 or as 31-MAR-2005 07:59:36.4; without a zone it is UTC."""
    for text in texts:
        spelled = str(text).strip()
        if (named := _ESA_DATE.match(spelled)) is not None and named[2].upper() in _MONTHS:
            spelled = f"{named[3]}-{_MONTHS.index(named[2].upper()) + 1:02}-{named[1]}T{named[4]}"
        try:
            found = datetime.fromisoformat(spelled)
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
