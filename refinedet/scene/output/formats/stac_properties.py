"""Properties of a STAC item: time, projection, radar and processing of a scene, as far as known.

Extensions: projection 2.0, SAR 1.3 and processing 1.2 (https://stac-extensions.github.io). An item names an extension
only if it has all required properties.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from pyproj import CRS
from pyproj.exceptions import CRSError

import refinedet
from refinedet.geo.position import locate
from refinedet.scene.result import SceneResult

WGS84 = "EPSG:4326"
EXTENSIONS = {
    "proj": "https://stac-extensions.github.io/projection/v2.0.0/schema.json",
    "sar": "https://stac-extensions.github.io/sar/v1.3.0/schema.json",
    "processing": "https://stac-extensions.github.io/processing/v1.2.0/schema.json",
}
"""Address of each extension by the prefix of its properties."""
ANY_TIME = ("1978-06-27T00:00:00.000Z", "9999-12-31T23:59:59.000Z")
"""Interval of a scene whose time is unknown; it begins with the first radar satellite over the sea (Seasat)."""
TIME_UNKNOWN = (
    "the STAC item of the scene gives no time but an interval that holds any, from 1978 on, because the standard wants "
    "one; name the time with `time`"
)
"""Sentence for the user of an item without a known time."""

_BANDS = {"P": 1.0, "L": 2.0, "S": 4.0, "C": 8.0, "X": 12.0, "Ku": 18.0, "K": 26.5, "Ka": 40.0}
"""Upper end in GHz of each frequency band, by its name in the SAR extension."""
_POLARISATIONS = ("hh", "hv", "vh", "vv")
_DIGITS = 7


def item_properties(result: SceneResult, record: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Properties of the item of a scene, ready for JSON; `record` is the record of the run."""
    return (
        {"title": f"Ships in {result.scene}"}
        | _time(result)
        | _projection(result)
        | _radar(result)
        | _made(result, record or {})
    )


def _time(result: SceneResult) -> dict[str, Any]:
    """Time of a scene: its middle with start and end; or one time; or an interval that contains every possible time."""
    height = result.info.height
    known = result.acquired.to_dict(height)
    if known["start"] is None:
        return {"datetime": None, "start_datetime": ANY_TIME[0], "end_datetime": ANY_TIME[1]}
    if known["end"] is None:
        return {"datetime": known["start"]}
    start, end = sorted((known["start"], known["end"]))
    middle = result.acquired.times(np.array([height / 2]))[0]
    return {"datetime": middle, "start_datetime": start, "end_datetime": end}


def _projection(result: SceneResult) -> dict[str, Any]:
    """Pixel grid of the scene; a scene with only control points has no reference system."""
    info, position = result.info, locate(result.info)
    found: dict[str, Any] = {"proj:code": None, "proj:shape": [info.height, info.width]}
    if position is not None:
        lon, lat = position.lonlat(np.array([[info.width / 2, info.height / 2]])).round(_DIGITS)[0].tolist()
        found["proj:centroid"] = {"lat": lat, "lon": lon}
    if info.transform is None or info.crs is None or position is None:
        return found
    system = _system(info.crs)
    if system is None:
        return found
    code = system.to_epsg()
    found |= {"proj:code": f"EPSG:{code}"} if code else {"proj:wkt2": system.to_wkt("WKT2_2019")}
    a, b, c, d, e, f = info.transform
    columns, rows = np.array([0, info.width, 0, info.width]), np.array([0, 0, info.height, info.height])
    x, y = a * columns + b * rows + c, d * columns + e * rows + f
    bounds = [float(side) for side in (x.min(), y.min(), x.max(), y.max())]
    return found | {"proj:transform": list(info.transform), "proj:bbox": bounds}


def _system(text: str) -> CRS | None:
    try:
        return CRS.from_user_input(text)
    except CRSError:
        return None


def _radar(result: SceneResult) -> dict[str, Any]:
    """Radar of the scene by its annotation; else its satellite, if the file names it."""
    radar = result.read_as.get("radar")
    named = [one for one in (result.label or "").split("+") if one in _POLARISATIONS]
    if not isinstance(radar, Mapping) or not named:
        platform = (result.read_as.get("file_metadata") or {}).get("platform")
        return {"platform": platform.lower()} if platform else {}
    across, along = radar["spacing_m"]
    return {
        "platform": radar["platform"],
        "constellation": "sentinel-1",
        "instruments": ["c-sar"],
        "sar:instrument_mode": radar["mode"],
        "sar:frequency_band": next(band for band, most in _BANDS.items() if radar["frequency_ghz"] < most),
        "sar:center_frequency": radar["frequency_ghz"],
        "sar:polarizations": [one.upper() for one in named],
        "sar:pixel_spacing_range": across,
        "sar:pixel_spacing_azimuth": along,
        "sar:observation_direction": radar["look"],
    }


def _made(result: SceneResult, record: Mapping[str, Any]) -> dict[str, Any]:
    """Processing: the software, its input and its output."""
    versions = record.get("versions") or {"refinedet": refinedet.__version__}
    of = result.scene if result.label is None else f"{result.scene} ({result.label})"
    content = (record.get("scene") or {}).get("sha256")
    identity = f", SHA-256 {content}" if content else ""
    weights = record.get("weights")
    by = f", weights {weights['name']}, SHA-256 {weights['sha256']}" if weights else ""
    return {
        "processing:software": {name: version for name, version in versions.items() if version and name != "machine"},
        "processing:lineage": f"Ships found by refinedet {refinedet.__version__} in {of}{identity}{by}",
    }
