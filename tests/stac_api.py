"""A STAC API on loopback, small and faithful: landing page, conformance, collections, search by GET and POST, paging.

Its items are modelled on those of three catalogues, and its files lie under /files, with ranges and entity tags.
"""

from __future__ import annotations

import hashlib
import json
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import shapely

from tests.web_server import serving

CORE = "https://api.stacspec.org/v1.0.0/core"
SEARCH = "https://api.stacspec.org/v1.0.0/item-search"
FEATURES = "https://api.stacspec.org/v1.0.0/ogcapi-features"
GEOJSON = "application/geo+json"


def box(west: float, south: float, east: float, north: float) -> dict[str, Any]:
    """Polygon of a box, as GeoJSON; it may reach beyond 180 degrees as items of some catalogues do."""
    return dict(shapely.geometry.mapping(shapely.box(west, south, east, north)))


def product_id(
    start: str = "20240305T054321", *, take: str = "066543", version: str | None = "ABCD", mission: str = "S1A"
) -> str:
    """Name of a product of 25 seconds in VV and VH."""
    first = datetime.strptime(start, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    end = (first + timedelta(seconds=25)).strftime("%Y%m%dT%H%M%S")
    return "_".join(filter(None, [mission, "IW_GRDH_1SDV", start, end, "052841", take, version]))


def item(identifier: str, geometry: dict[str, Any], assets: dict[str, Any], **properties: Any) -> dict[str, Any]:
    """An item with what all three catalogues say."""
    start, end = (datetime.fromisoformat(one) for one in identifier.split("_")[4:6])
    common = {
        "datetime": f"{start.isoformat()}.000000Z",
        "start_datetime": f"{start.isoformat()}.123456Z",
        "end_datetime": f"{end.isoformat()}.123456Z",
        "platform": "sentinel-1a",
        "constellation": "sentinel-1",
        "sar:instrument_mode": "IW",
        "sar:polarizations": ["VV", "VH"],
        "sat:absolute_orbit": 52841,
        "sat:relative_orbit": 44,
        "sat:orbit_state": "descending",
    }
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": identifier,
        "collection": "sentinel-1-grd",
        "geometry": geometry,
        "bbox": list(shapely.geometry.shape(geometry).bounds),
        "properties": {key: value for key, value in (common | properties).items() if value is not None},
        "links": [],
        "assets": assets,
    }


def copernicus(name: str, geometry: dict[str, Any], **properties: Any) -> dict[str, Any]:
    """An item of Copernicus Data Space: keys of S3, `safe_manifest`, sums of MD5."""
    stem = f"s1a-iw-grd-{{}}-{name[17:32].lower()}-{name[33:48].lower()}-052841-066543-001-cog"
    root = f"s3://eodata/Sentinel-1/SAR/IW_GRDH_1S-COG/2024/03/05/{name}_COG.SAFE"
    assets: dict[str, Any] = {"safe_manifest": {"href": f"{root}/manifest.safe"}, "Product": {"href": f"{root}.zip"}}
    for pol in ("vv", "vh"):
        file = stem.format(pol)
        assets[pol] = {"href": f"{root}/measurement/{file}.tiff", "file:size": 4}
        assets[f"schema-product-{pol}"] = {"href": f"{root}/annotation/{file}.xml"}
        for kind in ("calibration", "noise"):
            assets[f"schema-{kind}-{pol}"] = {"href": f"{root}/annotation/calibration/{kind}-{file}.xml"}
    told = {"product:type": "IW_GRDH_1S", "processing:datetime": "2024-03-05T07:00:00.000000Z"}
    return item(f"{name}_COG", geometry, assets, **(told | properties))


def flattened(root: str, *, rfi: bool = False) -> dict[str, Any]:
    """Assets of Earth Search and Planetary Computer: short names below `root`."""
    assets: dict[str, Any] = {"safe-manifest": {"href": f"{root}/manifest.safe"}}
    for pol in ("vv", "vh"):
        assets[pol] = {"href": f"{root}/measurement/iw-{pol}.tiff"}
        assets[f"schema-product-{pol}"] = {"href": f"{root}/annotation/{'rfi/rfi-' if rfi else ''}iw-{pol}.xml"}
        for kind in ("calibration", "noise"):
            assets[f"schema-{kind}-{pol}"] = {"href": f"{root}/annotation/calibration/{kind}-iw-{pol}.xml"}
    return assets


def earth_search(name: str, geometry: dict[str, Any], **properties: Any) -> dict[str, Any]:
    """An item of Earth Search: its id lacks the last four characters of the name."""
    assets = flattened(f"s3://sentinel-s1-l1c/GRD/2024/3/5/IW/DV/{name}")
    told = {"sar:product_type": "GRD", "s1:processing_datetime": "2024-03-05T07:00:00.000000Z"}
    return item(name[:62], geometry, assets, **(told | properties))


def planetary(name: str, geometry: dict[str, Any], **properties: Any) -> dict[str, Any]:
    """An item of Planetary Computer: the whole name is a property, and the annotation leads astray."""
    assets = flattened(f"https://sentinel1euwest.blob.core.windows.net/s1-grd/GRD/2024/3/5/IW/DV/{name}", rfi=True)
    told = {"sar:product_type": "GRD", "s1:product_identifier": name, "s1:datatake_id": "419139"}
    return item(name[:62], geometry, assets, **(told | properties))


