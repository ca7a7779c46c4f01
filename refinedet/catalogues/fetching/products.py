"""Files of a product, from the assets of its item, with paths in a folder that detection reads as a product."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from refinedet.catalogues.asked import Polarisation
from refinedet.catalogues.items import POLARISATIONS, item_id
from refinedet.errors import InputError
from refinedet.scene.sentinel1.layout import MANIFEST, MEASUREMENT, Kind, expected_file, parse_stem, raster_name

_MANIFEST_KEYS = ("safe-manifest", "safe_manifest")
_KEYS: tuple[tuple[Kind, str], ...] = (
    ("annotation", "schema-product-"),
    ("calibration", "schema-calibration-"),
    ("noise", "schema-noise-"),
)
"""Kind of file, and the key of its asset before the polarisation, for the three catalogues."""
_MISNAMED = re.compile(r"/annotation/rfi/rfi-([a-z0-9-]+\.xml)")
"""Report on interference, to which some items of Planetary Computer link instead of the annotation."""
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,199}")
_MODES = {"IW", "EW", "S1", "S2", "S3", "S4", "S5", "S6"}


@dataclass(frozen=True, slots=True)
class ProductFile:
    """File of a product."""

    name: str
    """Path in the folder of the product."""
    address: str
    asset: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Product:
    """Product to fetch: its files, with the rasters last, so that a folder with a raster is complete."""

    folder: str
    files: tuple[ProductFile, ...]
    notes: tuple[str, ...]


def product_of(item: Mapping[str, Any], pol: Polarisation | None = None) -> Product:
    """Files of the product that an item describes, with the rasters of all polarisations or of one.

    Raises:
        InputError: the item has no raster of Sentinel-1, or none of this polarisation.
    """
    identifier = item_id(item)
    assets = {key.lower(): asset for key, asset in item.get("assets", {}).items() if _has_address(asset)}
    there = [one for one in POLARISATIONS if one in assets]
    wanted = there if pol is None else [pol]
    if not there or (pol is not None and pol not in there):
        expected = "rasters of Sentinel-1 (vv, vh, hh or hv)" if pol is None else f"polarisation {pol}"
        known = ", ".join(there or sorted(assets)[:8]) or "none"
        raise InputError(
            f"expected {expected} among the assets of {identifier}, found {known}; name another scene or polarisation"
        )
    files: list[ProductFile] = []
    notes: list[str] = []
    for key in _MANIFEST_KEYS:
        if key in assets and not any(one.name == MANIFEST for one in files):
            files.append(ProductFile(MANIFEST, assets[key]["href"], assets[key]))
    rasters = {one: _raster(assets[one]["href"], one, _mode(item)) for one in wanted}
    for one in wanted:
        for kind, prefix in _KEYS:
            asset = assets.get(f"{prefix}{one}")
            if asset is None:
                notes.append(f"{identifier} has no {kind} of {one} among its assets")
                continue
            address, corrected = _corrected(asset["href"])
            if corrected:
                notes.append(f"{identifier}: the asset {prefix}{one} is a report on interference; {address} is taken")
                asset = {}
            files.append(ProductFile(_description(kind, address, rasters[one], one), address, asset))
    files += [ProductFile(f"{MEASUREMENT}/{rasters[one]}", assets[one]["href"], assets[one]) for one in wanted]
    stem = identifier.removesuffix(".SAFE")
    return Product(f"{stem}.SAFE", tuple(files), tuple(notes))


def _has_address(asset: Any) -> bool:
    return isinstance(asset, dict) and isinstance(asset.get("href"), str)


def _mode(item: Mapping[str, Any]) -> str:
    mode = item.get("properties", {}).get("sar:instrument_mode")
    return mode if mode in _MODES else "IW"


def _file_name(address: str) -> str:
    try:
        return PurePosixPath(unquote(urlsplit(address).path)).name
    except ValueError:
        return ""


def _raster(address: str, polarisation: str, mode: str) -> str:
    """Name of a raster from its address, or a short name if the address names another polarisation."""
    name = _file_name(address)
    known = raster_name(name) if _PLAIN.fullmatch(name) else None
    return name if known is not None and known.polarisation == polarisation else f"{mode.lower()}-{polarisation}.tiff"


def _corrected(address: str) -> tuple[str, bool]:
    """Address of the annotation beside a report on interference; other addresses are returned unchanged."""
    made = _MISNAMED.sub(r"/annotation/\1", address)
    return made, made != address


def _description(kind: Kind, address: str, raster: str, polarisation: str) -> str:
    """Path of a file that describes a raster: its own name if it fits the raster, else one from the raster's."""
    made = PurePosixPath(expected_file(kind, PurePosixPath(raster).stem))
    name = _file_name(address)
    prefix = "" if kind == "annotation" else f"{kind}-"
    parsed = parse_stem(name.removeprefix(prefix).removesuffix(".xml")) if _PLAIN.fullmatch(name) else None
    fits = parsed is not None and parsed.polarisation == polarisation
    return str(made.with_name(name)) if fits and name.startswith(prefix) and name.endswith(".xml") else str(made)
