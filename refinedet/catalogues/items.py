"""Items of a catalogue as scenes: reads and checks their properties, in the terms of three catalogues."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import shapely

from refinedet.catalogues.area import on_earth
from refinedet.catalogues.known import plain_address
from refinedet.catalogues.names import ProductName
from refinedet.downloads.tokens import needs_token
from refinedet.errors import InputError
from refinedet.utc import parse_utc

POLARISATIONS = ("vv", "vh", "hh", "hv")

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,199}")
_PROCESSED = ("processing:datetime", "s1:processing_datetime", "published", "created", "updated")
"""Properties with the time of processing, best first."""
_TYPES = ("product:type", "sar:product_type")
_ORBITS_MOST = 400


@dataclass(frozen=True, slots=True)
class CatalogueScene:
    """Scene that a catalogue lists."""

    id: str
    start: datetime
    end: datetime
    footprint: shapely.Geometry
    """Polygons in degrees, cut at the antimeridian."""
    orbit: int | None
    """Relative orbit."""
    direction: str | None
    """ascending or descending."""
    polarisations: tuple[str, ...]
    product: str | None
    """Type of product, such as GRD or IW_GRDH_1S."""
    processed: datetime | None
    name: ProductName | None
    item: Mapping[str, Any]
    """Item as it is written to a file: without signatures."""


def read_scene(item: Any) -> CatalogueScene:
    """Read an item.

    Raises:
        InputError: it is no item with an id, a time and a footprint.
    """
    identifier = item_id(item)
    properties, assets = item.get("properties"), item.get("assets")
    if not isinstance(properties, dict) or not isinstance(assets, dict):
        raise InputError(f"expected properties and assets in the item {identifier}, found others")
    names = (properties.get("s1:product_identifier"), identifier, properties.get("title"))
    name = next(filter(None, (ProductName.of(one) for one in names if isinstance(one, str))), None)
    start, end = _times(properties, name)
    footprint = on_earth(item.get("geometry"))
    if start is None or end is None or footprint is None:
        what = "a time" if footprint is not None else "a footprint"
        raise InputError(f"expected {what} in the item {identifier}, found none")
    orbit, direction = properties.get("sat:relative_orbit"), properties.get("sat:orbit_state")
    return CatalogueScene(
        identifier,
        start,
        end,
        footprint,
        _whole(orbit) or (None if name is None else name.relative_orbit),
        direction.lower() if isinstance(direction, str) and direction.isalpha() else None,
        _polarisations(properties, assets, name),
        next((one for key in _TYPES if isinstance(one := properties.get(key), str)), None),
        next(filter(None, (_time(properties.get(key)) for key in _PROCESSED)), None),
        name,
        without_secrets(item),
    )


def item_id(item: Any) -> str:
    """Name of an item, checked to be usable as a file name.

    Raises:
        InputError: it is no item, or its name is no file name.
    """
    if not isinstance(item, dict) or item.get("type") != "Feature":
        raise InputError("expected a STAC item, found other JSON")
    identifier = item.get("id")
    if not isinstance(identifier, str) or not _ID.fullmatch(identifier):
        raise InputError(f"expected an item with a plain name as id, found {str(identifier)[:80]!r}")
    return identifier


def without_secrets(item: Mapping[str, Any], base: str | None = None) -> dict[str, Any]:
    """Item whose assets have absolute addresses, without the query if this program signs the address itself.

    Args:
        item: the item.
        base: address from which it was read; None: that of its link `self`.
    """
    links = item.get("links")
    for link in links if isinstance(links, list) else []:
        if base is None and isinstance(link, dict) and link.get("rel") == "self" and isinstance(link.get("href"), str):
            base = link["href"]
    assets = item.get("assets")
    kept = {}
    for key, asset in assets.items() if isinstance(assets, dict) else ():
        if isinstance(key, str) and isinstance(asset, dict) and isinstance(asset.get("href"), str):
            kept[key] = {**asset, "href": _whole_address(asset["href"], base)}
    return {**item, "assets": kept}


def _whole_address(href: str, base: str | None) -> str:
    try:
        if base is not None and not urlsplit(href).scheme:
            href = urljoin(base, href)
        return plain_address(href) if needs_token(href) else href
    except ValueError:  # no address: reading it raises the error
        return href


def _times(properties: Mapping[str, Any], name: ProductName | None) -> tuple[datetime | None, datetime | None]:
    middle = _time(properties.get("datetime"))
    start = _time(properties.get("start_datetime")) or (None if name is None else name.start) or middle
    end = _time(properties.get("end_datetime")) or (None if name is None else name.end) or middle or start
    return start, end if end is None or start is None else max(start, end)


def _time(text: Any) -> datetime | None:
    try:
        return parse_utc(text) if isinstance(text, str) else None
    except InputError:
        return None


def _whole(value: Any) -> int | None:
    known = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < _ORBITS_MOST
    return int(value) if known and value == int(value) else None


def _polarisations(
    properties: Mapping[str, Any], assets: Mapping[str, Any], name: ProductName | None
) -> tuple[str, ...]:
    told = properties.get("sar:polarizations")
    listed = {one.lower() for one in told if isinstance(one, str)} if isinstance(told, list) else set()
    there = listed or {str(key).lower() for key in assets}
    return tuple(one for one in POLARISATIONS if one in there) or (() if name is None else name.polarisations)