@dataclass
class Api:
    """The API, and what it was asked. Tests change it."""

    items: list[dict[str, Any]] = field(default_factory=list)
    files: Path | None = None
    collections: tuple[str, ...] = ("sentinel-1-grd", "sentinel-2-l2a")
    conforms: tuple[str, ...] = (CORE, SEARCH, FEATURES)
    post: bool = True
    """True if the search is offered by POST, too."""
    page: int = 10
    """Most items of a page, whatever is asked for."""
    next_link: dict[str, Any] | None = None
    """Link to the next page of every page, instead of the right one."""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    """Questions of searches, in order."""
    paths: list[str] = field(default_factory=list)
    answers: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    """Answer to a path, instead of the right one: status, headers, body."""
    cuts: list[int] = field(default_factory=list)
    """Bytes after which the next files break off."""
    query: str | None = None
    """Query without which files are refused."""
    url: str = ""

    def landing(self) -> dict[str, Any]:
        """The landing page."""
        links = [
            {"rel": rel, "href": f"{self.url}{path}", "type": "application/json"}
            for rel, path in (("self", "/"), ("root", "/"), ("data", "/collections"), ("conformance", "/conformance"))
        ]
        methods = ("GET", "POST") if self.post else ("GET",)
        search = {"rel": "search", "href": f"{self.url}/search", "type": GEOJSON}
        links += [{**search, "method": method} for method in methods]
        catalog = {"type": "Catalog", "id": "loopback", "description": "A small STAC API", "stac_version": "1.0.0"}
        return {**catalog, "conformsTo": list(self.conforms), "links": links}

    def collection(self, name: str) -> dict[str, Any]:
        """One collection."""
        extent = {
            "spatial": {"bbox": [[-180, -90, 180, 90]]},
            "temporal": {"interval": [["2014-10-10T00:00:00Z", None]]},
        }
        told = {"description": name, "license": "other", "stac_version": "1.0.0", "extent": extent}
        links = [{"rel": "self", "href": f"{self.url}/collections/{name}", "type": "application/json"}]
        return {"type": "Collection", "id": name, **told, "links": links}

    def search(self, asked: dict[str, Any], *, by_post: bool) -> dict[str, Any]:
        """One page of a search."""
        self.bodies.append(asked)
        matching = [one for one in self.items if self._matches(one, asked)]
        first, size = int(asked.get("token", 0)), min(int(asked.get("limit", 10)), self.page)
        links = []
        if first + size < len(matching):
            link: dict[str, Any] = {"rel": "next", "href": f"{self.url}/search", "type": GEOJSON}
            body = {**asked, "token": str(first + size)}
            if by_post:
                link |= {"method": "POST", "body": body}
            else:
                link["href"] += "?" + urllib.parse.urlencode(body)
            links.append(link)
        if self.next_link is not None:
            links = [self.next_link]
        return {"type": "FeatureCollection", "features": matching[first : first + size], "links": links}

    def _matches(self, one: dict[str, Any], asked: dict[str, Any]) -> bool:
        if isinstance(one.get("geometry"), dict) is False:
            return True
        shape = shapely.geometry.shape(one["geometry"])
        bbox = asked.get("bbox")
        bbox = [float(v) for v in bbox.split(",")] if isinstance(bbox, str) else bbox
        area = shapely.box(*bbox) if bbox else shapely.geometry.shape(asked["intersects"])
        start, end = asked["datetime"].split("/")
        wanted = asked["collections"]
        wanted = wanted.split(",") if isinstance(wanted, str) else wanted
        inside = start[:19] <= one["properties"]["datetime"][:19] <= end[:19]
        return one["collection"] in wanted and inside and bool(shapely.intersects(shape, area))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"
    api: Api

    def do_GET(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, body: bytes | None) -> None:
        path, _, query = self.path.partition("?")
        self.api.paths.append(self.path)
        if path in self.api.answers:
            status, headers, content = self.api.answers[path]
            self._send(status, content, headers)
        elif path.startswith("/files/"):
            self._file(path, query)
        elif path.startswith("/sas/"):
            soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
            self._json({"msft:expiry": soon, "token": "sig=SECRET"})
        elif path == "/search":
            pairs = dict(urllib.parse.parse_qsl(query))
            self._json(self.api.search(pairs if body is None else json.loads(body), by_post=body is not None))
        elif path == "/collections":
            named = [self.api.collection(name) for name in self.api.collections]
            self._json({"collections": named, "links": []})
        elif path == "/conformance":
            self._json({"conformsTo": list(self.api.conforms)})
        elif path in ("", "/"):
            self._json(self.api.landing())
        else:
            self._send(404, b'{"code": "NotFound"}', {})

    def _json(self, value: Any) -> None:
        self._send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _file(self, path: str, query: str) -> None:
        file = (self.api.files or Path("nowhere")) / urllib.parse.unquote(path.removeprefix("/files/"))
        if self.api.query is not None and query != self.api.query:
            self._send(403, b"", {})
            return
        if not file.is_file():
            self._send(404, b"", {})
            return
        content = file.read_bytes()
        etag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        asked, condition = self.headers.get("Range"), self.headers.get("If-Range")
        first, last = 0, len(content) - 1
        ranged = asked is not None and condition in (None, etag)
        if asked is not None and ranged:
            start, _, end = asked.removeprefix("bytes=").partition("-")
            first, last = int(start), min(last, int(end or last))
        body = content[first : last + 1]
        headers = {"ETag": etag, "Content-Length": str(len(body))}
        if ranged:
            headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
        self._send(206 if ranged else 200, body[: self.api.cuts.pop(0)] if self.api.cuts else body, headers)

    def _send(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(content))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def stac_api() -> Iterator[Api]:
    """Run the API on loopback."""
    api = Api()
    with serving(type("Handler", (_Handler,), {"api": api})) as api.url:
        yield api
