"""STAC collection of an archive: a static file that names the items of its finished scenes, with their extent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from refinedet.errors import InputError
from refinedet.files import read_json, write_json
from refinedet.geo.footprints import narrowest_box
from refinedet.scene.output.formats.stac import ITEM_TYPE, JSON_TYPE, VERSION, collection_id
from refinedet.scene.output.formats.stac_properties import ANY_TIME
from refinedet.scene.output.result_paths import COLLECTION, SUFFIXES

_WORLD = [-180.0, -90.0, 180.0, 90.0]
_SUMMARISED = ("platform", "constellation", "sar:instrument_mode", "sar:frequency_band", "sar:observation_direction")
_DESCRIPTION = "Ships that refinedet found in scenes of radar satellites: an item for each scene."


def write_collection(folder: Path, files: Iterable[str]) -> Path:
    """Write the collection of an archive, and return its path; equal items, equal bytes.

    Args:
        folder: folder of the results.
        files: files of finished scenes, relative to the folder; only STAC items are used.

    Raises:
        FileError, InputError: an item cannot be read, or the collection cannot be written.
    """
    items = {name: _item(folder / name) for name in sorted(files) if name.endswith(SUFFIXES["stac"])}
    path = folder / COLLECTION
    write_json(path, collection(collection_id(folder), items))
    return path


def collection(name: str, items: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Collection of items by their paths relative to it, ready for JSON.

    Its box is the narrowest around all scenes; scenes without a position or a time are left out of its extents.
    """
    boxes = [item["bbox"] for item in items.values() if "bbox" in item]
    links = [
        {"rel": "item", "href": quote(f"./{path}", safe="/="), "type": ITEM_TYPE, "title": item["id"]}
        for path, item in items.items()
    ]
    return {
        "type": "Collection",
        "stac_version": VERSION,
        "stac_extensions": [],
        "id": name,
        "title": f"Ships of {name}",
        "description": _DESCRIPTION,
        "license": "other",
        "extent": {
            "spatial": {"bbox": [narrowest_box(boxes) or _WORLD]},
            "temporal": {"interval": [_interval([item["properties"] for item in items.values()])]},
        },
        "summaries": _summaries([item["properties"] for item in items.values()]),
        "links": [{"rel": "root", "href": f"./{COLLECTION}", "type": JSON_TYPE}, *links],
    }


def _item(path: Path) -> dict[str, Any]:
    item = read_json(path)
    if not isinstance(item, dict) or not {"id", "properties"} <= item.keys():
        raise InputError(f"expected a STAC item of this archive at {path}, found other JSON; detect it again")
    return item


def _interval(properties: Iterable[Mapping[str, Any]]) -> list[str | None]:
    """Times of the first and the last scene; null if none is known."""
    known = [one for one in properties if one.get("start_datetime") != ANY_TIME[0]]
    starts = [one.get("start_datetime") or one["datetime"] for one in known]
    ends = [one.get("end_datetime") or one["datetime"] for one in known]
    return [min(starts, default=None), max(ends, default=None)]


def _summaries(properties: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Values that the properties of items have."""
    listed = list(properties)
    found = {name: sorted({one[name] for one in listed if name in one}) for name in _SUMMARISED}
    found["sar:polarizations"] = sorted({each for one in listed for each in one.get("sar:polarizations", ())})
    return {name: values for name, values in found.items() if values}
